"""What a target needs, from an empty checkout: dry runs only."""

from __future__ import annotations

import csv
import re
from collections import Counter

import pytest
from checkout import new_checkout

from editions import edition, plan
from lossproof.records import read_json

EDITIONS = {"embedded": (), "test": (edition("test"),), "paper": (edition("paper"),)}


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    """A checkout in which nothing was ever made; only dry runs may use it."""
    checkout = new_checkout(tmp_path_factory.mktemp("dag") / "lossproof")
    yield checkout
    assert not list(checkout.folder.glob("results/*/*")), "a dry run made something"


@pytest.mark.parametrize("name", EDITIONS)
def test_all_is_reachable_and_each_file_has_one_rule(empty, name):
    made = plan(*EDITIONS[name])
    options = [f"--configfile=editions/{path.name}" for path in EDITIONS[name]]
    files = empty.files("all", *options)
    assert all(file.pending for file in files)
    by_path = Counter(file.path for file in files)
    assert max(by_path.values()) == 1
    wanted = [path for exhibit in made.made for path in (*made.outputs(exhibit), *made.tidy(exhibit))]
    assert len(wanted) == len(set(wanted))
    assert {*wanted, f"results/{name}/report.html", f"results/{name}/claims.csv"} <= set(by_path)
    assert {path for exhibit in made.made for path in made.inputs(exhibit)} <= set(by_path)
    # Nothing of another edition, and no training that no exhibit asked for.
    assert all(path.split("/")[1] == name for path in by_path)
    trained = {tuple(path.split("/")[3:6]) for path in by_path if "/models/" in path}
    assert trained == {tuple(run) for run in made.runs}


def test_the_embedded_edition_makes_every_exhibit():
    embedded = plan()
    assert not embedded.missing
    with open("reference/exhibits.csv", newline="", encoding="utf-8") as file:
        printed = {
            f"{row['paper']}/{row['exhibit']}"
            for row in csv.DictReader(file)
            if row["paper"] in embedded.config["papers"]
        }
    # Everything that the papers print, by its own name or another, and what they leave out.
    ours = {"sp/statements", "isce/statements", "isce/readings", "pc/statements", "pc/forms"}
    # Exhibits of numbers in running text.
    ours |= {"pc/mean_gaps", "pc/text_introduction", "pc/masking_arguments", "pc/text_gradient_masking"}
    ours |= {"jury/verdicts", "jury/diagnostics", "jury/controls"}
    assert {exhibit.id for exhibit in embedded.exhibits} | set(embedded.aliases) == printed | ours
    assert len(embedded.made) == len(embedded.exhibits)


def test_all_is_the_default_target(empty):
    assert empty.jobs() == empty.jobs("all")


def test_a_papers_target_is_its_exhibits(empty):
    papers = ("sp", "isce", "pc")
    asked = [empty.jobs(target) for target in papers]
    assert [jobs.pop(paper) for jobs, paper in zip(asked, papers, strict=True)] == [1, 1, 1]
    # The papers share data and the cross-entropy networks of two toys, no other network.
    together = Counter({"prepare": -4, "toy_separate": -1})
    for jobs in asked:
        together.update(jobs)
    # Beside them the jury: attacks and diagnostics of every network, four rescaled controls and a trained one.
    judged = len(plan().judged)
    together.update({"attack_jury": judged, "diagnose": judged, "rescale": 4, "train": 1, "collect": 3, "figure": 3})
    together.update({"table": 3, "cards_digits_colour": 1, "cards_digits_gray": 1, "summary": len(papers)})
    assert empty.jobs("all") == dict(together) | {"all": 1, "report": 1, "claims": 1}


# An exhibit's jobs, and nothing else: what each rule is asked for.
NEEDS = {
    "sp_fig_3": {"toy_separate": 3, "collect_grids": 1, "figure": 1},
    "sp_fig_2": {"toy_separate": 2, "theory_sp_curve": 1, "collect": 1, "figure": 1},
    "sp_fig_4": {"prepare": 1, "train": 2, "landscape": 2, "collect_grids": 1, "figure": 1},
    "sp_fig_7": {"prepare": 1, "train": 3, "collect": 1, "figure": 1},
    "sp_theorem_1": {"theory_sp_statement": 1, "collect": 1, "table": 1},
    "sp_table_4": {"prepare": 1, "train": 4, "attack_tables": 4, "attack_cinic10": 4, "collect": 1}
    | {"figure": 1, "table": 1},
}


PAPER = "--configfile=editions/paper.yaml"
TEST = "--configfile=editions/test.yaml"


def test_published_files_are_downloaded_once_and_packaged_ones_not(empty):
    assert empty.jobs("sp_fig_7", PAPER) == {"download": 1, "prepare": 1, "train": 9} | {
        "collect": 1,
        "figure": 1,
        "sp_fig_7": 1,
    }
    found = {file.path: file.rule for file in empty.files("sp_fig_7", PAPER)}
    assert found["results/paper/datasets/mnist/files.json"] == "download"
    assert "download" not in empty.jobs("all")
    digits = empty.snakemake("-n", "results/embedded/datasets/digits_gray/files.json")
    assert digits.returncode != 0 and "MissingRuleException" in digits.stdout + digits.stderr


@pytest.mark.parametrize("target", NEEDS)
def test_an_exhibit_needs_only_what_it_shows(empty, target):
    assert empty.jobs(target) == NEEDS[target] | {target: 1}


def test_the_toys_of_a_figure_are_its_own(empty):
    paths = [file.path for file in empty.files("sp_fig_3") if file.rule == "toy_separate"]
    assert {path.split("/")[4] for path in paths} == {"ce", "focal", "sp_focal"}


def test_the_trainings_of_fig_7_are_three_small_networks(empty):
    runs = {tuple(file.path.split("/")[3:6]) for file in empty.files("sp_fig_7") if file.rule == "train"}
    assert runs == {("digits_gray", "cnn2", training) for training in ("ce", "ce+l2", "sp_focal")}


def test_every_exhibit_is_a_target(empty):
    targets = [exhibit.target for exhibit in plan().made]
    jobs = empty.jobs(*targets)
    assert all(jobs[target] == 1 for target in targets)
    assert not {"report", "claims", "all"} & set(jobs)


def test_another_name_of_an_exhibit_asks_for_the_same_jobs(empty):
    jobs = empty.jobs("isce_fig_3")
    assert jobs.pop("isce_fig_3") == 1
    other = empty.jobs("isce_conf_fig_5")
    assert other.pop("isce_conf_fig_5") == 1
    assert jobs == other == {"theory_isce_curve": 1, "collect_grids": 1, "figure": 1}
    wanted = empty.jobs("isce")
    assert wanted["figure"] == 16
    assert not [rule for rule in wanted if "conf" in rule]


def test_two_papers_may_have_a_figure_of_one_name_and_different_kinds(empty):
    # sp/fig_2 has no grids, isce/fig_2 has.
    assert empty.jobs("results/embedded/exhibits/sp/fig_2.csv")["collect"] == 1
    assert empty.jobs("results/embedded/exhibits/isce/fig_2.csv")["collect_grids"] == 1


def test_curves_need_the_losses_that_are_shown(empty):
    curves = plan_of(empty, "results/embedded/theory/sp/loss_curves.json")["curves"]["sp"]
    assert "sp_focal" in curves
    assert "mmc" not in curves


# Of a job's command in the embedded edition, 667 jobs: 0.2 MB in all
COMMAND_BYTES = 450
PLAN_FILE = re.compile(r"--plan (\.cache/\w+/plan-[0-9a-f]{12}\.json) ")


def commands(checkout, *arguments):
    """The command of every job of a dry run."""
    said = checkout.succeed("-n", "-p", *arguments)
    return re.findall(r"^Shell command: (?!None$)(.*\S)$", said, re.MULTILINE)


def plan_of(checkout, *arguments):
    """What the one plan file holds that all commands of a dry run name."""
    (path,) = {path for command in commands(checkout, *arguments) for path in PLAN_FILE.findall(command)}
    return read_json(checkout.folder / path)


def test_commands_are_short_and_hold_no_settings(empty):
    found = commands(empty, "all", TEST)
    jobs = empty.jobs("all", TEST)
    # Every job but the target itself has a command.
    assert len(found) == sum(jobs.values()) - 1
    assert max(map(len, found)) <= COMMAND_BYTES
    assert sum(map(len, found)) / len(found) <= 300
    assert not [command for command in found if "{" in command or "<<" in command]
    assert all(PLAN_FILE.search(command) for command in found)
    assert len({path for command in found for path in PLAN_FILE.findall(command)}) == 1


def test_runs_with_different_overlays_have_plans_of_their_own(empty):
    target = "results/test/models/digits_gray/cnn2/ce/seed0/record.json"
    one, other = (plan_of(empty, target, TEST, *more) for more in ((), ("--config", "training={epochs: {default: 7}}")))
    epochs = [told["networks"]["digits_gray/cnn2/ce"]["settings"]["epochs"] for told in (one, other)]
    assert epochs == [1, 7]
    assert len(list(empty.folder.glob(".cache/test/plan-*.json"))) >= 2


def test_a_network_that_is_asked_for_by_path_is_in_the_plan_of_its_job(empty):
    run = "digits_gray/lenet5/ce@last"
    found = commands(empty, f"results/embedded/models/{run}/seed0/record.json")
    (path,) = (PLAN_FILE.search(command)[1] for command in found if "train.py" in command)
    assert run in read_json(empty.folder / path)["networks"]
    assert run not in plan_of(empty, "sp_fig_7")["networks"]


def test_a_plan_that_cannot_be_written_is_one_line(empty):
    (empty.folder / ".cache").mkdir(exist_ok=True)
    (empty.folder / ".cache/blocked").write_text("no folder")
    fault = one_line(empty.snakemake("-n", "-p", "sp_theorem_1", "--config", "edition=blocked"), planned=True)
    assert "the plan file cannot be written" in fault and ".cache/blocked" in fault


def test_the_helpers_of_the_rules_stay_few(empty):
    assert len((empty.folder / "workflow/rules/common.smk").read_text().splitlines()) <= 150


@pytest.mark.parametrize(
    ("path", "jobs"),
    [
        ("results/embedded/tables/sp/theorem_1.tex", {"theory_sp_statement": 1, "collect": 1, "table": 1}),
        ("results/embedded/models/digits_gray/lenet5/ce@last/seed0/model.safetensors", {"prepare": 1, "train": 1}),
        # An attack that no exhibit asks this training for.
        (
            "results/embedded/attacks/digits_colour/resnet18/focal/seed2/test/pgd50_8of255.json",
            {"prepare": 1, "train": 1, "attack_table_3": 1},
        ),
    ],
)
def test_a_file_can_be_asked_for_by_path(empty, path, jobs):
    assert empty.jobs(path) == jobs


@pytest.mark.parametrize(
    "target",
    [
        "sp_fig_99",
        "results/embedded/models/digits_gray/resnet19/ce/seed0/model.safetensors",
        "results/embedded/models/digits_gray/resnet18/ce@first/seed0/model.safetensors",
    ],
)
def test_an_unknown_target_is_named(empty, target):
    done = empty.snakemake("-n", target)
    said = done.stdout + done.stderr
    assert done.returncode != 0
    assert target in said
    assert "Traceback" not in said


@pytest.mark.parametrize("dry", [("-n",), ("--cores", "1")])
@pytest.mark.parametrize(
    ("target", "options", "why"),
    [
        (
            "sp_table_4",
            (TEST,),
            "sp_table_4 cannot be made in the edition 'test': no data in this edition for: cinic10",
        ),
        ("sp_table_5", (PAPER,), "sp_table_5 cannot be made in the edition 'paper': clothing1m needs a licence: "),
    ],
)
def test_what_cannot_be_made_says_why_and_touches_nothing(empty, target, options, why, dry):
    # Beside what could be made: nothing of it is.
    done = empty.snakemake("sp_fig_1", target, *dry, *options)
    said = done.stdout + done.stderr
    assert done.returncode != 0
    assert [line.startswith(f"lossproof: {why}") for line in said.splitlines() if "lossproof: " in line] == [True]
    assert "Exception" not in said and "Traceback" not in said
    assert not list(empty.folder.glob("results/*/*")) and not list(empty.folder.glob(".snakemake/locks/*"))


@pytest.mark.parametrize(("options", "name"), [((TEST,), "test"), ((PAPER,), "paper")])
def test_nothing_needs_what_cannot_be_made(empty, options, name):
    missing = {name.replace("/", "_") for name in plan(edition(name)).missing}
    listed = set(empty.succeed("--list", *options).split())
    assert missing and missing <= listed
    assert not missing & {*empty.jobs("all", *options), *empty.jobs("sp", *options)}


OVERLAYS = {
    "unknown.yaml": ("training: {epoch: 3}", "training.epoch: unknown key 'epoch'"),
    "type.yaml": ("training: {batch_size: many}", "training.batch_size: found 'many'; expected integer"),
    "name.yaml": ("stand_ins: {cifar10: digits_color}", "stand_ins.cifar10"),
}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_a_wrong_overlay_stops_with_one_line(empty, overlay):
    text, message = OVERLAYS[overlay]
    (empty.folder / overlay).write_text(text)
    fault = one_line(empty.snakemake("-n", "all", "--configfile", overlay))
    assert overlay in fault
    assert message in fault


def test_an_overlay_that_is_no_yaml_is_refused(empty):
    (empty.folder / "syntax.yaml").write_text("training: {epochs: {default: 3}\nseeds: 2")
    done = empty.snakemake("-n", "all", "--configfile", "syntax.yaml")
    assert done.returncode != 0
    said = done.stdout + done.stderr
    assert "not valid" in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("sedes=2", ("unknown key 'sedes'", "did you mean 'seeds'?")),
        ("seeds=0", ("seeds: found 0", "allowed: >= 1")),
        ("papers=[zz]", ("papers", "'zz'")),
    ],
)
def test_a_wrong_key_on_the_command_line_stops_with_one_line(empty, given, words):
    fault = one_line(empty.snakemake("-n", "all", "--config", given))
    assert all(word in fault for word in words), fault


def one_line(done, planned=False):
    """The one line in which our own check says what is wrong; ``planned``: after the jobs are known."""
    said = done.stdout + done.stderr
    assert done.returncode != 0
    assert "Traceback" not in said
    assert planned or "Building DAG" not in said
    faults = [line for line in done.stderr.splitlines() if line.startswith("lossproof: ")]
    assert len(faults) == 1, said
    if planned:
        return faults[0]
    # Snakemake itself may only say which configuration it read.
    others = [line for line in done.stderr.splitlines() if line not in faults]
    assert all("profile" in line or "Config file" in line for line in others), others
    return faults[0]


def test_a_target_after_a_greedy_option_is_refused_and_before_it_works(empty):
    assert empty.snakemake("--cores", "8", "--resources", "gpu=2", "all", "-n").returncode != 0
    assert "all" in empty.jobs("all", "--cores", "8", "--resources", "gpu=2")


def test_lint_finds_nothing(empty):
    done = empty.snakemake("--lint")
    assert done.returncode == 0, done.stdout + done.stderr
