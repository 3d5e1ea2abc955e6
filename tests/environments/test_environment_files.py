"""The files of envs/ say what the locked requirements say. Nothing is installed here."""

from __future__ import annotations

import subprocess
import tomllib
from importlib.metadata import requires

import conda_files
import pytest
from container import RECIPE
from lock import KINDS, RUN
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from pinned import chosen, early, environment, late, pins, run_pins
from pins import read_pins
from rattler import MatchSpec

from editions import ROOT

GROUPS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
PYTHON = {"python_version": "3.12", "python_full_version": conda_files.PYTHON, "implementation_name": "cpython"}
LINUX = {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix"}
PLATFORMS = {
    "linux-64": PYTHON | LINUX | {"platform_machine": "x86_64"},
    "linux-aarch64": PYTHON | LINUX | {"platform_machine": "aarch64"},
    "osx-arm64": PYTHON
    | {"sys_platform": "darwin", "platform_system": "Darwin", "os_name": "posix", "platform_machine": "arm64"},
}


def closure(requirements: list[str]) -> set[str]:
    """Every package behind some requirements on this machine, as the installed packages tell."""
    waiting = [(Requirement(text), "") for text in requirements]
    found: set[tuple[str, str]] = set()
    while waiting:
        one, wanted = waiting.pop()
        if one.marker is not None and not one.marker.evaluate({"extra": wanted}):
            continue
        name = canonicalize_name(one.name)
        for extra in {"", *one.extras}:
            if (name, extra) not in found:
                found.add((name, extra))
                waiting += [(Requirement(text), extra) for text in requires(name) or ()]
    return {name for name, _ in found}


def test_there_is_one_environment_per_kind_and_a_group_for_each():
    assert {path.stem for path in ROOT.glob("envs/*.yaml")} == set(KINDS) <= set(GROUPS)


@pytest.mark.parametrize("kind", KINDS)
def test_each_package_has_the_version_and_the_hashes_of_the_requirements(kind):
    locked = {pin.requirement.partition(" ;")[0]: pin.hashes for pin in run_pins()}
    assert {pin.requirement.partition(" ;")[0]: pin.hashes for pin in pins(kind)}.items() <= locked.items()


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_platform_gets_the_versions_of_the_requirements(kind, platform):
    got = chosen(pins(kind), PLATFORMS[platform])
    assert len(got) > 10
    assert got.items() <= chosen(run_pins(), PLATFORMS[platform]).items()


@pytest.mark.parametrize("kind", KINDS)
def test_every_transitive_package_is_there_and_no_other(kind):
    assert set(chosen(pins(kind), {})) == closure(GROUPS[kind])


@pytest.mark.parametrize("kind", KINDS)
def test_the_files_are_what_make_lock_writes(kind):
    assert (ROOT / f"envs/{kind}.yaml").read_text(encoding="utf-8") == conda_files.environment(kind, early(kind))
    script = ROOT / f"envs/{kind}.post-deploy.sh"
    written = script.read_text(encoding="utf-8") if script.exists() else ""
    assert written == conda_files.post_deploy(late(kind))


@pytest.mark.parametrize("kind", KINDS)
def test_conda_reads_an_exact_version_of_everything_it_installs(kind):
    read = environment(kind)
    assert set(read) == {"channels", "dependencies"}
    # Nothing of a user's own configuration: no channel but the one that the versions are known to be in.
    assert read["channels"] == ["conda-forge", "nodefaults"]
    specs = [MatchSpec(part, strict=True) for part in read["dependencies"] if isinstance(part, str)]
    assert {spec.name.normalized: spec.version for spec in specs} == {
        "python": f"=={conda_files.PYTHON}",
        "pip": f"=={conda_files.PIP}",
    }


def test_torch_is_in_its_own_environment_only():
    names = {kind: {pin.name for pin in pins(kind)} for kind in KINDS}
    assert {"torch", "torchvision", "torchattacks"} <= names["torch"]
    assert not {name for kind in ("data", "plot") for name in names[kind] if "torch" in name or "nvidia" in name}


def test_what_pip_would_refuse_comes_last():
    assert [pin.name for pin in late("torch")] == ["torchattacks"]
    assert not late("data") and not late("plot")
    subprocess.run(["bash", "-n", ROOT / "envs/torch.post-deploy.sh"], check=True)


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("numpy>=2 --hash=sha256:00", "numpy>=2"),
        ("numpy==2.4.6", "numpy==2.4.6"),
        ("numpy==2.4.6 ; sys_platform == 'linux'", "numpy==2.4.6 ; sys_platform == 'linux'"),
    ],
)
def test_a_line_without_a_version_or_a_hash_is_refused(line, named):
    with pytest.raises(ValueError, match=named):
        read_pins(f"# a comment\nscipy==1.17.1 \\\n    --hash=sha256:11\n{line}\n")


def test_the_recipe_of_the_image_is_what_make_lock_writes():
    assert (ROOT / "envs/Dockerfile").read_text(encoding="utf-8") == RECIPE


def test_the_image_installs_the_locked_requirements_and_nothing_else():
    steps = [line for line in RECIPE.replace("\\\n", " ").splitlines() if line and not line.startswith("#")]
    words = [step.split(maxsplit=1) for step in steps]
    # The folder that the recipe says to build from holds what it copies.
    assert [copied.split()[0] for word, copied in words if word == "COPY"] == ["run.txt"]
    (install,) = (run for word, run in words if word == "RUN" and "pip" in run)
    assert "--no-deps --require-hashes" in install and "-r /opt/lossproof/run.txt" in install
    assert words[0] == ["FROM", f"python:{conda_files.PYTHON}-bookworm"]
    # Whoever runs it is not root.
    assert [user for word, user in words if word == "USER"] == ["1000"]
    # pip is told to look for nothing, so run.txt has to name everything by itself.
    assert set(chosen(run_pins(), {})) >= closure([one for group in RUN for one in GROUPS[group]])
