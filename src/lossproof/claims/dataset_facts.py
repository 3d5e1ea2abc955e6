"""Reported facts about data sets, beside the cards of the prepared ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lossproof.claims.setting import Finding, Setting
from lossproof.claims.verdict import Comparison
from lossproof.statistics.intervals import Estimate
from lossproof.tidy import Row, number


def _images(card: Mapping[str, Any]) -> float | None:
    sizes = card.get("sizes") or {}
    return float(sum(sizes.values())) if sizes else None


def _fact(claim: Row, setting: Setting) -> float | None:
    """The measured fact, or None where no card of a real data set holds it."""
    card = setting.card(claim["dataset"])
    sizes = {**(card.get("sizes") or {}), **(card.get("parts") or {})}
    if claim["unit"] == "classes":
        return float(len(card["classes"])) if card.get("classes") else None
    if claim["unit"] == "ratio":
        below = _images(setting.card(claim["against"])) if setting.real(claim["against"]) else None
        above = _images(card)
        return above / below if above and below else None
    if claim["part"] == "all":
        return _images(card)
    # Only parts of a data set are prepared, so the size of all its files stays open.
    return float(sizes[claim["part"]]) if claim["part"] in sizes else None


def dataset_fact(claim: Row, setting: Setting) -> Finding:
    """A reported fact about a data set, beside the card of the real one; it may be off by its ``rounding``."""
    printed, dataset = number(claim["value"]), claim["dataset"]
    if not setting.real(dataset):
        stand_in = setting.data_for.get(dataset)
        has = f"{stand_in} is its surrogate" if stand_in else "it has no surrogate"
        missing = f"Needs the real {dataset}; {has} in the {setting.edition} edition."
        return Finding(Comparison(printed, missing=missing))
    value = _fact(claim, setting)
    if value is None and not setting.card(dataset):
        return Finding(Comparison(printed, missing=f"{dataset} was not prepared in the {setting.edition} edition."))
    if value is None:
        return Finding(Comparison(printed, missing=f"The prepared {dataset} does not hold this fact."))
    return Finding(
        Comparison(
            printed,
            measured=Estimate(value),
            same_protocol=True,
            tolerance=float(claim["rounding"]),
            unit=claim["unit"],
            subject="Read from the card of the prepared data set.",
        )
    )
