"""The caption of an exhibit as an edition makes it."""

from __future__ import annotations

from lossproof.planning.declare import Exhibit
from lossproof.planning.named import named_archs, named_datasets
from lossproof.planning.plan import Plan


def caption(plan: Plan, exhibit: Exhibit) -> str:
    """The declared caption, what is left out, what stands in for what, and with which exhibits networks are shared."""
    said = [exhibit.caption]
    if why := plan.in_part.get(exhibit.id):
        said.append(f"{why[0].upper()}{why[1:]}.")
    stand_ins = plan.config["stand_ins"]
    names = named_datasets(exhibit.declaration) | named_archs(exhibit.declaration)
    replaced = sorted(name for name in names if stand_ins.get(name, name) != name)
    for name in replaced:
        note = plan.config["datasets"].get(stand_ins[name], {}).get("note")
        said.append(f"In this edition {stand_ins[name]}{f' ({note})' if note else ''} is the surrogate for {name}.")
    if replaced:
        runs = set(plan.needs[exhibit.id].runs)
        shared = [one.id for one in plan.made if one.id != exhibit.id and runs & set(plan.needs[one.id].runs)]
        said += [f"Networks are shared with {', '.join(shared)}."] if shared else []
    return " ".join(said)
