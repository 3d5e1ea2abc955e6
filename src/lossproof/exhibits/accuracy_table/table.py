"""The paper's accuracy tables: printed and measured accuracy, row by row.

Three sections that are never mixed: the print with the runs *as printed* on both splits; the same
attacks with other budgets (those of the library, and the one at which CE falls); the honest track.
Each data set has its own; where nothing is printed (bars without numbers) the measurements stand alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lossproof.claims.match import find, same_attack
from lossproof.display_names import name, steps
from lossproof.drawing.cells import NOTHING, estimated
from lossproof.drawing.quantity import SPLITS, quantity
from lossproof.drawing.typeset import Line, Section, Table
from lossproof.tidy import Row, number

PRINTED = "Paper protocol: the paper's attacks and budgets"
ALONE = "Paper protocol: attacks of the papers, final iterate (no value is reported)"
OTHER = "Other budgets of the same attacks (not in the paper)"
HONEST = "Worst-case evaluation over attacks, losses, restarts and iterates (not in the paper)"
NOTE = "Accuracy in percent, measured on training and on test images [95 % interval]; a dash: not measured."

Column = tuple[str, str]


def _columns(claims: Iterable[Row], measured: Iterable[Row]) -> list[Column]:
    """(arch, training) in the order of the print, then what it lacks; trainings of one architecture together.

    A print that does not state its architecture ('') speaks of whichever ran.
    """
    pairs = list(dict.fromkeys((row["arch"], row["training"]) for row in claims))
    more = dict.fromkeys((row["arch"], row["training"]) for row in measured)
    unstated = {training for arch, training in pairs if not arch}
    pairs += [pair for pair in more if pair not in pairs and pair[1] not in unstated]
    archs = list(dict.fromkeys(arch for arch, _ in pairs))
    return sorted(pairs, key=lambda pair: archs.index(pair[0]))


def _record(
    section: str, row: Row, split: str, found: Row | None, gap: Row | None, printed: str = ""
) -> dict[str, Any]:
    measured = found or {}
    difference = gap or {}
    return {
        "section": section,
        "metric": row["metric"],
        "attack": row["attack"],
        "epsilon": row["epsilon"],
        "epsilon_printed": row["epsilon_printed"],
        "steps": row["steps"] or measured.get("steps", ""),
        "targeted": row["targeted"],
        "reading": measured.get("reading", ""),
        "dataset": row["dataset"],
        "data": measured.get("data", ""),
        "arch": measured.get("arch", row["arch"]),
        "training": row["training"],
        "split": split,
        "printed": printed,
        "measured": measured.get("value", ""),
        "ci_low": measured.get("ci_low", ""),
        "ci_high": measured.get("ci_high", ""),
        "rival": difference.get("rival", ""),
        "difference": difference.get("value", ""),
        "difference_low": difference.get("ci_low", ""),
        "difference_high": difference.get("ci_high", ""),
        "n_images": measured.get("n_images", ""),
        "seeds": measured.get("seeds", ""),
    }


def _key(row: Row) -> tuple[object, ...]:
    said = (row["metric"], row["attack"], number(row["epsilon"]), row["steps"])
    return (*said, row["targeted"], row.get("reading", ""))


def _splits(metric: str) -> Sequence[str]:
    clean = {"train_accuracy": ("train",), "test_accuracy": ("test",), "clean_accuracy": ("test",)}
    return clean.get(metric, ("train", "test"))


def _printed(
    tidy: Sequence[Row], claims: Sequence[Row], columns: Sequence[Column]
) -> tuple[list[Line], list[dict[str, Any]], set[int]]:
    """Lines of the printed section, their records, and the ids of the tidy rows that they show."""
    lines: list[Line] = []
    records: list[dict[str, Any]] = []
    used: set[int] = set()
    for key in dict.fromkeys(map(_key, claims)):
        cells = {(claim["arch"], claim["training"]): claim for claim in claims if _key(claim) == key}
        first = next(iter(cells.values()))
        printed = tuple(cells[column]["value"] if column in cells else NOTHING for column in columns)
        lines.append(Line((quantity(first), "printed"), printed, printed=True))
        # What is measured beside the print stands in the same line.
        asked = {
            column: cells.get(column) or dict(first) | {"arch": column[0], "training": column[1], "value": ""}
            for column in columns
        }
        by_split = {
            split: {column: find(claim, tidy, split=split) for column, claim in asked.items()}
            for split in _splits(first["metric"])
        }
        # A split that is not attacked has no line; dashes where neither is measured.
        measured = {split: found for split, found in by_split.items() if any(found.values())}
        for split, found in (measured or by_split).items():
            used.update(id(row) for row in found.values() if row)
            shown = tuple(estimated(found[column]) for column in columns)
            lines.append(Line(("", _measurement(split, asked, found, tidy)), shown))
            for column, claim in asked.items():
                row = found[column]
                if row or column in cells:
                    records.append(_record("printed", claim, split, row, _gap(row, tidy), claim["value"]))
    return lines, records, used


def _measurement(
    split: str, asked: Mapping[Column, Row], found: Mapping[Column, Row | None], tidy: Sequence[Row]
) -> str:
    """What stands beside a measured line: its split, and how many steps where an attack of others answers it too.

    Several answer only a print that does not say how many, so that no other words of the line do.
    """
    words = [SPLITS[split]]
    for column, row in found.items():
        same = {key: row[key] for key in ("dataset", "arch", "training", "metric")} if row else {}
        others = [one for one in tidy if row and same.items() <= one.items() and same_attack(asked[column], one)]
        if row and any(one["steps"] != row["steps"] for one in others):
            words.append(steps(row["attack"], row["steps"]))
    return ", ".join(dict.fromkeys(words))


def _measured(
    section: str, rows: Sequence[Row], tidy: Sequence[Row], columns: Sequence[Column]
) -> tuple[list[Line], list[dict[str, Any]]]:
    """Lines without a printed number, one per attack, budget and split."""
    lines: list[Line] = []
    records: list[dict[str, Any]] = []
    for key in dict.fromkeys(map(_key, rows)):
        same = [row for row in rows if _key(row) == key]
        for count, split in enumerate(dict.fromkeys(row["split"] for row in same)):
            at = {(row["arch"], row["training"]): row for row in same if row["split"] == split}
            # A column without an architecture is a print that does not state it.
            chosen = [at.get(column) or _unstated(column, at) for column in columns]
            label = quantity(same[0]) if count == 0 else ""
            lines.append(Line((label, SPLITS.get(split, split)), tuple(map(estimated, chosen))))
            for row in at.values():
                records.append(_record(section, row, split, row, _gap(row, tidy)))
    return lines, records


def _unstated(column: Column, at: Mapping[Column, Row]) -> Row | None:
    found = [row for (_, training), row in at.items() if training == column[1]]
    return found[0] if not column[0] and len(found) == 1 else None


def _gap(row: Row | None, tidy: Sequence[Row]) -> Row | None:
    """The difference row of a measured row: all that identifies it but the metric is equal."""
    keys = (
        "dataset",
        "arch",
        "training",
        "attack",
        "track",
        "epsilon",
        "steps",
        "targeted",
        "reading",
        "split",
        "seed",
    )
    for other in tidy if row else ():
        if row and other["metric"] == "difference" and all(other[key] == row[key] for key in keys):
            return other
    return None


def _sections(
    tidy: Sequence[Row], claims: Sequence[Row], columns: Sequence[Column]
) -> Iterable[tuple[str, list[Line], list[dict[str, Any]]]]:
    """Heading, lines and records of one data set."""
    aggregated = [row for row in tidy if not row["seed"] and row["metric"] != "difference"]
    lines, records, used = _printed(tidy, claims, columns)
    yield PRINTED, lines, records
    rest = [row for row in aggregated if id(row) not in used]
    # Nothing else would show the accuracy without attack.
    clean = [row for row in rest if row["attack"] in ("", "none") and not claims]
    printed = [row for row in rest if row["track"] == "printed"]
    yield (
        (OTHER if claims else ALONE),
        *_measured("other budgets" if claims else "measured", clean + printed, tidy, columns),
    )
    yield HONEST, *_measured("honest", [row for row in rest if row["track"] == "honest"], tidy, columns)


def accuracy_table(tidy: Sequence[Row], claims: Sequence[Row], title: str) -> Table:
    """The typeset table of one accuracy exhibit.

    ``tidy``: its rows; ``claims``: its printed rows (none where the paper prints no number). Several data sets
    have sections of their own; where each has one network, that stands in their headings.
    """
    datasets = list(dict.fromkeys(row["dataset"] for row in (*claims, *tidy)))
    parts, columns = {}, {}
    for dataset in datasets:
        rows, print_ = ([row for row in table if row["dataset"] == dataset] for table in (tidy, claims))
        parts[dataset] = rows, print_
        columns[dataset] = _columns(print_, [row for row in rows if row["metric"] != "difference"])
    archs = {dataset: {arch for arch, _ in pairs} for dataset, pairs in columns.items()}
    by_training = len(datasets) > 1 and all(len(found) == 1 for found in archs.values())
    every = list(dict.fromkeys(pair for pairs in columns.values() for pair in pairs))
    if by_training:
        every = [("", training) for training in dict.fromkeys(training for _, training in every)]
    made: dict[str, list[Section]] = {}
    records: list[dict[str, Any]] = []
    for dataset, (rows, print_) in parts.items():
        named = " ".join(filter(None, (name(dataset), *(map(name, archs[dataset]) if by_training else ()))))
        (arch, *_) = archs[dataset]
        shown = [(arch, training) for _, training in every] if by_training else every
        for heading, lines, long in _sections(rows, print_, shown):
            if lines:
                title_of = f"{named}. {heading}" if len(datasets) > 1 else heading
                made.setdefault(heading, []).append(Section(title_of, tuple(lines)))
                records += long
    return Table(
        title,
        ("", ""),
        tuple((name(arch), name(training)) for arch, training in every),
        tuple(section for sections in made.values() for section in sections),
        (NOTE,),
        records,
    )
