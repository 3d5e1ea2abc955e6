"""Batches of a split on the training's device, in an order that the caller gives.

Two feeds with one protocol. A set in memory lies whole on the device as uint8. An encoded one
(datasets/encoded.py) streams: worker processes decode whole batches ahead of their use.

*Memory of a streamed feed*, all processes together: at most workers x prefetch batches that are decoded or
being decoded, the one in use and the one that it replaces, so (workers x prefetch + 2) x batch bytes of
uint8 pixels, one image being decoded per worker and what the interpreters take; with pinned memory one
batch more, while it is copied. The size of the set adds its offsets and labels (16 bytes per image). Pages of
the mapped file belong to the system's cache, which takes them back when memory is short.

Neither the number of workers nor that of batches ahead changes a result: the order is drawn outside, a batch
is decoded by one worker, batches arrive in order, and the loader draws no random number of the training's.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Tensor
from torch.multiprocessing.reductions import shared_cache
from torch.utils.data import DataLoader, Dataset

from lossproof.datasets.encoded import EncodedImages
from lossproof.datasets.prepared import Images, Prepared

Size = int | list[int] | None
SHARED_MEMORY = Path("/dev/shm")
# Images in a batch that no training step is made of, and their pixels up to which there are that many.
BATCH = 512
SMALL = 64 * 64


def fitting(size: int, shape: Sequence[int]) -> int:
    """Images [..., H, W] in one batch where ``size`` of them are wanted: no more pixels than ``size`` of 64 x 64.

    What a network keeps of an image grows with its pixels: DenseNet-121 at 224 pixels 131 MB for a gradient.
    """
    height, width = shape[-2:]
    return max(1, size * SMALL // max(SMALL, height * width))


@dataclass(frozen=True)
class Loading:
    """How encoded images are decoded: worker processes (0: in this one) and batches ahead of each."""

    workers: int = 0
    prefetch: int = 2


def loading_for(data: Prepared, workers: int, prefetch: int, threads: int) -> Loading:
    """What a job of so many threads gives to decoding: its workers, but always one thread for itself."""
    encoded = isinstance(data.train_images, EncodedImages)
    return Loading(min(workers, threads - 1) if encoded else 0, prefetch)


class Feed(Protocol):
    """Images and labels of a split. ``labels`` is int64 [N] on the device."""

    labels: Tensor

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one image, (C, H, W)."""
        ...

    def __len__(self) -> int: ...

    def batches(self, size: Size = None, order: Tensor | None = None) -> Iterator[tuple[Tensor, Tensor]]:
        """Images uint8 [n, C, H, W] and labels [n] on the device, ``size`` at a time.

        A list holds the size of every batch; None is what suits an evaluation. ``order`` holds positions in the
        feed (int64, on the CPU); None is their own order.
        """
        ...


class Resident:
    """A split that lies on the device as a whole."""

    def __init__(self, images: np.ndarray, labels: np.ndarray, device: torch.device) -> None:
        self.images = torch.from_numpy(images).to(device)
        self.labels = torch.from_numpy(labels).to(device)
        self.shape = images.shape[1:]

    def __len__(self) -> int:
        return len(self.labels)

    def batches(self, size: Size = None, order: Tensor | None = None) -> Iterator[tuple[Tensor, Tensor]]:
        size = size or fitting(BATCH, self.shape)
        if order is None:
            yield from zip(self.images.split(size), self.labels.split(size), strict=True)
            return
        for index in order.to(self.images.device).split(size):
            yield self.images[index], self.labels[index]


class _Decoded(Dataset[Tensor]):
    """A batch of pixels by its index array, as a worker needs it."""

    def __init__(self, images: EncodedImages) -> None:
        self.images = images

    def __getitem__(self, index: np.ndarray) -> Tensor:
        return torch.from_numpy(self.images[index])


def _stream(images: EncodedImages, parts: list[np.ndarray], loading: Loading, pin: bool) -> Iterator[Tensor]:
    """The pixels of each index array, in order."""
    largest = max((len(part) for part in parts), default=0) * int(np.prod(images.shape[1:]))
    workers = min(loading.workers, len(parts))
    if workers and SHARED_MEMORY.is_dir():
        free, wanted = shutil.disk_usage(SHARED_MEMORY).free, (workers * loading.prefetch + 2) * largest
        if free < wanted:
            # A worker that finds no room there is killed by the system without a word.
            print(f"{SHARED_MEMORY} has {free} of {wanted} bytes: decoding without workers", file=sys.stderr)
            workers = 0
    loader = DataLoader(
        _Decoded(images),
        batch_size=None,
        sampler=parts,
        num_workers=workers,
        prefetch_factor=loading.prefetch if workers else None,
        pin_memory=pin,
        generator=torch.Generator(),  # or the loader would draw from the one that dropout uses
    )
    for batch in loader:
        yield batch
        # torch keeps a note of every batch that came from a worker, up to 128 of them. Such notes lie in the gaps
        # that freed blocks leave, so that these are not used again: gigabytes, on a long run.
        shared_cache.free_dead_references()


class Streamed:
    """The chosen images of an encoded split, decoded batch by batch. The bound on memory: see this module."""

    def __init__(
        self, images: EncodedImages, index: np.ndarray, labels: np.ndarray, device: torch.device, loading: Loading
    ) -> None:
        self.labels = torch.from_numpy(labels).to(device)
        self.shape = images.shape[1:]
        self._images, self._index, self._device, self._loading = images, index, device, loading

    def __len__(self) -> int:
        return len(self.labels)

    def batches(self, size: Size = None, order: Tensor | None = None) -> Iterator[tuple[Tensor, Tensor]]:
        places = torch.arange(len(self)) if order is None else order
        parts = list(places.split(size or fitting(BATCH, self.shape)))
        pin = self._device.type == "cuda"
        stream = _stream(self._images, [self._index[part.numpy()] for part in parts], self._loading, pin)
        for part, images in zip(parts, stream, strict=True):
            yield images.to(self._device, non_blocking=pin), self.labels[part.to(self._device)]


def feed(images: Images, labels: np.ndarray, index: np.ndarray | slice, device: torch.device, loading: Loading) -> Feed:
    """The feed of the images and labels at ``index`` of a split."""
    if isinstance(images, EncodedImages):
        return Streamed(images, np.arange(len(images))[index], labels[index], device, loading)
    return Resident(images[index], labels[index], device)


def joined(feeds: Sequence[Feed], size: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches of ``size`` images and labels over several feeds; one may begin in a feed and end in the next."""
    held: list[tuple[Tensor, Tensor]] = []
    room = size
    for one in filter(len, feeds):
        first = min(room, len(one))
        whole, rest = divmod(len(one) - first, size)
        for batch in one.batches([first, *[size] * whole, *([rest] if rest else [])]):
            held.append(batch)
            room -= len(batch[1])
            if not room:
                yield _together(held)
                held, room = [], size
    if held:
        yield _together(held)


def _together(parts: list[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    images, labels = zip(*parts, strict=True)
    return (images[0], labels[0]) if len(parts) == 1 else (torch.cat(images), torch.cat(labels))


def gathered(images: Images, index: np.ndarray, loading: Loading) -> np.ndarray:
    """Pixels uint8 [n, C, H, W] of the images at ``index``, all in memory; nothing else is decoded."""
    if not isinstance(images, EncodedImages):
        return images[index]
    found = np.empty((len(index), *images.shape[1:]), np.uint8)
    size = fitting(BATCH, images.shape)
    starts = range(0, len(index), size)
    parts = [index[start : start + size] for start in starts]
    for start, batch in zip(starts, _stream(images, parts, loading, pin=False), strict=True):
        found[start : start + len(batch)] = batch.numpy()
    return found
