"""A kind of exhibit that is added as a folder, and nothing else, is planned, collected, drawn and typeset."""

from __future__ import annotations

from checkout import new_checkout

from lossproof.records import read_csv

KIND = '''
"""How many cases a check has."""

from lossproof.exhibits.context import Tidy
from lossproof.exhibits.needs import Needs
from lossproof.records import read_json

CATALOGUE = {
    "case_count": {
        "build": "CaseCount",
        "figure": "figure:draw",
        "table": "table:case_count_table",
        "parameters": {"check": {"type": "string"}},
        "required": ["check"],
    }
}


class CaseCount:
    @staticmethod
    def needs(declaration, stand_ins):
        return Needs(theory=[declaration["check"]])

    @staticmethod
    def collect(declaration, context):
        record = read_json(context.root / context.paths.theory(context.paper, declaration["check"]))
        return Tidy(["paper", "exhibit", "cases"], [context.named(cases=len(record["cases"]))])
'''
FIGURE = """
from lossproof import tidy
from lossproof.drawing import style


def draw(exhibit, csv_path, npz_path, out_stem):
    (row,) = tidy.rows(csv_path, ["cases"])
    with style.page(out_stem, style.COLUMN, 1) as figure:
        figure.subplots().bar(["cases"], [tidy.plotted(row["cases"])])
"""
TABLE = """
from lossproof.drawing.typeset import Line, Section, Table


def case_count_table(rows, title):
    lines = tuple(Line((row["exhibit"],), (row["cases"],)) for row in rows)
    return Table(title, ("exhibit",), (("", "cases"),), (Section("", lines),), (), rows)
"""
OWN = """
title: Own
exhibits:
  counted: {kind: case_count, title: Cases of a check, caption: One bar., check: corollary_1}
"""


def test_a_kind_is_one_folder(tmp_path):
    made = new_checkout(tmp_path / "lossproof", "--configfile=editions/test.yaml", "--config", "papers=[own]")
    folder = made.folder / "src/lossproof/exhibits/case_count"
    folder.mkdir()
    for name, text in {"__init__": "", "kind": KIND, "figure": FIGURE, "table": TABLE}.items():
        (folder / f"{name}.py").write_text(text)
    (made.folder / "exhibits/own.yaml").write_text(OWN)
    made.succeed("own_counted", "--cores=1")
    (row,) = read_csv(made.folder / "results/test/exhibits/own/counted.csv")
    assert int(row["cases"]) > 0
    assert f"| counted | {row['cases']} |" in (made.folder / "results/test/tables/own/counted.md").read_text()
    assert (made.folder / "figures/test/own/counted.png").stat().st_size > 1000
    # A comment in its table makes that table stale and nothing else.
    table = folder / "table.py"
    table.write_text(table.read_text() + "# changed\n")
    assert set(made.pending("own_counted").values()) == {"table"}
