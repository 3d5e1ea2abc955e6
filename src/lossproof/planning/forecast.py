"""What an edition is about to run and what that costs, counted from its plan before anything is run."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from lossproof.catalogue import catalogue
from lossproof.datasets.extent import Extent, extent_of
from lossproof.exhibits.needs import Needs
from lossproof.paths import LANDSCAPE_METHODS, Run
from lossproof.planning.cost import (
    BYTES_PER_PARAMETER,
    Cost,
    attack_flop,
    cost_of,
    diagnosis_passes,
    passes,
    training_flop,
)
from lossproof.planning.plan import Plan
from lossproof.settings.resolved import all_epochs, phases, run_settings

# Compressed predictions and outcomes per image, and one record without them: from runs of the embedded edition.
BYTES_PER_OUTCOME = 4
BYTES_PER_RECORD = 2000
BYTES_PER_POINT = 8
BYTES_PER_SENSITIVITY = 25
BYTES_PER_DIAGNOSIS = 100_000  # with the card

Owner = TypeVar("Owner")
Key = TypeVar("Key")
Value = TypeVar("Value")


class Made(dict[Key, Value]):
    """Values by key that are made from them, on demand too: a file may be asked for that no exhibit needs."""

    def __init__(self, make: Callable[[Key], Value], keys: Iterable[Key]) -> None:
        super().__init__((key, make(key)) for key in keys)
        self._make = make

    def __missing__(self, key: Key) -> Value:
        value = self[key] = self._make(key)
        return value


class Model(NamedTuple):
    """One training run with one seed."""

    run: Run
    seed: int


class Record(NamedTuple):
    """One attack on one split of one model."""

    model: Model
    split: str
    attack: str


@dataclass(frozen=True)
class Work:
    """What is run, as sets: the union of two exhibits' work holds what they share once."""

    models: frozenset[Model] = frozenset()
    records: frozenset[Record] = frozenset()
    landscapes: frozenset[tuple[Run, str]] = frozenset()
    embeddings: frozenset[Model] = frozenset()
    sensitivities: frozenset[Model] = frozenset()
    diagnoses: frozenset[Model] = frozenset()
    attacked_embeddings: frozenset[tuple[Model, str]] = frozenset()
    toys: frozenset[tuple[str, str, int]] = frozenset()

    def __or__(self, other: Work) -> Work:
        return Work(
            self.models | other.models,
            self.records | other.records,
            self.landscapes | other.landscapes,
            self.embeddings | other.embeddings,
            self.sensitivities | other.sensitivities,
            self.diagnoses | other.diagnoses,
            self.attacked_embeddings | other.attacked_embeddings,
            self.toys | other.toys,
        )

    @property
    def datasets(self) -> list[str]:
        return sorted({model.run.dataset for model in self.models})


@dataclass
class Amount:
    """Counts and costs of some work. Passes are images going forward and backward; FLOP hold all passes."""

    models: int = 0
    shared: int = 0
    records: int = 0
    toys: int = 0
    landscapes: int = 0
    training_passes: float = 0
    attack_passes: float = 0
    training_flop: float = 0
    attack_flop: float = 0
    disk: float = 0
    uncounted: set[str] = field(default_factory=set)


@dataclass
class Forecast:
    """The costs of a plan. ``root`` is where results/ lies: cards of prepared data sets are read where they exist."""

    plan: Plan
    root: Path = Path()

    @cached_property
    def work(self) -> dict[str, Work]:
        """Per exhibit that is made, what is run for it; a bundle is run whole."""
        return {name: self._work(needs) for name, needs in self.plan.needs.items()}

    @cached_property
    def whole(self) -> Work:
        """What the edition runs, shared work once."""
        found = Work()
        for work in self.work.values():
            found |= work
        return found

    @cached_property
    def users(self) -> Counter[Model]:
        """In how many exhibits a model is used."""
        return Counter(model for work in self.work.values() for model in work.models)

    @cached_property
    def extents(self) -> dict[str, Extent | None]:
        """The extent of each data set that is used, None where it is not known yet."""
        known = self.plan.config["datasets"]
        return Made(
            lambda name: extent_of(known[name], self.root / self.plan.paths.dataset(name)[-1]),
            sorted({run.dataset for run in self.plan.runs}),
        )

    @cached_property
    def settings(self) -> dict[Run, dict[str, Any]]:
        """The resolved settings of every run."""
        return Made(lambda run: run_settings(self.plan.config, *run), self.plan.runs)

    @cached_property
    def networks(self) -> dict[Run, tuple[Extent, Cost] | str]:
        """Extent of the data and cost of the network of every run, or what is not known."""
        return Made(self._network, self.plan.runs)

    def amount(self, work: Work) -> Amount:
        """What some work comes to; models and surfaces whose cost is not known are named and left out of the sums."""
        found = Amount(
            models=len(work.models),
            shared=sum(self.users[model] > 1 for model in work.models),
            records=len(work.records),
            toys=len(work.toys),
            landscapes=len(work.landscapes),
        )
        self._add(found, work)
        found.disk += sum(extent.prepared for name in work.datasets if (extent := self.extents[name]))
        return found

    def flop(self, work: Work) -> float | None:
        """Floating-point operations of some work, None where not all is known; quick, as it asks for no other work."""
        found = Amount()
        self._add(found, work)
        return None if found.uncounted else found.training_flop + found.attack_flop

    def _add(self, found: Amount, work: Work) -> None:
        for model in work.models:
            self._add_training(found, model.run)
        for record in work.records:
            self._add_attack(found, record)
        for run, method in work.landscapes:
            self._add_landscape(found, run, method)
        for model in work.embeddings:
            self._add_embedding(found, model.run)
        for model in work.sensitivities:
            self._add_sensitivity(found, model.run)
        for model in work.diagnoses:
            self._add_diagnosis(found, model.run)
        for model, attack in work.attacked_embeddings:
            self._add_attacked_embedding(found, model.run, attack)

    def _network(self, run: Run) -> tuple[Extent, Cost] | str:
        extent = self.extents[run.dataset]
        if extent is None:
            return f"number of images of {run.dataset}"
        cost = cost_of(
            run.arch,
            self.settings[run]["model"],
            channels=extent.channels,
            image_size=extent.image_size,
            classes=extent.classes,
        )
        return (extent, cost) if cost else f"multiply-adds of {run.arch} (benchmarks/costs.py counts them)"

    def _work(self, needs: Needs) -> Work:
        config, seeds = self.plan.config, self.plan.seeds
        # One job makes every seed, or only those that are asked for: a surface asks for the first.
        alone = seeds if config["seeds_per_job"] == "all" else range(1)
        substitutes = set(filter(None, (self.plan.substitute(*pair) for pair in needs.attacks)))
        attacked = {run for run, _ in needs.attacks} | substitutes
        beside = set(filter(None, map(self.plan.twin, needs.diagnoses)))
        asked = {*needs.histories, *needs.models, *attacked, *needs.embeddings, *needs.sensitivities}
        asked |= {base for run in asked for base in self.plan.made_from(run)}
        runs = sorted({*needs.runs, *beside, *asked})
        models = [Model(run, seed) for run in runs for seed in (seeds if run in asked else alone)]
        records = [
            Record(Model(run, seed), split, attack)
            for run, attack in _whole_bundles(needs.attacks, config["bundles"].values())
            for seed in seeds
            for split in self.plan.splits[attack]
        ]
        toys = [
            (toy, training, seed)
            for training, toy in _whole_bundles(
                [(training, toy) for toy, training in needs.toys], config["toys"]["bundles"].values()
            )
            for seed in range(config["toys"]["seeds"])
        ]
        surfaces = [(run, method) for run in needs.landscapes for method in LANDSCAPE_METHODS]
        embedded, sensitive = (
            frozenset(Model(run, seed) for run in runs for seed in seeds)
            for runs in (needs.embeddings, needs.sensitivities)
        )
        pictured = frozenset((Model(run, seed), attack) for run, attack in needs.attacked_embeddings for seed in seeds)
        diagnosed = [Model(run, seed) for run in needs.diagnoses for seed in self.plan.diagnosed_seeds]
        return Work(
            frozenset(models),
            frozenset(records),
            frozenset(surfaces),
            embedded,
            sensitive,
            frozenset(diagnosed),
            pictured,
            frozenset(toys),
        )

    def _costed(self, found: Amount, run: Run) -> tuple[Extent, Cost] | None:
        known = self.networks[run]
        if isinstance(known, str):
            found.uncounted.add(known)
            return None
        return known

    def _add_training(self, found: Amount, run: Run) -> None:
        if not (known := self._costed(found, run)):
            return
        extent, cost = known
        settings = self.settings[run]
        held = settings["held_out_share"] if settings["selection"] == "held_out" else 0
        trained = sum(
            extent.train * (1 - held) * phase["epochs"] * (1 + _crafting(phase)) for phase in phases(settings)
        )
        # Each epoch is evaluated; the chosen weights predict both splits.
        evaluated = (extent.test + extent.train * held) * all_epochs(settings) + extent.train + extent.test
        if "logits" in settings:
            trained, evaluated = 0, extent.train + extent.test
        else:  # its last resume point, as large as its weights, stays until the end of the run
            found.disk += BYTES_PER_PARAMETER * cost.parameters
        found.training_passes += trained
        found.training_flop += training_flop(cost, trained=trained, evaluated=evaluated)
        found.disk += BYTES_PER_PARAMETER * cost.parameters + BYTES_PER_OUTCOME * (extent.train + extent.test)

    def _add_attack(self, found: Amount, record: Record) -> None:
        # The steps of a transferred attack are its substitute's.
        run = self.plan.substitute(record.model.run, record.attack) or record.model.run
        if not (known := self._costed(found, run)):
            return
        extent, cost = known
        config = self.plan.config
        attack = config["attacks"][record.attack]
        images = min(self._attacked_images(extent, record.split), attack.get("images", math.inf))
        both, forward = passes(self._seen_by(run, attack), extent.classes)
        found.attack_passes += images * both
        found.attack_flop += attack_flop(cost, attacked=images * both, evaluated=images * forward)
        found.disk += BYTES_PER_RECORD + BYTES_PER_OUTCOME * images

    def _attacked_images(self, extent: Extent, split: str) -> int:
        wanted, there = self.plan.config["attack_images"][split], extent.images(split)
        return there if wanted is None else min(wanted, there)

    def _seen_by(self, run: Run, attack: dict[str, Any]) -> dict[str, Any]:
        """An attack's settings as they come out on a run: one that draws nothing needs one pass, not ``draws``."""
        return attack if self._draws(run) or "draws" not in attack else attack | {"draws": 1}

    def _draws(self, run: Run) -> bool:
        """Whether a run's network draws at each pass."""
        defence = self.settings[run].get("defence", {}).get("name")
        return bool(defence) and catalogue("defences")[str(defence)].about["acts"] == "forward"

    def _add_landscape(self, found: Amount, run: Run, method: str) -> None:
        if not (known := self._costed(found, run)):
            return
        options = self.plan.config["landscape"]
        points = options["package_grid" if method == "package" else "grid"] ** 2
        images = min(options["images"], known[0].train)
        found.attack_flop += attack_flop(known[1], attacked=0, evaluated=points * images)
        found.disk += BYTES_PER_RECORD + BYTES_PER_POINT * points

    def _add_embedding(self, found: Amount, run: Run) -> None:
        if not (known := self._costed(found, run)):
            return
        extent, cost = known
        images = min(self.plan.config["embedding_images"], extent.test)
        found.attack_flop += attack_flop(cost, attacked=0, evaluated=images)
        found.disk += BYTES_PER_RECORD + (BYTES_PER_OUTCOME + BYTES_PER_PARAMETER * cost.features) * images

    def _add_sensitivity(self, found: Amount, run: Run) -> None:
        if not (known := self._costed(found, run)):
            return
        extent, cost = known
        images = self._attacked_images(extent, "test")
        # One pass forward and two back: a gradient of the logits' gap, and one of cross entropy.
        found.attack_flop += attack_flop(cost, attacked=images, evaluated=images)
        found.disk += BYTES_PER_RECORD + BYTES_PER_SENSITIVITY * images

    def _add_diagnosis(self, found: Amount, run: Run) -> None:
        if not (known := self._costed(found, run)):
            return
        extent, cost = known
        wanted = self.plan.config["jury"]["images"]
        images = extent.test if wanted is None else min(wanted, extent.test)
        draws = self.plan.config["jury"]["draws"] if self._draws(run) else 1
        both, forward = (
            draws * count for count in diagnosis_passes(self.plan.config["diagnostics"], images, extent.classes)
        )
        found.attack_passes += both
        found.attack_flop += attack_flop(cost, attacked=both, evaluated=forward)
        found.disk += BYTES_PER_DIAGNOSIS

    def _add_attacked_embedding(self, found: Amount, run: Run, attack: str) -> None:
        if not (known := self._costed(found, run)):
            return
        extent, cost = known
        settings = self.plan.config["attacks"][attack]
        images = min(self.plan.config["embedding_images"], extent.test)
        both, forward = passes(self._seen_by(run, settings))
        found.attack_passes += images * both
        found.attack_flop += attack_flop(cost, attacked=images * both, evaluated=images * forward)
        # At most every image under every budget fools the network.
        budgets = settings["epsilon"] if isinstance(settings["epsilon"], list) else [settings["epsilon"]]
        found.disk += BYTES_PER_RECORD + BYTES_PER_PARAMETER * cost.features * images * len(budgets)


def _crafting(phase: dict[str, Any]) -> float:
    """Steps of adversarial training per image: each is as much work as the training step itself."""
    crafted = phase.get("defence", {}).get("parameters", {})
    return crafted.get("steps", 0) * (1 - crafted.get("clean_share", 0))


def _whole_bundles(asked: Iterable[tuple[Owner, str]], bundles: Iterable[Iterable[str]]) -> set[tuple[Owner, str]]:
    """Pairs of an owner and every member of the bundles that the owner's names are in."""
    home = {member: bundle for bundle in map(tuple, bundles) for member in bundle}
    return {(owner, member) for owner, name in asked for member in home[name]}
