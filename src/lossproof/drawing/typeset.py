"""A table as data, and its four forms: Markdown, LaTeX (booktabs), HTML, CSV."""

from __future__ import annotations

import csv
import html
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from lossproof.drawing.cells import Cell, Number, parts, plain

SENTENCE = 40
"""Characters of a cell that holds no number any more."""


@dataclass(frozen=True)
class Line:
    """One row: its labels (one per stub column) and its cells; ``printed`` rows come from a paper."""

    labels: tuple[str, ...]
    cells: tuple[Cell, ...]
    printed: bool = False

    @property
    def texts(self) -> tuple[str, ...]:
        """The cells as text."""
        return tuple(map(plain, self.cells))


@dataclass(frozen=True)
class Section:
    """Rows under one heading (empty for none)."""

    title: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Table:
    """A typeset table. ``columns`` are (group, name) pairs; ``records`` are its long form for CSV."""

    title: str
    stub: tuple[str, ...]
    columns: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]
    notes: tuple[str, ...] = ()
    records: Sequence[Mapping[str, Any]] = field(default=(), repr=False)

    def groups(self) -> list[tuple[str, int]]:
        """Neighbouring columns of one group, with their number; [] where no column has a group."""
        spans = [(group, len(list(columns))) for group, columns in groupby(self.columns, key=lambda pair: pair[0])]
        return spans if any(group for group, _ in spans) else []


LATEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "ε": r"$\varepsilon$",
    "η": r"$\eta$",
    "±": r"$\pm$",
    "−": r"$-$",
    "–": "--",
    "×": r"$\times$",
    "≈": r"$\approx$",
    "≤": r"$\le$",
    "≥": r"$\ge$",
}


def escape_latex(text: str) -> str:
    """Text that LaTeX sets as it is, the Greek letters and signs of our tables included."""
    # A bracket at the start of a row would be read as an argument of the line break before it.
    escaped = "".join(LATEX.get(letter, letter) for letter in text)
    return f"{{}}{escaped}" if escaped.startswith("[") else escaped


def latex(table: Table, label: str = "") -> str:
    """A ``table`` environment for the booktabs package."""
    width = len(table.stub) + len(table.columns)
    lines = [r"\begin{table}", r"\centering", r"\small", rf"\caption{{{escape_latex(table.title)}}}"]
    if label:
        lines.append(rf"\label{{{label}}}")
    lines += [rf"\begin{{tabular}}{{{'l' * len(table.stub)}{'r' * len(table.columns)}}}", r"\toprule"]
    if table.groups():
        heads, rules, start = [""] * len(table.stub), [], len(table.stub) + 1
        for group, span in table.groups():
            heads.append(rf"\multicolumn{{{span}}}{{c}}{{{escape_latex(group)}}}")
            rules.append(rf"\cmidrule(lr){{{start}-{start + span - 1}}}")
            start += span
        lines += [" & ".join(heads) + r" \\", " ".join(rules)]
    heads = [*table.stub, *(column for _, column in table.columns)]
    lines += [" & ".join(map(escape_latex, heads)) + r" \\"]
    for section in table.sections:
        lines.append(r"\midrule")
        if section.title:
            lines += [rf"\multicolumn{{{width}}}{{l}}{{\emph{{{escape_latex(section.title)}}}}} \\"]
        lines += [" & ".join(map(escape_latex, (*line.labels, *line.texts))) + r" \\" for line in section.lines]
    lines += [r"\bottomrule", r"\end{tabular}"]
    lines += [rf"\par\smallskip {escape_latex(note)}" for note in table.notes]
    return "\n".join([*lines, r"\end{table}"]) + "\n"


def _escape_markdown(text: str) -> str:
    return text.replace("|", r"\|").replace("\n", " ")


def markdown(table: Table) -> str:
    """A pipe table per section under one title."""
    heads = [*table.stub, *(f"{group} {column}".strip() for group, column in table.columns)]
    lines = [f"**{table.title}**", ""]
    for section in table.sections:
        if section.title:
            lines += [f"*{section.title}*", ""]
        lines.append("| " + " | ".join(map(_escape_markdown, heads)) + " |")
        lines.append("|" + " --- |" * len(table.stub) + " ---: |" * len(table.columns))
        lines += ["| " + " | ".join(map(_escape_markdown, (*row.labels, *row.texts))) + " |" for row in section.lines]
        lines.append("")
    for note in table.notes:
        lines += [note, ""]
    return "\n".join(lines)


def _cell(cell: Cell) -> str:
    """A cell in HTML, its interval and what follows it apart: a block below the value."""
    value, apart = "", ""
    for part in parts(cell):
        if apart:
            apart += plain(part)
        elif isinstance(part, Number):
            value, apart = value + part.point, part.interval
        else:
            value += part
    return html.escape(value) + (f' <span class="interval">{html.escape(apart)}</span>' if apart else "")


def _kinds(table: Table) -> list[str]:
    """Class of each column: ``words`` where it holds sentences or lists, which may be broken, unlike numbers."""
    lines = [line for section in table.sections for line in section.lines]
    kinds = []
    for column in zip(*(line.cells for line in lines), strict=True):
        without = [[part if isinstance(part, str) else part.point for part in parts(cell)] for cell in column]
        words = [part for cell in column for part in parts(cell) if isinstance(part, str)]
        if any(len("".join(cell)) > SENTENCE for cell in without):
            kinds.append("words")
        else:
            kinds.append("words short" if any(re.search("[,;] [A-Za-z]", part) for part in words) else "")
    return kinds or [""] * len(table.columns)


def _class(name: str) -> str:
    return f' class="{name}"' if name else ""


def to_html(table: Table, caption: str = "") -> str:
    """A ``<table>`` with a caption (the title, if none is given) and scoped headers; everything escaped."""
    text = html.escape
    width = len(table.stub) + len(table.columns)
    lines = ["<table>", f"<caption><span>{text(caption or table.title)}</span></caption>", "<thead>"]
    if table.groups():
        groups = "".join(
            f'<th scope="colgroup" colspan="{span}" class="group">{text(group)}</th>' for group, span in table.groups()
        )
        lines.append(f'<tr><td colspan="{len(table.stub)}"></td>{groups}</tr>')
    stub = "".join(f'<th scope="col" class="label">{text(head)}</th>' for head in table.stub)
    kinds = _kinds(table)
    heads = (
        f'<th scope="col"{_class("label" if kind else "")}>{text(column)}</th>'
        for kind, (_, column) in zip(kinds, table.columns, strict=True)
    )
    lines.append(f"<tr>{stub}{''.join(heads)}</tr>")
    lines.append("</thead>")
    for section in table.sections:
        lines.append("<tbody>")
        if section.title:
            lines.append(f'<tr class="section"><th scope="rowgroup" colspan="{width}">{text(section.title)}</th></tr>')
        for line in section.lines:
            labels = "".join(f'<th scope="row" class="label">{text(label)}</th>' for label in line.labels)
            cells = "".join(
                f"<td{_class(kind)}>{_cell(cell)}</td>" for kind, cell in zip(kinds, line.cells, strict=True)
            )
            mark = ' class="printed"' if line.printed else ""
            lines.append(f"<tr{mark}>{labels}{cells}</tr>")
        lines.append("</tbody>")
    lines.append("</table>")
    lines += [f'<p class="note">{text(note)}</p>' for note in table.notes]
    return "\n".join(lines)


def to_csv(table: Table) -> str:
    """The long form: one line per record, None as an empty cell."""
    out = io.StringIO()
    columns = list(dict.fromkeys(column for record in table.records for column in record))
    writer = csv.DictWriter(out, columns, lineterminator="\n", restval="")
    writer.writeheader()
    writer.writerows(table.records)
    return out.getvalue()
