"""A network's card: all that the jury found of it, on one picture."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from lossproof.display_names import in_full
from lossproof.drawing import labels, style
from lossproof.drawing.sheet import Panel, Sheet
from lossproof.exhibits.diagnostics_map.figure import FLAGS, brief
from lossproof.jury.verdict import Verdict

Record = Mapping[str, Any]

WIDTH, HEIGHT = style.FULL, 5.34
"""Inches; so are all places below, from the left and from the foot."""
LINE, CELL = 0.135, 0.175
"""Inches from one line of the head to the next, and of a cell of the strip."""
ACROSS = 5
"""Diagnostics beside each other in the strip."""
PRINTED, STRONGEST, OTHER, GRAY = "#D55E00", "#0072B2", "#009E73", "#777777"
BUDGETS = (("#56B4E9", "o"), ("#0072B2", "s"), ("#004466", "^"), ("#000000", "D"))
"""Colour and marker of an attack's budgets, from small to large."""
UNITS = {"percent": " %", "points": " pt"}
LOSSES = {"ce": "cross entropy", "dlr": "DLR", "targeted dlr": "targeted DLR", "own": "its own loss"}
MEMBERS = {"apgd_ce": "APGD-CE", "apgd_dlr": "APGD-DLR", "apgd_t": "APGD-T", "fab_t": "FAB-T", "square": "Square"}
HUNDRED = {0.0: "0", 50.0: "50", 100.0: "100"}
NOTE = "Panels: percent of the images that are right without attack; above: of all attacked images [95 % interval]."


def draw(record: Record, attacks: Mapping[str, Record], words: Record) -> Figure:
    """Draw a card from a network's diagnostics and the records of the jury's attacks on the same seed.

    attacks: by name; of track printed the one that a paper would have run, of track honest the strongest ones.
    words: what else is known, all of it optional: verdict, why, control (what kind of one it is), twin.
    A panel whose numbers are missing says why. The figure is good until the next card is drawn; inside ``style.house``
    draw it, and write it by ``sheet.write_png``.
    """
    sheet = Sheet(WIDTH, HEIGHT)
    attacks = dict(sorted(attacks.items(), key=_place))
    found = record["diagnostics"]
    _head(sheet, record, attacks, words)
    _budgets(Panel(sheet, 0.42, 2.85, 1.75, 1.05), record, attacks)
    _effort(Panel(sheet, 3.55, 2.85, 1.4, 1.05), found)
    _scales(Panel(sheet, 5.38, 2.85, 1.4, 1.05), found)
    _losses(Panel(sheet, 0.82, 1.33, 1.35, 1.05), found)
    _members(Panel(sheet, 3.0, 1.33, 1.95, 1.05), _attack(attacks, "honest"))
    _surface(Panel(sheet, 5.48, 1.33, 1.2, 1.05), found)
    _strip(sheet, found)
    return sheet.done()


def _place(named: tuple[str, Record]) -> tuple[bool, bool, str]:
    """What a paper would have run comes first, and L-infinity before other norms."""
    name, attack = named
    return attack["attack"]["track"] != "printed", attack["attack"].get("norm", "linf") != "linf", name


def _attack(attacks: Mapping[str, Record], track: str) -> Record | None:
    """The first attack of a track in the L-infinity norm."""
    of = ((one, one["attack"]) for one in attacks.values())
    return next((one for one, its in of if (its["track"], its.get("norm", "linf")) == (track, "linf")), None)


def _head(sheet: Sheet, record: Record, attacks: Mapping[str, Record], words: Record) -> None:
    """The network, its verdict, and its accuracies with their intervals."""
    run = record["run"]
    sheet.write(0.1, HEIGHT - 0.15, in_full(run["training"]), fontsize=10, fontweight="bold")
    if words.get("verdict"):
        said = Verdict(words["verdict"])
        colour = style.VERDICTS[said.meaning]
        look: dict[str, Any] = {"fontsize": 10, "fontweight": "bold", "color": colour, "ha": "right"}
        sheet.write(WIDTH - 0.1, HEIGHT - 0.15, f"{said.sign} {said}".strip(), **look)
    where = f"{labels.name(run['dataset'])}, {labels.name(run['arch'])}, seed {run['seed']}"
    where += f", compared with {in_full(words['twin'])}" if words.get("twin") else ""
    where += f"; a control: {words['control']}" if words.get("control") else ""
    sheet.write(0.1, HEIGHT - 0.33, where, fontsize=7)
    clean = next((one["clean_accuracy"] for one in attacks.values()), record.get("clean_accuracy"))
    lines = [("without attack", "" if clean is None else f"{clean:.1f} %")]
    for name, one in attacks.items():
        cells = (
            f"{result['accuracy']:.1f} [{result['ci_low']:.1f}, {result['ci_high']:.1f}] at {result['epsilon']}"
            for result in one["results"]
        )
        lines.append((labels.attack(name), "    ".join(cells)))
    for at, (what, numbers) in enumerate(lines):
        sheet.write(0.1, HEIGHT - 0.49 - LINE * at, what, color="#444444")
        sheet.write(1.25, HEIGHT - 0.49 - LINE * at, numbers)
    why = textwrap.wrap(words.get("why") or "", 138, max_lines=2, placeholder=" …")
    for at, part in enumerate(why):
        sheet.write(0.1, HEIGHT - 0.52 - LINE * (len(lines) + at * 0.85), part, fontsize=6.2, style="italic")


def _curves(found: Record, name: str, *needed: str) -> dict[str, Any] | None:
    """A diagnostic's curves, None where one that is needed has no number."""
    curves = (found.get(name) or {}).get("curves") or {}
    return dict(curves) if all(curves.get(key) not in (None, [], [[]]) for key in needed) else None


def _nothing(panel: Panel, found: Record, name: str) -> None:
    """Say in place of a panel why it is empty."""
    says = (found.get(name) or {}).get("says") or "not measured"
    panel.sheet.box(panel.left, panel.foot, panel.width, panel.height, "#F4F4F4")
    lines = textwrap.wrap(says, int(18 * panel.width), max_lines=6, placeholder=" …")
    middle = panel.left + panel.width / 2, panel.foot + panel.height / 2
    panel.sheet.write(*middle, "\n".join(lines), ha="center", va="center", fontsize=6, color=GRAY)


def _floats(values: Sequence[float | None]) -> np.ndarray:
    return np.array([math.nan if value is None else value for value in values], float)


def _standing(attack: Record) -> tuple[np.ndarray, np.ndarray]:
    """Budgets and what is left, in percent of the images that are right without attack; unbounded ones left out."""
    results = [one for one in attack["results"] if one["epsilon_value"] is not None]
    left = _floats([one["accuracy"] for one in results])
    return _floats([one["epsilon_value"] for one in results]), _of_right(left, attack)


def _of_right(percent: np.ndarray, attack: Record) -> np.ndarray:
    """Percent of all images as percent of those that are right without attack."""
    return np.minimum(100 * percent / (attack["clean_accuracy"] or math.nan), 100)


def _budgets(panel: Panel, record: Record, attacks: Mapping[str, Record]) -> None:
    found = record["diagnostics"]
    panel.title("D5 budgets, D16 noise")
    shown: list[tuple[np.ndarray, np.ndarray, str, dict[str, Any]]] = []
    if curves := _curves(found, "monotone", "epsilon", "accuracy"):
        look: dict[str, Any] = {"color": PRINTED, "marker": "o", "markersize": 2.6}
        shown.append((_floats(curves["epsilon"]), _floats(curves["accuracy"]), "PGD, cross entropy", look))
    if curves := _curves(found, "noise", "accuracy"):
        look = {"color": GRAY, "marker": "*", "markersize": 5, "linestyle": ""}
        shown.append((_floats([record["epsilon_value"]]), _floats([curves["accuracy"]]), "random noise", look))
    for track, colour, marker, face, label in (
        ("printed", PRINTED, "D", "white", "PGD, paper protocol"),
        ("honest", STRONGEST, "s", STRONGEST, "strongest L∞ attack"),
    ):
        if attack := _attack(attacks, track):
            look = {"color": colour, "marker": marker, "mfc": face, "mew": 0.8, "markersize": 3.6, "linestyle": ""}
            shown.append((*_standing(attack), label, look))
    shown = [one for one in shown if len(one[0])]
    if not shown:
        return _nothing(panel, found, "monotone")
    panel.x, panel.y = (0.0, 1.04 * max(float(np.nanmax(epsilon)) for epsilon, *_ in shown) or 1.0), (-4, 104)
    panel.frame(_steps(panel.x[1]), HUNDRED, "ε", "accuracy (%)")
    for epsilon, accuracy, _, look in shown:
        panel.plot(epsilon, accuracy, **look)
    return panel.key([(label, look) for *_, label, look in shown], panel.width + 0.08, panel.height / 2 + 0.17)


def _steps(end: float) -> dict[float, str]:
    """Round values from 0 to at most ``end``, four to seven of them."""
    size = 10 ** math.floor(math.log10(end / 3))
    step = next(size * factor for factor in (1, 2, 5, 10) if end / (size * factor) < 6)
    return {step * at: f"{step * at:g}" for at in range(int(end / step) + 1)}


def _ends(values: np.ndarray) -> tuple[float, float]:
    """The ends of a logarithmic axis that holds the values, with a little room."""
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    room = (high / low) ** 0.06 if high > low else 1.5
    return low / room, high * room


def _effort(panel: Panel, found: Record) -> None:
    panel.title("D15 more steps, more starts")
    curves = _curves(found, "effort") or {}
    looks: dict[str, tuple[str, dict[str, Any]]] = {
        "steps": ("steps", {"color": PRINTED, "marker": "o"}),
        "restarts": ("starts", {"color": STRONGEST, "marker": "s", "linestyle": "--"}),
    }
    shown = [
        (_floats(curves[what]), _floats(curves[f"{what}_accuracy"]), label, look)
        for what, (label, look) in looks.items()
        if curves.get(what) and curves.get(f"{what}_accuracy")
    ]
    if not shown:
        return _nothing(panel, found, "effort")
    counts = np.concatenate([count for count, *_ in shown])
    panel.x, panel.y, panel.log = _ends(counts), (-4, 104), True
    panel.frame({float(count): f"{count:g}" for count in sorted(set(counts.tolist()))[-7:]}, HUNDRED, "how many")
    for count, accuracy, _, look in shown:
        panel.plot(count, accuracy, **look)
    high = np.nanmean(np.concatenate([accuracy for _, accuracy, *_ in shown])) > 50
    return panel.key([(label, look) for *_, label, look in shown], 0.08, 0.24 if high else panel.height - 0.1)


def _scales(panel: Panel, found: Record) -> None:
    panel.title("D13 scaled logits")
    curves = _curves(found, "logit_scale", "scale", "accuracy")
    if not curves:
        return _nothing(panel, found, "logit_scale")
    scale = _floats(curves["scale"])
    panel.x, panel.y, panel.log = _ends(scale), (-4, 130), True
    panel.frame({float(value): f"{value:g}" for value in scale}, HUNDRED, "factor on the logits")
    shown: list[tuple[str, dict[str, Any]]] = [("PGD, float32", {"color": PRINTED, "marker": "o"})]
    panel.plot(scale, _floats(curves["accuracy"]), **shown[0][1])
    if curves.get("float64") is not None:
        shown.append(("float64", {"color": OTHER, "marker": "D", "mfc": "white", "markersize": 4, "linestyle": ""}))
        panel.plot([1], [curves["float64"]], **shown[1][1])
    # There is room above 100 percent.
    for at, entry in enumerate(shown):
        panel.key([entry], 0.04 + 0.8 * at, panel.height - 0.07)


def _losses(panel: Panel, found: Record) -> None:
    panel.title("D14 losses that PGD follows")
    curves = _curves(found, "loss_swap", "loss", "accuracy")
    if not curves:
        return _nothing(panel, found, "loss_swap")
    accuracy = _floats(curves["accuracy"])
    panel.x, panel.y = (0, 104), (len(accuracy) - 0.45, -0.55)
    names = {float(at): LOSSES.get(loss, loss) for at, loss in enumerate(curves["loss"])}
    panel.frame(HUNDRED, names, "accuracy (%)", grid="x")
    thick = 0.62 * panel.height / len(accuracy)
    for at, value in enumerate(accuracy):
        if math.isfinite(value):
            least, inside = value == np.nanmin(accuracy), value > 75
            left, middle, right = (float(place) for place in (panel.left, panel.up(at), panel.across(value)))
            panel.sheet.box(left, middle - thick / 2, right - left, thick, STRONGEST if least else "#B8C4CC")
            look: dict[str, Any] = {
                "ha": "right" if inside else "left",
                "color": "white" if inside and least else "black",
            }
            panel.sheet.write(right + (-0.03 if inside else 0.03), middle, brief(float(value)), fontsize=5.8, **look)


def _members(panel: Panel, attack: Record | None) -> None:
    panel.title("strongest L∞ attack, member by member")
    results = [one for one in (attack or {}).get("results", ()) if any(key.startswith("stands_") for key in one)]
    if attack is None or not results:
        return _nothing(panel, {}, "")
    members = _order(attack, results[0])
    panel.x, panel.y = (0, 102), (len(members) + 0.4, -0.4)
    names = {float(at + 1): MEMBERS.get(name, labels.name(name)) for at, name in enumerate(members)}
    panel.frame(HUNDRED, {0.0: "no attack"} | names, "still right (%)")
    keys, lowest = [], []
    for at, one in enumerate(results):
        left = _of_right(_floats([attack["clean_accuracy"], *(one.get(f"stands_{name}") for name in members)]), attack)
        colour, marker = BUDGETS[min(at, len(BUDGETS) - 1)]
        look: dict[str, Any] = {"color": colour, "marker": marker, "markersize": 2.8, "linewidth": 1}
        panel.plot(left, np.arange(len(left)), **look)
        keys.append((f"ε = {one['epsilon']}", look))
        lowest.append(left[-2 - len(results) :])
    # At the foot, where curves end: there they only fall to the left.
    feet = np.concatenate([panel.across(ends) - panel.left for ends in lowest])
    return panel.key(keys, _free(feet, panel.width), 0.08 + 0.115 * (len(keys) - 1))


def _free(taken: np.ndarray, width: float, needed: float = 0.72) -> float:
    """Where so many inches of a panel's width are farthest from all places that are taken; the leftmost of equals."""
    starts = np.arange(0.08, width - needed, 0.04)
    taken = taken[np.isfinite(taken)]
    if not len(taken):
        return float(starts[0])
    away = np.maximum(starts[:, None] - taken, taken - starts[:, None] - needed).min(1)
    return float(starts[away.argmax()])


def _order(attack: Record, result: Record) -> list[str]:
    """The members in the order in which they ran: as declared, else as what they leave falls."""
    told = [name.replace("-", "_") for name in attack["attack"].get("members") or ()]
    ran = [key.removeprefix("stands_") for key in result if key.startswith("stands_")]
    rest = sorted((name for name in ran if name not in told), key=lambda name: (-result[f"stands_{name}"], name))
    return [name for name in told if name in ran] + rest


def _surface(panel: Panel, found: Record) -> None:
    panel.title("logit gap around images")
    curves = _curves(found, "surface", "along", "across", "gap")
    if not curves:
        return _nothing(panel, found, "surface")
    along, across = _floats(curves["along"]), _floats(curves["across"])
    gap = np.array([_floats(row) for row in curves["gap"]])
    if not np.isfinite(gap).any():
        return _nothing(panel, found, "surface")
    panel.x, panel.y = (along[0], along[-1]), (across[0], across[-1])
    panel.frame(
        {along[0]: "−ε", 0.0: "0", along[-1]: "ε"},
        {across[0]: "−ε", across[-1]: "ε"},
        "along its gradient; red: wrong",
        "",
        grid="",
    )
    look: dict[str, Any] = {"rotation": 90, "ha": "center", "va": "center", "fontsize": 6.2}
    panel.sheet.write(panel.left - 0.1, panel.foot + panel.height / 2, "random", **look)
    bound = float(np.nanmax(np.abs(gap))) or 1.0
    extent = (panel.left, panel.left + panel.width, panel.foot, panel.foot + panel.height)
    picture: dict[str, Any] = {"cmap": "RdBu", "vmin": -bound, "vmax": bound, "interpolation": "nearest"}
    panel.sheet.axes.imshow(gap.T, extent=extent, origin="lower", aspect="auto", zorder=0.5, **picture)
    if np.nanmin(gap) < 0 < np.nanmax(gap):
        places = panel.across(along), panel.up(across), gap.T
        panel.sheet.axes.contour(*places, levels=[0.0], colors="black", linewidths=0.9)
    # Both draw to their own limits.
    panel.sheet.axes.set(xlim=(0, WIDTH), ylim=(0, HEIGHT))
    middle = len(across) // 2
    for at, side, away in ((0, "left", 0.04), (len(along) // 2, "center", 0.0), (len(along) - 1, "right", -0.04)):
        value = float(gap[at, middle])
        look = {"ha": side, "color": "white" if abs(value) > 0.6 * bound else "black", "fontsize": 6.2}
        place = float(panel.across(along[at])) + away, float(panel.up(across[middle]))
        panel.sheet.write(*place, brief(value) if math.isfinite(value) else "", **look)


def _strip(sheet: Sheet, found: Record) -> None:
    """All diagnostics with their flags and values."""
    numbered = [(name, one) for name, one in found.items() if one["id"]]
    numbered.sort(key=lambda pair: int(pair[1]["id"].removeprefix("D")))
    top, width = 0.06 + CELL * math.ceil(len(numbered) / ACROSS), (WIDTH - 0.2) / ACROSS
    sheet.write(0.1, top + 0.1, NOTE, fontsize=5.8, color=GRAY)
    for at, (name, one) in enumerate(numbered):
        flag = one["flag"] if one["flag"] in FLAGS else "not judged"
        down, right = divmod(at, ACROSS)
        left, foot = 0.1 + width * right, top - CELL * (down + 1)
        paper, colour, sign = FLAGS[flag]
        sheet.box(left + 0.01, foot + 0.01, width - 0.02, CELL - 0.02, paper)
        look: dict[str, Any] = {
            "fontsize": 5.9,
            "color": colour,
            "fontweight": "bold" if flag == "raised" else "normal",
        }
        sheet.write(left + 0.05, foot + CELL / 2, f"{one['id']}  {labels.name(name)}", **look)
        said = "" if one["value"] is None else f"{brief(float(one['value']))}{UNITS.get(one['unit'], '')}"
        sheet.write(left + width - 0.05, foot + CELL / 2, f"{sign} {said}".strip(), ha="right", **look)
