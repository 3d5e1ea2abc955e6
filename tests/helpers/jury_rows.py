"""Synthetic rows of the jury's tidy tables for the tests of the report."""

from __future__ import annotations

ATTACKS = ("jury_pgd", "jury_linf", "jury_l2")
SIGNS = {"D1": "zero_gradients", "D2": "gradient_size", "D7": "unfinished", "D13": "logit_scale"}


def verdict_rows(
    run: str,
    gains: dict[str, tuple[float, float, float]],
    *,
    verdict: str,
    epsilon: str = "0.1",
    twin: str = "ce",
    twin_accuracy: float = 40.0,
    flags: str = "",
    control: str = "",
    why: str = "Because.",
) -> list[dict[str, str]]:
    """Rows of one network at one radius; ``gains``: gain and its interval by attack (a network without a twin: its
    accuracy and that interval)."""
    dataset, arch, training = run.split("/")
    rows = []
    for attack, (gain, low, high) in gains.items():
        alone = not twin
        accuracy = gain if alone else twin_accuracy + gain
        numbers: dict[str, float | str] = {
            "clean": 98.5,
            "accuracy": accuracy,
            "low": low if alone else accuracy - 5,
            "high": high if alone else accuracy + 5,
            "twin_accuracy": "" if alone else twin_accuracy,
            "gain": "" if alone else gain,
            "gain_low": "" if alone else low,
            "gain_high": "" if alone else high,
            "p": "" if alone else 0.01,
            "p_corrected": "" if alone else 0.04,
        }
        rows.append(
            {
                "dataset": dataset,
                "arch": arch,
                "training": training,
                "control": control,
                "twin": twin,
                "attack": attack,
                "track": "printed" if attack == "jury_pgd" else "honest",
                "norm": "l2" if attack == "jury_l2" else "linf",
                "epsilon": epsilon if attack != "jury_l2" else "1.5",
                "n_images": "64",
                "seeds": "3",
                "flags": flags,
                "verdict": verdict,
                "why": why,
            }
            | {key: str(value) for key, value in numbers.items()}
        )
    return rows


def diagnostic_rows(run: str, raised: str = "", *, seeds: int = 2, control: str = "") -> list[dict[str, str]]:
    """Rows of one network: every seed raises the same."""
    dataset, arch, training = run.split("/")
    return [
        {
            "dataset": dataset,
            "arch": arch,
            "training": training,
            "control": control,
            "seed": str(seed),
            "diagnostic": name,
            "id": sign,
            "of": "attack" if sign == "D7" else "model",
            "title": name.replace("_", " "),
            "value": "12.5",
            "unit": "percent",
            "threshold": "0",
            "flag": "raised" if sign in raised.split() else "clear",
            "n_images": "61",
            "says": f"12.5 percent of 61 images show {name.replace('_', ' ')}.",
            "source": "arXiv:1802.00420",
        }
        for seed in range(seeds)
        for sign, name in SIGNS.items()
    ]


def small_jury() -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """Verdicts and diagnostics of five networks: one of each kind that a page tells apart."""
    place = "digits_gray/lenet5"
    surely, hardly, nothing = (30.0, 20.0, 40.0), (10.0, 4.0, 16.0), (1.0, -4.0, 6.0)
    verdicts = [
        *verdict_rows(
            f"{place}/ce",
            dict.fromkeys(ATTACKS, (42.0, 30.0, 54.0)),
            verdict="reference",
            twin="",
        ),
        *verdict_rows(
            f"{place}/mmc_sp",
            {"jury_pgd": surely, "jury_linf": nothing, "jury_l2": nothing},
            verdict="gain vanishes",
            flags="D1 D13",
            why="At 0.1 PGD claims +30.0 points, of which the strongest attack leaves +1.0 [-4.0, 6.0].",
        ),
        *verdict_rows(
            f"{place}/at",
            {"jury_pgd": surely, "jury_linf": hardly, "jury_l2": nothing},
            verdict="real gain",
            why="At 0.1 the strongest attack leaves +10.0 [4.0, 16.0] points of +30.0.",
        ),
        *verdict_rows(
            f"{place}/sp_focal", dict.fromkeys(ATTACKS, nothing), verdict="no gain", why="No attack tells them apart."
        ),
        *verdict_rows(
            f"{place}/ce_x100",
            {"jury_pgd": (55.0, 45.0, 65.0), "jury_linf": nothing},
            verdict="control",
            control="logits of CE × 100",
            flags="D1 D2 D13",
        ),
    ]
    diagnostics = [
        *diagnostic_rows(f"{place}/ce", "D7"),
        *diagnostic_rows(f"{place}/mmc_sp", "D1 D13 D7"),
        *diagnostic_rows(f"{place}/at"),
        *diagnostic_rows(f"{place}/sp_focal"),
        *diagnostic_rows(f"{place}/ce_x100", "D1 D2 D13", control="logits of CE × 100"),
    ]
    return verdicts, diagnostics
