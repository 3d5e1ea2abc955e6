"""An exhibit as its section shows it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from lossproof.report.anchors import anchor
from lossproof.report.context import Exhibit
from lossproof.report.overview import parts
from lossproof.report.pictures import picture


def exhibit_view(exhibit: Exhibit, counts: Mapping[str, Mapping[str, int]]) -> dict[str, Any]:
    """What the template needs; ``counts``: verdicts by exhibit id. Raises what ``picture`` raises."""
    png, table, settings = exhibit.get("figure_png"), exhibit.get("table_html"), exhibit.get("settings")
    found = counts.get(exhibit["id"], {})
    return {
        "id": exhibit["id"],
        "anchor": anchor(exhibit["id"]),
        "kind": exhibit["kind"],
        "title": exhibit["title"],
        "command": exhibit["target_command"],
        "caption": exhibit.get("caption", ""),
        "same_as": list(exhibit.get("same_as", ())),
        "picture": picture(png) if png else None,
        "alt": exhibit.get("figure_alt") or f"{exhibit['id']}: {exhibit['title']}",
        "table": Markup(table) if table else "",
        "files": list(exhibit.get("files", ())),
        "settings": json.dumps(settings, indent=2, sort_keys=True, default=str, ensure_ascii=False) if settings else "",
        "stand_ins": sorted(exhibit.get("stand_ins", {}).items()),
        "notes": list(exhibit.get("notes", ())),
        "claims": sum(found.values()),
        "verdicts": [part for part in parts(found) if part["count"]],
    }
