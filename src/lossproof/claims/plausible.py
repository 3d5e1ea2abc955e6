"""Whether a printed number is plausible at all: the rules of ``suspicious.csv``, by claim.

The column ``cell`` of that file is written for people ('cifar10 resnet18 sp_focal fgsm'), so it is
read conservatively: every data set, architecture, training, metric, attack and epsilon that it names
must fit, *and* the printed value must be among the suspicious ones. What cannot be read marks nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from lossproof.claims.match import agree
from lossproof.tidy import number

Row = Mapping[str, str]

NUMBER = r"\d+(?:\.\d+)?"
RANGE = re.compile(rf"({NUMBER})\s*(?:\.\.\.|to)\s*({NUMBER})")
BUDGETS = re.compile(rf"\beps ({NUMBER}(?:(?:,| or| and| vs)? {NUMBER})*)|\b(\d+/\d+)")
WORDS_FOR_METRICS = {"adversarial": "adversarial_accuracy", "attacked": "adversarial_accuracy"}


def rules(why: str) -> list[str]:
    """The rule ids of a reason: the first word of each part between ' | '."""
    found = (re.match(r"R\d+\b", part.strip()) for part in why.split(" | "))
    return [match.group() for match in found if match]


def _values(printed: str) -> tuple[set[float], list[tuple[float, float]]]:
    """Single numbers and closed ranges of a ``printed_value`` cell."""
    ranges = [tuple(sorted((float(low), float(high)))) for low, high in RANGE.findall(printed)]
    return {float(value) for value in re.findall(NUMBER, printed)}, [(low, high) for low, high in ranges]


def _epsilons(cell: str) -> set[float]:
    found: set[float] = set()
    for decimals, fraction in BUDGETS.findall(cell):
        values = [number(text) for text in ([fraction] if fraction else re.findall(NUMBER, decimals))]
        found.update(value for value in values if value is not None)
    return found


def marked(suspicious: Row, claims: Sequence[Row]) -> list[Row]:
    """The claims that one row of ``suspicious.csv`` speaks of; empty where its cell cannot be read."""
    rows = [row for row in claims if row["paper"] == suspicious["paper"] and row["exhibit"] == suspicious["exhibit"]]
    words = set(re.findall(r"[\w+]+", suspicious["cell"]))
    words |= {metric for word, metric in WORDS_FOR_METRICS.items() if word in words}
    if "clean" in words:
        words.add("clean_accuracy")
    named = False
    for column in ("dataset", "arch", "training"):
        wanted = words & {part for row in rows for part in row[column].split(";")}
        if wanted:
            named = True
            rows = [row for row in rows if wanted & set(row[column].split(";"))]
    # Attacks and metrics name one axis of a table: 'test_accuracy' excludes attacked cells, 'fgsm' clean ones.
    quantities = words & {part for row in rows for column in ("metric", "attack") for part in row[column].split(";")}
    if quantities - {"none", ""}:
        rows = [row for row in rows if quantities & {row["metric"], *row["attack"].split(";")}]
    epsilons = _epsilons(suspicious["cell"])
    if epsilons:
        rows = [row for row in rows if not row["epsilon"] or any(agree(row["epsilon"], value) for value in epsilons)]
    single, ranges = _values(suspicious["printed_value"])
    if not named or not single:
        return []
    chosen = []
    for row in rows:
        value = number(row["value"])
        if value is not None and (value in single or any(low <= value <= high for low, high in ranges)):
            chosen.append(row)
    return chosen


def plausibility(claims: Sequence[Row], suspicious: Iterable[Row]) -> list[str]:
    """For each claim 'yes', or 'no (R1, R4)' with the rules that speak against it."""
    place = {id(row): index for index, row in enumerate(claims)}
    found: list[set[str]] = [set() for _ in claims]
    for entry in suspicious:
        for row in marked(entry, claims):
            found[place[id(row)]].update(rules(entry["why"]))
    return [f"no ({', '.join(sorted(names, key=lambda rule: int(rule[1:])))})" if names else "yes" for names in found]
