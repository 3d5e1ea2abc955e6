"""Synthetic tidy rows for the tests of claims, tables and the report."""

from __future__ import annotations

from pathlib import Path

from lossproof.records import read_csv

REFERENCE = Path(__file__).resolve().parents[2] / "reference"
PRINTED = read_csv(REFERENCE / "claims.csv")
CLAIMS = [row for row in PRINTED if row["paper"] == "sp"]
COLUMNS = (
    *("paper", "exhibit", "dataset", "data", "arch", "training", "rival", "seed", "seeds", "split", "metric"),
    *("attack", "method", "track", "norm", "epsilon", "epsilon_printed", "steps", "step_size", "momentum"),
    *("targeted", "reading"),
    *("value", "ci_low", "ci_high", "n_images", "record"),
)
STAND_INS = {
    "mnist": "digits_gray",
    "fashion_mnist": "digits_gray",
    "cifar10": "digits_colour",
    "cinic10": "digits_colour",
    "clothing1m": "digits_colour",
    "voc2007": "digits_colour",
}
REAL = {name: name for name in STAND_INS}
TABLES = ("table_1", "table_2", "table_4", "table_5", "table_6")


def row(**given: object) -> dict[str, str]:
    """One tidy accuracy row; what is not given is empty, as in the file."""
    filled = dict.fromkeys(COLUMNS, "") | {"paper": "sp", "seeds": "3", "n_images": "360", "record": "a/b.json"}
    assert set(given) <= set(COLUMNS)
    return filled | {key: str(value) for key, value in given.items()}


def printed(paper: str, exhibit: str) -> list[dict[str, str]]:
    """What a paper prints in one table."""
    return [row for row in PRINTED if (row["paper"], row["exhibit"]) == (paper, exhibit)]


def attack_id(claim: dict[str, str]) -> str:
    return "pgd_1of255" if claim["epsilon_printed"] == "1/255" else claim["attack"]


def answer(
    claim: dict[str, str], value: float, half: float = 1.0, *, split: str = "", **given: object
) -> dict[str, str]:
    """The aggregated tidy row that answers a claim, or with ``rival`` its difference row."""
    clean = claim["attack"] in ("", "none")
    split = split or {"train_accuracy": "train", "test_accuracy": "test"}.get(claim["metric"], "train")
    base = {
        "exhibit": claim["exhibit"],
        "dataset": claim["dataset"],
        "data": STAND_INS.get(claim["dataset"], claim["dataset"]),
        "arch": claim["arch"] or "resnet18",
        "training": claim["training"],
        "split": split,
        "metric": "difference" if "rival" in given else claim["metric"],
        "attack": "none" if clean else attack_id(claim),
        "method": claim["method"],
        "momentum": claim["momentum"],
        "track": "" if clean else "printed",
        "norm": "" if clean else "linf",
        "epsilon": claim["epsilon"],
        "epsilon_printed": claim["epsilon_printed"],
        "steps": claim["steps"],
        "step_size": claim["step_size"],
        "targeted": "" if clean else claim["targeted"] or "untargeted",
        "value": value,
        "ci_low": value - half,
        "ci_high": value + half,
    }
    return row(**(base | given))


def tables(gain: float = 10.0, half: float = 1.0) -> dict[str, list[dict[str, str]]]:
    """Every printed table of ``sp`` but table_3, measured: CE 60, SP focal ``gain`` more, test 5 below train."""
    tidy: dict[str, list[dict[str, str]]] = {}
    for claim in CLAIMS:
        if claim["exhibit"] not in TABLES:
            continue
        rows = tidy.setdefault(f"sp/{claim['exhibit']}", [])
        value = 60.0 + (gain if claim["training"] == "sp_focal" else 0.0)
        splits = ("train", "test") if claim["metric"] == "adversarial_accuracy" else ("",)
        for split in splits:
            level = value - (5.0 if split == "test" else 0.0)
            rows.append(answer(claim, level, split=split))
            rows.append(answer(claim, level, split=split, seed="0", seeds="1"))
            if claim["training"] == "sp_focal":
                rows.append(answer(claim, gain, half, split=split, rival="ce"))
    return tidy


def curve(points: dict[float, float], arch: str = "resnet18", training: str = "ce") -> list[dict[str, str]]:
    """Rows of fig_5 on MNIST."""
    return [
        row(
            exhibit="fig_5",
            dataset="mnist",
            data="digits_gray",
            arch=arch,
            training=training,
            split="train",
            metric="adversarial_accuracy",
            attack="pgd_sweep",
            method="pgd",
            track="printed",
            norm="linf",
            epsilon=epsilon,
            epsilon_printed=epsilon,
            steps=40,
            targeted="untargeted",
            value=value,
        )
        for epsilon, value in points.items()
    ]


def statement_rows() -> list[dict[str, str]]:
    """A statement that holds under a condition: two checks, one counterexample."""
    shared = {"paper": "sp", "exhibit": "theorem_2", "statement": "theorem_2", "holds": "under a condition"}
    shared |= {"condition": "all false logits are equal at the minimum", "note": ""}
    check = {"role": "check", "quantity": "position", "expected": "0.5", "case_holds": "True"}
    return [
        shared | check | {"case": "K = 3", "measured": "0.50000001", "residual": "1e-08", "digits": "7"},
        shared | check | {"case": "K = 5", "measured": "0.5", "residual": "0.0", "digits": "12"},
        shared
        | check
        | {"case": "false logits (0, 2)", "measured": "0.3744", "residual": "0.1256", "digits": "0"}
        | {"role": "counterexample", "case_holds": "False"},
    ]
