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
        edition=EDITION,
        settings=run_json,
        images=as_json(config["attack_images"]["test"]),
        seeds=seeds_of,
        code=lambda wildcards: run_code("sensitivity.py", wildcards),
    message:
        "sensitivity of {wildcards.dataset}/{wildcards.arch}/{wildcards.training}"
    shell:
        "device_python {resources.gpu} workflow/scripts/sensitivity.py --settings {params.settings:q} --images {params.images}"
        ' --seeds {params.seeds} --data results/{params.edition}/datasets/{wildcards.dataset} --device "$DEVICE"'
        ' --threads {threads} --workers "$WORKERS" --prefetch "$PREFETCH" --results results/{params.edition}'
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
        edition=EDITION,
        settings=run_json,
        twin=lambda wildcards: as_json([run_settings(config, *run) for run in twins_of(wildcards)]),
        diagnostics=as_json(config["diagnostics"]),
        images=as_json(config["jury"]["images"]),
        draws=config["jury"]["draws"],
        epsilon=lambda wildcards: per_dataset(config["jury"]["epsilon"], wildcards.dataset, wildcards.arch),
        seeds=diagnosed_seeds_of,
        code=lambda wildcards: run_code(
            "diagnose.py", wildcards, twins_of(wildcards), jury=sorted(config["diagnostics"])
        ),
    message:
        "diagnose {wildcards.dataset}/{wildcards.arch}/{wildcards.training}"
    shell:
        "device_python {resources.gpu} workflow/scripts/diagnose.py --settings {params.settings:q} --twin {params.twin:q}"
        " --diagnostics {params.diagnostics:q} --images {params.images} --draws {params.draws} --epsilon {params.epsilon}"
        ' --seeds {params.seeds} --data results/{params.edition}/datasets/{wildcards.dataset} --device "$DEVICE"'
        ' --threads {threads} --workers "$WORKERS" --prefetch "$PREFETCH" --results results/{params.edition}'
        " > {log:q} 2>&1"


# Pictures of one data set's networks are drawn by one process.
for DATASET, RUNS in PLAN.carded.items():

    rule:
        name:
            f"cards_{DATASET}"
        input:
            [PATHS.diagnosis(run, 0) for run in RUNS],
            [PATHS.attack(run, 0, "test", attack) for run in RUNS for attack in PLAN.jury_attacks.get(run, ())],
            jury_table("verdicts"),
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
            edition=EDITION,
            settings=as_json(cards_settings(RUNS)),
            verdicts=jury_option("verdicts"),
            code=code("cards.py"),
        message:
            f"cards of the networks on {DATASET}"
        # Through standard input: Linux takes no argument of more than 128 KiB.
        shell:
            "warm_python workflow/scripts/cards.py --settings - --results results/{params.edition}"
            " --figures figures/{params.edition} {params.verdicts} > {log:q} 2>&1 <<'SETTINGS'\n{params.settings}\nSETTINGS\n"


# One page per paper: what holds, and what is left of it before the jury.
rule summary:
    input:
        claims=f"{RESULTS}/claims.csv",
        jury=jury_tables(),
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
        settings=lambda wildcards: as_json(summary_settings(wildcards.paper)),
        verdicts=lambda wildcards: jury_option("verdicts"),
        diagnostics=lambda wildcards: jury_option("diagnostics"),
        code=code("summary.py"),
    message:
        "summary of {wildcards.paper}"
    shell:
        "python workflow/scripts/summary.py --settings {params.settings:q} --claims {input.claims:q}"
        " {params.verdicts} {params.diagnostics} --out {output:q} > {log:q} 2>&1"
