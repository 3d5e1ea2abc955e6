"""Raw files: found, downloaded, checked, and what happens when that fails. A server on this machine only."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from serve import PAGE, serve
from steps import run_step

from editions import ROOT
from lossproof.catalogue import catalogue
from lossproof.datasets import fetch as module
from lossproof.datasets.fetch import FetchError, fetch, manifest
from lossproof.datasets.locate import locate
from lossproof.datasets.source import RemoteFile, Source, source_of
from lossproof.records import write_json

NAME = "set one.gz"
RAW = bytes(range(256)) * 4096  # a megabyte: several chunks
PACKED = gzip.compress(RAW, mtime=0, compresslevel=0)


def md5(content):
    return "md5:" + hashlib.md5(content).hexdigest()


def sha(content):
    return hashlib.sha256(content).hexdigest()


PUBLISHED = RemoteFile(NAME, (), md5(PACKED), bytes=len(PACKED))
SOURCE = Source("toyset", (PUBLISHED,), ("ToySet/raw",), {}, None)


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(module, "TIMEOUT", (0.5, 0.3))
    monkeypatch.setattr("pooch.core.time", SimpleNamespace(sleep=lambda seconds: None))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def shop(tmp_path):
    """A folder to serve from, with the file as a mirror and as its publisher have it."""
    for path in (tmp_path / "shop/toyset" / NAME, tmp_path / "shop/published" / NAME):
        path.parent.mkdir(parents=True)
        path.write_bytes(PACKED)
    return tmp_path / "shop"


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


MIRROR, PUBLIC = f"toyset/{NAME}", f"published/{NAME}"


def published(base, **changes):
    """The source with the server as its publisher."""
    return replace(SOURCE, files=(replace(PUBLISHED, urls=(f"{base}/published/set%20one.gz",), **changes),))


def names(cache):
    return sorted(str(path.relative_to(cache)) for path in cache.rglob("*") if path.is_file())


# What lies there


def test_a_whole_file_is_fetched_once(shop, cache, capsys):
    with serve(shop) as base:
        files = fetch(published(base), cache)
        assert fetch(published(base), cache) == files
        assert base.asked == [PUBLIC]
    assert files == {NAME: cache / "toyset" / NAME}
    assert files[NAME].read_bytes() == PACKED
    assert files[NAME].stat().st_mode & 0o777 == 0o666 & ~umask()
    assert names(cache) == [f"toyset/{NAME}"]
    assert f"{base}/published/set%20one.gz" in capsys.readouterr().err


def umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


@pytest.mark.parametrize("folder", ["toyset", "ToySet/raw", "."])
def test_a_file_that_is_there_needs_no_network(cache, folder):
    place = cache / folder / NAME
    place.parent.mkdir(parents=True)
    place.write_bytes(PACKED)
    assert fetch(SOURCE, cache, offline=True) == {NAME: place}


@pytest.mark.parametrize("folder", ["toyset", "ToySet/raw"])
@pytest.mark.parametrize(
    ("name", "content"), [(NAME, gzip.compress(RAW, mtime=1)), ("set one", RAW)], ids=["packed anew", "unpacked"]
)
def test_the_same_content_in_another_packing(cache, folder, name, content):
    place = cache / folder / name
    place.parent.mkdir(parents=True)
    place.write_bytes(content)
    known = replace(SOURCE, files=(replace(PUBLISHED, unpacked_sha256=sha(RAW)),))
    assert fetch(known, cache, offline=True) == {NAME: place}
    # Unless what is inside is known, another packing is another file.
    with pytest.raises(FetchError):
        fetch(SOURCE, cache, offline=True)


@pytest.mark.parametrize("content", [b"other", PACKED[:-1] + b"x", PACKED[:-4]])
def test_a_wrong_file_is_kept_aside_in_our_folder_only(shop, cache, capsys, content):
    for folder in ("toyset", "ToySet/raw", "."):
        (cache / folder).mkdir(parents=True, exist_ok=True)
        (cache / folder / NAME).write_bytes(content)
    with serve(shop) as base:
        files = fetch(published(base, unpacked_sha256=sha(RAW)), cache)
    assert files[NAME].read_bytes() == PACKED
    assert names(cache) == [f"ToySet/raw/{NAME}", NAME, f"toyset/{NAME}", f"toyset/{NAME}.corrupt"]
    for path in (f"ToySet/raw/{NAME}", NAME, f"toyset/{NAME}.corrupt"):
        assert (cache / path).read_bytes() == content
    said = capsys.readouterr().err
    assert said.count("warning") == 1
    assert f"warning: {NAME}: not {md5(PACKED)}; kept as {cache}/toyset/" in said


# Downloads that go wrong and recover


@pytest.mark.parametrize(
    ("faults", "asked"),
    [
        (["truncate"], 2),
        (["stall"], 2),
        (["503", "503"], 3),
        (["corrupt"], 2),
        (["truncate", "stall"], 3),
        (["503", "corrupt"], 3),
        (["encoded"], 1),
    ],
)
def test_faults_that_pass(shop, cache, faults, asked):
    with serve(shop, {PUBLIC: faults}) as base:
        files = fetch(published(base), cache)
        assert base.asked == [PUBLIC] * asked
    assert files[NAME].read_bytes() == PACKED
    assert names(cache) == [f"toyset/{NAME}"]


@pytest.mark.parametrize("fault", ["404", "503", "truncate", "stall", "corrupt", "page"])
def test_a_bad_mirror_is_no_harm(shop, cache, fault):
    with serve(shop, {MIRROR: [fault] * 9}) as base:
        files = fetch(published(base), cache, [f"{base}/"])
        assert base.asked[0] == MIRROR
        assert base.asked[-1] == PUBLIC
    assert files[NAME].read_bytes() == PACKED
    assert len(base.asked) == {"404": 2, "page": 7}.get(fault, 4)


def test_a_good_mirror_is_enough(shop, cache):
    with serve(shop) as base:
        fetch(published(base), cache, [base])
        assert base.asked == [MIRROR]


# Downloads that fail for good: one line that says what to do


def one_line(error, cache, *parts):
    said = str(error.value)
    assert "\n" not in said
    folder = (cache / "toyset").absolute()
    for part in (
        f"put into {folder} by hand: {NAME} (checksum {md5(PACKED)})",
        "data.cache",
        "data.mirrors",
        NAME,
        *parts,
    ):
        assert part in said
    return said


@pytest.mark.parametrize("fault", ["corrupt", "page"])
def test_corrupt_always(shop, cache, fault):
    with serve(shop, {PUBLIC: [fault] * 9, MIRROR: [fault] * 9}) as base, pytest.raises(FetchError) as error:
        fetch(published(base), cache, [base])
    found = PAGE if fault == "page" else PACKED[:-1] + bytes([PACKED[-1] ^ 1])
    shown = f"MD5 hash of downloaded file ({NAME}) does not match the known hash: expected {md5(PACKED)} but got "
    shown += md5(found).removeprefix("md5:")
    one_line(error, cache, f"{base}/toyset/set%20one.gz: {shown}", f"{base}/published/set%20one.gz: {shown}")
    assert names(cache) == []


@pytest.mark.parametrize(
    ("fault", "says", "asked"),
    [
        ("404", "404 Client Error: Not Found", 1),
        ("503", "503 Server Error: Service Unavailable", 3),
        ("stall", "Read timed out", 3),
        ("truncate", "IncompleteRead", 3),
    ],
)
def test_an_address_that_fails_for_good(shop, cache, fault, says, asked):
    with serve(shop, {PUBLIC: [fault] * 9}) as base:
        with pytest.raises(FetchError) as error:
            fetch(published(base), cache)
        assert base.asked == [PUBLIC] * asked
    one_line(error, cache, f"{base}/published/set%20one.gz: ", says)
    assert names(cache) == []


def test_no_network(cache, monkeypatch):
    with serve(cache) as base:
        pass  # nobody listens there any more
    start = time.monotonic()
    with pytest.raises(FetchError) as error:
        fetch(published(base), cache, [base])
    one_line(error, cache, f"{base}/toyset/set%20one.gz: ", f"{base}/published/set%20one.gz: ", "Connection refused")
    monkeypatch.setenv("http_proxy", base)
    with pytest.raises(FetchError) as error:
        fetch(replace(SOURCE, files=(replace(PUBLISHED, urls=("http://example.invalid/x",)),)), cache)
    one_line(error, cache, "http://example.invalid/x: ", "proxy")
    assert time.monotonic() - start < 5


def test_offline(cache):
    with pytest.raises(FetchError) as error:
        fetch(published("http://example.invalid"), cache, offline=True)
    one_line(error, cache, f"1 of 1 files are not in {cache}/toyset, {cache}/ToySet/raw, {cache};")


@pytest.mark.parametrize("offline", [True, False])
def test_all_that_is_missing_is_named_at_once(shop, cache, offline):
    others = [RemoteFile(name, (), md5(name.encode())) for name in ("two.gz", "there.gz", "four.gz")]
    (cache / "ToySet/raw").mkdir(parents=True)
    (cache / "ToySet/raw/there.gz").write_bytes(b"there.gz")
    with serve(shop) as base:
        absent = replace(published(base).files[0], urls=(f"{base}/nowhere",))
        with pytest.raises(FetchError) as error:
            fetch(replace(SOURCE, files=(absent, *others)), cache, offline=offline)
        assert base.asked == ([] if offline else ["nowhere"])
    listed = ", ".join(f"{file.name} (checksum {file.checksum})" for file in (PUBLISHED, others[0], others[2]))
    said = one_line(error, cache, f"by hand: {listed}; ")
    assert "there.gz" not in said
    assert said.count(str(cache)) == (4 if offline else 1)


# Two at once, and a kill


@pytest.mark.parametrize("before", [None, b"corrupt"])
def test_downloads_of_one_file_at_once(shop, cache, before):
    found = []
    if before:
        (cache / "toyset").mkdir(parents=True)
        (cache / "toyset" / NAME).write_bytes(before)
    # One of them waits in the middle while the others begin and end.
    with serve(shop, {PUBLIC: ["stall"]}) as base:

        def download():
            found.append(fetch(published(base), cache))

        threads = [threading.Thread(target=download) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert found == [{NAME: cache / "toyset" / NAME}] * 4
    assert names(cache) == [f"toyset/{NAME}"] + ([f"toyset/{NAME}.corrupt"] if before else [])
    assert (cache / "toyset" / NAME).read_bytes() == PACKED


DOWNLOAD = """
import sys
from pathlib import Path
from lossproof.datasets.fetch import fetch
from lossproof.datasets.source import RemoteFile, Source
name, url, checksum, cache = sys.argv[1:]
fetch(Source("toyset", (RemoteFile(name, (url,), checksum),), (), {}, None), Path(cache))
"""


def test_a_kill_leaves_no_half_file(shop, cache, monkeypatch):
    with serve(shop, {PUBLIC: ["stall"]}) as base:
        url = f"{base}/published/set%20one.gz"
        command = [sys.executable, "-c", DOWNLOAD, NAME, url, md5(PACKED), str(cache)]
        process = subprocess.Popen(command, env=os.environ | {"PYTHONPATH": str(ROOT / "src")})
        try:
            end = time.monotonic() + 30
            while not any(path.stat().st_size > 10_000 for path in cache.glob("toyset/*")):
                assert process.poll() is None
                assert time.monotonic() < end
                time.sleep(0.01)
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
        (left,) = cache.glob("toyset/*")
        assert left.name != NAME
        assert 0 < left.stat().st_size < len(PACKED)

        files = fetch(published(base), cache)
        assert files[NAME].read_bytes() == PACKED


# The manifest, and finding the files again without a network


def test_the_manifest_is_equal_for_equal_files(cache, tmp_path):
    for at, folder in enumerate(("toyset", "ToySet/raw")):
        place = cache / str(at) / folder / NAME
        place.parent.mkdir(parents=True)
        place.write_bytes(PACKED)
        write_json(tmp_path / f"{at}.json", manifest(fetch(SOURCE, cache / str(at), offline=True)))
    assert (tmp_path / "0.json").read_bytes() == (tmp_path / "1.json").read_bytes()
    assert json.loads((tmp_path / "0.json").read_text()) == {NAME: {"sha256": sha(PACKED), "bytes": len(PACKED)}}


@pytest.fixture
def known(tmp_path):
    """files.json of the file."""
    write_json(tmp_path / "made/files.json", {NAME: {"sha256": sha(PACKED), "bytes": len(PACKED)}})
    return tmp_path / "made/files.json"


def test_locate_finds_what_was_fetched(cache, known, tmp_path):
    for folder, content in (("toyset", PACKED[::-1]), ("ToySet/raw", PACKED), (".", PACKED)):
        (cache / folder).mkdir(parents=True, exist_ok=True)
        (cache / folder / NAME).write_bytes(content)
    assert locate(SOURCE, cache, known) == {NAME: cache / "ToySet/raw" / NAME}
    shutil.rmtree(cache / "ToySet")
    assert locate(SOURCE, cache, known) == {NAME: cache / NAME}
    (cache / NAME).write_bytes(PACKED + b"\0")
    with pytest.raises(FileNotFoundError) as error:
        locate(SOURCE, cache, known)
    for part in (f"toyset: {NAME}", str(cache / "toyset" / NAME), str(cache / NAME), f"delete {known} to fetch"):
        assert part in str(error.value)
    write_json(tmp_path / "other.json", {})
    with pytest.raises(FileNotFoundError):
        locate(SOURCE, cache, tmp_path / "other.json")


def test_locate_reads_only_what_may_be_right(cache, known, monkeypatch):
    read = []
    monkeypatch.setattr("lossproof.datasets.locate.sha256", lambda path: read.append(path) or sha(PACKED))
    for folder, content in (("toyset", b"short"), (".", PACKED)):
        (cache / folder).mkdir(parents=True, exist_ok=True)
        (cache / folder / NAME).write_bytes(content)
    locate(SOURCE, cache, known)
    assert read == [cache / NAME]


def test_locate_files_behind_a_licence(cache):
    gated = Source("gated", (), (), {}, {"folder": "Gated", "files": ["a.txt", "images"], "how": "ask the authors"})
    (cache / "Gated/images").mkdir(parents=True)
    with pytest.raises(
        FileNotFoundError, match=r"gated .*: a\.txt not in folder Gated of data\.cache; ask the authors"
    ):
        locate(gated, cache)
    (cache / "Gated/a.txt").write_text("a")
    assert locate(gated, cache) == {"a.txt": cache / "Gated/a.txt", "images": cache / "Gated/images"}
    assert locate(source_of("digits"), cache) == {}


# The script


def script(*arguments, name="download"):
    command = [sys.executable, str(ROOT / f"workflow/scripts/{name}.py"), *arguments]
    return subprocess.run(
        command, env=os.environ | {"PYTHONPATH": str(ROOT / "src")}, capture_output=True, text=True, timeout=60
    )


def test_the_script_says_in_one_line_what_is_missing(cache, tmp_path):
    out = tmp_path / "files.json"
    done = script("--source", "mnist", "--cache", str(cache), "--offline", "--out", str(out))
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    first = f"put into {cache / 'mnist'} by hand: train-images-idx3-ubyte.gz (checksum md5:f68b3c2d"
    for part in (
        "lossproof: mnist: 4 of 4 files are not in ",
        first,
        *(file.name for file in source_of("mnist").files),
    ):
        assert part in line
    assert not out.exists()


def test_preparing_what_has_changed_since_says_so_in_one_line(cache, tmp_path):
    files = tmp_path / "files.json"
    write_json(files, {file.name: {"sha256": sha(b"x"), "bytes": 1} for file in source_of("mnist").files})
    plan = {"datasets": {"mnist": {"source": "mnist"}}}
    done = run_step(tmp_path, "prepare", plan, "--dataset", "mnist", "--cache", cache, "--files", files)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("lossproof: mnist: train-images-idx3-ubyte.gz is not what it was")
    assert f"delete {files} to fetch it again" in line


# What the shipped sources declare


def test_sources_are_well_formed():
    sources = [source_of(name) for name in catalogue("datasets")]
    assert any(source.files for source in sources)
    assert source_of("digits").files == ()
    for source in sources:
        for file in source.files:
            algorithm, _, digest = file.checksum.partition(":")
            assert len(bytes.fromhex(digest)) == hashlib.new(algorithm).digest_size, file
            assert not file.unpacked_sha256 or len(bytes.fromhex(file.unpacked_sha256)) == 32
            assert file.urls and all(url.startswith(("https://", "http://")) for url in file.urls)
            assert file.name == Path(file.name).name
        assert not (source.files and source.by_hand)
