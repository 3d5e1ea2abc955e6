"""What the report is made from; the step that writes it fills these dictionaries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NotRequired, TypedDict

from lossproof.assumptions import Assumption

EMBEDDED_BANNER = (
    "Embedded edition: handwritten digits are the surrogate for every image set; verdicts are about direction only."
)


class File(TypedDict):
    """A file to link: ``href`` relative to the folder of the report."""

    label: str
    href: str


class Exhibit(TypedDict):
    """One figure, table or statement.

    ``id``: 'sp/fig_3'; ``target_command``: what regenerates it; ``figure_png``: embedded as a data URI;
    ``table_html``: from ``tables.typeset.to_html`` (trusted, not escaped again); ``settings``: as resolved;
    ``same_as``: the exhibit's other names; ``stand_ins``: the paper's data set to what ran; ``notes``: paragraphs.
    """

    id: str
    kind: str
    title: str
    target_command: str
    caption: NotRequired[str]
    same_as: NotRequired[Sequence[str]]
    figure_png: NotRequired[Path | str | None]
    figure_alt: NotRequired[str]
    table_html: NotRequired[str | None]
    files: NotRequired[Sequence[File]]
    settings: NotRequired[Mapping[str, Any]]
    stand_ins: NotRequired[Mapping[str, str]]
    notes: NotRequired[Sequence[str]]


class Paper(TypedDict):
    """A paper and its exhibits, in the order of the report."""

    id: str
    title: str
    exhibits: Sequence[Exhibit]


class Published(TypedDict):
    """A published run whose ledger stands beside: its name and the rows of its file."""

    name: str
    rows: Sequence[Mapping[str, Any]]


class Card(TypedDict):
    """A judged network's diagnostics as one picture.

    ``run``: 'digits_gray/lenet5/isce', whose parts stand beside it; ``flags``: ids of raised signs of masking;
    ``verdict``: one of ``report.judged.VERDICTS``; ``png``: embedded; ``href``: the same, to open on its own.
    """

    run: str
    dataset: str
    arch: str
    training: str
    flags: Sequence[str]
    verdict: str
    png: Path | str
    href: str


class Jury(TypedDict):
    """What the jury found: rows of kind ``jury_verdicts``, cards, and per paper a ``report.summary.summarise``.

    Without a jury there are summaries only.
    """

    verdicts: NotRequired[Sequence[Mapping[str, Any]]]
    cards: NotRequired[Sequence[Card]]
    summaries: NotRequired[Mapping[str, Mapping[str, Any]]]


class Context(TypedDict):
    """The whole report.

    ``banner``: '' for none; ``ledger``: rows of ``claims.ledger.COLUMNS``; ``toy_summary``: rows of
    ``report.toy_summary``; ``theory``: rows of ``tables.statements.overview``; ``provenance``: scalars,
    or one level of dictionaries (packages, wall seconds by stage).
    """

    edition: str
    banner: str
    papers: Sequence[Paper]
    ledger: Sequence[Mapping[str, Any]]
    toy_summary: NotRequired[Sequence[Mapping[str, Any]]]
    theory: NotRequired[Sequence[Mapping[str, Any]]]
    provenance: NotRequired[Mapping[str, Any]]
    published: NotRequired[Sequence[Published]]
    assumptions: NotRequired[Sequence[Assumption]]
    jury: NotRequired[Jury]
