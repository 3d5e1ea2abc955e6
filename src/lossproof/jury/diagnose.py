"""All diagnostics of one trained network: does it hide its gradients, and do attacks on it work at all?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lossproof.attacks.seeded import seeded
from lossproof.catalogue import Entry, catalogue
from lossproof.jury.bench import FEWEST, Bench
from lossproof.jury.finding import Finding, flag, not_judged, plain
from lossproof.jury.subject import Subject
from lossproof.progress import track


def entries() -> list[Entry]:
    """The diagnostics by the numbers in their ids, those without one at the end."""
    return sorted(catalogue("jury").values(), key=lambda entry: int(entry.about["id"][1:] or 1000))


def settings_of(given: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """The parameters of every diagnostic, defaults filled in; ValueError for a name that is none."""
    known = {entry.name: entry for entry in entries()}
    for name, parameters in given.items():
        if name not in known:
            raise ValueError(f"diagnostics: found '{name}'; allowed: {', '.join(known)}")
        for key in parameters:
            if key not in known[name].parameters:
                allowed = ", ".join(known[name].parameters) or "none"
                raise ValueError(f"diagnostics.{name}: found '{key}'; allowed: {allowed}")
    return {name: {**entry.defaults(), **given.get(name, {})} for name, entry in known.items()}


def diagnose(subject: Subject, settings: Mapping[str, Mapping[str, Any]], *names: object) -> dict[str, Any]:
    """The diagnostics of a subject as their record has them, in the order of their ids.

    settings: by diagnostic, parameters in place of its defaults (the full protocol). names: of the run, for the
    progress shown. Only images that the network gets right are looked at, so that accuracies start at 100; with
    fewer than two of them nothing is judged. Every draw follows from the subject's names.
    Raises ValueError for unknown settings.
    """
    plans = settings_of(settings)
    device = subject.images.device
    with seeded(device, "diagnose", *subject.names):
        bench = Bench(subject)
    found: dict[str, Finding] = {}
    # Those that look at what the others' attacks made come last.
    order = sorted(entries(), key=lambda entry: bool(entry.about.get("last")))
    for entry in track(order, len(order), "/".join(map(str, ("diagnose", *names)))):
        if len(bench) < FEWEST:
            says = f"the network gets {len(bench)} of {len(subject.labels)} images right; it takes {FEWEST}"
            found[entry.name] = not_judged(says, len(bench))
            continue
        with seeded(device, "diagnose", *subject.names, entry.name):
            found[entry.name] = entry.load()(bench, **plans[entry.name])
    return {
        "norm": subject.norm,
        "epsilon": subject.epsilon,
        "epsilon_value": subject.epsilon_value,
        "n_images": len(bench),
        "clean_accuracy": bench.clean_accuracy,
        "diagnostics": {entry.name: _record(entry, found[entry.name]) for entry in entries()},
    }


def _record(entry: Entry, found: Finding) -> dict[str, Any]:
    about = entry.about
    return {
        "id": about["id"],
        "title": about["title"],
        "of": about["of"],
        "value": plain(found.value),
        "unit": about["unit"],
        "threshold": about["threshold"],
        "flag": flag(found, about["threshold"], about["flag"]),
        "p": plain(found.p),
        "n_images": found.n_images,
        "says": found.says,
        "source": about["source"],
        "curves": plain(found.curves),
    }
