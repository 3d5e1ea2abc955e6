"""Where the papers leave settings unspecified: every id has a row, and every row says what the configuration does."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from editions import ROOT, edition, load
from lossproof.assumptions import COLUMNS, Assumption, markdown, read_assumptions

FILE = ROOT / "reference/assumptions.csv"
ROWS = read_assumptions(FILE)
PAPERS = {"SP": "sp", "IS": "isce", "PC": "pc"}
USED_IN = ("*.yaml", "*.md", "config/**/*.yaml", "editions/*.yaml", "exhibits/*.yaml", "docs/**/*.md", "reference/*.md")
USED_IN += ("reference/assumptions.csv", "src/**/*.py", "src/**/*.j2", "workflow/**/*.*")
FILES = sorted({path for pattern in USED_IN for path in ROOT.glob(pattern) if path.suffix != ".pyc"})


def held(config: Any, key: str) -> Any:
    """What a resolved configuration holds under a dotted key; KeyError where it has none."""
    for part in key.split("."):
        config = config[part]
    return config


def plain(value: Any) -> str:
    """A value as the configuration spells it, without quotes."""
    if isinstance(value, list):
        return f"[{', '.join(map(plain, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {plain(item)}' for key, item in value.items())}}}"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)


def differences(rows: list[Assumption], config: dict[str, Any]) -> list[str]:
    """Every setting of a row that the configuration does not have, or has with another value."""
    found = []
    for one in rows:
        for key, value in one.settings.items():
            try:
                configured = plain(held(config, key))
            except (KeyError, TypeError):
                found.append(f"{one.id}: no key {key}")
                continue
            if yaml.safe_load(configured) != yaml.safe_load(value):
                found.append(f"{one.id}: {key} is {configured}, not {value}")
    return found


def test_every_id_in_the_repository_has_a_row():
    known = {one.id for one in ROWS}
    used = set()
    for path in FILES:
        # Anything that looks like an id, mistyped ones too.
        for one in re.findall(
            r"\b(?:SP|IS|ISCE|PC)[-_ ]?A[-_ ]?\d+\w*", path.read_text(encoding="utf-8"), re.IGNORECASE
        ):
            assert one in known, f"{path.relative_to(ROOT)}: {one}"
            if path != FILE:
                used.add(one)
    assert len(used) > 50


def test_the_ids_of_each_paper_are_numbered_without_gaps():
    for prefix, paper in PAPERS.items():
        ids = [one.id for one in ROWS if one.paper == paper]
        assert ids == [f"{prefix}-A{number}" for number in range(1, len(ids) + 1)]
    assert {one.paper for one in ROWS} == set(PAPERS.values())


def test_every_row_says_what_is_open_and_what_we_take():
    for one in ROWS:
        assert re.fullmatch(r"[A-Z].*\.", one.unspecified), one.id
        assert one.default, one.id


def test_every_value_is_the_paper_editions():
    assert differences(ROWS, load(edition("paper"))) == []


def test_a_row_without_a_key_names_the_file_that_fixes_it():
    for one in ROWS:
        if not one.settings:
            files = re.findall(r"(?:src|exhibits)/[\w/]+\.(?:py|yaml)", one.default)
            assert files, one.id
            assert all((ROOT / file).is_file() for file in files), one.id


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("models.stem", "cifar", "no: models.stem is imagenet, not cifar"),
        ("attacks.fgsm.epsilon", "8/255", "no: attacks.fgsm.epsilon is 0.007, not 8/255"),
        ("models.trunk", "imagenet", "no: no key models.trunk"),
        ("seeds.many", "3", "no: no key seeds.many"),
        (
            "trainings.ce_isce.milestones.cifar10",
            "[100]",
            "no: trainings.ce_isce.milestones.cifar10 is [100, 150], not [100]",
        ),
    ],
)
def test_a_wrong_row_is_seen(key, value, said):
    row = Assumption("no", "sp", "Something.", "Something.", (), {key: value})
    assert differences([row], load(edition("paper"))) == [said]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["id,paper", "SP-A1,sp"], "found columns id, paper; expected id, paper, unspecified"),
        ([",".join(COLUMNS), *["SP-A1,sp,a,b,,,"] * 2], "SP-A1 is given twice"),
        ([",".join(COLUMNS), "SP-A1,sp,a,b,,seeds;device,3"], "SP-A1 has 2 keys and 1 values"),
    ],
)
def test_a_malformed_file_is_refused(tmp_path, lines, said):
    path = tmp_path / "assumptions.csv"
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(ValueError, match=re.escape(said)):
        read_assumptions(path)


def test_the_page_of_docs_is_up_to_date():
    assert (ROOT / "docs/assumptions.md").read_text(encoding="utf-8") == markdown(ROWS), "run `make docs`"
