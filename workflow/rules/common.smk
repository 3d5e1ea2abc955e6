# Helpers of the rules: the checked configuration, the plan, and what wildcards mean.
import re
import sys
from pathlib import Path

ROOT = Path(workflow.basedir)
sys.path.insert(0, str(ROOT / "src"))

from lossproof import devices, sources
from lossproof.catalogue import catalogue
from lossproof.datasets import on_disk
from lossproof.datasets.source import keeps_files, source_of
from lossproof.planning import exhibit_specs, handover, plan_store, resources, step_code
from lossproof.planning.declare import load_exhibits
from lossproof.planning.forecast import Forecast, Model, Record, Work
from lossproof.planning.handover import as_json
from lossproof.paths import LANDSCAPE_METHODS, MODEL_FILES, REMADE_FILES, TOY_FILES, Run
from lossproof.planning.caption import caption
from lossproof.planning.plan import Plan
from lossproof.planning.plan_text import plan_text
from lossproof.settings.faults import SettingsError
from lossproof.settings.config import load_config
from lossproof.settings.layers import shown
from lossproof.settings.resolved import SELECTIONS, recipe_settings, run_settings, toy_settings

# Snakemake merges config.yaml, overlays and --config in an order of its own; here they are read again.
OVERLAYS = workflow.config_settings.configfiles
# Under --directory results and figures lie there, and a config.yaml there wins over the project's.
ELSEWHERE = Path.cwd() != ROOT
CONFIG_YAML = Path("config.yaml") if Path("config.yaml").is_file() else ROOT / "config.yaml"


def read_plan():
    """The configuration and declarations, or one line that says what is wrong with them."""
    try:
        checked = load_config(ROOT, OVERLAYS, workflow.config_settings.config, CONFIG_YAML)
        exhibits = load_exhibits(ROOT / "exhibits", checked["papers"], checked)
        plan = Plan(checked, exhibits)
        plan.runs  # those that attacks are made on must resolve too
        return plan
    except SettingsError as error:
        sys.exit(f"lossproof: {error}")


onstart:
    # Snakemake's default limit of 100 new jobs a second asks for another decision one second after every decision, for
    # ever: after some hundred jobs this alone keeps a core busy. Here `--cores` limits jobs already.
    if workflow.local_exec:
        workflow.scheduler.job_rate_limiter = None
    plan_store.sweep(EDITION)


def drop_resume_points():
    """Of trainings whose outputs Snakemake has taken: before that a kill could still cost them."""
    for job in workflow.dag.jobs:
        if job.rule.name == "train" and (workflow.dag.finished(job) or not workflow.dag.needrun(job)):
            for seed in seeds_of(job.wildcards):
                Path(PATHS.resume_point(run_of(job.wildcards), seed)).unlink(missing_ok=True)


onsuccess:
    drop_resume_points()


onerror:
    drop_resume_points()


PLAN = read_plan()
config.update(PLAN.config)
PATHS = PLAN.paths
EDITION = config["edition"]
RESULTS = PATHS.results
# One job handles every seed of a run, or one seed.
JOB_SEEDS = list(PLAN.seeds) if config["seeds_per_job"] == "all" else ["{seed}"]
DIAGNOSED_SEEDS = list(PLAN.diagnosed_seeds) if config["seeds_per_job"] == "all" else ["{seed}"]
JOB_LOG = "seeds" if config["seeds_per_job"] == "all" else "seed{seed}"


def one_of(names):
    """A wildcard constraint that matches exactly these names."""
    return "|".join(re.escape(str(name)) for name in names) or "nothing"


def trainings_pattern(config):
    """Recipes, each with or without a selection."""
    return f"({one_of(config['trainings'])})(@({one_of(SELECTIONS)}))?"


def networks_pattern(config):
    """Trainings, and controls that are made from them."""
    return f"{trainings_pattern(config)}|{one_of(config['controls'])}"


def names_of(condition):
    """A constraint for the exhibit in '<paper>/<exhibit>' of the exhibits that fulfil a condition."""
    # Two papers may have a fig_2 of different kinds, so the paper before the name counts too.
    names = {
        paper: [exhibit.name for exhibit in PLAN.made if exhibit.paper == paper and condition(exhibit)]
        for paper in config["papers"]
    }
    return (
        "|".join(f"(?<=/{re.escape(paper)}/)({one_of(found)})" for paper, found in names.items() if found) or "nothing"
    )


def run_of(wildcards):
    """The run of a rule's wildcards."""
    return Run(wildcards.dataset, wildcards.arch, wildcards.training)


def seeds_of(wildcards):
    """The seeds that a job handles."""
    return [wildcards.seed] if "seed" in wildcards.keys() else list(PLAN.seeds)


def diagnosed_seeds_of(wildcards):
    """Those of the seeds that a job handles that diagnostics are made of."""
    return seeds_of(wildcards)[: len(PLAN.diagnosed_seeds)]


def threads_of(wildcards):
    """One thread, and one for each process that decodes where images are kept as files."""
    return 1 + (config["data"]["workers"] if keeps_files(config["datasets"][wildcards.dataset]) else 0)


def declared(wildcards):
    """The exhibit of a rule's wildcards."""
    return PLAN.exhibit(wildcards.paper, wildcards.exhibit)


def exhibit_label(wildcards):
    """Labels of an exhibit in Snakemake's own report."""
    return {"exhibit": wildcards.exhibit.replace("_", " "), "edition": EDITION}


def every_output():
    """What a reader looks at, of all exhibits, a page per paper, and the cards of the networks that are judged."""
    shown = [path for exhibit in PLAN.made for path in PLAN.outputs(exhibit)]
    return [*shown, *every_card(), *(PATHS.summary(paper) for paper in exhibit_specs.reporting_papers(PLAN))]


def every_card():
    """The pictures of the networks that are judged."""
    return [PATHS.card(run) for run in PLAN.diagnosed]
