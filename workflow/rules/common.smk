# Helpers of the rules: the checked configuration, the plan, and what a step's code is.
import json
import re
import shlex
import sys
from pathlib import Path

from snakemake.settings.types import DeploymentMethod

ROOT = Path(workflow.basedir)
sys.path.insert(0, str(ROOT / "src"))

from lossproof import devices, sources
from lossproof.catalogue import catalogue
from lossproof.datasets import on_disk
from lossproof.datasets.source import keeps_files, source_of
from lossproof.planning import resources
from lossproof.planning.declare import load_exhibits, paper_facts, paper_titles
from lossproof.planning.forecast import Forecast, Model, Record, Work
from lossproof.paths import LANDSCAPE_METHODS, MODEL_FILES, REMADE_FILES, TOY_FILES, Run
from lossproof.planning.caption import caption
from lossproof.planning.named import named_archs, named_datasets
from lossproof.planning.plan import Plan
from lossproof.heads.choice import head_of
from lossproof.planning.plan_text import plan_text
from lossproof.settings.check import SettingsError
from lossproof.settings.config import load_config
from lossproof.settings.layers import shown
from lossproof.settings.resolved import SELECTIONS, per_dataset, phases, recipe_settings, run_settings, toy_settings

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
DEPLOYED = DeploymentMethod.CONDA in workflow.deployment_settings.deployment_method
# Steps find the package by its path in every environment, without an installation.
# In a rule `python` is the one that runs Snakemake, unless the rule's own environment is deployed.
# `warm_python` forks a step from a process that has imported what is slow to import (warm.py), on this
# machine's CPU; elsewhere the two are the same.
# `device_python N` runs a step that computes on the device, with N GPUs: on this machine it leases one (lease.py), so
# that steps that run at once do not share it, or hides them all; on a cluster's node the job has its own already.
PYTHON = "python" if DEPLOYED else sys.executable
WARM = [] if DEPLOYED or workflow.remote_exec else ["workflow/scripts/warm.py"]
LEASE = f"python workflow/scripts/lease.py --jobs-per-device {config['gpu_jobs_per_device']}"
ON_DEVICE = (
    'shift; warm_python "$@"'
    if workflow.remote_exec
    else f'local gpus=$1; shift; if [ "$gpus" = 0 ]; then CUDA_VISIBLE_DEVICES= warm_python "$@"; else {LEASE} "$@"; fi'
)
# Commands name scripts by their paths in the project.
ARGUMENTS = f'"${{{{@/#workflow\\/scripts/{shlex.quote(str(ROOT))}/workflow/scripts}}}}"' if ELSEWHERE else '"$@"'
# DEVICE, CACHE, MIRRORS, RESUME_EVERY, WORKERS and PREFETCH change where and how a step runs, not what comes out, so
# they are no params and make nothing stale. Braces are doubled: Snakemake formats the prefix like a command.
shell.prefix(
    f"export PYTHONPATH={shlex.quote(str(ROOT / 'src'))}${{{{PYTHONPATH:+:$PYTHONPATH}}}}; "
    f"python() {{{{ command {shlex.quote(PYTHON)} {ARGUMENTS}; }}}}; "
    f"warm_python() {{{{ python {' '.join(WARM)} \"$@\"; }}}}; "
    f"device_python() {{{{ {ON_DEVICE}; }}}}; "
    f"DEVICE={config['device']}; CACHE={shlex.quote(config['data']['cache'])}; "
    f"MIRRORS={shlex.quote(json.dumps(config['data']['mirrors']))}; "
    f"RESUME_EVERY={config['training']['resume_every_seconds']}; "
    f"WORKERS={config['data']['workers']}; PREFETCH={config['data']['prefetch']}; "
)
# One job handles every seed of a run, or one seed.
JOB_SEEDS = list(PLAN.seeds) if config["seeds_per_job"] == "all" else ["{seed}"]
DIAGNOSED_SEEDS = list(PLAN.diagnosed_seeds) if config["seeds_per_job"] == "all" else ["{seed}"]
JOB_LOG = "seeds" if config["seeds_per_job"] == "all" else "seed{seed}"


def gpus(wildcards):
    """How many GPUs a step asks for. The nodes of a cluster have what the machine that submits may lack."""
    elsewhere = workflow.remote_exec or not workflow.local_exec
    return devices.gpus_wanted(config["device"], elsewhere)


def one_of(names):
    """A wildcard constraint that matches exactly these names."""
    return "|".join(re.escape(str(name)) for name in names) or "nothing"


def trainings_pattern(config):
    """Recipes, each with or without a selection."""
    return f"({one_of(config['trainings'])})(@({one_of(SELECTIONS)}))?"


def networks_pattern(config):
    """Trainings, and controls that are made from them."""
    return f"{trainings_pattern(config)}|{one_of(config['controls'])}"


def seeds_of(wildcards):
    """The seeds that a job handles."""
    return [wildcards.seed] if "seed" in wildcards.keys() else list(PLAN.seeds)


def as_json(value):
    """Settings as one line for a command."""
    return json.dumps(value, sort_keys=True)


def code(script, **components):
    """Name and content hash of every module that a step uses: changed code makes its results stale.

    ``components`` are loaded by name: code("train.py", models=["resnet18"], criteria=["ce"]).
    """
    modules = [catalogue(kind)[name].module for kind, names in components.items() for name in names]
    return sources.fingerprint(ROOT / "workflow/scripts" / script, modules)


def part_code(part, wildcards):
    """The code of the step that makes the figure or the table of an exhibit, with that of its kind."""
    drawn = catalogue("exhibits")[declared(wildcards).kind].module_of(part)
    return sources.fingerprint(ROOT / f"workflow/scripts/{part}.py", [drawn])


def threads_of(wildcards):
    """One thread, and one for each process that decodes where images are kept as files."""
    return 1 + (config["data"]["workers"] if keeps_files(config["datasets"][wildcards.dataset]) else 0)


def criterion_of(training):
    """The name of a training's criterion."""
    return recipe_settings(config, training)["criterion"]["name"]


def run_of(wildcards):
    """The run of a rule's wildcards."""
    return Run(wildcards.dataset, wildcards.arch, wildcards.training)


def run_json(wildcards):
    """Everything that a training run depends on, but its seed."""
    return as_json(run_settings(config, wildcards.dataset, wildcards.arch, wildcards.training))


def run_code(script, wildcards, beside=(), **components):
    """The code of a step that builds a run's network with its criterion and that criterion's head.

    ``beside``: other runs whose networks the step builds.
    """
    runs = [(wildcards.dataset, wildcards.arch, wildcards.training), *beside]
    settings = [run_settings(config, *run) for run in runs]
    criteria = [(one["criterion"]["name"], one["criterion"]["parameters"]) for one in settings]
    parts = [part for one in settings for part in phases(one)]
    return code(
        script,
        models=sorted({one["arch"] for one in settings}),
        criteria=sorted({part["criterion"]["name"] for part in parts}),
        heads=sorted({head_of(*criterion) for criterion in criteria}),
        defences=sorted({part["defence"]["name"] for part in parts if "defence" in part}),
        **components,
    )


def diagnosed_seeds_of(wildcards):
    """Those of the seeds that a job handles that diagnostics are made of."""
    return seeds_of(wildcards)[: len(PLAN.diagnosed_seeds)]


def substitutes_of(wildcards, names):
    """By attack, the run on which it is made, of the attacks that are not made on the attacked run itself."""
    run = run_of(wildcards)
    return {name: found for name in names if (found := PLAN.substitute(run, name))}


def substitutes_json(wildcards, names):
    """The resolved settings of the substitutes by attack."""
    return as_json({name: run_settings(config, *run) for name, run in substitutes_of(wildcards, names).items()})


def reference_of(wildcards):
    """The resolved settings of the run whose confidence a control takes over, None where it has a number instead."""
    match = config["controls"][wildcards.training].get("match")
    return run_settings(config, *run_of(wildcards)._replace(training=match)) if match else None


def twins_of(wildcards):
    """The network that a run is compared with, as a list of none or one."""
    return [twin] if (twin := PLAN.twin(run_of(wildcards))) else []


def every_output():
    """What a reader looks at, of all exhibits, a page per paper, and the cards of the networks that are judged."""
    shown = [path for exhibit in PLAN.made for path in PLAN.outputs(exhibit)]
    return [*shown, *every_card(), *(PATHS.summary(paper) for paper in claiming_papers())]


def every_card():
    """The pictures of the networks that are judged."""
    return [PATHS.card(run) for run in PLAN.diagnosed]


def cards_settings(runs):
    """What the drawing of cards is told of each network."""
    return {"runs": [PLAN.described(run) | {"attacks": PLAN.jury_attacks.get(run, [])} for run in runs]}


def jury_tables():
    """The jury's tidy tables that summaries quote, by exhibit."""
    return [path for name in ("verdicts", "diagnostics") for path in jury_table(name)]


def jury_table(name):
    """One of the jury's tidy tables, as a list of none or one."""
    return [PATHS.tidy("jury", name)] if f"jury/{name}" in PLAN.needs else []


def jury_option(name):
    """One of the jury's tidy tables as an option of a command, '' where the jury does not sit."""
    return " ".join(f"--{name} {path}" for path in jury_table(name))


def claiming_papers():
    """The papers whose numbers are judged: the jury prints none."""
    return [paper for paper in config["papers"] if paper != "jury"]


def runs_of_paper(paper):
    """The networks of a paper's exhibits, by name."""
    runs = {run for exhibit in PLAN.made if exhibit.paper == paper for run in PLAN.needs[exhibit.id].runs}
    return sorted(map(str, runs))


def summary_settings(paper):
    """What the summary of a paper is told: the paper, its title and its networks."""
    return {
        "paper": paper,
        "title": paper_titles(ROOT / "exhibits", [paper])[paper],
        "edition": EDITION,
        "runs": runs_of_paper(paper),
    }


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


def attack_json(names):
    """The resolved settings of attacks by name."""
    return as_json({name: config["attacks"][name] for name in names})


def checks_of(paper, kind):
    """The checks behind the paper's statements, or (kind "curve") the others that its exhibits need."""
    exhibits = [exhibit for exhibit in PLAN.made if exhibit.paper == paper]
    statements = {
        check
        for exhibit in exhibits
        if exhibit.kind in ("statement", "statement_overview")
        for check in PLAN.needs[exhibit.id].theory
    }
    needed = {check for exhibit in exhibits for check in PLAN.needs[exhibit.id].theory}
    return sorted(statements if kind == "statement" else needed - statements)


def curved(paper):
    """The criteria, by training, whose curves the paper's exhibits show."""
    shown = {name for one in PLAN.made if one.paper == paper for name in one.declaration.get("curves", ())}
    return {name: recipe_settings(config, name)["criterion"] for name in sorted(shown)}


def declared(wildcards):
    """The exhibit of a rule's wildcards."""
    return PLAN.exhibit(wildcards.paper, wildcards.exhibit)


def exhibit_json(wildcards):
    """An exhibit's declaration with the settings of the edition that reach its table."""
    exhibit = declared(wildcards)
    needs = PLAN.needs[exhibit.id]
    return as_json(
        {
            "paper": exhibit.paper,
            "exhibit": exhibit.name,
            "kind": exhibit.kind,
            "declaration": exhibit.declaration,
            "edition": EDITION,
            "seeds": config["seeds"],
            "stand_ins": config["stand_ins"],
            "splits": {attack: PLAN.splits[attack] for _, attack in needs.attacks},
            "diagnosed": config["jury"]["seeds"],
        }
    )


def meant_by(name):
    """What runs in this edition for an exhibit's data set or architecture."""
    return config["stand_ins"].get(name, name)


def drawing_json(wildcards):
    """What a drawing step is told: the declaration and its words."""
    exhibit = declared(wildcards)
    words = {
        "paper": exhibit.paper,
        "exhibit": exhibit.name,
        "kind": exhibit.kind,
        "edition": EDITION,
    }
    words |= {"same_as": exhibit.same_as} if exhibit.same_as else {}
    words |= {"reported_as": exhibit.reported_as} if exhibit.reported_as else {}
    networks = {name: used for name in named_archs(exhibit.declaration) if (used := meant_by(name)) != name}
    words |= {"networks": networks} if networks else {}
    return as_json(words | {"title": exhibit.title, "caption": caption(PLAN, exhibit)} | exhibit.declaration)


def exhibit_label(wildcards):
    """Labels of an exhibit in Snakemake's own report."""
    return {"exhibit": wildcards.exhibit.replace("_", " "), "edition": EDITION}


def with_numbers():
    """The exhibits whose tidy tables answer printed numbers."""
    return [exhibit for exhibit in PLAN.made if catalogue("exhibits")[exhibit.kind].about.get("answers")]


def also_by_alias(found):
    """What is known by exhibit id, by the exhibits' other ids too."""
    return found | {alias: found[one] for alias, one in PLAN.aliases.items() if one in found}


def answering():
    """By id (of an exhibit or an alias) in printed numbers: the exhibit whose tidy table answers them."""
    return also_by_alias({exhibit.id: exhibit.id for exhibit in with_numbers()})


def source_named(dataset):
    """The source of a data set of the configuration."""
    return source_of(config["datasets"][dataset]["source"])


def published_files(dataset):
    """Names and checksums of a data set's published files; {} where it has none."""
    return {file.name: file.checksum for file in source_named(dataset).files}


def data_in_use():
    """The prepared data sets that the edition's runs need."""
    return sorted({run.dataset for run in PLAN.runs})


def published_runs():
    """Our own published measurements, shown beside this edition's."""
    return sorted(
        str(path if ELSEWHERE else path.relative_to(ROOT)) for path in (ROOT / "reference/measured").glob("*.csv")
    )


def page_files():
    """What the report's page is made of beside code: templates, style, script and the vendored library."""
    home = ROOT / "src/lossproof/report"
    kinds = (".j2", ".css", ".js")
    return sorted(str(path.relative_to(ROOT)) for path in home.rglob("*") if path.suffix in kinds)


def report_settings():
    """What the report says of every exhibit: its words, its resolved settings and the command that makes it."""
    papers = {}
    for exhibit in PLAN.made:
        needs = PLAN.needs[exhibit.id]
        entry = {
            "name": exhibit.name,
            "kind": exhibit.kind,
            "title": exhibit.title,
            "caption": caption(PLAN, exhibit),
            "same_as": exhibit.same_as,
            "reported_as": exhibit.reported_as,
            "target": exhibit.target,
            "outputs": PLAN.outputs(exhibit),
            "tidy": PLAN.tidy(exhibit),
            "stand_ins": {
                name: meant_by(name)
                for name in sorted(named_datasets(exhibit.declaration) | named_archs(exhibit.declaration))
            },
            "settings": {
                "declared": exhibit.declaration,
                "runs": {str(run): run_settings(config, *run) for run in needs.runs},
                "attacks": {name: config["attacks"][name] for name in sorted({name for _, name in needs.attacks})},
                "toys": {f"{toy}/{name}": toy_settings(config, name, [toy]) for toy, name in needs.toys},
            },
        }
        papers.setdefault(exhibit.paper, []).append(entry)
    return {
        "edition": EDITION,
        "protocol": config["protocol"],
        "seeds": config["seeds"],
        "attack_images": config["attack_images"],
        "papers": papers,
        "order": config["papers"],
        "titles": paper_titles(ROOT / "exhibits", config["papers"]),
        "missing": PLAN.missing,
        "jury": {
            "runs": {paper: runs_of_paper(paper) for paper in claiming_papers()},
            "cards": {str(run): PATHS.card(run) for run in PLAN.diagnosed},
            **{name: path for name in ("verdicts", "diagnostics") for path in jury_table(name)},
        },
        "published": published_runs(),
        "configfiles": [shown(path) for path in OVERLAYS],
    }
