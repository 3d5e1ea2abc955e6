"""Links from the id of an assumption, wherever it stands in the page, to its row."""

from __future__ import annotations

import re
from collections.abc import Container

# Elements whose text stays as it is, any other tag, or an id.
PIECE = re.compile(r"<(script|style|title|a)\b.*?</\1>|<[^>]*>|\b(?:SP|IS|PC)-A\d+\b", re.DOTALL)


def link_assumptions(page: str, ids: Container[str]) -> str:
    """The HTML page with each of these ids in its text as a link to ``#assumption-<id>``; attributes stay."""

    def linked(match: re.Match[str]) -> str:
        piece = match[0]
        return f'<a href="#assumption-{piece}">{piece}</a>' if piece in ids else piece

    return PIECE.sub(linked, page)
