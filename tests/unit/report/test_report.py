"""The report: whole in itself, well formed, navigable."""

from __future__ import annotations

import hashlib
import re
from html.parser import HTMLParser

import pytest
from report_context import small_context, small_jury_context

from lossproof.report import build as module
from lossproof.report.anchors import anchor
from lossproof.report.assumptions import link_assumptions
from lossproof.report.build import build
from lossproof.report.context import EMBEDDED_BANNER
from lossproof.report.jury import jury_view
from lossproof.report.summary import summarise

VOID = {"meta", "img", "input", "br", "hr", "link", "wbr"}


@pytest.fixture
def context(tmp_path):
    return small_context(tmp_path)


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
    assert all(re.match("data:image/(png|webp);base64,", one) for one in page.values("src"))
    # The library knows how to ask a server, but the policy that stands before it forbids every request.
    own = text.replace(module.ASSETS["library"].read_text(), "")
    assert len(own) < len(text)
    assert not re.search(r"@import|url\(|fetch\(|XMLHttpRequest|<link|<iframe", own)
    assert text.index("default-src 'none'") < text.index("<style>") < text.index("<script>")


def test_the_library_is_the_published_one():
    folder = module.HERE / "vendor"
    rows = re.findall(
        r"^\| `([\w.]+)` .*\(`([\w.]+)`\).*`([0-9a-f]{64})` \|$", (folder / "README.md").read_text(), re.M
    )
    assert {file for row in rows for file in row[:2]} | {"README.md"} == {path.name for path in folder.iterdir()}
    for name, licence, checksum in rows:
        data = (folder / name).read_bytes()
        assert hashlib.sha256(data).hexdigest() == checksum, name
        assert "Permission is hereby granted, free of charge" in (folder / licence).read_text()
        assert b"</script" not in data  # it stands between two such tags


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
    assert "Ten seeds (" in figure
    assert "exhibits/sp/fig_3.csv" in figure
    assert "&#34;eta&#34;: 0.03" in figure
    assert "Boundary on &lt;two&gt; moons" in figure
    assert "digits_colour is the surrogate for cifar10" in table
    assert "71.19" in table
    assert "<caption><span>CIFAR-10</span></caption>" in table
    assert "48 claims in the ledger" in table
    assert "<img" not in table


def test_an_assumption_in_the_text_leads_to_its_row(text):
    assert '<p>Ten seeds (<a href="#assumption-SP-A23">SP-A23</a>).</p>' in text
    row = text.split('<tr id="assumption-SP-A23">')[1].split("</tr>")[0]
    assert "Size of the toy data" in row
    assert "<code>toys.hidden: 20</code>" in row


def test_only_text_becomes_a_link():
    apart = '<p id="SP-A1" title="see SP-A1">x</p><script>f("SP-A1")</script><a href="#y">SP-A1</a>'
    assert link_assumptions(apart, {"SP-A1"}) == apart
    page = "<article>SP-A1, SP-A11, SP-A99; xSP-A1</article>"
    linked = '<a href="#assumption-{0}">{0}</a>'.format
    assert link_assumptions(page, {"SP-A1", "SP-A11"}) == page.replace(
        "SP-A1, SP-A11", f"{linked('SP-A1')}, {linked('SP-A11')}"
    )


def test_every_claim_is_a_row(text, context):
    given = r'data-exhibit="([^"]+)" data-verdict="([^"]+)" data-measured="\w+" data-plausible="(yes|no)">'
    rows = re.findall(f'<tr data-paper="sp" {given}', text)
    wanted = [(f"sp/{one['exhibit']}", one["verdict"], one["plausible"].split()[0]) for one in context["ledger"]]
    assert rows == wanted
    assert len(rows) == 262


def test_counts_add_up(text, context):
    cards = {name: count for count, name in re.findall(r'<li class="\w+"><b>(\d+)</b>([\w ]+)', text)}
    assert sum(map(int, cards.values())) == 262
    assert int(cards["baseline"]) == sum(one["verdict"] == "baseline" for one in context["ledger"])


def test_claims_that_share_a_record_count_as_one_measurement(context):
    rows = [dict(row) | {"measured": "50.0", "record": "one.json", "split": "test"} for row in context["ledger"]]
    alone = [row | {"record": f"{at}.json"} for at, row in enumerate(rows)]
    for ledger, distinct in ((rows, 1), (alone, len(rows))):
        assert f"from {distinct} measurement" in build(context | {"ledger": ledger})


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
    ours = mine | {"value": "", "metric": "difference", "against": "ce", "measured": "-3.25", "verdict": "not reported"}
    context["published"] = [{"name": "paper-h200", "rows": [mine, ours]}, {"name": "own-laptop", "rows": [ours]}]
    text = build(context)
    assert text.count("paper-h200: 12.50 not reproduced") == 1
    # What no paper prints stands in the run's own section, not beside the ledger.
    assert "own-laptop: " not in text
    assert text.count("-3.25") == 2
    assert "minus CE" in text
    assert "hardware: one H200; epochs: 200; date: 2026-01-02" in text


def test_an_empty_edition_still_reports():
    text = build({"edition": "test", "banner": "", "papers": [], "ledger": []})
    assert Page(text).open == []
    assert "0 reported values" in text


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
    assert text.count('<a href="#sp-table_2">sp/old_<wbr>table_<wbr>9</a>') == len(ledger)
    assert text.count('<a href="#sp-table_2">sp/old_table_9</a>') == 1  # the count of verdicts
    page = Page(text)
    assert {one[1:] for one in page.values("href") if one.startswith("#")} <= set(page.ids)


def test_every_measured_row_leads_to_its_records(context):
    row = next(one for one in context["ledger"] if one["measured"] is not None)
    home = "results/embedded/attacks/digits_colour/resnet18"
    several = {"record": f"{home}/ce/seed*/train/bim.json;{home}/sp_focal/seed*/train/bim.json", "seeds": "2"}
    text = build(context | {"ledger": [row | several, row | {"record": "results/other/models/a/b/c/record.json"}]})
    found = re.findall(r'<a href="([^"]+\.json)">([^<]+)</a>', text)
    assert found == [
        *(
            (f"attacks/digits_colour/resnet18/{training}/seed{seed}/train/bim.json", f"seed {seed}")
            for training in ("ce", "sp_focal")
            for seed in (0, 1)
        ),
        ("../../results/other/models/a/b/c/record.json", "record.json"),
    ]


def test_tolerance_is_told_where_the_ledger_has_it(context):
    row = next(one for one in context["ledger"] if one["tolerance"] == "sign")
    assert text_of(build(context | {"ledger": [row]})).count("sign only") == 2  # and what that means
    text = text_of(build(context | {"ledger": [row | {"tolerance": "2"}]}))
    assert "± 2 points, or inside the interval" in text
    old = {key: value for key, value in row.items() if key != "tolerance"}
    assert build(context | {"ledger": [old]}) == build(context | {"ledger": [row | {"tolerance": ""}]})


def text_of(html):
    return "".join(Page(html).text)


@pytest.fixture
def judged(context, tmp_path):
    return context | {"jury": small_jury_context(tmp_path, context["ledger"])}


def test_a_jury_has_verdicts_cards_and_a_page_per_paper(judged):
    html = build(judged)
    page, text = Page(html), text_of(html)
    assert page.open == []
    assert len(page.ids) == len(set(page.ids))
    assert {one[1:] for one in page.values("href") if one.startswith("#")} <= set(page.ids)
    assert "The jury judged 5 networks: real gain 1, gain vanishes 1, no gain 1, reference 1, control 1." in text
    # What a reader asks first: which gains are real, which are gone.
    assert [line["verdict"] for line in jury_view(judged["jury"])["lines"]] == [
        *("real gain", "gain vanishes", "no gain", "reference", "control")
    ]
    assert '<a href="#card-digits_gray-lenet5-mmc_sp">MMC</a>' in html
    assert {card["href"] for card in judged["jury"]["cards"]} <= set(page.values("href"))
    assert html.count('data-flags="D1|D13"') == 2  # in the table and on the card
    assert "sp on one page" in text and "logits of CE × 100 (LeNet-5, digits gray)" in text


def test_without_a_jury_the_report_says_so(context):
    pages = {"sp": summarise("sp", context["ledger"])}
    text = text_of(build(context | {"jury": {"summaries": pages}}))
    assert (
        text.count("The robustness audit was not run in this edition") == 3
    )  # overview, the paper's page, the jury's place
    assert 'id="jury"' not in build(context)
