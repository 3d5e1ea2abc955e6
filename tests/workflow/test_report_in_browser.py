"""The report in a real browser: what a reviewer sees and does, on a screen, a phone and paper.

Drives an installed Chromium, which no test downloads. Where there is none the tests are skipped, unless
LOSSPROOF_NEEDS_BROWSER is set: then they fail.
"""

from __future__ import annotations

import os
import shutil
import time
from contextlib import contextmanager
from urllib.parse import unquote, urlsplit

import pytest
from report_context import full_size_context, whole_context

from lossproof.report.build import build

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome")
DESKTOP, PHONE, A4 = (1400, 900), (390, 844), (794, 1123)
ROWS = "#claims tbody tr"
# Generous: a loaded machine takes several times as long as an idle one.
LOADS_WITHIN, FILTERS_WITHIN = 15, 5

# Every text against what lies behind it, with the ratios that WCAG 2 (level AA) asks for.
LOW_CONTRAST = """() => {
  const parse = (text) => {
    const [red, green, blue, alpha = 1] = text.match(/[\\d.]+/g).map(Number);
    return { rgb: [red, green, blue], alpha };
  };
  const behind = (element) => {
    const layers = [];
    for (let one = element; one; one = one.parentElement) { layers.push(parse(getComputedStyle(one).backgroundColor)); }
    return layers.reverse().reduce(
      (under, { rgb, alpha }) => under.map((value, at) => value * (1 - alpha) + rgb[at] * alpha), [255, 255, 255]);
  };
  const light = (rgb) => rgb.map((value) => value / 255)
    .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4))
    .reduce((sum, value, at) => sum + value * [0.2126, 0.7152, 0.0722][at], 0);
  const found = {};
  document.querySelectorAll("body *").forEach((element) => {
    const words = Array.from(element.childNodes).filter((node) => node.nodeType === 3 && node.data.trim());
    if (!words.length || !element.getClientRects().length) { return; }
    const style = getComputedStyle(element);
    const pair = [light(parse(style.color).rgb), light(behind(element))].sort((one, other) => other - one);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
    const ratio = (pair[0] + 0.05) / (pair[1] + 0.05);
    if (ratio < (large ? 3 : 4.5)) { found[`${element.tagName}.${element.className}`] = ratio.toFixed(2); }
  });
  return found;
}"""

# Words of the chosen elements that stand on more than one line.
BROKEN_WORDS = """(chosen) => Array.from(document.querySelectorAll(chosen)).flatMap((element) => {
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT), broken = [];
  while (walker.nextNode()) {
    for (const word of walker.currentNode.data.matchAll(/\\S+/g)) {
      const range = document.createRange();
      range.setStart(walker.currentNode, word.index);
      range.setEnd(walker.currentNode, word.index + word[0].length);
      if (new Set(Array.from(range.getClientRects(), (box) => Math.round(box.top))).size > 1) { broken.push(word[0]); }
    }
  }
  return broken;
})"""


@pytest.fixture(scope="session")
def browser():
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        why = f"NO BROWSER: none of {', '.join(NAMES)} is installed, so the report's page was NOT tried in one"
        if os.environ.get("LOSSPROOF_NEEDS_BROWSER"):
            pytest.fail(f"{why} (LOSSPROOF_NEEDS_BROWSER is set)")
        pytest.skip(why)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        # Chromium's own sandbox does not start for root, as whom containers run; the page is ours.
        chromium = driver.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield chromium
        chromium.close()


def written(folder, make):
    path = folder / "results/embedded/report.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(build(make(folder)), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def report(tmp_path_factory):
    return written(tmp_path_factory.mktemp("report"), whole_context)


@pytest.fixture(scope="session")
def large_report(tmp_path_factory):
    return written(tmp_path_factory.mktemp("large"), full_size_context)


@contextmanager
def opened(browser, path, size=DESKTOP, **options):
    """The page, with every request but its own refused; what it asked for and complained of is checked at the end."""
    context = browser.new_context(viewport={"width": size[0], "height": size[1]}, **options)
    context.set_default_timeout(20_000)
    page = context.new_page()
    asked, complaints = [], []

    def decide(route):
        if route.request.url.partition("#")[0] == path.as_uri():
            route.continue_()
        else:
            asked.append(route.request.url)
            route.abort()

    page.route(lambda url: not url.startswith("data:"), decide)
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(path.as_uri())
    yield page
    assert asked == []
    assert complaints == []
    context.close()


@pytest.fixture
def page(browser, report):
    with opened(browser, report) as found:
        yield found


def until(page, condition, seconds=20):
    """Wait for what the page does in its own time (its policy forbids the driver's own way, which evaluates text)."""
    last = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < last
        page.wait_for_timeout(50)


def shown(page, rows=ROWS):
    """How many rows stand there; '<n> of <all>' says the same."""
    count = page.locator(f"{rows}:visible").count()
    if rows == ROWS:
        assert page.locator("[data-counts=claims]").inner_text() == f"{count} of 262 claims"
    return count


def where(page, **wanted):
    """How many rows of the untouched table carry some values."""
    return page.locator(ROWS + "".join(f'[data-{key}="{value}"]' for key, value in wanted.items())).count()


def test_it_renders(page):
    assert page.title() == "lossproof: embedded edition"
    assert page.locator("h1").inner_text() == "lossproof"
    assert page.locator("img").count() == 6
    # Pictures out of sight wait until they are asked for.
    page.evaluate("Array.from(document.images).forEach((one) => { one.loading = 'eager'; })")
    until(page, lambda: page.evaluate("Array.from(document.images, (one) => one.naturalWidth)") == [640] * 6)
    assert shown(page) == 262
    assert page.locator("#verdicts tbody tr").count() == 5


def test_it_may_ask_for_nothing(browser, report):
    """What the page could not do even if its code tried: its policy refuses before the network is asked."""
    context = browser.new_context()
    page = context.new_page()
    refused = {}
    page.on("requestfailed", lambda request: refused.update({request.url: request.failure}))
    page.goto(report.as_uri())
    assert page.evaluate("fetch('http://127.0.0.1:9/').then(() => 'let through', () => 'refused')") == "refused"
    page.evaluate("document.body.append(Object.assign(new Image(), { src: 'http://127.0.0.1:9/a.png' }))")
    page.wait_for_timeout(300)
    assert "http://127.0.0.1:9/a.png" in refused
    assert set(refused.values()) == {"csp"}
    context.close()


def test_the_ledger_is_filtered_by_paper_exhibit_and_verdict(page):
    form = page.locator("#filter")
    wanted = {
        "paper": ("sp", where(page, paper="sp")),
        "exhibit": ("sp/table_2", where(page, exhibit="sp/table_2")),
        "verdict": ("baseline", where(page, verdict="baseline")),
        "plausible": ("no", where(page, plausible="no")),
        "measured": ("no", where(page, measured="no")),
    }
    together = where(page, exhibit="sp/table_2", verdict="baseline")
    for field, (value, count) in wanted.items():
        form.locator(f"[name={field}]").select_option(value)
        assert count > 0 and shown(page) == count, field
        form.get_by_role("button", name="Show all").click()
        assert shown(page) == 262
    form.locator("[name=exhibit]").select_option("sp/table_2")
    form.locator("[name=verdict]").select_option("baseline")
    assert 0 < shown(page) == together < wanted["exhibit"][1]
    form.locator("[name=words]").fill("nothing like this")
    assert page.locator(ROWS).inner_text() == "No row fits"


def test_words_are_found_by_keyboard(page):
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.name") == "words"
    page.keyboard.type("densenet pgd")
    count = shown(page)
    assert 0 < count < 262
    assert all("DenseNet-121" in text and "PGD" in text for text in page.locator(ROWS).all_inner_texts())
    page.keyboard.press("Escape")
    assert shown(page) == 262


def becomes(element, attribute, value):
    """The table library answers a key when the page is idle, which on a busy machine is later."""
    end = time.monotonic() + 10
    while element.get_attribute(attribute) != value and time.monotonic() < end:
        time.sleep(0.02)
    assert element.get_attribute(attribute) == value


def test_columns_are_sorted_by_keyboard(page):
    head = page.locator("#claims thead th").nth(3)
    assert head.inner_text().strip() == "measured"

    def values():
        orders = page.locator(f"{ROWS} td[data-label=measured]").evaluate_all(
            "all => all.map((one) => one.dataset.order)"
        )
        return [float(order) for order in orders if order]

    before = values()
    button = head.get_by_role("button")
    button.focus()
    page.keyboard.press("Enter")
    becomes(head, "aria-sort", "ascending")
    assert values() == sorted(before) != before
    page.keyboard.press("Enter")
    becomes(head, "aria-sort", "descending")
    assert values() == sorted(before, reverse=True)
    page.keyboard.press("Enter")
    becomes(head, "aria-sort", None)
    assert values() == before


def test_counts_lead_to_their_rows(page):
    row = page.locator("#sp-table_2")
    link = row.get_by_role("link", name="48 claims in the ledger")
    link.click()
    assert shown(page) == 48 == where(page, exhibit="sp/table_2")
    page.locator('#content a[data-exhibit="sp/table_2"][data-verdict="baseline"]').first.click()
    assert shown(page) == where(page, verdict="baseline") == 24
    page.locator('nav a[href="#ledger"]').click()  # leads there and leaves the choice alone
    assert shown(page) == 24


def test_the_jury_is_filtered_by_data_set_architecture_verdict_and_flag(page):
    form = page.locator("form[data-filters='verdicts cards']")
    rows, cards = "#verdicts tbody tr", "#cards figure"
    for field, value, count in (("set", "digits_gray", 5), ("arch", "lenet5", 5), ("verdict", "gain vanishes", 1)):
        form.locator(f"[name={field}]").select_option(value)
        assert shown(page, rows) == shown(page, cards) == count
        form.get_by_role("button", name="Show all").click()
    form.locator("[name=flags]").select_option("D1")
    assert shown(page, rows) == shown(page, cards) == 2
    assert page.locator("[data-counts=cards]").inner_text() == "2 of 5 cards"
    form.locator("[name=flags]").select_option("")
    form.locator("[name=words]").fill("mmc")
    assert shown(page, rows) == shown(page, cards) == 1


def test_every_link_leads_somewhere(page, report):
    links = page.locator("a[href]").evaluate_all("all => all.map((one) => one.getAttribute('href'))")
    ids = set(page.locator("[id]").evaluate_all("all => all.map((one) => one.id)"))
    inside = {link[1:] for link in links if link.startswith("#")}
    assert inside and inside <= ids
    files = {link for link in links if not link.startswith("#")}
    assert len(files) == 9  # a tidy table, three seeds of one record, five cards
    assert all(not urlsplit(link).scheme for link in files)
    assert [link for link in files if not (report.parent / unquote(link)).is_file()] == []


@pytest.mark.parametrize("size", [DESKTOP, PHONE, (320, 640)], ids=["desktop", "phone", "narrow"])
def test_the_page_never_scrolls_sideways(browser, report, size):
    with opened(browser, report, size) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0]


def test_on_a_phone_a_row_needs_no_scrolling_either(browser, report):
    with opened(browser, report, PHONE, has_touch=True, is_mobile=True) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
        assert not page.locator("nav details").evaluate("one => one.open")
        boxes = [page.locator(rows).first.bounding_box() for rows in (ROWS, "#verdicts tbody tr")]
        assert all(box["x"] >= 0 and box["x"] + box["width"] <= PHONE[0] for box in boxes)
        label = page.locator(f"{ROWS} td[data-label=measured]").first
        assert label.evaluate("one => getComputedStyle(one, '::before').content") == '"measured"'


def test_paper_shows_every_row_whatever_is_filtered(browser, report):
    with opened(browser, report, A4) as page:
        page.locator("#filter [name=verdict]").select_option("baseline")
        page.locator("#verdicts").scroll_into_view_if_needed()
        some = shown(page)
        page.emulate_media(media="print")
        until(page, lambda: page.locator(ROWS).count() == 262)
        assert page.locator(f"{ROWS}:visible").count() == 262
        assert not page.locator("nav").is_visible() and not page.locator("#filter").is_visible()
        assert page.locator("dd").first.is_visible()  # what was folded
        assert not page.locator(".settings pre").first.is_visible()  # but for pages of settings
        region = page.locator("#claims").locator("xpath=ancestor::div[@role='region']")
        assert region.evaluate("one => one.scrollHeight <= one.clientHeight + 1")
        assert page.evaluate("document.documentElement.scrollWidth") <= A4[0]
        assert page.evaluate(BROKEN_WORDS, "table.status thead th, #claims thead th") == []
        bar = page.locator(".bar").first
        assert bar.evaluate("one => getComputedStyle(one).printColorAdjust") == "exact"  # else browsers leave it empty
        page.emulate_media(media="screen")
        until(page, lambda: page.locator(ROWS).count() == some)
        assert not page.locator("dd").first.is_visible()
        assert page.pdf(format="A4").count(b"/Type /Page") > 5


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out(browser, report, scheme):
    with opened(browser, report, color_scheme=scheme) as page:
        dark = page.evaluate("getComputedStyle(document.body).backgroundColor") != "rgb(255, 255, 255)"
        assert dark == (scheme == "dark")
        assert page.evaluate(LOW_CONTRAST) == {}


def test_the_check_of_contrast_can_fail(page):
    page.evaluate("document.querySelector('h1').style.color = '#bbb'")
    assert list(page.evaluate(LOW_CONTRAST)) == ["H1."]


def test_without_javascript_everything_is_there(browser, report):
    with opened(browser, report, java_script_enabled=False) as page:
        assert page.locator(f"{ROWS}:visible").count() == 262
        assert not page.locator("#filter").is_visible()
        assert page.locator("#cards figure:visible").count() == 5


def test_the_whole_ledger_is_quick(browser, large_report):
    start = time.monotonic()
    with opened(browser, large_report) as page:
        assert page.locator("[data-counts=claims]").inner_text() == "799 of 799 claims"
        assert time.monotonic() - start < LOADS_WITHIN
        page.locator("#filter [name=paper]").select_option("pc")
        start = time.monotonic()
        page.locator("#filter [name=words]").fill("kmnist")
        count = page.locator(ROWS).count()
        assert time.monotonic() - start < FILTERS_WITHIN
        assert 0 < count < 411
        assert page.locator("[data-counts=claims]").inner_text() == f"{count} of 799 claims"
        # Only the chosen paper's exhibits are offered.
        offered = page.locator("#filter [name=exhibit] option:not([disabled])").all_inner_texts()
        assert offered[0] == "all" and all(name.startswith("pc/") for name in offered[1:])
