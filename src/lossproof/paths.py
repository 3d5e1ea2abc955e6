"""Where every result of an edition lies. The one home of the file contracts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

SPLITS = ("train", "test")
PREPARED_FILES = (*(f"{split}_{part}.npy" for split in SPLITS for part in ("images", "labels")), "card.json")
MODEL_FILES = ("model.safetensors", "history.csv", "predictions.npz", "record.json")
# Of a network that was not trained but made from another one.
REMADE_FILES = ("model.safetensors", "predictions.npz", "record.json")
LANDSCAPE_METHODS = ("filter_normalised", "package")
TOY_FILES = ("networks.npz", "record.json")
TABLE_FORMATS = ("md", "tex", "csv")
FIGURE_FORMATS = ("png", "pdf")


class Run(NamedTuple):
    """Data set x architecture x training; its seeds are numbered from 0."""

    dataset: str
    arch: str
    training: str

    def __str__(self) -> str:
        return "/".join(self)


@dataclass(frozen=True)
class Paths:
    """File names of one edition; every method returns a path relative to the project."""

    edition: str

    @property
    def results(self) -> str:
        return f"results/{self.edition}"

    @property
    def figures(self) -> str:
        return f"figures/{self.edition}"

    def dataset(self, dataset: str) -> list[str]:
        return [f"{self.results}/datasets/{dataset}/{name}" for name in PREPARED_FILES]

    def raw_files(self, dataset: str) -> str:
        """What the raw files of a data set with published files are."""
        return f"{self.results}/datasets/{dataset}/files.json"

    def model(self, run: object, seed: object, name: str) -> str:
        return f"{self.results}/models/{run}/seed{seed}/{name}"

    def resume_point(self, run: object, seed: object) -> str:
        """Kept outside the outputs, which Snakemake removes where a job fails."""
        return f".cache/{self.edition}/models/{run}/seed{seed}.safetensors"

    def attack(self, run: object, seed: object, split: str, attack: str, suffix: str = "json") -> str:
        return f"{self.results}/attacks/{run}/seed{seed}/{split}/{attack}.{suffix}"

    def landscape(self, run: object, seed: object, method: str) -> str:
        return f"{self.results}/landscapes/{run}/seed{seed}/{method}.npz"

    def embedding(self, run: object, seed: object, suffix: str) -> str:
        return f"{self.results}/embeddings/{run}/seed{seed}.{suffix}"

    def sensitivity(self, run: object, seed: object, suffix: str) -> str:
        return f"{self.results}/jury/{run}/seed{seed}/sensitivity.{suffix}"

    def diagnosis(self, run: object, seed: object) -> str:
        return f"{self.results}/jury/{run}/seed{seed}/diagnostics.json"

    def card(self, run: object) -> str:
        """The picture of a run's diagnostics, of its first seed."""
        return f"{self.figures}/jury/cards/{run}.png"

    def summary(self, paper: str) -> str:
        return f"{self.results}/summaries/{paper}.md"

    def toy(self, toy: str, training: str, name: str) -> str:
        return f"{self.results}/toys/{toy}/{training}/{name}"

    def theory(self, paper: str, statement: str) -> str:
        return f"{self.results}/theory/{paper}/{statement}.json"

    def tidy(self, paper: str, exhibit: str, suffix: str = "csv") -> str:
        return f"{self.results}/exhibits/{paper}/{exhibit}.{suffix}"

    def table(self, paper: str, exhibit: str, suffix: str) -> str:
        return f"{self.results}/tables/{paper}/{exhibit}.{suffix}"

    def figure(self, paper: str, exhibit: str, suffix: str) -> str:
        return f"{self.figures}/{paper}/{exhibit}.{suffix}"
