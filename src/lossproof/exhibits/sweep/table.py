"""Tables of a sweep: the accuracy of every point with its interval, the best point and those not told from it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lossproof.display_names import name, parameter
from lossproof.drawing.cells import NOTHING, Cell, estimated
from lossproof.drawing.quantity import SPLITS, quantity
from lossproof.drawing.typeset import Line, Section, Table
from lossproof.tidy import Row, number

BEST, ALIKE = "*", "≈"
NOTE = (
    "Accuracy in percent [95 % interval over images and seeds]. * the best point; ≈ its difference to the best, "
    "paired by image and seed, has zero in its 95 % interval. The best is chosen on the images that it is compared "
    "on, which favours it; nothing corrects for the number of points."
)
SAID = ("dataset", "arch", "split", "track", "attack", "epsilon", "epsilon_printed", "steps", "targeted", "reading")
Panel = tuple[str, ...]


def _panels(tidy: Sequence[Row]) -> dict[Panel, list[Row]]:
    """Rows over the seeds by what was measured."""
    found: dict[Panel, list[Row]] = {}
    for row in tidy:
        if not row["seed"]:
            found.setdefault(tuple(row[column] for column in SAID), []).append(row)
    return found


def _marked(panel: Sequence[Row]) -> dict[str, Cell]:
    """The cells of a panel by training."""
    gaps = {row["training"]: row for row in panel if row["metric"] == "difference"}
    found = {}
    for row in panel:
        if row["metric"] != "difference":
            gap = gaps.get(row["training"])
            low, high = (number(gap[bound]) for bound in ("ci_low", "ci_high")) if gap else (None, None)
            alike = ALIKE if low is not None and high is not None and low <= 0 <= high else ""
            found[row["training"]] = estimated(row, mark=alike if gap else BEST)
    return found


def _records(panel: Sequence[Row]) -> list[dict[str, Any]]:
    gaps = {row["training"]: row for row in panel if row["metric"] == "difference"}
    kept = ("metric", *SAID, "training", "x_parameter", "x", "y_parameter", "y", "n_images", "seeds")
    found = []
    for row in panel:
        if row["metric"] != "difference":
            gap = gaps.get(row["training"], {})
            difference = {"best": gap.get("rival", ""), "difference": gap.get("value", "")}
            difference |= {"difference_low": gap.get("ci_low", ""), "difference_high": gap.get("ci_high", "")}
            measured = {"measured": row["value"], "ci_low": row["ci_low"], "ci_high": row["ci_high"]}
            found.append({key: row[key] for key in kept} | measured | difference)
    return found


def _places(rows: Sequence[Row], axis: str) -> list[float]:
    return sorted({value for row in rows if (value := number(row[axis])) is not None})


def _heading(row: Row) -> str:
    return f"{name(row['dataset'])} {name(row['arch'])}, {SPLITS.get(row['split'], row['split'])}"


def _what(row: Row) -> str:
    """A panel's attack; one heading for training and test images."""
    return name("none") if row["attack"] in ("", "none") else quantity(row)


def grid_table(tidy: Sequence[Row], title: str) -> Table:
    """A section per data set, split and attack: the first swept setting along the columns, the second down the rows."""
    panels = _panels(tidy)
    across = _places(tidy, "x")
    sections = []
    for panel in panels.values():
        cells = _marked(panel)
        at = {(number(row["x"]), number(row["y"])): cells[row["training"]] for row in panel}
        lines = [Line((f"{y:g}",), tuple(at.get((x, y), NOTHING) for x in across)) for y in _places(panel, "y")]
        sections.append(Section(f"{_heading(panel[0])}: {_what(panel[0])}", tuple(lines)))
    x, y = (parameter(tidy[0][f"{axis}_parameter"]) if tidy else axis for axis in "xy")
    columns = tuple((f"{x} =", f"{value:g}") for value in across)
    records = [record for panel in panels.values() for record in _records(panel)]
    return Table(title, (y,), columns, tuple(sections), (NOTE,), records)


def level_table(tidy: Sequence[Row], title: str) -> Table:
    """A section per split: the swept setting along the rows, without attack and each attack along the columns."""
    panels = _panels(tidy)
    heads = list(dict.fromkeys(_what(panel[0]) for panel in panels.values()))
    sections = []
    for heading in dict.fromkeys(_heading(panel[0]) for panel in panels.values()):
        mine = {_what(panel[0]): panel for panel in panels.values() if _heading(panel[0]) == heading}
        cells = {
            what: {number(row["x"]): _marked(panel)[row["training"]] for row in panel} for what, panel in mine.items()
        }
        places = _places([row for panel in mine.values() for row in panel], "x")
        lines = [Line((f"{x:g}",), tuple(cells.get(head, {}).get(x, NOTHING) for head in heads)) for x in places]
        sections.append(Section(heading, tuple(lines)))
    stub = parameter(tidy[0]["x_parameter"]) if tidy else "x"
    records = [record for panel in panels.values() for record in _records(panel)]
    return Table(
        title, (f"{stub} in training",), tuple(("", head) for head in heads), tuple(sections), (NOTE,), records
    )
