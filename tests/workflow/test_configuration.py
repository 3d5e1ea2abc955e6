"""Where a user puts settings, and what Snakemake then plans: overlays under every profile, and another folder."""

from __future__ import annotations

import pytest
from checkout import new_checkout
from executor_plugins import install

TARGET = "sp_theorem_1"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    made = new_checkout(tmp_path_factory.mktemp("configuration") / "lossproof")
    (made.folder / "own.yaml").write_text("toys: {seeds: 3}\n")
    (made.folder / "mine.yaml").write_text("edition: mine\nextends: paper\n")
    return made


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--configfile", "own.yaml"),
        ("--profile", "profiles/gpu", "--configfile", "own.yaml"),
    ],
    ids=" ".join,
)
def test_an_overlay_without_an_edition_stays_in_the_embedded_one(checkout, options):
    assert "results/embedded/theory/sp/theorem_1.json" in checkout.succeed("-n", TARGET, *options)


def test_so_it_does_on_a_cluster(checkout, tmp_path):
    options = ("--workflow-profile", "profiles/slurm", "--configfile", "own.yaml")
    said = checkout.succeed("-n", TARGET, *options, PYTHONPATH=str(install(tmp_path)))
    assert "results/embedded/theory/sp/theorem_1.json" in said


@pytest.mark.parametrize(
    ("options", "edition"),
    [(("--configfile", "mine.yaml"), "mine"), (("--config", "edition=paper"), "paper")],
    ids=["mine", "paper"],
)
def test_another_edition_has_folders_of_its_own(checkout, options, edition):
    said = checkout.succeed("-n", TARGET, *options)
    assert f"results/{edition}/theory/sp/theorem_1.json" in said
    assert "results/embedded" not in said


def test_another_folder_gets_results_and_its_config_wins(checkout, tmp_path):
    checkout.succeed(TARGET, "--cores", "1", "--directory", str(tmp_path))
    assert (tmp_path / "results/embedded/tables/sp/theorem_1.md").is_file()
    assert not (checkout.folder / "results").exists()
    (tmp_path / "config.yaml").write_text("edition: mine\n")
    assert "results/mine/theory" in checkout.succeed("-n", TARGET, "--directory", str(tmp_path))
    (tmp_path / "config.yaml").write_text("seeds: 3\n")
    done = checkout.snakemake("-n", TARGET, "--directory", str(tmp_path))
    assert "lossproof: config.yaml: top level: key 'edition' is missing" in done.stdout + done.stderr
