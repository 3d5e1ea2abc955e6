"""Typesetting of accuracy tables and statements."""

from __future__ import annotations

import csv
import io
from collections import Counter

from tidy_rows import CLAIMS, answer, printed, row, statement_rows, tables

from lossproof.drawing.cells import Number, estimated, plain
from lossproof.drawing.typeset import Line, Section, Table, escape_latex, latex, markdown, to_csv, to_html
from lossproof.exhibits.accuracy_table.table import ALONE, HONEST, OTHER, PRINTED, accuracy_table
from lossproof.exhibits.statement.table import overview, overview_table, statement_table

PRINT = [one for one in CLAIMS if one["exhibit"] == "table_2"]


def measured() -> list[dict[str, str]]:
    """table_2 with a library budget and a worst case besides."""
    bim = next(one for one in PRINT if one["attack"] == "bim")
    library = answer(bim, 33.3, attack="bim_library", epsilon="0.01568627", epsilon_printed="4/255", steps="5")
    worst = answer(bim, 11.1, attack="worst_case", track="honest", split="test", steps="", step_size="")
    return [*tables()["sp/table_2"], library, worst, worst | {"seed": "0", "value": "77.7"}]


def table() -> Table:
    return accuracy_table(measured(), PRINT, "CIFAR-10")


def test_tracks_are_separate_sections():
    sections = {section.title: section.lines for section in table().sections}
    assert list(sections) == [PRINTED, OTHER, HONEST]
    texts = {title: " ".join(cell for line in lines for cell in line.texts) for title, lines in sections.items()}
    assert "33.3 [32.3, 34.3]" in texts[OTHER]
    assert "33.3" not in texts[PRINTED]
    assert "11.1" in texts[HONEST]
    assert "11.1" not in texts[PRINTED] + texts[OTHER]
    # A row of a single seed is no row of the table.
    assert all("77.7" not in text for text in texts.values())


def test_printed_stands_above_both_splits():
    lines = table().sections[0].lines
    at = next(index for index, line in enumerate(lines) if line.labels[0].startswith("BIM"))
    printed, train, test = lines[at : at + 3]
    assert printed.printed
    assert printed.texts[:2] == ("12.12", "71.19")
    assert (train.labels[1], train.texts[:2]) == (
        "training images",
        ("60.0 [59.0, 61.0]", "70.0 [69.0, 71.0]"),
    )
    assert (test.labels[1], test.texts[0]) == ("test images", "55.0 [54.0, 56.0]")
    # 6 quantities: train and test accuracy have one measured line each, four attacks two.
    assert len(lines) == 2 * 2 + 4 * 3
    assert table().columns[:2] == (("ResNet-18", "CE"), ("ResNet-18", "SP focal"))
    assert len(table().columns) == 8


def test_missing_measurements_are_dashes():
    lines = accuracy_table([], PRINT, "").sections[0].lines
    assert {cell for line in lines if not line.printed for cell in line.texts} == {"–"}


def test_csv_holds_the_long_form():
    rows = list(csv.DictReader(io.StringIO(to_csv(table()))))
    assert {one["section"] for one in rows} == {"printed", "other budgets", "honest"}
    wanted = {"attack": "pgd", "arch": "resnet34", "training": "sp_focal", "split": "test"}
    found = [one for one in rows if all(one[key] == value for key, value in wanted.items())]
    assert len(found) == 1
    one = found[0]
    assert (one["printed"], one["measured"], one["difference"], one["rival"]) == ("47.14", "65.0", "10.0", "ce")
    assert (one["ci_low"], one["difference_low"], one["n_images"]) == ("64.0", "9.0", "360")


def test_library_rows_carry_their_differences():
    tidy = measured()
    gap = row(**dict(tidy[-3].items())) | {
        "metric": "difference",
        "rival": "ce",
        "value": "4.5",
    }
    rows = list(csv.DictReader(io.StringIO(to_csv(accuracy_table([*tidy, gap], PRINT, "")))))
    assert [one["difference"] for one in rows if one["attack"] == "bim_library"] == ["4.5"]


def test_unstated_architecture():
    claims = [one for one in CLAIMS if one["exhibit"] == "table_3"]
    tidy = [answer(one, 40.0, split=split) for one in claims for split in ("train", "test")]
    honest = answer(claims[0], 9.9, attack="worst_case", track="honest", split="test")
    made = accuracy_table([*tidy, honest], claims, "table 3")
    assert [column for _, column in made.columns] == ["SP focal", "MMC", "CE", "center loss", "L-GM"]
    assert made.groups() == []
    assert made.sections[0].lines[1].texts == ("40.0 [39.0, 41.0]",) * 5
    assert made.sections[1].lines[0].texts == ("9.9 [8.9, 10.9]", "–", "–", "–", "–")


def measured_as(claims, **given):
    """An answer to each claim on test images; clean accuracy under its name in tidy tables."""
    return [
        answer(one, 50.0 + at, split="test", **given | ({"metric": "test_accuracy"} if one["attack"] == "none" else {}))
        for at, one in enumerate(claims)
    ]


def test_each_data_set_has_its_sections_and_its_network_in_the_heading():
    claims = printed("isce", "table_3")
    made = accuracy_table(measured_as(claims), claims, "SimBA")
    trainings = ["CE", "center loss", "MMC", "I-SCE", "random resize", "adversarial training"]
    assert made.columns == tuple(("", training) for training in trainings)
    assert [section.title for section in made.sections] == [
        f"MNIST ResNet-32. {PRINTED}",
        f"CIFAR-10 ResNet-32. {PRINTED}",
    ]
    for section, queries in zip(made.sections, ("300", "500"), strict=True):
        assert [line.labels[0] for line in section.lines if line.printed] == [
            "clean accuracy",
            *(f"SimBA, ε = {epsilon}, {queries} queries" for epsilon in ("0.5", "1", "1.5")),
        ]
    # Every claim stands once, above the measurement that was made for it.
    pairs = Counter()
    for section in made.sections:
        lines = iter(section.lines)
        for line in lines:
            below = next(other for other in lines if other.labels[1] == "test images")
            pairs.update(zip(line.texts, (cell.split()[0] for cell in below.texts), strict=True))
    assert pairs == Counter((one["value"], f"{50.0 + at:.1f}") for at, one in enumerate(claims))


def test_aims_and_readings_have_lines_of_their_own():
    claims = printed("isce", "table_2")
    rows = measured_as(claims, norm="l2", reading="radius")
    more = [one | {"reading": "step", "value": "7.5"} for one in rows if one["attack"] != "none"]
    made = accuracy_table([*rows, *more], claims, "")
    assert [section.title for section in made.sections] == [PRINTED, OTHER]
    first, others = ([line for line in section.lines if line.labels[0]] for section in made.sections)
    assert [line.labels[0] for line in first][1:4:2] == [
        "PGD, ε = 0.01, 50 steps",
        "PGD, ε = 0.01, 50 steps, targeted: least likely",
    ]
    assert {cell.split()[0] for line in others for cell in line.texts} == {"7.5"}
    assert all(line.labels[0].endswith("ε: step") for line in others)
    assert {one["reading"] for one in made.records if one["section"] == "other budgets"} == {"step"}


def test_a_line_without_a_bound_says_so():
    claims = [one for one in printed("pc", "table_1") if (one["dataset"], one["attack"]) == ("mnist", "cw")]
    rows = measured_as(claims, norm="l2", attack="cw_100", epsilon_printed="unbounded")
    free = [one | {"attack": "cw_free", "value": "7.5"} for one in rows]
    made = accuracy_table([*rows, *free], claims, "C&W")
    first, others = (section.lines for section in made.sections)
    assert [line.labels for line in first] == [("C&W, 100 steps", "printed"), ("", "test images")]
    assert [cell.split()[0] for cell in first[1].texts] == ["50.0", "51.0"]
    assert [line.labels[0] for line in others] == ["C&W, pixels free, unbounded, 100 steps"]
    assert {one["epsilon"] for one in made.records} == {""}
    assert r"C\&W" in latex(made) and "C&amp;W" in to_html(made)


def test_attacks_that_differ_in_length_alone_are_told_apart():
    claims = [one for one in printed("pc", "table_3") if (one["dataset"], one["attack"]) == ("mnist", "spsa")]
    short = measured_as(claims, norm="linf", attack="spsa_10", steps="10")
    long = [one | {"attack": "spsa_100", "steps": "100", "value": "7.5"} for one in short]
    made = accuracy_table([*short, *long], claims, "SPSA")
    first, others = (section.lines for section in made.sections)
    assert [line.labels for line in first] == [("SPSA, ε = 0.3", "printed"), ("", "test images, 10 steps")]
    assert [line.labels for line in others] == [("SPSA, ε = 0.3, 100 steps", "test images")]
    assert [(one["steps"], one["measured"]) for one in made.records] == [
        *(("10", one["value"]) for one in short),
        *(("100", "7.5") for _ in long),
    ]
    # Alone, or beside an attack of other words, it needs no more words.
    for beside in ([], [one | {"attack": "pgd_gray", "method": "pgd", "steps": "40"} for one in short]):
        first = accuracy_table([*short, *beside], claims, "SPSA").sections[0].lines
        assert first[1].labels == ("", "test images")


def test_a_training_that_is_not_printed_stands_beside_those_that_are():
    claims = printed("isce", "table_2")
    rows = measured_as(claims, norm="l2")
    control = [one | {"training": "nce", "value": "33.3"} for one in rows if one["training"] == "isce"]
    made = accuracy_table([*rows, *control], claims, "")
    assert [name for _, name in made.columns] == ["I-SCE", "adversarial training", "CE, normalised logits"]
    lines = made.sections[0].lines
    assert {line.texts[2] for line in lines if line.printed} == {"–"}
    assert all(line.texts[2].startswith("33.3") for line in lines if line.labels[1] == "test images")


def test_bars_without_numbers_still_give_a_table():
    claims = printed("isce", "table_2")
    rows = measured_as(claims, norm="l2")
    made = accuracy_table(rows, [], "bars")
    (section,) = made.sections
    assert section.title == ALONE
    assert section.lines[0].labels[0] == "test accuracy"
    assert len(section.lines) == 5


def test_latex_escapes():
    assert escape_latex("50 % of A&B_1 #2 ${x}^~\\") == (
        r"50 \% of A\&B\_1 \#2 \$\{x\}\textasciicircum{}\textasciitilde{}\textbackslash{}"
    )
    assert escape_latex("ε = 8/255 ± 1") == r"$\varepsilon$ = 8/255 $\pm$ 1"
    # After a line break a bracket would be taken for its optional argument.
    assert escape_latex("[1, 2]") == "{}[1, 2]"


def test_latex_is_a_booktabs_table():
    text = latex(table(), "tab:sp_table_2")
    assert text.count(r"\toprule") == text.count(r"\bottomrule") == 1
    assert text.count(r"\midrule") == 3
    assert r"\multicolumn{2}{c}{ResNet-18}" in text
    assert r"\cmidrule(lr){3-4}" in text
    assert r"\label{tab:sp_table_2}" in text
    assert "ε" not in text
    assert "–" not in text
    body = text[text.index(r"\begin{tabular}") :]
    rows = [line for line in body.splitlines() if line.startswith(("BIM", " & training", "train accuracy"))]
    assert rows
    assert all(line.count(" & ") == 9 for line in rows)


def test_markdown_tables_are_rectangular():
    lines = [line for line in markdown(table()).splitlines() if line.startswith("|")]
    assert {line.count("|") for line in lines} == {11}
    odd = Table("t", ("a",), (("", "b"),), (Section("", (Line(("x|y",), ("1",)),)),))
    assert r"x\|y" in markdown(odd)


def test_html_escapes_and_scopes():
    odd = Table("A < B", ("a",), (("", "b"),), (Section("<s>", (Line(("<script>",), ("&",), printed=True),)),))
    text = to_html(odd)
    assert "<script>" not in text
    assert "<s>" not in text
    assert "<caption><span>A &lt; B</span></caption>" in text
    assert 'scope="row"' in text
    assert 'class="printed"' in text


def test_html_sets_intervals_apart():
    assert '<td>60.0 <span class="interval">[59.0, 61.0]</span></td>' in to_html(table())


def test_an_interval_shows_only_where_both_bounds_are_known():
    row = {"value": "-3.14", "ci_low": "-4", "ci_high": ""}
    assert plain(estimated(row)) == "-3.1" and plain(estimated(row | {"ci_high": "2"})) == "-3.1 [-4.0, 2.0]"
    assert plain(estimated(None)) == plain(estimated(row | {"value": ""})) == "–"
    assert plain(Number(-0.0, -1, 1, "+.1f", "*", "−")) == "+0.0* [−1.0, 1.0]"


SENTENCE = "for s in [1, 2] and m in (0, 0.1] it is true, or more"


def test_html_breaks_words_and_no_numbers():
    rows = (
        ("D1, D2", (Number(60.4), "; ", Number(6.2, 1, 2, "+.1f")), SENTENCE, "1"),
        ("–", "1", "no", ("fails: ", Number(-2, -3, 0, ".0f", minus="−"), ", by luck")),
    )
    section = Section("", tuple(Line(("x",), row) for row in rows))
    text = to_html(Table("t", ("a",), tuple(("", name) for name in "bcde"), (section,)))
    assert '<td class="words short">D1, D2</td><td>60.4; +6.2 <span class="interval">[1.0, 2.0]</span></td>' in text
    # Brackets of a sentence are no interval.
    assert f'<td class="words">{SENTENCE}</td>' in text
    # A column is of one kind, and its head stands above it.
    assert '<td class="words short">–</td><td>1</td><td class="words">no</td>' in text
    assert 'fails: −2 <span class="interval">[−3, 0], by luck</span></td>' in text
    assert '<th scope="col">c</th><th scope="col" class="label">d</th><th scope="col" class="label">e</th>' in text


def test_statements():
    made = statement_table(statement_rows(), "Theorem 2")
    assert [section.title for section in made.sections] == ["Checks", "Counterexamples"]
    assert made.sections[0].lines[0].texts == ("0.5", "0.5", "1.0e-08", "7", "yes")
    assert made.sections[1].lines[0].texts[-1] == "no"
    assert any("false logits" in note for note in made.notes)
    assert "theorem\\_2" in latex(overview_table(statement_rows(), "All"))


def test_overview_of_statements():
    (one,) = overview({"sp/theorem_2": statement_rows()}, {"sp/theorem_2": "Midpoint"})
    assert (one["holds"], one["checks"], one["digits"]) == ("under a condition", "2 of 2", "7")
    assert (one["counterexamples"], one["controls"], one["title"]) == ("1", "0", "Midpoint")


def test_a_failed_check_shows():
    rows = statement_rows()
    rows[0]["case_holds"] = "False"
    assert overview({"sp/theorem_2": rows})[0]["checks"] == "1 of 2"
