"""Resume points: everything that training needs to go on to the same bytes.

One safetensors file, written whole, outside the declared outputs (Snakemake deletes those before a
rerun). It carries a fingerprint of the run's settings; another run's file is never used.
"""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from lossproof.records import whole


def _generators() -> dict[str, ModuleType]:
    """The accelerators here, each with a random generator of its own for dropout."""
    here = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    return {kind: module for kind, module in (("cuda", torch.cuda), ("mps", torch.mps)) if here[kind]}


def _pack_optimiser(optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    state = optimiser.state_dict()["state"]
    return {
        f"optimiser/{index}/{key}": value
        for index, values in state.items()
        for key, value in values.items()
        if isinstance(value, Tensor)
    }


def save(
    path: Path,
    fingerprint: str,
    model: nn.Module,
    criterion: nn.Module,
    optimiser: torch.optim.Optimizer,
    shuffle: torch.Generator,
    best: dict[str, Tensor],
    progress: dict[str, Any],
) -> None:
    """Write a resume point. ``progress`` must be JSON: epoch, history, best score."""
    tensors = {f"model/{key}": value for key, value in model.state_dict().items()}
    tensors |= {f"criterion/{key}": value for key, value in criterion.state_dict().items()}
    tensors |= {f"best/{key}": value for key, value in best.items()}
    tensors |= _pack_optimiser(optimiser)
    tensors |= {"random/shuffle": shuffle.get_state(), "random/torch": torch.get_rng_state()}
    tensors |= {f"random/{kind}": module.get_rng_state() for kind, module in _generators().items()}
    _write(path, fingerprint, tensors, progress)


def save_last(path: Path, fingerprint: str, best: dict[str, Tensor], progress: dict[str, Any]) -> None:
    """Write the point of a training that has ended: the chosen weights and how it went, nothing to train on from."""
    _write(path, fingerprint, {f"best/{key}": value for key, value in best.items()}, progress)


def _write(path: Path, fingerprint: str, tensors: dict[str, Tensor], progress: dict[str, Any]) -> None:
    # Fresh copies: safetensors refuses tensors that share memory.
    tensors = {key: value.detach().clone().contiguous() for key, value in tensors.items()}
    with whole(path) as temporary:
        save_file(tensors, temporary, {"fingerprint": fingerprint, "progress": json.dumps(progress)})


def epochs_done(path: Path, fingerprint: str) -> int:
    """Epochs behind the resume point that ``restore`` would load; 0 where there is none."""
    try:
        with safe_open(path, "pt") as file:
            notes = file.metadata() or {}
        return len(json.loads(notes["progress"])["history"]) if notes.get("fingerprint") == fingerprint else 0
    except Exception:  # no such file, or an unreadable one: ``restore`` says so
        return 0


def restore(
    path: Path,
    fingerprint: str,
    model: nn.Module,
    criterion: nn.Module,
    optimiser: torch.optim.Optimizer,
    shuffle: torch.Generator,
) -> tuple[dict[str, Any], dict[str, Tensor]] | None:
    """Load a resume point into the given objects; (progress, best state), or None where none fits.

    That of a training that has ended leaves them as they are.
    """
    if not path.is_file():
        return None
    try:
        with safe_open(path, "pt") as file:
            notes = file.metadata() or {}
            if notes.get("fingerprint") != fingerprint:
                return None
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (not a dict)
    except Exception as error:  # an unreadable resume point costs time, never a result
        print(f"{path}: unusable resume point, starting anew ({error})")
        return None

    def part(prefix: str) -> dict[str, Tensor]:
        return {key[len(prefix) :]: value for key, value in tensors.items() if key.startswith(prefix)}

    if not (weights := part("model/")):
        return json.loads(notes["progress"]), part("best/")
    model.load_state_dict(weights)
    criterion.load_state_dict(part("criterion/"))
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in part("optimiser/").items():
        index, name = key.split("/")
        state.setdefault(int(index), {})[name] = value
    optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})
    shuffle.set_state(tensors["random/shuffle"])
    torch.set_rng_state(tensors["random/torch"])
    for kind, module in _generators().items():
        if f"random/{kind}" in tensors:
            module.set_rng_state(tensors[f"random/{kind}"])
    return json.loads(notes["progress"]), part("best/")
