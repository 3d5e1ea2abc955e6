"""Every command that the documents print can be typed as it stands."""

from __future__ import annotations

import pytest
from commands import REFUSED, commands, commented, fault_of, fenced

from editions import ROOT

PAGES = sorted(path for path in ROOT.rglob("*.md") if not any(part[0] == "." for part in path.relative_to(ROOT).parts))
COMMENTED = [ROOT / "Snakefile", ROOT / "config.yaml", ROOT / "Makefile", *sorted(ROOT.glob("editions/*.yaml"))]
COMMENTED += sorted(ROOT.glob("profiles/*/profile.yaml"))
PRINTED = [(page, command) for page in PAGES for command in fenced(page.read_text(encoding="utf-8"))]
PRINTED += [(file, command) for file in COMMENTED for command in commented(file.read_text(encoding="utf-8"))]


@pytest.fixture(autouse=True)
def in_the_project(monkeypatch):
    """Where the reader stands: Snakemake looks for its profile and files there."""
    monkeypatch.chdir(ROOT)


@pytest.mark.parametrize(
    ("page", "command"), [pytest.param(*one, id=f"{one[0].relative_to(ROOT)}: {one[1]}") for one in PRINTED]
)
def test_a_printed_command_works(page, command):
    fault = fault_of(command)
    if command.endswith(REFUSED):
        assert fault, f"{page.name} calls this refused, but it works"
    else:
        assert not fault


def test_the_snakefile_and_the_readme_print_commands():
    pages = {page.name for page, _ in PRINTED}
    assert "Snakefile" in pages
    assert not (ROOT / "README.md").exists() or "README.md" in pages


@pytest.mark.parametrize(
    "wrong",
    [
        "snakemake --cores 8 --resources gpu=2 all",
        "snakemake --configfile editions/test.yaml all",
        "snakemake --config seeds=2 sp_fig_3",
        "snakemake -q all",
        "snakemake sp_fig_99 --cores 1",
        "snakemake all --cores 1 --configfile editions/none.yaml",
        "snakemake all --coers 1",
        "make everything",
        "snakemake all --workflow-profile profiles/none",
        "snakemake al --workflow-profile profiles/slurm",
    ],
)
def test_a_wrong_command_is_seen(wrong):
    assert fault_of(wrong)


@pytest.mark.parametrize(
    "right",
    [
        "snakemake --cores all",
        "snakemake --cores 8 --resources gpu=2 -- all",
        "snakemake sp_table_1 --cores 2 --configfile editions/test.yaml",
        "snakemake figures/embedded/sp/fig_3.png --cores 1 --config seeds=2",
    ],
)
def test_a_right_command_is_let_through(right):
    assert not fault_of(right)


def test_commands_are_found_in_lines():
    assert list(commands("$ cd lossproof && .venv/bin/snakemake -n sp | less  # look")) == ["snakemake -n sp"]
    assert list(commands("snakemake --resources gpu=2 all  # refused: swallowed")) == [
        "snakemake --resources gpu=2 all # refused"
    ]
    assert list(fenced("text\n```sh\nsnakemake all \\\n  --cores 2\n```\nsnakemake nothing")) == [
        "snakemake all    --cores 2"
    ]
