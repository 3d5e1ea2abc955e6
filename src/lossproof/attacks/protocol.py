"""Run a bundle of attacks on one model and write down what came out, one record per split and attack."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from lossproof import catalogue
from lossproof.attacks import epsilon as budgets
from lossproof.attacks.losses import AttackLoss
from lossproof.attacks.outcome import Outcome, judge, predict, summarise
from lossproof.progress import track
from lossproof.records import SCHEMA_VERSION
from lossproof.seeding import seed_of

BATCH_SIZE = 512


@dataclass(frozen=True)
class AttackData:
    """The images of one split that are attacked."""

    images: np.ndarray | Tensor  # [N, C, H, W]: uint8, or float32 in [0, 1]
    labels: np.ndarray  # [N] int64
    index: np.ndarray  # [N] int64: position in the split


Key = tuple[str, str]
Result = tuple[dict[str, Any], dict[str, np.ndarray]]


def resolve(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Attack settings with every default filled in; ``track`` is the method's own.

    ValueError names an unknown method or setting, or another track than the method's.
    """
    method = settings.get("method")
    methods = catalogue.catalogue("attacks")
    if method not in methods:
        raise ValueError(f"no attack method '{method}'; known: {', '.join(sorted(methods))}")
    entry = methods[method]
    plan = {**entry.defaults(), "track": entry.about["track"], **settings}
    if plan["track"] != entry.about["track"]:
        raise ValueError(f"method '{method}' has no track '{plan['track']}'")
    unknown = set(plan) - set(entry.parameters) - {"method", "track", "name", "splits"}
    if unknown:
        raise ValueError(f"method '{method}' has no setting {', '.join(sorted(unknown))}")
    return plan


def run_bundle(
    model: nn.Module,
    data_by_split: Mapping[str, AttackData],
    attack_settings_by_name: Mapping[str, Mapping[str, Any]],
    *,
    run_name: str,
    seed: int,
    batch_size: int = BATCH_SIZE,
    criterion: AttackLoss | None = None,
) -> dict[Key, Result]:
    """Attack ``model`` (pixels in [0, 1] to logits, on whatever device); records and arrays by (split, attack).

    attack_settings_by_name: see ``resolve``; ``splits`` among them limits an attack to some of the splits.
    On the printed track the splits share their batches (a sign step of one image does not depend on the others);
    on the honest one each split is attacked by itself and all budgets of a sweep share a batch. batch_size: images
    in one forward pass at most; with it change the draws of random starts. criterion: what the loss "own" stands for.
    Random draws follow from run_name, seed, the attack, the splits attacked together and the batch.

    Arrays: index, label, clean [N] int64 and adversarial [E, N] int64 (-1: no admissible image). Raises ValueError
    for unknown settings, and where "own" is asked for without a criterion.
    """
    device = next(model.parameters()).device
    plans = {name: resolve(settings) for name, settings in attack_settings_by_name.items()}
    splits = {name: data for name, data in sorted(data_by_split.items()) if len(data.labels)}
    clean = {split: _clean(model, data, batch_size, device) for split, data in splits.items()}
    results: dict[Key, Result] = {}
    for name, plan in plans.items():
        wanted = [split for split in splits if split in plan.get("splits", splits)]
        groups = [wanted] if plan["track"] == "printed" else [[split] for split in wanted]
        for group in filter(None, groups):
            label = f"{run_name} {name} {'+'.join(group)}"
            base = (run_name, seed, name, *group)
            outcomes = _attack(
                model, [splits[split] for split in group], plan, base, batch_size, device, criterion, label
            )
            start = 0
            for split in group:
                rows = slice(start, start := start + len(splits[split].labels))
                results[split, name] = _record(
                    {"name": run_name, "seed": seed}, name, plan, split, splits[split], clean[split],
                    [outcome.of(rows) for outcome in outcomes],
                )  # fmt: skip
    return results


def _tensor(images: np.ndarray | Tensor, device: torch.device) -> Tensor:
    """Pixels in [0, 1] as float32 on the device."""
    tensor = torch.as_tensor(images).to(device)
    return tensor.float().div_(255) if tensor.dtype == torch.uint8 else tensor.float()


def _clean(model: nn.Module, data: AttackData, batch_size: int, device: torch.device) -> np.ndarray:
    starts = range(0, len(data.labels), batch_size)
    batches = (_tensor(data.images[start : start + batch_size], device) for start in starts)
    return np.concatenate([predict(model, batch).cpu().numpy() for batch in batches])


def _plan_budgets(plan: Mapping[str, Any]) -> tuple[list[str], list[float], list[float]]:
    """Budgets as text, as numbers, and the step size of each."""
    texts, values = budgets.parse_list(plan["epsilon"])
    if plan["method"] == "fgsm":
        return texts, values, values
    return texts, values, [budgets.step_size(plan["step_size"], value, plan["steps"]) for value in values]


def _attack(
    model: nn.Module,
    group: Sequence[AttackData],
    plan: Mapping[str, Any],
    seed_names: tuple[object, ...],
    batch_size: int,
    device: torch.device,
    criterion: AttackLoss | None,
    label: str,
) -> list[Outcome]:
    """One outcome per budget over all images of the group, in order."""
    _, epsilons, step_sizes = _plan_budgets(plan)
    entry = catalogue.catalogue("attacks")[plan["method"]]
    settings = {key: plan[key] for key in entry.parameters if key not in ("epsilon", "step_size")}
    if "own" in settings.get("losses", ()):
        if criterion is None:
            raise ValueError("the loss 'own' needs the training's criterion")
        settings["losses"] = [criterion if loss == "own" else loss for loss in settings["losses"]]
    method = entry.load()
    images = torch.cat([torch.as_tensor(data.images) for data in group])
    labels = torch.cat([torch.as_tensor(data.labels) for data in group])
    size = max(1, batch_size // len(epsilons)) if plan["track"] == "honest" else batch_size
    parts: list[list[Outcome]] = [[] for _ in epsilons]
    starts = range(0, len(labels), size)
    for start in track(starts, len(starts), label):
        batch, truth = _tensor(images[start : start + size], device), labels[start : start + size].to(device)
        made = method(
            model, batch, truth, epsilons=epsilons, step_sizes=step_sizes,
            seed=seed_of("attack", *seed_names, start), **settings,
        )  # fmt: skip
        for part, radius, points, zero in zip(parts, epsilons, made.images, made.zero_gradient, strict=True):
            part.append(judge(model, batch, points, norm=plan["norm"], epsilon=radius, zero_gradient=zero))
    return [Outcome.joined(part) for part in parts]


def _record(
    run: dict[str, Any],
    name: str,
    plan: Mapping[str, Any],
    split: str,
    data: AttackData,
    clean: np.ndarray,
    outcomes: Sequence[Outcome],
) -> Result:
    labels = np.asarray(data.labels)
    rows = zip(*_plan_budgets(plan), outcomes, strict=True)
    record = {
        "schema": SCHEMA_VERSION,
        "kind": "attack",
        "run": run,
        "attack": {**plan, "name": name},
        "split": split,
        "n_images": len(labels),
        "clean_accuracy": 100 * float((clean == labels).mean()),
        "results": [
            {
                "epsilon": text,
                "epsilon_value": value,
                "step_size_value": size,
                **summarise(outcome, labels, clean),
            }
            for text, value, size, outcome in rows
        ],
    }
    arrays = {
        "index": np.asarray(data.index, dtype=np.int64),
        "label": labels.astype(np.int64),
        "clean": clean.astype(np.int64),
        "adversarial": np.stack([outcome.predictions for outcome in outcomes]).astype(np.int64),
    }
    return record, arrays
