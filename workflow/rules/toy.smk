# Toy networks: the seeds (and the toys of a bundle) train as one batched network.


for BUNDLE, MEMBERS in config["toys"]["bundles"].items():

    rule:
        name:
            f"toy_{BUNDLE}"
        output:
            [PATHS.toy(toy, "{training}", name) for toy in MEMBERS for name in TOY_FILES],
        log:
            f"logs/{EDITION}/toy_{BUNDLE}/{{training}}.log",
        # Long, and needed by nothing but the last steps: begun last, they would keep one core waiting.
        priority: 30
        group:
            "checks"
        conda:
            "../../envs/torch.yaml"
        threads: 1
        resources:
            mem_mb=small_memory,
            runtime=small_runtime,
        params:
            plan=plan_file,
            bundle=BUNDLE,
            settings=lambda wildcards, members=tuple(MEMBERS): as_json(
                toy_settings(config, wildcards.training, list(members))
            ),
            code=lambda wildcards, members=tuple(MEMBERS): code(
                "toy.py",
                criteria=[criterion_of(wildcards.training)],
                toys=[config["toys"]["sets"][toy]["source"] for toy in members],
            ),
        message:
            "toy networks, {wildcards.training}"
        shell:
            "warm_python workflow/scripts/toy.py --plan {params.plan} --bundle {params.bundle} --training {wildcards.training}"
            " --threads {threads} > {log:q} 2>&1"
