"""Members of archives: what comes out, and what is refused."""

from __future__ import annotations

import contextlib
import gzip
import io
import stat
import tarfile
import tracemalloc
import zipfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lossproof.datasets.archives import ArchiveError, members

FILES = {"set/a.txt": b"first", "set/train/b.bin": bytes(range(256)) * 40, "set/c": b"", "set/zeros": bytes(2048)}
TARS = {"x.tar": "w", "x.tar.gz": "w:gz", "x.tgz": "w:gz", "x.tar.xz": "w:xz", "x.tar.bz2": "w:bz2"}
ARCHIVES = ["x.zip", *TARS]
PACKED = [name for name in ARCHIVES if name != "x.tar"]
LIMITS = {"at_most_bytes": 100_000, "at_most_files": 10}


def entry(name, content=b"", kind=tarfile.REGTYPE, link=""):
    """A tar header with its content."""
    told = tarfile.TarInfo(name)
    told.type, told.linkname, told.size = kind, link, len(content)
    return told, io.BytesIO(content)


def build(path, files=FILES, extra=(), form=tarfile.PAX_FORMAT):
    """An archive of folders, files and (tar) extra entries, of the kind that its name says."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.mkdir("set/")
            for name, content in files.items():
                archive.writestr(name, content)
            for told in extra:
                archive.writestr(told, b"target")
    else:
        with tarfile.open(path, TARS[path.name], format=form) as archive:
            archive.addfile(entry("set", kind=tarfile.DIRTYPE)[0])
            for told, content in [*(entry(name, content) for name, content in files.items()), *extra]:
                archive.addfile(told, content)
    return path


def read(path, wanted=None, **limits):
    return list(members(path, wanted, **(LIMITS | limits)))


def refused(path, *parts, **limits):
    with pytest.raises(ValueError, match="x") as caught:
        read(path, **limits)
    said = str(caught.value)
    assert said.startswith(f"{path}: ")
    assert "\n" not in said
    for part in parts:
        assert part in said


@pytest.mark.parametrize("name", ARCHIVES)
def test_files_in_their_order(tmp_path, name):
    path = build(tmp_path / name)
    assert read(path) == list(FILES.items())
    assert read(path, lambda member: member.endswith(".bin")) == [("set/train/b.bin", FILES["set/train/b.bin"])]
    assert sorted(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ARCHIVES)
def test_the_kind_is_told_by_the_content(tmp_path, name):
    path = build(tmp_path / name).rename(tmp_path / "x.data")
    assert read(path) == list(FILES.items())


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_forms_of_tar(tmp_path, form):
    long = "./set/" + "long/" * 40 + "ünï.txt"
    found = read(
        build(tmp_path / "x.tar.gz", {"./a": b"1"} if form == tarfile.USTAR_FORMAT else {long: b"1"}, form=form)
    )
    assert found == [("a" if form == tarfile.USTAR_FORMAT else long[2:], b"1")]


def test_an_empty_archive(tmp_path):
    assert read(build(tmp_path / "x.tar.gz", {})) == []
    assert read(build(tmp_path / "x.zip", {})) == []


# Names and kinds that are refused

BAD_NAMES = ["../x", "set/../../x", "/x", "..", "\\x", "..\\x", "set\\..\\..\\x", "C:\\x", "C:x"]


@pytest.mark.parametrize("name", ["x.zip", "x.tar.gz"])
@pytest.mark.parametrize("bad", BAD_NAMES)
def test_paths_that_leave_their_folder(tmp_path, name, bad):
    path = build(tmp_path / name, FILES | {bad: b"!"})
    refused(path, f"{bad}: an absolute path, or one that leaves its folder")
    folder = build(tmp_path / name, {f"{bad}/": b""}) if name == "x.zip" else path
    refused(folder, "an absolute path, or one that leaves its folder")


@pytest.mark.parametrize("fine", ["a..b", "..a", "set/...", "ab:c"])
@pytest.mark.parametrize("name", ["x.zip", "x.tar"])
def test_names_that_only_look_bad(tmp_path, name, fine):
    assert read(build(tmp_path / name, {fine: b"1"})) == [(fine, b"1")]


@pytest.mark.parametrize(
    ("kind", "link"),
    [
        (tarfile.SYMTYPE, "/etc/passwd"),
        (tarfile.SYMTYPE, "set/a.txt"),
        (tarfile.LNKTYPE, "set/a.txt"),
        (tarfile.CHRTYPE, ""),
        (tarfile.BLKTYPE, ""),
        (tarfile.FIFOTYPE, ""),
    ],
)
def test_links_and_devices_in_a_tar(tmp_path, kind, link):
    refused(build(tmp_path / "x.tar.xz", extra=[entry("set/odd", kind=kind, link=link)]), "set/odd: neither")


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO, stat.S_IFSOCK])
def test_links_and_devices_in_a_zip(tmp_path, kind):
    told = zipfile.ZipInfo("set/odd")
    told.external_attr = (kind | 0o777) << 16
    refused(build(tmp_path / "x.zip", extra=[told]), "set/odd: neither")


# Limits


@pytest.mark.parametrize("name", ARCHIVES)
def test_limits_hold_to_the_byte_and_file(tmp_path, name):
    path = build(tmp_path / name)
    size = sum(map(len, FILES.values()))
    assert len(read(path, at_most_bytes=size, at_most_files=len(FILES))) == len(FILES)
    refused(path, f"set/zeros: {size} bytes up to here, at most {size - 1} allowed", at_most_bytes=size - 1)
    refused(path, f"set/zeros: file {len(FILES)}, at most {len(FILES) - 1} allowed", at_most_files=len(FILES) - 1)
    # Chosen or not.
    with pytest.raises(ValueError, match="allowed"):
        read(path, lambda _: False, at_most_files=1)


@pytest.mark.parametrize("name", PACKED)
def test_a_bomb_is_refused_before_it_unfolds(tmp_path, name):
    path = build(tmp_path / name, {"bomb": bytes(60_000_000)})
    assert path.stat().st_size < 100_000
    tracemalloc.start()
    refused(path, "bomb: 60000000 bytes up to here", at_most_bytes=1_000_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20_000_000


def test_a_bomb_in_the_headers(tmp_path):
    told, content = entry("small", b"1")
    told.pax_headers = {"comment": "x" * 60_000_000}
    refused(build(tmp_path / "x.tar.gz", extra=[(told, content)]), "bytes of headers or padding")


def test_a_bomb_of_padding(tmp_path):
    path = tmp_path / "x.tar.gz"
    with tarfile.open(tmp_path / "x.tar", "w") as archive:
        archive.addfile(*entry("small", b"1"))
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write((tmp_path / "x.tar").read_bytes())
        file.write(bytes(60_000_000))
    refused(path, "bytes of headers or padding")


def test_a_zip_that_lies_about_its_sizes(tmp_path):
    path = build(tmp_path / "x.zip", {"bomb": bytes(1_000_000)})
    raw = path.read_bytes()
    size = (1_000_000).to_bytes(4, "little")
    assert raw.count(size) == 2
    path.write_bytes(raw.replace(size, (10).to_bytes(4, "little")))
    refused(path, "damaged", "bomb")


# Damage


@pytest.mark.parametrize("name", ARCHIVES)
def test_cut_off_anywhere(tmp_path, name):
    path = build(tmp_path / name)
    whole = path.read_bytes()
    # A tar is padded with zeros at its end; what is cut off there is no loss until one block is left.
    end = len(whole.rstrip(b"\0")) + 511 if name == "x.tar" else len(whole)
    cuts = {0, 1, 4, 511, 512, 1024, end - 1, end - 8, *range(0, end - 1, max(1, end // 60))}
    if name == "x.tar":
        cuts |= set(range(0, end, 512))
    for cut in sorted(cut for cut in cuts if 0 <= cut < end):
        path.write_bytes(whole[:cut])
        refused(path, "damaged")


@pytest.mark.parametrize("name", PACKED)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_a_flipped_bit_never_passes_for_other_content(tmp_path, name, place, bit):
    path = build(tmp_path / name)
    raw = bytearray(path.read_bytes())
    raw[int(place * len(raw))] ^= 1 << bit
    path.write_bytes(raw)
    # The archive's own error: any other would fail here.
    with contextlib.suppress(ArchiveError):
        assert dict(read(path)) == FILES


def test_a_zip_whose_directory_loses_members(tmp_path):
    path = build(tmp_path / "x.zip")
    raw = bytearray(path.read_bytes())
    # The first entry's comment now is as long as all that follows.
    first = raw.index(b"PK\1\2")
    rest = raw.index(b"PK\5\6") - raw.index(b"PK\1\2", first + 4)
    raw[first + 32 : first + 34] = rest.to_bytes(2, "little")
    path.write_bytes(raw)
    refused(path, "damaged", "1 members found, 5 expected")


def test_a_zip_of_very_many_members(tmp_path):
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.comment = b"about it"
        for at in range(66_000):
            archive.writestr(zipfile.ZipInfo(f"{at}"), b"")
    assert len(read(path, lambda name: name.endswith("99"), at_most_files=66_000)) == 660


def test_a_damaged_header_is_not_the_end(tmp_path):
    path = build(tmp_path / "x.tar")
    raw = bytearray(path.read_bytes())
    raw[raw.index(b"set/c\0")] ^= 1
    path.write_bytes(raw)
    refused(path, "damaged: no proper end")


@pytest.mark.parametrize("content", [b"", b"<html>Please log in</html>", b"PK", bytes(10), b"x" * 5000])
def test_what_is_no_archive(tmp_path, content):
    path = tmp_path / "x.zip"
    path.write_bytes(content)
    refused(path, "damaged, or no archive")


def test_a_locked_zip(tmp_path):
    path = build(tmp_path / "x.zip", {"a": b"1"})
    raw = bytearray(path.read_bytes())
    for mark, at in ((b"PK\1\2", 8), (b"PK\3\4", 6)):
        raw[raw.rindex(mark) + at] |= 1
    path.write_bytes(raw)
    refused(path, "encrypted")
