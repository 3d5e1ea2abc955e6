"""Ids of the page."""

from __future__ import annotations

import re


def anchor(name: str) -> str:
    """The id of a section: 'sp/fig_3' -> 'sp-fig_3'."""
    return re.sub(r"[^\w.-]", "-", name)
