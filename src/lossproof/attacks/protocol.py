"""Run a bundle of attacks on one model and write down what came out, one record per split and attack.

*Memory.* Images are taken from their feed, attacked and judged batch by batch, on both tracks, and only outcomes
are kept: some 30 bytes per image and budget. With B images in a batch (``training.feeding.fitting``) and E budgets,
float32 images are held by at most

* the printed track: B clean ones, E x B adversarial ones, and what the library holds of one budget (a few times B);
* the honest track: B // E clean ones (at least one) and a few times B more, as all budgets are attacked together;

beside the network's activations for B images and what the feed itself holds (stated there).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from lossproof import catalogue
from lossproof.attacks.losses import AttackLoss
from lossproof.attacks.outcome import Outcome, judge, predict, summarise
from lossproof.progress import track
from lossproof.records import SCHEMA_VERSION
from lossproof.seeding import seed_of
from lossproof.threats import budgets
from lossproof.training.feeding import BATCH, Feed, fitting, joined


@dataclass(frozen=True)
class AttackData:
    """The images of one split that are attacked."""

    feed: Feed  # N images, uint8, or float32 in [0, 1]
    index: np.ndarray  # [N] int64: position in the split

    @property
    def labels(self) -> np.ndarray:
        """[N] int64"""
        return self.feed.labels.cpu().numpy()


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
    batch_size: int = BATCH,
    criterion: AttackLoss | None = None,
) -> dict[Key, Result]:
    """Attack ``model`` (pixels in [0, 1] to logits, on whatever device); records and arrays by (split, attack).

    attack_settings_by_name: see ``resolve``; ``splits`` among them limits an attack to some of the splits.
    On the printed track the splits share their batches (a sign step of one image does not depend on the others);
    on the honest one each split is attacked by itself and all budgets of a sweep share a batch. batch_size: images
    in one forward pass at most, fewer where they are large (``fitting``); with it change the draws of random starts.
    criterion: what the loss "own" stands for. The feeds lie on the model's device.
    Random draws follow from run_name, seed, the attack, the splits attacked together and the batch.

    Arrays: index, label, clean [N] int64 and adversarial [E, N] int64 (-1: no admissible image). Raises ValueError
    for unknown settings, and where "own" is asked for without a criterion.
    """
    plans = {name: resolve(settings) for name, settings in attack_settings_by_name.items()}
    splits = {name: data for name, data in sorted(data_by_split.items()) if len(data.feed)}
    clean = {split: _clean(model, data.feed, batch_size) for split, data in splits.items()}
    results: dict[Key, Result] = {}
    for name, plan in plans.items():
        wanted = [split for split in splits if split in plan.get("splits", splits)]
        groups = [wanted] if plan["track"] == "printed" else [[split] for split in wanted]
        for group in filter(None, groups):
            label = f"{run_name} {name} {'+'.join(group)}"
            base = (run_name, seed, name, *group)
            feeds = [splits[split].feed for split in group]
            outcomes = _attack(model, feeds, plan, base, batch_size, criterion, label)
            start = 0
            for split in group:
                rows = slice(start, start := start + len(splits[split].feed))
                results[split, name] = _record(
                    {"name": run_name, "seed": seed}, name, plan, split, splits[split], clean[split],
                    [outcome.of(rows) for outcome in outcomes],
                )  # fmt: skip
    return results


def _pixels(images: Tensor) -> Tensor:
    """Pixels in [0, 1] as float32."""
    return images.float().div_(255) if images.dtype == torch.uint8 else images.float()


def _clean(model: nn.Module, feed: Feed, batch_size: int) -> np.ndarray:
    batches = feed.batches(fitting(batch_size, feed.shape))
    return np.concatenate([predict(model, _pixels(images)).cpu().numpy() for images, _ in batches])


def _plan_budgets(plan: Mapping[str, Any]) -> tuple[list[str], list[float], list[float]]:
    """Budgets as text, as numbers, and the step size of each."""
    texts, values = budgets.parse_list(plan["epsilon"])
    if plan["method"] == "fgsm":
        return texts, values, values
    return texts, values, [budgets.step_size(plan["step_size"], value, plan["steps"]) for value in values]


def _attack(
    model: nn.Module,
    feeds: Sequence[Feed],
    plan: Mapping[str, Any],
    seed_names: tuple[object, ...],
    batch_size: int,
    criterion: AttackLoss | None,
    label: str,
) -> list[Outcome]:
    """One outcome per budget over all images of the feeds, in order."""
    _, epsilons, step_sizes = _plan_budgets(plan)
    entry = catalogue.catalogue("attacks")[plan["method"]]
    settings = {key: plan[key] for key in entry.parameters if key not in ("epsilon", "step_size")}
    if "own" in settings.get("losses", ()):
        if criterion is None:
            raise ValueError("the loss 'own' needs the training's criterion")
        settings["losses"] = [criterion if loss == "own" else loss for loss in settings["losses"]]
    method = entry.load()
    size = fitting(batch_size, feeds[0].shape)
    size = max(1, size // len(epsilons)) if plan["track"] == "honest" else size
    parts: list[list[Outcome]] = [[] for _ in epsilons]
    count = ceil(sum(map(len, feeds)) / size)
    for number, (images, truth) in enumerate(track(joined(feeds, size), count, label)):
        batch = _pixels(images)
        made = method(
            model, batch, truth, epsilons=epsilons, step_sizes=step_sizes,
            seed=seed_of("attack", *seed_names, number * size), **settings,
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
    labels = data.labels
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
