"""Files are written whole or not at all, and equal for equal content."""

from __future__ import annotations

import json
import math
import time

import numpy as np
import pytest

from lossproof import records
from lossproof.seeding import numpy_generator, seed_of, torch_generator


def listing(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_failing_writer_leaves_nothing(tmp_path):
    path = tmp_path / "out.txt"

    def fail(error):
        with records.whole(path) as temporary:
            temporary.write_text("half")
            assert not path.exists() or path.read_text() == "old"
            raise error

    with pytest.raises(RuntimeError):
        fail(RuntimeError)
    assert listing(tmp_path) == []
    path.write_text("old")
    with pytest.raises(KeyboardInterrupt):
        fail(KeyboardInterrupt)
    assert listing(tmp_path) == ["out.txt"]
    assert path.read_text() == "old"


def test_a_succeeding_writer_replaces(tmp_path):
    path = tmp_path / "deep" / "out.txt"
    records.write_text(path, "ä")
    records.write_text(path, "ö")
    assert path.read_bytes() == "ö".encode()
    assert listing(path.parent) == ["out.txt"]
    # Readable by whom a plain file would be: temporary files are private.
    plain = tmp_path / "plain"
    plain.write_text("")
    assert path.stat().st_mode == plain.stat().st_mode


@pytest.mark.parametrize("value", [math.nan, math.inf, [1, {"a": -math.inf}]])
def test_json_refuses_what_is_no_number(tmp_path, value):
    with pytest.raises(ValueError, match="JSON compliant"):
        records.write_json(tmp_path / "x.json", value)
    assert listing(tmp_path) == []


def test_failing_rows_leave_nothing(tmp_path):
    def rows():
        yield {"a": 1}
        raise RuntimeError

    with pytest.raises(RuntimeError):
        records.write_csv(tmp_path / "x.csv", rows(), ["a"])
    with pytest.raises(ValueError, match="b"):
        records.write_csv(tmp_path / "x.csv", [{"a": 1, "b": 2}], ["a"])
    with pytest.raises(ValueError, match="Object arrays"):
        records.write_npz(tmp_path / "x.npz", {"a": np.array([{}], dtype=object)})
    assert listing(tmp_path) == []


def test_json_is_sorted_and_round_trips(tmp_path):
    value = {"b": [0.1, 1e-300, 1 / 3, -0.0], "a": {"d": None, "c": "ü"}}
    records.write_json(tmp_path / "x.json", value)
    assert records.read_json(tmp_path / "x.json") == value
    records.write_json(tmp_path / "y.json", dict(reversed(value.items())))
    assert (tmp_path / "x.json").read_bytes() == (tmp_path / "y.json").read_bytes()
    (tmp_path / "z.json").write_text("{")
    with pytest.raises(ValueError, match=r"z\.json: not a JSON file"):
        records.read_json(tmp_path / "z.json")


def test_equal_arrays_give_equal_bytes(tmp_path, monkeypatch):
    arrays = {"one": np.arange(1000.0), "two": np.array([True, False])}
    records.write_npz(tmp_path / "a.npz", arrays)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 100_000)
    records.write_npz(tmp_path / "b.npz", arrays)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    found = records.read_npz(tmp_path / "a.npz")
    assert list(found) == ["one", "two"]
    assert all((found[name] == arrays[name]).all() and found[name].dtype == arrays[name].dtype for name in arrays)


def test_pickles_are_never_read(tmp_path):
    np.savez(tmp_path / "x.npz", a=np.array([{"code": 1}], dtype=object))
    with pytest.raises(ValueError, match="allow_pickle"):
        records.read_npz(tmp_path / "x.npz")


def test_csv_floats_round_trip(tmp_path):
    values = [0.1, 1 / 3, np.float64(2) / 7, float(np.float32(0.1)), 1e-17, 5e300, -0.0, 12345678901234567.0]
    rows = [{"x": value, "n": None, "s": "a,\n'b'"} for value in values]
    records.write_csv(tmp_path / "a.csv", rows, ["n", "x", "s"])
    records.write_csv(tmp_path / "b.csv", iter(rows), ["n", "x", "s"])
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()
    found = records.read_csv(tmp_path / "a.csv")
    assert [float(row["x"]) for row in found] == values
    assert {row["n"] for row in found} == {""}
    assert {row["s"] for row in found} == {"a,\n'b'"}
    assert (tmp_path / "a.csv").read_text().startswith("n,x,s\n")


def test_provenance_says_how(tmp_path):
    data = tmp_path / "data.bin"
    data.write_bytes(b"abc")
    records.write_provenance(tmp_path, records.Clock(), [data], device="cpu", threads=2, note="more")
    found = json.loads((tmp_path / "provenance.json").read_text())
    assert found["inputs"][str(data)] == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert found["packages"]["numpy"] == np.__version__
    assert "lossproof.records" in found["modules"]
    assert found["peak_memory_bytes"] > 1_000_000
    assert (found["threads"], found["note"]) == (2, "more")


def test_seeds_follow_from_names():
    assert seed_of("a", 1) == seed_of("a", "1") != seed_of("a", 2)
    # Another value would change every published result.
    assert seed_of("train", "digits", "ce", 0) == 7910401394183508250
    draws = [numpy_generator("a", seed).random() for seed in (0, 0, 1)]
    assert draws[0] == draws[1] != draws[2]
    one, two = torch_generator("a"), torch_generator("a")
    assert one.initial_seed() == two.initial_seed() == seed_of("a")
