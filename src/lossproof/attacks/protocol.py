"""Run a bundle of attacks on one model and write down what came out, one record per split and attack.

*Memory.* Images are taken from their feed, attacked and judged batch by batch, on both tracks, and only outcomes
are kept: some 30 bytes per image and budget. With B images in a batch (``training.feeding.fitting``) and E budgets,
float32 images are held by at most

* the printed track: B clean ones, E x B adversarial ones, and what the attack holds of one budget (a few times B;
  DeepFool some 20 times B, as it holds a gradient per class);
* the honest track: B // E clean ones (at least one) and a few times B more, as all budgets are attacked together;

B is divided by the passes that an attack averages over (``draws``, where the model draws), as a gradient holds the
activations of all of them; beside the network's activations for B images and what the feed itself holds (stated there).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, isfinite
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from lossproof import catalogue
from lossproof.attacks import budgets
from lossproof.attacks.losses import AttackLoss
from lossproof.attacks.outcome import Crafted, Outcome, judge, predict, summarise
from lossproof.attacks.seeded import seeded
from lossproof.attacks.views import passes
from lossproof.progress import track
from lossproof.records import SCHEMA_VERSION
from lossproof.seeding import seed_of
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


# The substitute of an attack that can do without one: a network that is its own twin has none.
TWIN = "twin"

Key = tuple[str, str]
Result = tuple[dict[str, Any], dict[str, np.ndarray]]


def resolve(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Attack settings with every default filled in; ``track`` is the method's own.

    ValueError names an unknown method or setting, another track than the method's, or a start that its ``reading``
    (``budgets``) does not have.
    """
    method = settings.get("method", "")
    methods = catalogue.catalogue("attacks")
    if method not in methods:
        raise ValueError(f"no attack method '{method}'; known: {', '.join(sorted(methods))}")
    entry = methods[method]
    plan = {**entry.defaults(), "track": entry.about["track"], **settings}
    if plan["track"] != entry.about["track"]:
        raise ValueError(f"method '{method}' has no track '{plan['track']}'")
    unknown = set(plan) - set(entry.parameters) - {"method", "track", "name", "splits", "images"}
    if unknown:
        raise ValueError(f"method '{method}' has no setting {', '.join(sorted(unknown))}")
    if "reading" in plan:
        plan["random_start"] = budgets.starts_at_random(plan["reading"], plan["random_start"])
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
    substitutes: Mapping[str, nn.Module] | None = None,
) -> dict[Key, Result]:
    """Attack ``model`` (pixels in [0, 1] to logits, on whatever device); records and arrays by (split, attack).

    attack_settings_by_name: see ``resolve``; ``splits`` among them limits an attack to some of the splits.
    On the printed track the splits share their batches (a sign step of one image does not depend on the others);
    on the honest one each split is attacked by itself and all budgets of a sweep share a batch. batch_size: images
    in one forward pass at most, fewer where they are large (``fitting``); with it change the draws of random starts.
    criterion: what the loss "own" stands for. substitutes: by attack, the model on which it is made, where it is not
    made on ``model`` (``substitute`` in the method's CATALOGUE; a 'twin' may be missing). The feeds lie on the model's
    device.
    Random draws follow from run_name, seed, the attack, the splits attacked together and the batch; so do those of a
    model that draws at each pass. It is judged on other draws than it was attacked on, the same for all budgets.

    Settings that a method got after its records were published (``added`` in its CATALOGUE) stand in a record only
    where they are not the default, so that equal runs keep their bytes.

    An unbounded budget has no ``epsilon_value``. Arrays: index, label, clean [N] int64 and adversarial [E, N] int64
    (-1: no admissible image). Raises ValueError for unknown settings, where "own" is asked for without a criterion,
    and where a substitute is missing.
    """
    plans = {name: resolve(settings) for name, settings in attack_settings_by_name.items()}
    splits = {name: data for name, data in sorted(data_by_split.items()) if len(data.feed)}
    clean = {split: _clean(model, data.feed, batch_size, (run_name, seed, split)) for split, data in splits.items()}
    results: dict[Key, Result] = {}
    for name, plan in plans.items():
        wanted = [split for split in splits if split in plan.get("splits", splits)]
        groups = [wanted] if plan["track"] == "printed" else [[split] for split in wanted]
        for group in filter(None, groups):
            label = f"{run_name} {name} {'+'.join(group)}"
            base = (run_name, seed, name, *group)
            feeds = [splits[split].feed for split in group]
            handed = plan | _substitute(name, plan, substitutes or {})
            outcomes = _attack(model, feeds, handed, base, batch_size, criterion, label)
            start = 0
            for split in group:
                rows = slice(start, start := start + len(splits[split].feed))
                results[split, name] = _record(
                    {"name": run_name, "seed": seed}, name, plan, split, splits[split], clean[split],
                    [outcome.of(rows) for outcome in outcomes],
                )  # fmt: skip
    return results


def _substitute(
    name: str, plan: Mapping[str, Any], substitutes: Mapping[str, nn.Module]
) -> dict[str, nn.Module | None]:
    """The model in the place of the words that an attack's settings have for it; None where a twin is not given."""
    if "substitute" not in catalogue.catalogue("attacks")[plan["method"]].about:
        return {}
    if plan["substitute"] in (None, TWIN):
        return {"substitute": substitutes.get(name) if plan["substitute"] == TWIN else None}
    if name not in substitutes:
        raise ValueError(f"attack '{name}' is made on a substitute, and none is given")
    return {"substitute": substitutes[name]}


def _pixels(images: Tensor) -> Tensor:
    """Pixels in [0, 1] as float32."""
    return images.float().div_(255) if images.dtype == torch.uint8 else images.float()


def _clean(model: nn.Module, feed: Feed, batch_size: int, seed_names: tuple[object, ...]) -> np.ndarray:
    batches = feed.batches(fitting(batch_size, feed.shape))
    with seeded(feed.labels.device, "clean", *seed_names):
        return np.concatenate([predict(model, _pixels(images)).cpu().numpy() for images, _ in batches])


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
    batches = [outcomes for _, outcomes in crafted(model, feeds, plan, seed_names, batch_size, criterion, label)]
    return [Outcome.joined(list(parts)) for parts in zip(*batches, strict=True)]


def crafted(
    model: nn.Module,
    feeds: Sequence[Feed],
    plan: Mapping[str, Any],
    seed_names: tuple[object, ...],
    batch_size: int = BATCH,
    criterion: AttackLoss | None = None,
    label: str = "",
) -> Iterator[tuple[Crafted, list[Outcome]]]:
    """Batch by batch over all images of the feeds: what the attack makes of them, and an outcome per budget.

    plan: settings as ``resolve`` gives them; seed_names: what every draw follows from, with the batch; label: of the
    progress. The rest is as in ``run_bundle``.
    """
    found = budgets.of_plan(plan, feeds[0].shape)
    entry = catalogue.catalogue("attacks")[plan["method"]]
    said_otherwise = ("epsilon", "step_size", "reading", "substitute_training")
    settings = {key: plan[key] for key in entry.parameters if key not in said_otherwise}
    settings["norm"] = norm = found[0].norm
    if "own" in settings.get("losses", ()):
        if criterion is None:
            raise ValueError("the loss 'own' needs the training's criterion")
        settings["losses"] = [criterion if loss == "own" else loss for loss in settings["losses"]]
    method = entry.load()
    size = fitting(batch_size, feeds[0].shape)
    together = len(found) if plan["track"] == "honest" else 1
    size = max(1, size // (together * passes(model, plan.get("draws", 1))))
    count = ceil(sum(map(len, feeds)) / size)
    for number, (images, truth) in enumerate(track(joined(feeds, size), count, label)):
        batch, names = _pixels(images), (*seed_names, number * size)
        with seeded(batch.device, "passes", *names):
            made = method(
                model, batch, truth, epsilons=[one.radius for one in found], step_sizes=[one.step for one in found],
                seed=seed_of("attack", *names), **settings,
            )  # fmt: skip
        outcomes = []
        for at, one in enumerate(found):
            with seeded(batch.device, "judge", *names):
                outcome = judge(
                    model, batch, made.images[at], norm=norm, epsilon=one.radius, zero_gradient=made.zero_gradient[at],
                    target=made.target, figures={name: figure[at] for name, figure in made.figures.items()},
                )  # fmt: skip
            outcomes.append(outcome)
        yield made, outcomes


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
    entry = catalogue.catalogue("attacks")[plan["method"]]
    unsaid = {key for key in entry.about.get("added", ()) if plan[key] == entry.defaults()[key]}
    rows = zip(budgets.of_plan(plan, data.feed.shape), outcomes, strict=True)
    record = {
        "schema": SCHEMA_VERSION,
        "kind": "attack",
        "run": run,
        "attack": {key: value for key, value in plan.items() if key not in unsaid} | {"name": name},
        "split": split,
        "n_images": len(labels),
        "clean_accuracy": 100 * float((clean == labels).mean()),
        "results": [
            {
                "epsilon": one.text,
                "epsilon_value": one.value if isfinite(one.value) else None,
                "step_size_value": one.step,
                **({"norm": one.norm, "radius_value": one.radius} if "reading" in plan else {}),
                **summarise(outcome, labels, clean),
            }
            for one, outcome in rows
        ],
    }
    arrays = {
        "index": np.asarray(data.index, dtype=np.int64),
        "label": labels.astype(np.int64),
        "clean": clean.astype(np.int64),
        "adversarial": np.stack([outcome.predictions for outcome in outcomes]).astype(np.int64),
    }
    return record, arrays
