"""The jury's section: a verdict per network, and a card per network."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from lossproof.display_names import name
from lossproof.exhibits.judged import number_of
from lossproof.jury.verdict import Verdict
from lossproof.report.anchors import anchor
from lossproof.report.context import Jury
from lossproof.report.judged import in_order, judged
from lossproof.report.overview import parts
from lossproof.report.pictures import picture
from lossproof.report.points import accuracy_in_words, gain_in_words


def jury_view(jury: Jury) -> dict[str, Any]:
    """What the template needs; ``lines`` and ``cards`` are empty where the jury did not sit."""
    cards = [_card(card) for card in jury.get("cards", ())]
    drawn = {card["run"]: card["anchor"] for card in cards}
    entries = in_order(judged(jury.get("verdicts", ())))
    lines = [_line(entry, drawn) for entry in entries]
    told = [*lines, *cards]
    counts = Counter(line["verdict"] for line in lines)
    return {
        "lines": lines,
        "cards": cards,
        "counts": [part for part in parts(counts, Verdict) if part["count"]],
        "choices": {
            "dataset": _choices(told, "dataset"),
            "arch": _choices(told, "arch"),
            "verdict": [(one, one) for one in Verdict if any(line["verdict"] == one for line in told)],
            "flag": [(flag, flag) for flag in sorted({flag for one in told for flag in one["flags"]}, key=number_of)],
        },
    }


def _choices(told: list[dict[str, Any]], key: str) -> list[tuple[str, str]]:
    return [(one, name(one)) for one in dict.fromkeys(entry[key] for entry in told)]


def _line(entry: Mapping[str, Any], cards: Mapping[str, str]) -> dict[str, Any]:
    return {
        **{key: entry[key] for key in ("run", "dataset", "arch", "verdict", "why", "flags", "epsilon")},
        "anchor": cards.get(entry["run"], ""),
        "names": (name(entry["dataset"]), name(entry["arch"]), entry["control"] or name(entry["training"])),
        "twin": name(entry["twin"]) if entry["twin"] else "",
        "meaning": entry["verdict"].meaning,
        "basis": ", ".join(f"{entry[key]:g} {key.removeprefix('n_')}" for key in ("n_images", "seeds") if entry[key]),
        "clean": accuracy_in_words({"accuracy": entry["clean"]}),
        "gain_l2": gain_in_words(entry["strongest_l2"]),
        "epsilon_l2": (entry["strongest_l2"] or {}).get("epsilon", ""),
        **{
            f"{key}_{attack}": shown(entry[attack])
            for attack in ("printed", "strongest")
            for key, shown in (("accuracy", accuracy_in_words), ("gain", gain_in_words))
        },
        **{
            f"{key}_{attack}_number": (entry[attack] or {}).get(key)
            for attack in ("printed", "strongest")
            for key in ("accuracy", "gain")
        },
    }


def _card(card: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **{key: card[key] for key in ("run", "dataset", "arch", "verdict", "href")},
        "flags": list(card["flags"]),
        "anchor": anchor(f"card-{card['run']}"),
        "title": " · ".join(map(name, (card["training"], card["arch"], card["dataset"]))),
        "meaning": Verdict(card["verdict"]).meaning if card["verdict"] else "",
        "picture": picture(card["png"]),
    }
