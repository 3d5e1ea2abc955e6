"""The report: whole in itself, well formed, navigable."""

from __future__ import annotations

import re
import struct
import zlib
from html.parser import HTMLParser

import pytest
from tidy_rows import CLAIMS, STAND_INS, SUSPICIOUS, statement_rows, tables

from lossproof.claims.ledger import build_ledger
from lossproof.report.build import anchor, build
from lossproof.report.context import EMBEDDED_BANNER
from lossproof.report.toy_summary import toy_summary
from lossproof.tables.accuracy import accuracy_table
from lossproof.tables.statements import overview
from lossproof.tables.typeset import to_html

VOID = {"meta", "img", "input", "br", "hr", "link"}


def png(path, width=640, height=360):
    """The smallest gray picture of a size."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = zlib.compress((b"\0" + b"\xc0" * width) * height)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b""))
    return path


@pytest.fixture
def context(tmp_path):
    tidy = tables()
    ledger = build_ledger(
        CLAIMS, SUSPICIOUS, tidy, full_protocol=False, edition="embedded", data_for=STAND_INS, missing={}
    )
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
                        "figure_png": png(tmp_path / "fig_3.png"),
                        "figure_alt": "Three panels",
                        "files": [{"label": "tidy table", "href": "exhibits/sp/fig_3.csv"}],
                        "settings": {"epochs": 10000, "eta": 0.03},
                        "notes": ["Ten seeds."],
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
        "ledger": ledger,
        "toy_summary": toy_summary({"sp/fig_3": boundaries}),
        "theory": overview({"sp/theorem_2": statement_rows()}, {"sp/theorem_2": "Midpoint"}),
        "provenance": {"commit": "abc123", "packages": {"torch": "2.11.0"}, "wall_seconds": {"train": 12.345}},
    }


class Page(HTMLParser):
    """Collects what the tests ask of a page; fails on tags that do not nest."""

    def __init__(self, text):
        super().__init__()
        self.open, self.ids, self.attributes, self.text = [], [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.attributes += [(tag, name, value) for name, value in attrs]
        self.ids += [value for name, value in attrs if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, self.getpos()

    def handle_data(self, data):
        self.text.append(data)

    def values(self, wanted):
        return [value for _, name, value in self.attributes if name == wanted]


@pytest.fixture
def text(context):
    return build(context)


@pytest.fixture
def page(text):
    return Page(text)


def test_it_parses_and_nests(page):
    assert page.open == []


def test_it_loads_nothing(page, text):
    addresses = page.values("src") + page.values("href") + page.values("srcset") + page.values("action")
    assert addresses
    assert not [one for one in addresses if re.match(r"(?i)\s*(https?:)?//", one)]
    assert all(one.startswith("data:image/png;base64,") for one in page.values("src"))
    assert not re.search(r"@import|url\(|fetch\(|XMLHttpRequest|<link|<iframe", text)


def test_ids_are_unique_and_anchors_resolve(page):
    assert len(page.ids) == len(set(page.ids))
    targets = [one[1:] for one in page.values("href") if one.startswith("#")]
    assert targets
    assert set(targets) <= set(page.ids)
    assert set(page.values("aria-labelledby")) <= set(page.ids)


def test_every_exhibit_has_its_command_in_its_section(text, context):
    for exhibit in context["papers"][0]["exhibits"]:
        section = text.split(f'<article id="{anchor(exhibit["id"])}"')[1].split("</article>")[0]
        assert f">{exhibit['target_command']}</code>" in section


def test_exhibits_show_their_parts(text):
    figure, table = (
        text.split(f'<article id="{name}"')[1].split("</article>")[0] for name in ("sp-fig_3", "sp-table_2")
    )
    assert 'alt="Three panels"' in figure
    assert 'width="640" height="360"' in figure
    assert "Ten seeds." in figure
    assert "exhibits/sp/fig_3.csv" in figure
    assert "&#34;eta&#34;: 0.03" in figure
    assert "Boundary on &lt;two&gt; moons" in figure
    assert "digits_colour stands in for cifar10" in table
    assert "71.19" in table
    assert "<caption><span>CIFAR-10</span></caption>" in table
    assert "48 claims in the ledger" in table
    assert "<img" not in table


def test_every_claim_is_a_row(text, context):
    rows = re.findall(r'<tr data-exhibit="([^"]+)" data-verdict="([^"]+)" data-plausible="(yes|no)">', text)
    wanted = [(f"sp/{one['exhibit']}", one["verdict"], one["plausible"].split()[0]) for one in context["ledger"]]
    assert rows == wanted
    assert len(rows) == 262


def test_counts_add_up(text, context):
    cards = dict(re.findall(r'<li class="([\w-]+)"><b>(\d+)</b>', text))
    assert sum(map(int, cards.values())) == 262
    assert int(cards["baseline"]) == sum(one["verdict"] == "baseline" for one in context["ledger"])


def test_claims_that_share_a_record_count_as_one_measurement(context):
    rows = [dict(row) | {"measured": "50.0", "record": "one.json", "split": "test"} for row in context["ledger"]]
    alone = [row | {"record": f"{at}.json"} for at, row in enumerate(rows)]
    for ledger, distinct in ((rows, 1), (alone, len(rows))):
        assert f"answered by {distinct} measurements" in build(context | {"ledger": ledger})


def test_filters_offer_what_occurs(page):
    options = "".join(page.text)
    assert "sp/text_4.b.2" in options
    assert "direction holds" in options


def test_banner_only_where_given(context):
    assert EMBEDDED_BANNER in build(context)
    context["banner"] = ""
    assert 'class="banner"' not in build(context)


def test_equal_input_equal_bytes(context):
    assert build(context) == build(context)


def test_a_ledger_read_from_a_file_gives_the_same_report(context):
    whole = build(context)
    context["ledger"] = [
        {key: "" if value is None else str(value) for key, value in row.items()} for row in context["ledger"]
    ]
    assert build(context) == whole


def test_published_runs_stand_beside(context):
    row = next(one for one in context["ledger"] if one["measured"] is not None)
    run = {"edition": "paper", "data": "cifar10", "hardware": "one H200", "epochs": "200", "date": "2026-01-02"}
    mine = dict(row) | run | {"measured": "12.5", "verdict": "not reproduced"}
    ours = mine | {"value": "", "note": "vs: ce", "measured": "-3.25", "verdict": "not printed"}
    context["published"] = [{"name": "paper-h200", "rows": [mine, ours]}, {"name": "own-laptop", "rows": [ours]}]
    text = build(context)
    assert "paper-h200</th>" in text
    assert text.count("12.50 not reproduced") == 1
    # What no paper prints stands in the run's own section, not beside the ledger.
    assert "own-laptop</th>" not in text
    assert text.count("-3.25") == 2
    assert "minus CE" in text
    assert "hardware: one H200; epochs: 200; date: 2026-01-02" in text


def test_an_empty_edition_still_reports():
    text = build({"edition": "test", "banner": "", "papers": [], "ledger": []})
    assert Page(text).open == []
    assert "0 printed claims" in text


def test_bad_input_is_refused(context, tmp_path):
    exhibits = context["papers"][0]["exhibits"]
    (tmp_path / "no.png").write_text("text")
    exhibits[0]["figure_png"] = tmp_path / "no.png"
    with pytest.raises(ValueError, match="not a PNG"):
        build(context)
    exhibits[0]["figure_png"] = None
    exhibits[1]["id"] = "sp/fig_3"
    with pytest.raises(ValueError, match="share an id"):
        build(context)


def test_toy_summary_is_of_the_last_epoch(context):
    (row,) = context["toy_summary"]
    assert (row["epoch"], row["seeds"]) == ("10000", 3)
    assert (row["lowest"], row["median"], row["highest"]) == pytest.approx((0.0, 0.1, 0.2))


def test_other_names_of_an_exhibit_are_listed_and_lead_to_it(context):
    exhibits = context["papers"][0]["exhibits"]
    renamed = next(one for one in exhibits if one["id"] == "sp/table_2")
    renamed["same_as"] = ["old_table_9"]
    ledger = [dict(one, exhibit="old_table_9") for one in context["ledger"] if one["exhibit"] == "table_2"]
    text = build({**context, "ledger": ledger})
    assert "(same as old_table_9)" in text
    assert text.count('<a href="#sp-table_2">sp/old_table_9</a>') == len(ledger) + 1  # and the count of verdicts
    page = Page(text)
    assert {one[1:] for one in page.values("href") if one.startswith("#")} <= set(page.ids)
