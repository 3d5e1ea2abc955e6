"""Packages pinned by version and hash, read from what uv writes."""

from __future__ import annotations

import re
from typing import NamedTuple

HASH = re.compile(r"--hash=(\S+)")


class Pin(NamedTuple):
    """One line of a requirements file: ``numpy==2.4.6 ; python_full_version < '3.12'``, and its hashes."""

    requirement: str
    hashes: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.requirement.partition("==")[0]


def read_pins(text: str) -> list[Pin]:
    """The pins of a requirements file. ValueError for a line that is not pinned by version and hash."""
    lines = [line for line in text.replace("\\\n", " ").splitlines() if line and not line.startswith("#")]
    pins = [Pin(line.partition(" --hash=")[0].strip(), tuple(HASH.findall(line))) for line in lines]
    loose = [pin.requirement for pin in pins if "==" not in pin.requirement or not pin.hashes]
    if loose:
        raise ValueError(f"no version or no hash: {', '.join(loose)}")
    return pins
