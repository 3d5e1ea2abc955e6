"""Training one classifier from settings and a seed, resumable to the same bytes."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from lossproof.datasets.channel_sums import ChannelSums
from lossproof.datasets.encoded import EncodedImages
from lossproof.datasets.prepared import Prepared
from lossproof.defences.choice import defence_of
from lossproof.heads.choice import head_of, head_parameters
from lossproof.heads.scaled import Scaled
from lossproof.models.classifier import Classifier, Scores, build
from lossproof.progress import track
from lossproof.seeding import numpy_generator, seed_of, torch_generator
from lossproof.training import checkpoint
from lossproof.training.augmentation import augment
from lossproof.training.evaluate import accuracy, kept_predictions, pixels
from lossproof.training.feeding import Feed, Loading, feed
from lossproof.training.forward import training_forward
from lossproof.training.history import epoch_row
from lossproof.training.phases import Means, begin, phases_of

FINISHED = "finished"
STATISTICS_BATCH = 256  # images whose pixels are wide integers at a time


@dataclass
class Trained:
    """The selected weights, the history, the record's figures, and predictions on both splits."""

    state: dict[str, Tensor]
    history: list[dict[str, Any]]
    figures: dict[str, Any]
    predictions: dict[str, np.ndarray]


def new_model(settings: dict[str, Any], data: Prepared) -> Classifier:
    """The untrained classifier of a run's settings, for the data's channels, size and classes."""
    options = dict(settings["model"])
    if options.pop("normalise"):
        options |= _pixel_statistics(data)
    image_size, transform = data.card["image_size"], None
    if defence := defence_of(settings, "forward"):
        transform = defence(image_size, **settings["defence"]["parameters"])
        image_size = transform.output_size
    criterion = settings["criterion"]
    model = build(
        settings["arch"],
        num_classes=data.num_classes,
        in_channels=data.card["channels"],
        image_size=image_size,
        head=head_of(criterion["name"], criterion["parameters"]),
        head_parameters=head_parameters(criterion["name"], criterion["parameters"]),
        transform=transform,
        **options,
    )
    if "logits" in settings:
        model.head = Scaled(model.head)
    return model


def _pixel_statistics(data: Prepared) -> dict[str, list[float]]:
    """``mean`` and ``std`` per channel of the training images, in pixels of [0, 1]."""
    if isinstance(data.train_images, EncodedImages):
        return data.card.get("pixels") or data.train_images.statistics()
    sums = ChannelSums(data.train_images.shape[1])
    for start in range(0, len(data.train_images), STATISTICS_BATCH):
        sums.add(data.train_images[start : start + STATISTICS_BATCH])
    return sums.result()


def _split_held_out(count: int, settings: dict[str, Any], seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Indices to train on and to select on; the second is empty unless selection is ``held_out``."""
    order = numpy_generator("held_out", settings["dataset"], seed).permutation(count)
    held = round(settings["held_out_share"] * count) if settings["selection"] == "held_out" else 0
    return np.sort(order[held:]), np.sort(order[:held])


def _one_epoch(
    model: nn.Module,
    means: Means,
    train: Feed,
    settings: dict[str, Any],
    shuffle: torch.Generator,
    forward: Callable[[Tensor], Scores],
) -> tuple[float, float]:
    """One pass over shuffled batches; mean loss and running accuracy in percent."""
    model.train()
    device = train.labels.device
    order = torch.randperm(len(train), generator=shuffle)
    loss_sum = torch.zeros((), device=device)
    correct = torch.zeros((), device=device)
    seen = 0
    for images, target in train.batches(settings["batch_size"], order):
        if len(target) < 2:  # batch norm on 1x1 maps cannot take a single image
            continue
        batch = augment(pixels(images), settings["augmentation"], shuffle)
        if means.adversary:
            batch = means.adversary(model, batch, target, shuffle)
        logits, embedding = forward(batch)
        seen_by = (embedding,) if getattr(means.criterion, "uses_features", False) else ()
        loss = means.criterion(logits, target, *seen_by).mean()
        means.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        means.optimiser.step()
        with torch.no_grad():
            loss_sum += loss * len(target)
            correct += (logits.argmax(1) == target).sum()
        seen += len(target)
    return loss_sum.item() / seen, 100.0 * correct.item() / seen


def fit(
    settings: dict[str, Any],
    data: Prepared,
    seed: int,
    device: torch.device,
    resume: Path | None = None,
    resume_every_seconds: float = 60.0,
    loading: Loading | None = None,
    code: str = "",
) -> Trained:
    """Train one run.

    ``settings`` is the resolved run (dataset, arch, training, model, criterion, optimiser, epochs,
    batch_size, selection, ...); with ``warm_up`` other phases come before its own, and only epochs of the
    last phase can be selected. ``resume`` is where a resume point is kept while training. A training that
    wrote one leaves one of its end, from which the results can be made again: whoever calls removes it once they
    are safe. Only a point of the same settings, data and ``code`` is used. ``loading`` is how large
    images are decoded; it changes no result. Accuracies are in percent.
    """
    name = (settings["dataset"], settings["arch"], settings["training"], seed)
    # Initial weights depend on data, network and seed only, so that losses start from equal weights.
    torch.manual_seed(seed_of("weights", settings["dataset"], settings["arch"], seed))
    model = new_model(settings, data).to(device)
    torch.manual_seed(seed_of("dropout", *name))
    shuffle = torch_generator("shuffle", settings["dataset"], settings["arch"], seed)

    kept, held = _split_held_out(len(data.train_labels), settings, seed)
    loading = loading or Loading()
    train_feed = feed(data.train_images, data.train_labels, kept, device, loading)
    held_feed = feed(data.train_images, data.train_labels, held, device, loading)
    test_feed = feed(data.test_images, data.test_labels, slice(None), device, loading)

    forward = training_forward(model, settings, device, len(kept), data.train_images.shape[1:])
    phases, selection = phases_of(settings), settings["selection"]
    epochs = phases[-1].end
    # Compiled or not, a training goes on from the same point.
    resumable = {key: value for key, value in settings.items() if key != "compile"}
    fingerprint = json.dumps([resumable, seed, data.card, code], sort_keys=True)
    history: list[dict[str, Any]] = []
    best = {key: value.clone() for key, value in model.state_dict().items()}
    progress: dict[str, Any] = {"best_score": -1.0, "best_epoch": 0, "status": FINISHED}
    done = checkpoint.epochs_done(resume, fingerprint) if resume else 0
    # The phase of the last epoch that is behind us, whose optimiser the resume point holds.
    phase = next(phase for phase in phases if phase.end >= done)
    means = begin(phase, model, data.num_classes, device)
    found = None
    if resume:
        found = checkpoint.restore(resume, fingerprint, model, means.criterion, means.optimiser, shuffle)
    if not found and done:
        phase = phases[0]
        means = begin(phase, model, data.num_classes, device)
    if found:
        progress, best = found
        best = {key: value.to(device) for key, value in best.items()}
        history = progress.pop("history")

    last_saved = time.monotonic()
    left = range(len(history), epochs if progress["status"] == FINISHED else len(history))
    label = "/".join(str(part) for part in name)
    for epoch in track(left, len(left), label):
        if epoch == phase.end:
            phase = phases[phase.number]
            means = begin(phase, model, data.num_classes, device)
        rate = phase.rate(epoch)
        for group in means.optimiser.param_groups:
            group["lr"] = rate * group["factor"]
        with forward.switches():
            loss, running = _one_epoch(model, means, train_feed, phase.settings, shuffle, forward)
        if not math.isfinite(loss):
            progress["status"] = f"diverged in epoch {epoch + 1}"
            break
        test = accuracy(model, test_feed)
        held_out = accuracy(model, held_feed) if len(held) else None
        last_layer = model.head.weight
        assert isinstance(last_layer, Tensor)
        history.append(
            epoch_row(
                epoch + 1,
                phase.number,
                last_layer,
                learning_rate=rate,
                train_loss=loss,
                train_accuracy=running,
                test_accuracy=test,
                held_out_accuracy=held_out,
            )
        )
        score = {"last": float(epoch + 1), "best_test": test, "held_out": held_out}[selection]
        assert score is not None
        if phase is phases[-1] and score > progress["best_score"]:
            progress |= {"best_score": score, "best_epoch": epoch + 1}
            best = {key: value.clone() for key, value in model.state_dict().items()}
        if resume and time.monotonic() - last_saved >= resume_every_seconds:
            reached = progress | {"history": history}
            checkpoint.save(resume, fingerprint, model, means.criterion, means.optimiser, shuffle, best, reached)
            last_saved = time.monotonic()

    if resume and resume.exists():
        checkpoint.save_last(resume, fingerprint, best, progress | {"history": history})
    model.load_state_dict(best)
    # A defence may draw at each call; then the last predictions do not depend on how many were made before.
    torch.manual_seed(seed_of("evaluation", *name))
    arrays, accuracies = kept_predictions(model, train_feed, test_feed, kept)
    figures = {
        "status": progress["status"],
        "selected_epoch": progress["best_epoch"],
        "parameters": sum(p.numel() for p in model.parameters()),
        **accuracies,
        **forward.figures,
        "n_train": len(kept),
        "n_test": len(test_feed),
    }
    return Trained({key: value.cpu().contiguous() for key, value in best.items()}, history, figures, arrays)
