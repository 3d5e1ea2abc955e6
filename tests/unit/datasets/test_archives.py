"""Members of archives: what comes out, and what is refused."""

from __future__ import annotations

import io
import tarfile
import zipfile

import pytest

from lossproof.datasets.archives import members

FILES = {"set/a.txt": b"first", "set/train/b.bin": bytes(range(256)) * 40, "set/c": b"", "set/zeros": bytes(2048)}
TARS = {"x.tar": "w", "x.tar.gz": "w:gz", "x.tar.xz": "w:xz", "x.tar.bz2": "w:bz2"}
ARCHIVES = ["x.zip", *TARS]


def build(path, files=FILES):
    """An archive of a folder and files, of the kind that its name says."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.mkdir("set/")
            for name, content in files.items():
                archive.writestr(name, content)
    else:
        with tarfile.open(path, TARS[path.name]) as archive:
            folder = tarfile.TarInfo("set")
            folder.type = tarfile.DIRTYPE
            archive.addfile(folder)
            for name, content in files.items():
                member = tarfile.TarInfo(name)
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
    return path


@pytest.mark.parametrize("name", ARCHIVES)
def test_files_in_their_order_whatever_the_archive_is_called(tmp_path, name):
    path = build(tmp_path / name)
    assert list(members(path)) == list(FILES.items())
    chosen = list(members(path, lambda member: member.endswith(".bin")))
    assert chosen == [("set/train/b.bin", FILES["set/train/b.bin"])]
    assert list(members(path.rename(tmp_path / "x.data"))) == list(FILES.items())
    assert [one.name for one in tmp_path.iterdir()] == ["x.data"]


def test_names_in_plain_form(tmp_path):
    long = "set/" + "long/" * 40 + "ünï.txt"
    assert list(members(build(tmp_path / "x.tar.gz", {f"./{long}": b"1"}))) == [(long, b"1")]


def test_an_empty_archive(tmp_path):
    assert list(members(build(tmp_path / "x.tar.gz", {}))) == list(members(build(tmp_path / "x.zip", {}))) == []


@pytest.mark.parametrize("archive", ["x.tar.gz", "x.zip"])
@pytest.mark.parametrize("name", ["../x", "/x", "set/../../x"])
def test_a_path_that_leaves_its_folder(tmp_path, archive, name):
    with pytest.raises(ValueError, match=f"{archive}: member '{name}' leads out of its folder"):
        list(members(build(tmp_path / archive, {name: b"1"})))


@pytest.mark.parametrize("name", ARCHIVES)
@pytest.mark.parametrize("content", [b"", b"<html>Please log in</html>", None])
def test_what_is_no_whole_archive(tmp_path, name, content):
    path = build(tmp_path / name)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 3] if content is None else content)
    with pytest.raises(ValueError, match="damaged, or no archive") as error:
        list(members(path))
    assert str(error.value).startswith(f"{path}: ")
