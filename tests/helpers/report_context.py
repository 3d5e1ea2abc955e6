"""A small made-up report: its context, and the files that it links to."""

from __future__ import annotations

import struct
import zlib

from jury_rows import small_jury
from tidy_rows import CLAIMS, PRINTED, STAND_INS, statement_rows, tables

from editions import ROOT
from lossproof.assumptions import read_assumptions
from lossproof.claims.ledger import build_ledger
from lossproof.drawing.typeset import to_html
from lossproof.exhibits.accuracy_table.table import accuracy_table
from lossproof.exhibits.statement.table import overview
from lossproof.report.context import EMBEDDED_BANNER
from lossproof.report.judged import judged
from lossproof.report.summary import summarise
from lossproof.report.toy_summary import toy_summary


def png(path, width=640, height=360):
    """The smallest gray picture of a size."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = zlib.compress((b"\0" + b"\xc0" * width) * height)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b""))
    return path


def ledger(claims=CLAIMS, tidy=None):
    return build_ledger(
        claims,
        tables() if tidy is None else tidy,
        full_protocol=False,
        edition="embedded",
        data_for=STAND_INS,
        attacked_split="train",
    )


def small_context(folder):
    """One paper with a figure and a table, its 262 printed numbers, toys, theory and provenance."""
    tidy = tables()
    claims = [one for one in CLAIMS if one["exhibit"] == "table_2"]
    boundaries = [
        {
            "toy": "moons",
            "training": "sp_focal",
            "seed": str(seed),
            "epoch": epoch,
            "quantity": "centredness",
            "value": value,
        }
        for seed in range(3)
        for epoch, value in (("100", "9"), ("10000", str(0.1 * seed)))
    ]
    return {
        "edition": "embedded",
        "banner": EMBEDDED_BANNER,
        "papers": [
            {
                "id": "sp",
                "title": "Stationary-point losses",
                "exhibits": [
                    {
                        "id": "sp/fig_3",
                        "kind": "boundaries",
                        "title": "Boundary on <two> moons",
                        "caption": "Brighter is less confident.",
                        "target_command": "snakemake --cores 2 sp_fig_3",
                        "figure_png": png(folder / "fig_3.png"),
                        "figure_alt": "Three panels",
                        "files": [{"label": "tidy table", "href": "exhibits/sp/fig_3.csv"}],
                        "settings": {"epochs": 10000, "eta": 0.03},
                        "notes": ["Ten seeds (SP-A23)."],
                    },
                    {
                        "id": "sp/table_2",
                        "kind": "accuracy_table",
                        "title": "CIFAR-10",
                        "target_command": "snakemake --cores 2 sp_table_2",
                        "figure_png": None,
                        "table_html": to_html(accuracy_table(tidy["sp/table_2"], claims, "CIFAR-10")),
                        "stand_ins": {"cifar10": "digits_colour"},
                    },
                ],
            }
        ],
        "ledger": ledger(),
        "assumptions": read_assumptions(ROOT / "reference/assumptions.csv"),
        "toy_summary": toy_summary({"sp/fig_3": boundaries}),
        "theory": overview({"sp/theorem_2": statement_rows()}, {"sp/theorem_2": "Midpoint"}),
        "provenance": {"commit": "abc123", "packages": {"torch": "2.11.0"}, "wall_seconds": {"train": 12.345}},
    }


def small_jury_context(folder, rows):
    """A jury of five networks with a card each, under ``folder``/figures."""
    verdicts, diagnostics = small_jury()
    cards = []
    for entry in judged(verdicts):
        path = f"figures/embedded/jury/cards/{entry['run']}.png"
        cards.append(
            {key: entry[key] for key in ("run", "dataset", "arch", "training", "flags", "verdict")}
            | {"png": png(folder / path), "href": f"../../{path}"}
        )
    runs = [card["run"] for card in cards]
    page = summarise("sp", rows, verdicts, diagnostics, runs=runs, title="Stationary-point losses", edition="embedded")
    return {"verdicts": verdicts, "cards": cards, "summaries": {"sp": page}}


def whole_context(folder):
    """The small one with a jury, a published run and records that exist: ``folder`` is the checkout."""
    context = small_context(folder)
    record = "results/embedded/attacks/digits_colour/resnet18/ce/seed{}/train/bim.json"
    for path in ("results/embedded/exhibits/sp/fig_3.csv", *(record.format(seed) for seed in range(3))):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).touch()
    rows = [
        row | {"record": record.format("*"), "seeds": "3"} if row["measured"] is not None else row
        for row in context["ledger"]
    ]
    run = {"edition": "paper", "data": "cifar10", "hardware": "one H200", "epochs": "200", "date": "2026-01-02"}
    published = [{"name": "paper-h200", "rows": [row | run for row in rows if row["exhibit"] == "table_2"]}]
    return context | {"ledger": rows, "published": published, "jury": small_jury_context(folder, rows)}


def full_size_context(folder):
    """All 799 printed numbers, those of one paper measured."""
    return whole_context(folder) | {"ledger": ledger(PRINTED)}
