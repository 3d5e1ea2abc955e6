# What each step is given, as functions of its wildcards: settings and code for `params`, and the plan file that it reads.
from functools import cache


def overlays():
    """Files of --configfile."""
    return [shown(path) for path in OVERLAYS]


@cache
def stored_plan(runs=(), trainings=()):
    """The plan file with these networks and toys beside the edition's; one line where it cannot be written."""
    try:
        return plan_store.store(handover.contents(PLAN, ROOT, overlays(), runs, trainings))
    except OSError as error:
        sys.exit(f"lossproof: the plan file cannot be written: {error}")


# Its path says nothing of what a step does. Snakemake compares no params that depend on threads with earlier ones.
def plan_file(wildcards, threads):
    """The plan file in which a step finds its settings, with the network or toy that was asked for by path alone."""
    given = wildcards.keys()
    if "arch" in given:
        return stored_plan(() if run_of(wildcards) in PLAN.runs else (run_of(wildcards),))
    if "training" in given:
        return stored_plan((), () if wildcards.training in handover.toy_trainings(PLAN) else (wildcards.training,))
    return stored_plan()


def run_json(wildcards):
    """Everything that a training run depends on, but its seed."""
    return as_json(run_settings(config, *run_of(wildcards)))


def runs_json(runs):
    """The resolved settings of runs."""
    return as_json([run_settings(config, *run) for run in runs])


def reference_json(wildcards):
    """The resolved settings of the run whose confidence a control takes over, null where it has a number instead."""
    match = handover.matched(PLAN, run_of(wildcards))
    return as_json(run_settings(config, *match) if match else None)


def substitutes_of(wildcards, names):
    """The runs on which the attacks are made that are not made on the attacked run itself, by attack."""
    return handover.substitutes(PLAN, run_of(wildcards), names)


def substitutes_json(wildcards, names):
    """The resolved settings of the substitutes by attack."""
    return as_json({name: run_settings(config, *run) for name, run in substitutes_of(wildcards, names).items()})


def attack_json(names):
    """The resolved settings of attacks by name."""
    return as_json({name: config["attacks"][name] for name in names})


def twins_of(wildcards):
    """The network that a run is compared with, as a list of none or one."""
    return handover.baselines(PLAN, run_of(wildcards))


def collect_json(wildcards):
    """What an exhibit's tidy table is made by."""
    return as_json(exhibit_specs.collect(PLAN, declared(wildcards)))


def drawing_json(wildcards):
    """What an exhibit's figure or table is made by beside its tidy table."""
    return as_json(exhibit_specs.draw(PLAN, declared(wildcards)))


def audit_table(holds):
    """A tidy table of the audit as a list of none or one."""
    return [path for key, path in exhibit_specs.audit_tables(PLAN).items() if key == holds]


def audit_option(holds):
    """A tidy table of the audit as an option of a command, '' where the audit is not run."""
    return " ".join(f"--{holds} {path}" for path in audit_table(holds))


def source_named(dataset):
    """The source of a data set of the configuration."""
    return source_of(config["datasets"][dataset]["source"])


def published_files(dataset):
    """Names and checksums of a data set's published files; {} where it has none."""
    return {file.name: file.checksum for file in source_named(dataset).files}


def criterion_of(training):
    """The name of a training's criterion."""
    return recipe_settings(config, training)["criterion"]["name"]


def code(script, **components):
    """The code of a step with the components that it loads by name: code("train.py", models=["resnet18"])."""
    return step_code.step_code(ROOT / "workflow/scripts" / script, **components)


def part_code(part, wildcards):
    """The code of the step that makes the figure or the table of an exhibit, with that of its kind."""
    return step_code.part_code(ROOT / "workflow/scripts", part, declared(wildcards).kind)


def run_code(script, wildcards, beside=(), **components):
    """The code of a step that builds a run's network; ``beside``: other runs whose networks it builds."""
    runs = [run_of(wildcards), *beside]
    return step_code.run_code(ROOT / "workflow/scripts" / script, config, runs, **components)
