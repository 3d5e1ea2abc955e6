"""What every step that works on a run's networks begins with: its arguments, the data, the device, the weights."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from torch import device as Device

from lossproof import devices
from lossproof.catalogue import load
from lossproof.datasets import prepared
from lossproof.datasets.prepared import Prepared
from lossproof.models.classifier import Classifier
from lossproof.plan_file import step_parser
from lossproof.records import Clock, write_provenance
from lossproof.training.feeding import Feed, Loading, feed, loading_for
from lossproof.training.stored import load_model


def run_path(settings: dict[str, Any]) -> str:
    """Data set, architecture and training of resolved settings, as in paths."""
    return "/".join((settings["dataset"], settings["arch"], settings["training"]))


def network_parser(description: str | None) -> argparse.ArgumentParser:
    """The arguments that these steps share; a step adds its own."""
    parser = step_parser(description)
    parser.add_argument("--run", required=True, help="data set/architecture/training")
    parser.add_argument("--seeds", required=True, type=int, nargs="+", help="seeds of the run, one after the other")
    parser.add_argument("--device", default="auto", choices=devices.DEVICES)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--workers", type=int, default=0, help="of the threads, processes that decode large images")
    parser.add_argument("--prefetch", type=int, default=2, help="batches that each of them decodes ahead")
    return parser


@dataclass(frozen=True)
class Opened:
    """A run's data in memory, the device that is taken, and where its weights lie."""

    settings: dict[str, Any]
    data: Prepared
    loading: Loading
    device: Device
    threads: int
    results: Path

    @property
    def run(self) -> str:
        return run_path(self.settings)

    def weights(self, seed: int, settings: dict[str, Any] | None = None) -> Path:
        """The weights of one seed, of this run or of another one's settings."""
        return self.results / "models" / run_path(settings or self.settings) / f"seed{seed}" / "model.safetensors"

    def network(self, seed: int, settings: dict[str, Any] | None = None) -> Classifier:
        """The trained network of one seed, of this run or of another one's settings."""
        return load_model(self.weights(seed, settings), settings or self.settings, self.data, self.device)

    def images(self, split: str, index: np.ndarray | slice = slice(None)) -> Feed:
        """Images of a split, in the order of ``index``."""
        return feed(*self.data.split(split), index, self.device, self.loading)

    def criterion(self) -> Any:
        """The run's criterion, as an attack's loss."""
        criterion = self.settings["criterion"]
        return load("criteria", criterion["name"])(**criterion["parameters"])

    def provenance(self, folder: Path, clock: Clock, inputs: list[Path], name: str = "provenance.json") -> None:
        """Write down what the files of a folder were made with."""
        write_provenance(folder, clock, inputs, devices.describe(self.device), self.threads, name)


def open_run(arguments: argparse.Namespace) -> Opened:
    """The run that a step's arguments name; takes the device and limits the threads."""
    settings = arguments.plan.network(arguments.run)
    data = prepared.load(arguments.plan.data(settings["dataset"]))
    loading = loading_for(data, arguments.workers, arguments.prefetch, arguments.threads)
    device = devices.prepare(arguments.threads - loading.workers, arguments.device)
    return Opened(settings, data, loading, device, arguments.threads, arguments.plan.results)
