"""Small raw files in the real formats of the published data sets, and what should come out of them."""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import io
import struct
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from scipy.io import savemat

from lossproof.datasets.sets.cifar import HUNDRED, TEN
from lossproof.datasets.source import RemoteFile, Source

WNIDS = ["n02124075", "n01443537", "n09246464"]  # deliberately not sorted


@dataclasses.dataclass
class Raw:
    """The files of one source, and the images [N, C, H, W] and labels that should be read from them."""

    files: dict[str, Path]
    train: tuple[np.ndarray, np.ndarray]
    test: tuple[np.ndarray, np.ndarray]
    expect: dict[str, Any]


def published(source: Source, base: str, files: Mapping[str, Path]) -> Source:
    """The source with these small files in place of the real ones, on the server at ``base``."""
    small = {file.name: files[file.name].read_bytes() for file in source.files}
    remote = (
        RemoteFile(name, (f"{base}/{name}",), f"md5:{hashlib.md5(raw).hexdigest()}") for name, raw in small.items()
    )
    return dataclasses.replace(source, files=tuple(remote))


def images(count: int, channels: int, size: int, seed: int = 0) -> np.ndarray:
    """Random pixels uint8 [N, C, H, W]."""
    return np.random.default_rng(seed).integers(0, 256, (count, channels, size, size), dtype=np.uint8)


def labels(count: int, classes: int) -> np.ndarray:
    """Every class in turn, from the last one down."""
    return (np.arange(count)[::-1] % classes).astype(np.int64)


def idx_bytes(array: np.ndarray) -> bytes:
    """An array of unsigned bytes as an IDX file."""
    return bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def tar_gz(path: Path, content: Mapping[str, bytes]) -> Path:
    """A tar.gz with these members, in this order."""
    with tarfile.open(path, "w:gz") as archive:
        for name, raw in content.items():
            member = tarfile.TarInfo(name)
            member.size = len(raw)
            archive.addfile(member, io.BytesIO(raw))
    return path


def zipped(path: Path, content: Mapping[str, bytes]) -> Path:
    """A zip with these members, in this order."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, raw in content.items():
            archive.writestr(name, raw)
    return path


def picture(pixels: np.ndarray, kind: str = "PNG") -> bytes:
    """Pixels uint8 [C, H, W] as an image file."""
    file = io.BytesIO()
    Image.fromarray(pixels[0] if len(pixels) == 1 else np.ascontiguousarray(pixels.transpose(1, 2, 0))).save(file, kind)
    return file.getvalue()


def shown(raw: bytes) -> np.ndarray:
    """What a viewer shows of an image file: RGB uint8 [3, H, W]."""
    return np.asarray(Image.open(io.BytesIO(raw)).convert("RGB")).transpose(2, 0, 1)


def mnist(folder: Path) -> Raw:
    """Four packed IDX files: 30 and 20 images."""
    train, test = (images(30, 1, 28, 1), labels(30, 10)), (images(20, 1, 28, 2), labels(20, 10))
    files = {}
    for part, (pixels, numbers) in (("train", train), ("t10k", test)):
        for name, array in (("images-idx3", pixels[:, 0]), ("labels-idx1", numbers.astype(np.uint8))):
            path = folder / f"{part}-{name}-ubyte.gz"
            path.write_bytes(gzip.compress(idx_bytes(array)))
            files[path.name] = path
    return Raw(files, train, test, {"train": 30, "test": 20})


def records(pixels: np.ndarray, *label_columns: np.ndarray) -> bytes:
    """CIFAR's binary records: label bytes, then the pixels."""
    columns = [column.astype(np.uint8)[:, None] for column in label_columns]
    return np.hstack([*columns, pixels.reshape(len(pixels), -1)]).tobytes()


def cifar10_members() -> tuple[dict[str, bytes], Raw]:
    """The members of a small cifar-10-binary.tar.gz: five batches of 4, 20 test images; later batches come first."""
    train, test = (images(20, 3, 32, 3), labels(20, 10)), (images(20, 3, 32, 4), labels(20, 10))
    folder = "cifar-10-batches-bin"
    members = {f"{folder}/batches.meta.txt": ("\n".join(TEN) + "\n\n").encode(), f"{folder}/readme.html": b"<html>"}
    for batch in range(5, 0, -1):
        rows = slice(4 * batch - 4, 4 * batch)
        members[f"{folder}/data_batch_{batch}.bin"] = records(train[0][rows], train[1][rows])
    members[f"{folder}/test_batch.bin"] = records(*test)
    return members, Raw({}, train, test, {"train": 20, "test": 20})


def cifar10(folder: Path) -> Raw:
    """A small cifar-10-binary.tar.gz."""
    members, raw = cifar10_members()
    return dataclasses.replace(
        raw, files={"cifar-10-binary.tar.gz": tar_gz(folder / "cifar-10-binary.tar.gz", members)}
    )


def cifar100_members() -> tuple[dict[str, bytes], Raw]:
    """The members of a small cifar-100-binary.tar.gz: one image per class and split."""
    train, test = (images(100, 3, 32, 5), labels(100, 100)), (images(100, 3, 32, 6), labels(100, 100))
    # Two versions of this file go round; they spell the trees differently.
    names = [name.removesuffix("_tree") for name in HUNDRED]
    members = {"cifar-100-binary/fine_label_names.txt": "\n".join(names).encode()}
    for part, (pixels, numbers) in (("train", train), ("test", test)):
        members[f"cifar-100-binary/{part}.bin"] = records(pixels, numbers % 20, numbers)
    return members, Raw({}, train, test, {"train": 100, "test": 100})


def cifar100(folder: Path) -> Raw:
    """A small cifar-100-binary.tar.gz."""
    members, raw = cifar100_members()
    return dataclasses.replace(
        raw, files={"cifar-100-binary.tar.gz": tar_gz(folder / "cifar-100-binary.tar.gz", members)}
    )


def svhn(folder: Path) -> Raw:
    """Two MATLAB files: X [row, column, colour, N] and y [N, 1] with 10 for the digit zero."""
    parts = {"train": (images(30, 3, 32, 7), labels(30, 10)), "test": (images(20, 3, 32, 8), labels(20, 10))}
    files = {}
    for part, (pixels, numbers) in parts.items():
        path = folder / f"{part}_32x32.mat"
        written = np.where(numbers == 0, 10, numbers).astype(np.uint8)[:, None]
        savemat(path, {"X": pixels.transpose(2, 3, 1, 0), "y": written}, do_compression=True)
        files[path.name] = path
    return Raw(files, parts["train"], parts["test"], {"train": 30, "test": 20})


def cinic10_members(each: int = 3) -> tuple[dict[str, bytes], Raw]:
    """The members of a small CINIC-10.tar.gz; in the order of the real one: by no means sorted.

    Per folder and class ``each`` images: one of CIFAR-10, the others of ImageNet, one of those gray.
    """
    members: dict[str, bytes] = {"README.md": b"# CINIC-10"}
    parts = {}
    for seed, folder in enumerate(("test", "train", "valid")):
        pixels = images(10 * each, 3, 32, 10 + seed)
        for at in range(10 * each)[::-1]:
            label, number = divmod(at, each)
            name = f"cifar10-train-{at}" if number == 0 else f"n{label:07}{min(number, 2) - 1}_{number:05}"
            gray = number == 1
            members[f"{folder}/{TEN[label]}/{name}.png"] = picture(pixels[at, :1] if gray else pixels[at])
            if gray:
                pixels[at] = pixels[at, :1]
        parts[folder] = (pixels, np.repeat(np.arange(10), each))
    return members, Raw({}, parts["train"], parts["test"], {"train": 10 * each, "test": 10 * each})


def cinic10(folder: Path) -> Raw:
    """A small CINIC-10.tar.gz."""
    members, raw = cinic10_members()
    return dataclasses.replace(raw, files={"CINIC-10.tar.gz": tar_gz(folder / "CINIC-10.tar.gz", members)})


def tiny_imagenet_members() -> tuple[dict[str, bytes], Raw]:
    """The members of a small tiny-imagenet-200.zip: three classes, 4 and 2 images each, one gray."""
    top = "tiny-imagenet-200"
    members = {f"{top}/words.txt": b"n02124075\tEgyptian cat\n", f"{top}/wnids.txt": "\n".join(WNIDS).encode()}
    smooth = [Image.fromarray(one[0]).resize((64, 64)) for one in images(18, 1, 4, 20)]
    files = [picture(np.asarray(one)[None].repeat(3, 0) // (1 + at % 2), "JPEG") for at, one in enumerate(smooth)]
    files[1] = picture(np.asarray(smooth[1])[None], "JPEG")
    for label, wnid in enumerate(WNIDS):
        for number in range(4):
            members[f"{top}/train/{wnid}/images/{wnid}_{number}.JPEG"] = files[4 * label + number]
        members[f"{top}/train/{wnid}/{wnid}_boxes.txt"] = b"0 0 1 1"
    lines = []
    for number, label in enumerate([2, 0, 1, 1, 0, 2]):
        members[f"{top}/val/images/val_{number}.JPEG"] = files[12 + number]
        lines.append(f"val_{number}.JPEG\t{WNIDS[label]}\t0\t0\t62\t62")
    members[f"{top}/val/val_annotations.txt"] = ("\n".join(lines) + "\n").encode()
    members[f"{top}/test/images/test_0.JPEG"] = files[0]
    train = np.stack([shown(raw) for raw in files[:12]]), np.repeat(np.arange(3), 4)
    test = np.stack([shown(files[12 + number]) for number in (1, 4, 2, 3, 0, 5)]), np.repeat(np.arange(3), 2)
    return members, Raw({}, train, test, {"train": 12, "test": 6, "classes": WNIDS})


def tiny_imagenet(folder: Path) -> Raw:
    """A small tiny-imagenet-200.zip."""
    members, raw = tiny_imagenet_members()
    return dataclasses.replace(raw, files={"tiny-imagenet-200.zip": zipped(folder / "tiny-imagenet-200.zip", members)})


MAKERS: dict[str, Callable[[Path], Raw]] = {
    "mnist": mnist,
    "fashion_mnist": mnist,
    "kmnist": mnist,
    "cifar10": cifar10,
    "cifar100": cifar100,
    "svhn": svhn,
    "cinic10": cinic10,
    "tiny_imagenet": tiny_imagenet,
}
