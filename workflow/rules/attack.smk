# The attacks of a bundle share one job per run: one start-up, one file per attack.


for BUNDLE, MEMBERS in config["bundles"].items():

    rule:
        name:
            f"attack_{BUNDLE}"
        input:
            PATHS.dataset("{dataset}"),
            [PATHS.model("{dataset}/{arch}/{training}", seed, "model.safetensors") for seed in JOB_SEEDS],
            # One network may be another's substitute: each file once.
            lambda wildcards, members=tuple(MEMBERS): sorted(
                {
                    PATHS.model(run, seed, "model.safetensors")
                    for run in substitutes_of(wildcards, members).values()
                    for seed in seeds_of(wildcards)
                }
            ),
        output:
            [
                PATHS.attack("{dataset}/{arch}/{training}", seed, split, attack, suffix)
                for seed in JOB_SEEDS
                for attack in MEMBERS
                for split in PLAN.splits[attack]
                for suffix in ("json", "npz")
            ],
        log:
            f"logs/{EDITION}/attack_{BUNDLE}/{{dataset}}/{{arch}}/{{training}}/{JOB_LOG}.log",
        priority: 10
        group:
            "attacks_{dataset}_{arch}_{training}"
        conda:
            "../../envs/torch.yaml"
        threads: threads_of
        resources:
            gpu=gpus,
            mem_mb=data_memory,
            runtime=network_runtime(attacked(MEMBERS)),
        params:
            plan=plan_file,
            settings=run_json,
            attacks=attack_json(MEMBERS),
            substitutes=lambda wildcards, members=tuple(MEMBERS): substitutes_json(wildcards, members),
            bundle=BUNDLE,
            images=as_json(config["attack_images"]),
            batch_size=config["attack_batch_size"],
            seeds=seeds_of,
            code=lambda wildcards, members=tuple(MEMBERS): run_code(
                "attack.py",
                wildcards,
                substitutes_of(wildcards, members).values(),
                attacks=[config["attacks"][name]["method"] for name in members],
            ),
        message:
            "attack {wildcards.dataset}/{wildcards.arch}/{wildcards.training} ({params.bundle})"
        shell:
            "device_python {resources.gpu} workflow/scripts/attack.py --plan {params.plan}"
            " --run {wildcards.dataset}/{wildcards.arch}/{wildcards.training} --bundle {params.bundle} --seeds {params.seeds}"
            ' --device "$DEVICE" --threads {threads} --workers "$WORKERS" --prefetch "$PREFETCH"'
            " > {log:q} 2>&1"
