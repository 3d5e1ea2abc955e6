"""Images kept as files: decoding, packing, and what is wrong with a damaged one."""

from __future__ import annotations

import dataclasses
import pickle

import numpy as np
import pytest
from image_files import content, encoded_set, picture
from PIL import Image

from lossproof.datasets import prepared
from lossproof.datasets.channel_sums import ChannelSums
from lossproof.datasets.encoded import EncodedImages, Packed, decode_settings, decoded
from lossproof.paths import PREPARED_FILES

SETTINGS = decode_settings(20, 16)


def reference(raw: bytes, side: int, crop: int) -> np.ndarray:
    """What torchvision makes of an image file."""
    import io

    from torchvision.transforms import v2

    image = Image.open(io.BytesIO(raw)).convert("RGB")
    image = v2.CenterCrop(crop)(v2.Resize(side, v2.InterpolationMode.BILINEAR)(image))
    return np.asarray(image).transpose(2, 0, 1)


@pytest.mark.parametrize("size", [(40, 30), (30, 40), (20, 20), (21, 20), (500, 375), (23, 97), (16, 17)])
@pytest.mark.parametrize(("side", "crop"), [(20, 16), (16, 16), (33, 20)])
def test_decoding_is_that_of_torchvision(size, side, crop):
    raw = content(picture(0, 1, *size))
    found = decoded(raw, decode_settings(side, crop), "x")
    assert found.shape == (3, crop, crop)
    assert found.dtype == np.uint8
    assert (found == reference(raw, side, crop)).all()


@pytest.mark.parametrize(
    ("mode", "kind"), [("L", "JPEG"), ("CMYK", "JPEG"), ("P", "PNG"), ("RGBA", "PNG"), ("1", "PNG"), ("LA", "PNG")]
)
def test_every_mode_becomes_rgb(mode, kind):
    image = picture(3, 1)
    found = decoded(content(image.convert(mode), kind), SETTINGS, "x")
    assert found.shape == (3, 16, 16)
    if mode in ("L", "1", "LA"):
        assert (found == found[:1]).all()
    else:
        # The brighter colour is still the brighter one: CMYK is no inverted RGB.
        assert found[1].mean() > found[0].mean() + 50


@pytest.mark.parametrize(("side", "crop"), [(15, 16), (0, 0), (16, 0)])
def test_a_crop_must_fit(side, crop):
    with pytest.raises(ValueError, match="a crop of"):
        decode_settings(side, crop)


GOOD = content(picture(0, 0))
DAMAGED = {
    "cut": GOOD[: len(GOOD) // 2],
    "empty": b"",
    "text": b"<html>not found</html>",
    "eps": b"%!PS-Adobe-3.0 EPSF",
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_a_damaged_image_is_named_by_split_and_index(tmp_path, damage):
    images = EncodedImages([GOOD, GOOD, DAMAGED[damage]], SETTINGS, "set train", ["a", "b", "c"])
    assert images[:2].shape == (2, 3, 16, 16)
    with pytest.raises(ValueError, match=r"^set train: image 2 \(c\): not a readable image"):
        images[np.array([0, 2])]
    with pytest.raises(ValueError, match="set train: image 2"):
        images.pack(tmp_path / "packed.npy")


def test_indexing_is_that_of_an_array(tmp_path):
    images = encoded_set().train_images
    images.pack(tmp_path / "packed.npy")
    pixels = np.stack([decoded(raw, images.settings, "x") for raw in images.files])
    for found in (images, EncodedImages(Packed(tmp_path / "packed.npy"), images.settings, "x")):
        assert (found.shape, found.dtype, found.ndim, len(found)) == (pixels.shape, pixels.dtype, 4, 24)
        for index in (3, -1, slice(2, 9, 3), np.array([5, 1, 5, -2]), np.array([], np.int64), np.arange(24) % 5 == 0):
            assert found[index].shape == pixels[index].shape
            assert (found[index] == pixels[index]).all()
        with pytest.raises(IndexError):
            found[24]


def test_packed_bytes_are_offsets_and_files(tmp_path):
    images = encoded_set().train_images
    images.pack(tmp_path / "packed.npy")
    array = np.load(tmp_path / "packed.npy")
    offsets = np.cumsum([8 * 25, *map(len, images.files)]).astype("<i8")
    whole = np.concatenate([np.frombuffer(part, np.uint8) for part in (offsets.tobytes(), *images.files)])
    assert (array == whole).all()
    np.save(tmp_path / "plain.npy", whole)
    assert (tmp_path / "plain.npy").read_bytes() == (tmp_path / "packed.npy").read_bytes()
    packed = Packed(tmp_path / "packed.npy")
    assert list(packed) == images.files
    assert packed[-1] == packed[23] == images.files[23]
    assert packed[2:5] == images.files[2:5]


def test_another_process_gets_a_path_and_no_bytes(tmp_path):
    images = EncodedImages([content(picture(at, 0, 200, 200)) for at in range(20)], SETTINGS, "x")
    images.pack(tmp_path / "packed.npy")
    mapped = EncodedImages(Packed(tmp_path / "packed.npy"), SETTINGS, "x")
    assert isinstance(mapped.files._array, np.memmap)
    sent = pickle.dumps(mapped)
    assert len(sent) < 1000 < (tmp_path / "packed.npy").stat().st_size
    assert (pickle.loads(sent)[3] == images[3]).all()


def broken(tmp_path, change):
    encoded_set().train_images.pack(tmp_path / "good.npy")
    array = change(np.load(tmp_path / "good.npy"))
    np.save(tmp_path / "bad.npy", array)
    return tmp_path / "bad.npy"


def swapped(array):
    array = array.copy()
    array[8:16], array[16:24] = array[16:24].copy(), array[8:16].copy()
    return array


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda array: array[:-1], "the offsets do not fit the"),
        (lambda array: np.append(array, np.uint8(0)), "the offsets do not fit the"),
        (swapped, "the offsets do not fit the"),
        (lambda array: np.zeros(100, np.uint8), "the offsets do not fit the"),
        (lambda array: np.full(100, 255, np.uint8), "the offsets do not fit the"),
        (lambda array: array[:7], "not offsets and image files"),
        (lambda array: array.astype(np.int16), "not offsets and image files"),
        (lambda array: np.zeros((4, 3, 8, 8), np.uint8), "not offsets and image files"),
    ],
)
def test_what_is_no_packed_split_is_refused(tmp_path, change, says):
    path = broken(tmp_path, change)
    with pytest.raises(ValueError, match=says) as caught:
        Packed(path)
    assert str(path) in str(caught.value)


def test_statistics_are_those_of_the_whole_array(tmp_path):
    images = encoded_set().train_images
    whole = images[:].astype(np.float64) / 255
    expected = {"mean": whole.mean((0, 2, 3)), "std": whole.std((0, 2, 3))}
    for found in (images.statistics(), images.pack(tmp_path / "packed.npy")):
        for key, values in expected.items():
            assert found[key] == pytest.approx(values, rel=1e-12)
    # Equal pixels leave no rounding behind.
    sums = ChannelSums(3)
    for _ in range(3):
        sums.add(np.full((3, 500, 500), 254, np.uint8))
    assert sums.result() == {"mean": [254 / 255] * 3, "std": [0.0] * 3}


# As a prepared data set


def test_an_encoded_set_is_saved_and_loaded(tmp_path):
    data = encoded_set()
    for folder in ("one", "two"):
        prepared.save(tmp_path / folder, data)
    assert sorted(path.name for path in (tmp_path / "one").iterdir()) == sorted(PREPARED_FILES)
    for name in PREPARED_FILES:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    found = prepared.load(tmp_path / "one")
    prepared.check(found)
    for split in prepared.SPLITS:
        (images, labels), (given, expected) = found.split(split), data.split(split)
        assert isinstance(images, EncodedImages)
        assert (images[:] == given[:]).all()
        assert (labels == expected).all()
        assert images.name == f"files {split}"
    statistics = data.train_images.statistics()
    assert found.card == data.card | {"sizes": {"train": 24, "test": 12}, "pixels": statistics}
    # What was loaded can be saved again.
    prepared.save(tmp_path / "three", found)
    assert (tmp_path / "three/train_images.npy").read_bytes() == (tmp_path / "one/train_images.npy").read_bytes()


def test_saving_asks_for_each_file_once_and_keeps_none(tmp_path):
    class Counting(list):
        asked: list[int] = []

        def __getitem__(self, index):
            self.asked.append(index)
            return super().__getitem__(index)

        def __iter__(self):
            raise AssertionError("files are asked for one by one")

    data = encoded_set()
    files = Counting(data.train_images.files)
    images = EncodedImages(files, data.card["decode"], "x train")
    prepared.save(tmp_path, dataclasses.replace(data, train_images=images))
    assert files.asked == list(range(24))


def test_a_damaged_image_leaves_no_data_set(tmp_path):
    data = encoded_set()
    data.test_images.files[7] = b"nothing"
    with pytest.raises(ValueError, match="files test: image 7: not a readable image"):
        prepared.save(tmp_path / "out", data)
    assert not (tmp_path / "out/card.json").exists()
    assert not (tmp_path / "out/test_images.npy").exists()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda data: {"card": {**data.card, "form": "plain"}}, "train images are not in the form"),
        (lambda data: {"test_images": data.test_images[:]}, "test images are not in the form"),
        (lambda data: {"card": {**data.card, "decode": decode_settings(30, 16)}}, "train images are not in the form"),
        (lambda data: {"card": {**data.card, "image_size": 20}}, r"not uint8 \(3, 20, 20\)"),
        (lambda data: {"train_labels": data.train_labels[:-1]}, "23 train labels"),
    ],
)
def test_card_and_images_must_agree(tmp_path, change, says):
    data = encoded_set()
    with pytest.raises(ValueError, match=says):
        prepared.save(tmp_path / "out", dataclasses.replace(data, **change(data)))
    assert not (tmp_path / "out").exists()
