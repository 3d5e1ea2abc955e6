"""The resolver: exhibits and edition in, the set of runs, attacks, toys and checks out."""

from __future__ import annotations

from dataclasses import replace
from fnmatch import fnmatchcase
from functools import cached_property

from lossproof.catalogue import catalogue, load
from lossproof.display_names import in_full
from lossproof.exhibits.needs import Needs
from lossproof.exhibits.stand_ins import run_of
from lossproof.paths import FIGURE_FORMATS, TABLE_FORMATS, Run
from lossproof.planning.available import Available
from lossproof.planning.declare import Exhibit
from lossproof.settings.faults import fault
from lossproof.settings.resolved import made_from, twin_of


class Plan(Available):
    """What an edition makes."""

    @property
    def seeds(self) -> range:
        return range(self.config["seeds"])

    @cached_property
    def splits(self) -> dict[str, list[str]]:
        """Per attack, the splits that it is run on."""
        return {name: attack["splits"] for name, attack in self.config["attacks"].items()}

    @cached_property
    def made(self) -> list[Exhibit]:
        """The exhibits that this edition makes; those of the jury with the networks that it judges."""
        found = [self._judging(exhibit) if judges(exhibit) else exhibit for exhibit in self.present]
        return [exhibit for exhibit in found if exhibit.declaration.get("judged") != []]

    @cached_property
    def judged(self) -> list[Run]:
        """The networks that the jury judges: of all exhibits and its own, as far as ``jury.runs`` lets them."""
        found: set[Run] = set()
        for needs in self._needs_of_papers.values():
            found |= {*needs.runs, *filter(None, (self.substitute(*pair) for pair in needs.attacks))}
        for exhibit in filter(judges, self.present):
            found |= self._shown(exhibit)
        patterns = self.config["jury"]["runs"]
        return sorted(run for run in found if any(fnmatchcase(str(run), pattern) for pattern in patterns))

    def _judging(self, exhibit: Exhibit) -> Exhibit:
        """An exhibit of the jury with its networks, each with its twin and what is changed in it afterwards."""
        shown = self._shown(exhibit)
        runs = [run for run in self.judged if run in shown or not shown]
        return replace(exhibit, declaration=exhibit.declaration | {"judged": [*map(self.described, runs)]})

    def described(self, run: Run) -> dict[str, str]:
        """A judged network in words: its parts, the training of its twin, and what is changed in it; '' for none."""
        twin = self.twin(run)
        return {**run._asdict(), "twin": twin.training if twin else "", "control": self.control(run)}

    def _shown(self, exhibit: Exhibit) -> set[Run]:
        """The networks that an exhibit of the jury names itself; none where it is about all of them."""
        return {
            run_of(self.config["stand_ins"], panel["dataset"], panel["arch"], training)
            for panel in exhibit.declaration.get("panels", ())
            for training in panel["trainings"]
        }

    def _needs(self, exhibit: Exhibit) -> Needs:
        found: Needs = load("exhibits", exhibit.kind).needs(exhibit.declaration, self.config["stand_ins"])
        return found

    @cached_property
    def _needs_of_papers(self) -> dict[str, Needs]:
        """Needs of the exhibits that do not hang on what the jury judges."""
        return {exhibit.id: self._needs(exhibit) for exhibit in self.present if not judges(exhibit)}

    @cached_property
    def needs(self) -> dict[str, Needs]:
        """Per exhibit, what must be there before it."""
        papers = self._needs_of_papers
        return {one.id: self._needs(one) if judges(one) else papers[one.id] for one in self.made}

    @cached_property
    def runs(self) -> list[Run]:
        """Every network of the edition, each once however many exhibits ask for it; what controls are made from too."""
        asked = {run for needs in self.needs.values() for run in needs.runs}
        asked |= {run for run in map(self.twin, self.diagnosed) if run}
        asked |= set(filter(None, (self.substitute(*pair) for pair in self.attacks)))
        return sorted({*asked, *(base for run in asked for base in self.made_from(run))})

    @cached_property
    def diagnosed(self) -> list[Run]:
        """Every network that the jury's diagnostics are made of."""
        return sorted({run for needs in self.needs.values() for run in needs.diagnoses})

    @property
    def diagnosed_seeds(self) -> range:
        """The seeds of a run that diagnostics are made of."""
        return self.seeds[: self.config["jury"]["seeds"]]

    @cached_property
    def jury_attacks(self) -> dict[Run, list[str]]:
        """By network, the attacks by which the jury judges it."""
        found: dict[Run, set[str]] = {}
        for exhibit in filter(judges, self.made):
            for run, attack in self.needs[exhibit.id].attacks:
                found.setdefault(run, set()).add(attack)
        return {run: sorted(attacks) for run, attacks in found.items()}

    @cached_property
    def carded(self) -> dict[str, list[Run]]:
        """The networks that have a card, by data set."""
        found: dict[str, list[Run]] = {}
        for run in self.diagnosed:
            found.setdefault(run.dataset, []).append(run)
        return found

    def twin(self, run: Run) -> Run | None:
        """The network with cross entropy that a network is compared with, None where it is one itself."""
        training = twin_of(self.config, run.training)
        return run._replace(training=training) if training else None

    def made_from(self, run: Run) -> list[Run]:
        """The networks that must be there before a control is made; [] for what is trained itself."""
        return [run._replace(training=training) for training in made_from(self.config, run.training)]

    def control(self, run: Run) -> str:
        """What is changed in a trained network afterwards, in words; '' where nothing is."""
        control = self.config["controls"].get(run.training)
        if not control:
            return ""
        if "scale" in control:
            return f"logits of {in_full(control['of'])} × {control['scale']:g}"
        return f"logits of {in_full(control['of'])}, as confident as {in_full(control['match'])}"

    def substitute(self, run: Run, attack: str) -> Run | None:
        """The run on which an attack on ``run`` is made, where it is not made on that itself alone.

        SettingsError where the attack names no substitute for the run's architecture.
        """
        settings = self.config["attacks"][attack]
        if "substitute" not in catalogue("attacks")[settings["method"]].about:
            return None
        if settings["substitute"] in ("twin", None):
            return self.twin(run) if settings["substitute"] else None
        if run.arch not in settings["substitute"]:
            allowed = f"allowed: {', '.join(sorted(settings['substitute']))}"
            raise fault("settings", f"attacks.{attack}.substitute", f"none for {run.arch}", allowed)
        return Run(run.dataset, settings["substitute"][run.arch], settings["substitute_training"])

    @cached_property
    def attacks(self) -> list[tuple[Run, str]]:
        """Every (run, attack) of the edition, each once."""
        return sorted({pair for needs in self.needs.values() for pair in needs.attacks})

    def exhibit(self, paper: str, name: str) -> Exhibit:
        """The exhibit by paper and name."""
        return next(item for item in self.made if (item.paper, item.name) == (paper, name))

    def inputs(self, exhibit: Exhibit) -> list[str]:
        """The files that the exhibit's tidy table is made from."""
        diagnosed = self.config["jury"]["seeds"]
        return self.needs[exhibit.id].files(self.paths, exhibit.paper, self.seeds, self.splits, diagnosed)

    def tidy(self, exhibit: Exhibit) -> list[str]:
        """The exhibit's tidy table, and its grids where it has some."""
        suffixes = ("csv", "npz") if exhibit.grids else ("csv",)
        return [self.paths.tidy(exhibit.paper, exhibit.name, suffix) for suffix in suffixes]

    def outputs(self, exhibit: Exhibit) -> list[str]:
        """The files that a reader looks at."""
        found: list[str] = []
        if "figure" in exhibit.outputs:
            found += [self.paths.figure(exhibit.paper, exhibit.name, suffix) for suffix in FIGURE_FORMATS]
        if "table" in exhibit.outputs:
            found += [self.paths.table(exhibit.paper, exhibit.name, suffix) for suffix in TABLE_FORMATS]
        return found


def judges(exhibit: Exhibit) -> bool:
    """Whether an exhibit is about the networks of the others: its kind takes what the plan puts in as ``judged``."""
    return bool(catalogue("exhibits")[exhibit.kind].about.get("judges", False))
