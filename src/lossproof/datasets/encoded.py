"""Images kept as the files they came in: the form of data sets too large to keep as pixels.

A packed split is one uint8 array: N + 1 little-endian int64 offsets, counted from its first byte,
followed by the N image files. It is mapped into memory, not read; a batch is decoded when it is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, overload

import numpy as np

from lossproof.datasets.channel_sums import ChannelSums
from lossproof.datasets.pictures import cropped, decode, pixels
from lossproof.progress import track

OFFSET = np.dtype("<i8")
CHANNELS = 3


def decode_settings(shorter_side: int, crop: int, channels: int = CHANNELS) -> dict[str, Any]:
    """What a card says under ``decode`` (sides in pixels; 1 channel is gray, 3 are RGB).

    ValueError where the crop does not fit into the resized image.
    """
    if not 1 <= crop <= shorter_side:
        raise ValueError(f"a crop of {crop} pixels needs a shorter side of at least {crop}, not {shorter_side}")
    return {"shorter_side": shorter_side, "crop": crop, "resampling": "bilinear", "channels": channels}


def decoded(content: bytes, settings: Mapping[str, Any], place: str) -> np.ndarray:
    """Pixels [C, crop, crop] uint8 of one image file, as ``decode_settings`` say; ValueError names ``place``."""
    return pixels(cropped(decode(content, place, settings["channels"]), settings["shorter_side"], settings["crop"]))


class Packed(Sequence[bytes]):
    """The image files of a packed split, mapped from its file; ValueError where that is none.

    Another process opens the file anew instead of getting a copy of its bytes.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self._array = np.load(self.path, mmap_mode="r", allow_pickle=False)
        if self._array.dtype != np.uint8 or self._array.ndim != 1 or len(self._array) < OFFSET.itemsize:
            raise ValueError(f"{self.path}: {self._array.dtype} {self._array.shape}, not offsets and image files")
        head = int(self._array[: OFFSET.itemsize].view(OFFSET)[0])
        whole = head % OFFSET.itemsize == 0 and OFFSET.itemsize <= head <= len(self._array)
        self.offsets = np.array(self._array[:head].view(OFFSET)) if whole else np.zeros(1, OFFSET)
        if not whole or (np.diff(self.offsets) < 0).any() or self.offsets[-1] != len(self._array):
            raise ValueError(f"{self.path}: the offsets do not fit the {len(self._array)} bytes")

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @overload
    def __getitem__(self, index: int) -> bytes: ...
    @overload
    def __getitem__(self, index: slice) -> list[bytes]: ...
    def __getitem__(self, index: int | slice) -> bytes | list[bytes]:
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        number = range(len(self))[index]
        return self._array[self.offsets[number] : self.offsets[number + 1]].tobytes()

    def __reduce__(self) -> tuple[type[Packed], tuple[Path]]:
        return Packed, (self.path,)


class EncodedImages:
    """Image files that look like a uint8 array [N, C, H, W] and are decoded where they are indexed.

    files: the bytes of each; settings: a card's ``decode``; name: data set and split, for messages;
    keys: a name per image, for messages.
    """

    dtype = np.dtype(np.uint8)
    ndim = 4

    def __init__(
        self, files: Sequence[bytes], settings: Mapping[str, Any], name: str, keys: Sequence[str] = ()
    ) -> None:
        self.files = files
        self.settings = dict(settings)
        self.name = name
        self.keys = keys

    def __len__(self) -> int:
        return len(self.files)

    @property
    def shape(self) -> tuple[int, int, int, int]:
        return len(self), self.settings["channels"], self.settings["crop"], self.settings["crop"]

    def __getitem__(self, index: Any) -> np.ndarray:
        """Pixels [n, C, H, W] of an index array, mask or slice, [C, H, W] of a number.

        ValueError names split and index of an image that cannot be decoded.
        """
        chosen = np.arange(len(self))[index]
        if chosen.ndim == 0:
            return self._pixels(int(chosen), self.files[int(chosen)])
        found = np.empty((len(chosen), *self.shape[1:]), np.uint8)
        for place, number in enumerate(chosen.tolist()):
            found[place] = self._pixels(number, self.files[number])
        return found

    def _pixels(self, number: int, content: bytes) -> np.ndarray:
        key = f" ({self.keys[number]})" if self.keys else ""
        return decoded(content, self.settings, f"{self.name}: image {number}{key}")

    def statistics(self) -> dict[str, list[float]]:
        """``mean`` and ``std`` per channel in [0, 1], one image in memory at a time."""
        sums = ChannelSums(self.settings["channels"])
        for number in track(range(len(self)), len(self), f"pixel statistics of {self.name}"):
            sums.add(self[number])
        return sums.result()

    def pack(self, path: Path) -> dict[str, list[float]]:
        """Write the packed split in one pass, one image in memory at a time; its ``statistics``.

        Every image is decoded on the way, so that a damaged one is found here and not amid a training.
        """
        sums = ChannelSums(self.settings["channels"])
        offsets = np.zeros(len(self) + 1, OFFSET)
        with path.open("wb") as file:
            start = _header(file, 0)
            offsets[0] = file.write(offsets.tobytes())
            for number in track(range(len(self)), len(self), f"pack {self.name}"):
                content = self.files[number]
                sums.add(self._pixels(number, content))
                offsets[number + 1] = offsets[number] + file.write(content)
            file.seek(0)
            if _header(file, int(offsets[-1])) != start:
                raise RuntimeError("NumPy wrote two headers of different lengths")
            file.write(offsets.tobytes())
        return sums.result()


def _header(file: BinaryIO, size: int) -> int:
    """Write the .npy header of ``size`` bytes, which NumPy pads to a length of its own; where it ends."""
    form = {"descr": "|u1", "fortran_order": False, "shape": (size,)}
    np.lib.format.write_array_header_1_0(file, form)
    return file.tell()
