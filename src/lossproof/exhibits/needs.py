"""What an exhibit needs before it can be made."""

from __future__ import annotations

from dataclasses import dataclass, field

from lossproof.paths import LANDSCAPE_METHODS, TOY_FILES, Paths, Run


@dataclass
class Needs:
    """Runs, and what is made of them, toys and checks behind an exhibit; equal ones are shared by name."""

    histories: list[Run] = field(default_factory=list)
    models: list[Run] = field(default_factory=list)
    attacks: list[tuple[Run, str]] = field(default_factory=list)
    landscapes: list[Run] = field(default_factory=list)
    embeddings: list[Run] = field(default_factory=list)
    sensitivities: list[Run] = field(default_factory=list)
    diagnoses: list[Run] = field(default_factory=list)
    attacked_embeddings: list[tuple[Run, str]] = field(default_factory=list)  # of runs that are embedded clean too
    toys: list[tuple[str, str]] = field(default_factory=list)
    theory: list[str] = field(default_factory=list)

    @property
    def runs(self) -> list[Run]:
        """Every run that must have been trained."""
        attacked = (run for run, _ in self.attacks)
        passed = {*self.landscapes, *self.embeddings, *self.sensitivities, *self.diagnoses}
        return sorted({*self.histories, *self.models, *attacked, *passed})

    def files(
        self, paths: Paths, paper: str, seeds: range, splits: dict[str, list[str]], diagnosed: int = 1
    ) -> list[str]:
        """The files that the exhibit's tidy table is made from.

        ``splits``: per attack; ``diagnosed``: of how many seeds diagnostics are made.
        """
        found = [paths.model(run, seed, "history.csv") for run in self.histories for seed in seeds]
        found += [
            paths.model(run, seed, name)
            for run in self.models
            for seed in seeds
            for name in ("record.json", "predictions.npz")
        ]
        found += [
            paths.attack(run, seed, split, attack, suffix)
            for run, attack in self.attacks
            for seed in seeds
            for split in splits[attack]
            for suffix in ("json", "npz")
        ]
        found += [paths.landscape(run, 0, method) for run in self.landscapes for method in LANDSCAPE_METHODS]
        found += [paths.embedding(run, seed, "json") for run in self.embeddings for seed in seeds]
        found += [paths.embedding(run, 0, "npz") for run in self.embeddings]
        found += [
            paths.sensitivity(run, seed, suffix)
            for run in self.sensitivities
            for seed in seeds
            for suffix in ("json", "npz")
        ]
        found += [paths.diagnosis(run, seed) for run in self.diagnoses for seed in seeds[:diagnosed]]
        attacked = self.attacked_embeddings
        found += [paths.embedding(run, seed, f"{attack}.json") for run, attack in attacked for seed in seeds]
        found += [paths.embedding(run, 0, f"{attack}.npz") for run, attack in attacked]
        found += [paths.toy(toy, training, name) for toy, training in self.toys for name in TOY_FILES]
        found += [paths.theory(paper, statement) for statement in self.theory]
        return list(dict.fromkeys(found))
