"""A paper's page in words: blocks for the report, and the same as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypedDict

from lossproof.claims import verdict as claims
from lossproof.display_names import name
from lossproof.jury import verdict as jury
from lossproof.report.points import accuracy_in_words, gain_in_words, signed

# What does not fit on a page stands in the ledger, or in the jury's table.
MOST_LINES, MOST_NAMES = 12, 6
HEADS = ("network", "ε", "gain, PGD", "residual gain", "verdict", "why")


class Item(TypedDict):
    """A line of a list; ``exhibit`` is '' or the id that it speaks of."""

    exhibit: str
    text: str


class Block(TypedDict):
    """A heading, then sentences, a list, and a table of words (its heads first), each of which may be empty."""

    heading: str
    sentences: list[str]
    items: list[Item]
    table: list[tuple[str, ...]]


def blocks(summary: Mapping[str, Any]) -> list[Block]:
    """The page of ``summary.summarise``, in its order."""
    found = [
        _printed(summary),
        _numbers("What holds", summary["holds"], "No reported value or direction is confirmed."),
        _numbers("What fails", summary["fails"], "No reported value or direction is refuted."),
        _jury(summary),
    ]
    if summary["sat"]:
        found += [_why(summary), _controls(summary)]
    return found


def markdown(summary: Mapping[str, Any]) -> str:
    """The page as Markdown."""
    edition = f", edition {summary['edition']}" if summary["edition"] else ""
    lines = [f"# {summary['title']} (`{summary['paper']}`{edition})", ""]
    for block in blocks(summary):
        lines += [f"## {block['heading']}", ""]
        if block["sentences"]:
            lines += [" ".join(block["sentences"]), ""]
        if block["items"]:
            lines += [f"* {_code(item['exhibit'])}{item['text']}" for item in block["items"]] + [""]
        if block["table"]:
            heads, *rows = block["table"]
            lines += [_line(heads), "|" + " --- |" * len(heads), *map(_line, rows), ""]
    return "\n".join(lines).rstrip() + "\n"


def _code(exhibit: str) -> str:
    return f"`{exhibit}`: " if exhibit else ""


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", r"\|").replace("\n", " ") for cell in cells) + " |"


def _block(
    heading: str,
    sentences: Iterable[str] = (),
    items: Iterable[Item] = (),
    table: Iterable[tuple[str, ...]] = (),
) -> Block:
    return Block(heading=heading, sentences=list(sentences), items=list(items), table=list(table))


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _counts(found: Mapping[str, int], order: Iterable[str]) -> str:
    return ", ".join(f"{one} {found[one]}" for one in order if found.get(one))


def _first(names: Sequence[str], most: int = MOST_NAMES) -> str:
    """The first of some names, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _run(run: str) -> str:
    """'digits_gray/lenet5/isce' in words."""
    dataset, arch, training = map(name, run.split("/"))
    return f"{training} ({arch}, {dataset})"


def _printed(summary: Mapping[str, Any]) -> Block:
    told = summary["claims"]
    sentences = [
        f"The paper reports {_count(told['printed'], 'number')}; {told['measured']} of them carry a measured value."
    ]
    if told["verdicts"]:
        sentences.append(f"Verdicts: {_counts(told['verdicts'], claims.Verdict)}.")
    sentences.append(f"{told['implausible']} are marked as not plausible.")
    return _block("Reported values", sentences)


def _numbers(heading: str, numbers: Sequence[Mapping[str, str]], none: str) -> Block:
    """A line per exhibit and training, with one number as an example."""
    groups: dict[tuple[str, str], list[Mapping[str, str]]] = {}
    for one in numbers:
        groups.setdefault((one["exhibit"], one["training"]), []).append(one)
    items = []
    for (exhibit, training), mine in list(groups.items())[:MOST_LINES]:
        one = mine[0]
        where = ", ".join(filter(None, (one["network"], name(one["dataset"]) if one["dataset"] else "")))
        example = f"{one['what']} ({where})" if where else one["what"]
        example += f": reported {one['printed']}. {one['reason'].rstrip('.')}"
        who = name(training) if training else "the data"
        sort = f"{_count(len(mine), 'number')}, for example " if len(mine) > 1 else ""
        items.append(Item(exhibit=exhibit, text=f"{who}: {sort}{example}."))
    left = len(groups) - len(items)
    if left > 0:
        items.append(Item(exhibit="", text=f"{_count(left, 'more line')} like these in the ledger."))
    return _block(heading, [] if items else [none], items)


def _jury(summary: Mapping[str, Any]) -> Block:
    heading = "Under the jury"
    if not summary["sat"]:
        return _block(
            heading,
            [
                "The robustness audit was not run in this edition: it has no strongest attacks, so nothing here says "
                "whether a gain is more than an attack that is too weak."
            ],
        )
    trainings = summary["trainings"]
    if not trainings:
        return _block(heading, ["The audit covers no training of this paper."])
    claimed = [one for one in trainings if _claimed(one)]
    kept = sum(one["verdict"] == jury.REAL for one in claimed)
    gone = sum(one["verdict"] == jury.VANISHES for one in claimed)
    sentences = [
        f"{_count(len(trainings), 'trained network')} of this paper were audited, each against its "
        f"cross-entropy baseline on the same images: {_counts(summary['verdicts'], jury.Verdict)}."
    ]
    if claimed:
        sentences.append(
            f"Under PGD, as a paper would have reported it, {len(claimed)} of them gain on the baseline; under the "
            f"strongest attack {kept} of these gains {'is' if kept == 1 else 'are'} real and {gone} "
            f"{'vanishes' if gone == 1 else 'vanish'}."
        )
    else:
        sentences.append("None of them gains on the baseline, not even under PGD, as a paper would have reported it.")
    sentences.append("Gains are in points of accuracy over the baseline, with 95 % intervals over images and seeds.")
    told = [one for one in trainings if one["verdict"] != jury.NO_GAIN or one["flags"] or _claimed(one)]
    sentences += _left_out([one for one in trainings if one not in told])
    rows = [
        (
            _run(one["run"]),
            one["epsilon"],
            gain_in_words(one["printed"]) or "–",
            (gain_in_words(one["strongest"]) or "–") + _l2(one),
            one["verdict"] + (f"; raised {', '.join(one['flags'])}" if one["flags"] else ""),
            one["why"],
        )
        for one in told
    ]
    return _block(heading, sentences, table=[HEADS, *rows] if rows else [])


def _left_out(trainings: Sequence[Mapping[str, Any]]) -> list[str]:
    """A sentence on networks of which a line each would fill the page and tell nothing."""
    if not trainings:
        return []
    said = (
        f"{_count(len(trainings), 'network')} with no gain, no claim of one and no flag "
        f"{'is' if len(trainings) == 1 else 'are'} left out of this table"
    )
    gains = [one["strongest"]["gain"] for one in trainings if (one["strongest"] or {}).get("gain") is not None]
    if len(gains) < len(trainings):
        return [f"{said}."]
    least, most = (signed(value) for value in (min(gains), max(gains)))
    span = f"between {least} and {most}" if least != most else least
    return [f"{said}; gains under the strongest attack: {span}."]


def _claimed(one: Mapping[str, Any]) -> bool:
    low = (one["printed"] or {}).get("gain_low")
    return low is not None and low > 0


def _l2(one: Mapping[str, Any]) -> str:
    gain = gain_in_words(one["strongest_l2"])
    return f"; L2, ε = {one['strongest_l2']['epsilon']}: {gain}" if gain else ""


def _why(summary: Mapping[str, Any]) -> Block:
    """Signs of masked gradients, and attacks that failed to optimise."""
    if not summary["diagnosed"]:
        return _block("Why", ["No network of this paper was diagnosed."])
    if not summary["flags"]:
        return _block("Why", [f"No indicator was triggered on any of {_count(summary['diagnosed'], 'network')}."])
    kinds = {"model": "indicator of gradient masking", "attack": "indicator of an attack that fails"}
    items = [
        Item(
            exhibit="",
            text=f"{flag['id']}, {flag['title']} ({kinds.get(flag['of'], flag['of'])}): triggered on "
            f"{len(flag['runs'])} of {_count(flag['of_runs'], 'network')}: "
            f"{_first(list(map(_run, flag['runs'])))}. The first: {flag['says'].rstrip('.')}.",
        )
        for flag in summary["flags"]
    ]
    return _block("Why", [], items)


def _controls(summary: Mapping[str, Any]) -> Block:
    """Networks whose robustness is known to be false: do the diagnostics catch them?"""
    items = []
    for one in summary["controls"]:
        printed, strongest = accuracy_in_words(one["printed"]), accuracy_in_words(one["strongest"])
        shown = ", ".join(
            f"{value} % {under}"
            for value, under in ((printed, "under PGD"), (strongest, "under the strongest attack"))
            if value
        )
        caught = f"raised {', '.join(one['flags'])}" if one["flags"] else "raised nothing"
        where = f"{name(one['arch'])}, {name(one['dataset'])}"
        at = f" at ε = {one['epsilon']}" if one["epsilon"] else ""
        items.append(Item(exhibit="", text=f"{one['control']} ({where}): {shown}{at}; {caught}."))
    return _block("Controls", [] if items else ["No control was made from a network of this paper."], items)
