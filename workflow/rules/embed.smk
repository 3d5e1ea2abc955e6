# Where a run's networks place clean test images.


rule embed:
    input:
        PATHS.dataset("{dataset}"),
        [PATHS.model("{dataset}/{arch}/{training}", seed, "model.safetensors") for seed in JOB_SEEDS],
    output:
        [
            PATHS.embedding("{dataset}/{arch}/{training}", seed, suffix)
            for seed in JOB_SEEDS
            for suffix in ("json", "npz")
        ],
    log:
        f"logs/{EDITION}/embed/{{dataset}}/{{arch}}/{{training}}/{JOB_LOG}.log",
    group:
        "attacks_{dataset}_{arch}_{training}"
    conda:
        "../../envs/torch.yaml"
    threads: threads_of
    resources:
        gpu=gpus,
        mem_mb=data_memory,
        runtime=network_runtime(embedded),
    params:
        plan=plan_file,
        settings=run_json,
        images=config["embedding_images"],
        seeds=seeds_of,
        code=lambda wildcards: run_code("embed.py", wildcards),
    message:
        "embedding of {wildcards.dataset}/{wildcards.arch}/{wildcards.training}"
    shell:
        "device_python {resources.gpu} workflow/scripts/embed.py --plan {params.plan}"
        " --run {wildcards.dataset}/{wildcards.arch}/{wildcards.training} --seeds {params.seeds}"
        ' --device "$DEVICE" --threads {threads} --workers "$WORKERS" --prefetch "$PREFETCH"'
        " > {log:q} 2>&1"


# The same images, where an attack on them fools the network.
rule embed_attacked:
    input:
        PATHS.dataset("{dataset}"),
        [PATHS.model("{dataset}/{arch}/{training}", seed, "model.safetensors") for seed in JOB_SEEDS],
        [PATHS.embedding("{dataset}/{arch}/{training}", seed, "npz") for seed in JOB_SEEDS],
    output:
        [
            PATHS.embedding("{dataset}/{arch}/{training}", seed, f"{{attack}}.{suffix}")
            for seed in JOB_SEEDS
            for suffix in ("json", "npz")
        ],
    log:
        f"logs/{EDITION}/embed_attacked/{{dataset}}/{{arch}}/{{training}}/{{attack}}/{JOB_LOG}.log",
    wildcard_constraints:
        attack=one_of(config["attacks"]),
    group:
        "attacks_{dataset}_{arch}_{training}"
    conda:
        "../../envs/torch.yaml"
    threads: threads_of
    resources:
        gpu=gpus,
        mem_mb=data_memory,
        runtime=network_runtime(embedded_attacked),
    params:
        plan=plan_file,
        settings=run_json,
        attack=lambda wildcards: attack_json([wildcards.attack]),
        batch_size=config["attack_batch_size"],
        seeds=seeds_of,
        code=lambda wildcards: run_code(
            "embed_attacked.py",
            wildcards,
            attacks=[config["attacks"][wildcards.attack]["method"]],
        ),
    message:
        "embedding of {wildcards.dataset}/{wildcards.arch}/{wildcards.training} under {wildcards.attack}"
    shell:
        "device_python {resources.gpu} workflow/scripts/embed_attacked.py --plan {params.plan}"
        " --run {wildcards.dataset}/{wildcards.arch}/{wildcards.training} --attack {wildcards.attack} --seeds {params.seeds}"
        ' --device "$DEVICE" --threads {threads} --workers "$WORKERS" --prefetch "$PREFETCH"'
        " > {log:q} 2>&1"
