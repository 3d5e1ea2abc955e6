"""What the requirements and the files of envs/ pin, and what of it a platform gets."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import yaml
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from pins import Pin, read_pins

from editions import ROOT


def run_pins() -> list[Pin]:
    """Everything that a run needs."""
    return read_pins((ROOT / "requirements/run.txt").read_text(encoding="utf-8"))


def environment(kind: str) -> dict[str, Any]:
    """The file of one kind's environment."""
    return yaml.safe_load((ROOT / f"envs/{kind}.yaml").read_text(encoding="utf-8"))


def early(kind: str) -> list[Pin]:
    """What conda gives to pip."""
    (section,) = (part["pip"] for part in environment(kind)["dependencies"] if isinstance(part, dict))
    return read_pins("\n".join(section))


def late(kind: str) -> list[Pin]:
    """What the post-deploy script gives to pip."""
    path = ROOT / f"envs/{kind}.post-deploy.sh"
    if not path.exists():
        return []
    return read_pins(path.read_text(encoding="utf-8").split("<<'PINS'\n")[1].split("PINS\n")[0])


def pins(kind: str) -> list[Pin]:
    """Every package of one kind's environment."""
    return sorted(early(kind) + late(kind))


def chosen(pins: list[Pin], platform: dict[str, str]) -> dict[str, str]:
    """Version by name, of the packages that pip installs on a platform (markers' values; others as here)."""
    read = [Requirement(pin.requirement) for pin in pins]
    here = [one for one in read if one.marker is None or one.marker.evaluate(default_environment() | platform)]
    assert len(here) == len({one.name for one in here}), "two versions of one package on one platform"
    return {canonicalize_name(one.name): str(one.specifier).removeprefix("==") for one in here}


def platform_of(python: Path) -> dict[str, str]:
    """What an interpreter changes in a platform."""
    program = "import json, platform; print(json.dumps(platform.python_version_tuple()))"
    said = subprocess.run([python, "-c", program], check=True, capture_output=True, text=True).stdout
    version = json.loads(said)
    return {"python_version": ".".join(version[:2]), "python_full_version": ".".join(version)}
