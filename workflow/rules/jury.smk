# What a network's gradients say of clean test images, and the jury: diagnostics of masked gradients, cards, summaries.


rule sensitivity:
    input:
        PATHS.dataset("{dataset}"),
        [PATHS.model("{dataset}/{arch}/{training}", seed, "model.safetensors") for seed in JOB_SEEDS],
    output:
        [
            PATHS.sensitivity("{dataset}/{arch}/{training}", seed, suffix)
            for seed in JOB_SEEDS
            for suffix in ("json", "npz")
        ],
    log:
        f"logs/{EDITION}/sensitivity/{{dataset}}/{{arch}}/{{training}}/{JOB_LOG}.log",
    group:
        "attacks_{dataset}_{arch}_{training}"
    conda:
        "../../envs/torch.yaml"
    threads: threads_of
    resources:
        gpu=gpus,
        mem_mb=data_memory,
        runtime=network_runtime(differentiated),
    params:
        plan=plan_file,
        settings=run_json,
        images=as_json(config["attack_images"]["test"]),
        seeds=seeds_of,
        code=lambda wildcards: run_code("sensitivity.py", wildcards),
    message:
        "sensitivity of {wildcards.dataset}/{wildcards.arch}/{wildcards.training}"
    shell:
        "device_python {resources.gpu} workflow/scripts/sensitivity.py --plan {params.plan}"
        " --run {wildcards.dataset}/{wildcards.arch}/{wildcards.training} --seeds {params.seeds}"
        ' --device "$DEVICE" --threads {threads} --workers "$WORKERS" --prefetch "$PREFETCH"'
        " > {log:q} 2>&1"


rule diagnose:
    input:
        PATHS.dataset("{dataset}"),
        lambda wildcards: [
            PATHS.model(run, seed, "model.safetensors")
            for run in (run_of(wildcards), *twins_of(wildcards))
            for seed in diagnosed_seeds_of(wildcards)
        ],
    output:
        [PATHS.diagnosis("{dataset}/{arch}/{training}", seed) for seed in DIAGNOSED_SEEDS],
    log:
        f"logs/{EDITION}/diagnose/{{dataset}}/{{arch}}/{{training}}/{JOB_LOG}.log",
    group:
        "attacks_{dataset}_{arch}_{training}"
    conda:
        "../../envs/torch.yaml"
    threads: threads_of
    resources:
        gpu=gpus,
        mem_mb=data_memory,
        runtime=network_runtime(diagnosed),
    params:
        plan=plan_file,
        settings=run_json,
        twin=lambda wildcards: runs_json(twins_of(wildcards)),
        diagnostics=as_json(config["diagnostics"]),
        images=as_json(config["jury"]["images"]),
        draws=config["jury"]["draws"],
        epsilon=lambda wildcards: handover.audit_epsilon(PLAN, run_of(wildcards)),
        seeds=diagnosed_seeds_of,
        code=lambda wildcards: run_code(
            "diagnose.py", wildcards, twins_of(wildcards), jury=sorted(config["diagnostics"])
        ),
    message:
        "diagnose {wildcards.dataset}/{wildcards.arch}/{wildcards.training}"
    shell:
        "device_python {resources.gpu} workflow/scripts/diagnose.py --plan {params.plan}"
        " --run {wildcards.dataset}/{wildcards.arch}/{wildcards.training} --seeds {params.seeds}"
        ' --device "$DEVICE" --threads {threads} --workers "$WORKERS" --prefetch "$PREFETCH"'
        " > {log:q} 2>&1"


# Pictures of one data set's networks are drawn by one process.
for DATASET, RUNS in PLAN.carded.items():

    rule:
        name:
            f"cards_{DATASET}"
        input:
            [PATHS.diagnosis(run, 0) for run in RUNS],
            [PATHS.attack(run, 0, "test", attack) for run in RUNS for attack in PLAN.jury_attacks.get(run, ())],
            audit_table("verdicts"),
        output:
            [PATHS.card(run) for run in RUNS],
        log:
            f"logs/{EDITION}/cards/{DATASET}.log",
        conda:
            "../../envs/plot.yaml"
        resources:
            mem_mb=small_memory,
            runtime=small_runtime,
        params:
            plan=plan_file,
            dataset=DATASET,
            settings=as_json(exhibit_specs.cards(PLAN, RUNS)),
            verdicts=audit_option("verdicts"),
            code=code("cards.py"),
        message:
            f"cards of the networks on {DATASET}"
        shell:
            "warm_python workflow/scripts/cards.py --plan {params.plan} --dataset {params.dataset} {params.verdicts}"
            " > {log:q} 2>&1"


# One page per paper: what holds, and what is left of it before the jury.
rule summary:
    input:
        claims=f"{RESULTS}/claims.csv",
        jury=[*audit_table("verdicts"), *audit_table("diagnostics")],
    output:
        PATHS.summary("{paper}"),
    log:
        f"logs/{EDITION}/summary/{{paper}}.log",
    conda:
        "../../envs/plot.yaml"
    resources:
        mem_mb=small_memory,
        runtime=small_runtime,
    params:
        plan=plan_file,
        settings=lambda wildcards: as_json(exhibit_specs.summary(PLAN, ROOT, wildcards.paper)),
        verdicts=lambda wildcards: audit_option("verdicts"),
        diagnostics=lambda wildcards: audit_option("diagnostics"),
        code=code("summary.py"),
    message:
        "summary of {wildcards.paper}"
    shell:
        "python workflow/scripts/summary.py --plan {params.plan} --paper {wildcards.paper} --claims {input.claims:q}"
        " {params.verdicts} {params.diagnostics} --out {output:q} > {log:q} 2>&1"
