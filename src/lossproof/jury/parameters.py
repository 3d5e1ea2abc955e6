"""Schemas of the settings that diagnostics share, for their CATALOGUE."""

from __future__ import annotations

STEPS = {"type": "integer", "minimum": 1, "default": 40, "description": "gradient steps of PGD"}
SOME_IMAGES = {
    "type": ["integer", "null"],
    "minimum": 1,
    "default": 100,
    "description": "how many of the right images; null = all",
}
