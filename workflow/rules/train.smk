# One classifier per data set x architecture x training x seed.


rule train:
    input:
        PATHS.dataset("{dataset}"),
    output:
        [PATHS.model("{dataset}/{arch}/{training}", seed, name) for seed in JOB_SEEDS for name in MODEL_FILES],
    log:
        f"logs/{EDITION}/train/{{dataset}}/{{arch}}/{{training}}/{JOB_LOG}.log",
    wildcard_constraints:
        training=trainings_pattern(config),
    priority: 20
    conda:
        "../../envs/torch.yaml"
    threads: threads_of
    resources:
        gpu=gpus,
        mem_mb=data_memory,
        runtime=network_runtime(trained),
    params:
        plan=plan_file,
        settings=run_json,
        code=lambda wildcards: run_code("train.py", wildcards),
        digest=lambda wildcards: sources.digest(run_code("train.py", wildcards)),
        seeds=seeds_of,
    message:
        "train {wildcards.dataset}/{wildcards.arch}/{wildcards.training}"
    shell:
        "device_python {resources.gpu} workflow/scripts/train.py --plan {params.plan}"
        " --run {wildcards.dataset}/{wildcards.arch}/{wildcards.training} --seeds {params.seeds}"
        ' --device "$DEVICE" --threads {threads} --workers "$WORKERS" --prefetch "$PREFETCH"'
        ' --resume-every "$RESUME_EVERY" --code {params.digest} > {log:q} 2>&1'


# Controls: the same network, its logits multiplied by one number.
rule rescale:
    input:
        PATHS.dataset("{dataset}"),
        lambda wildcards: [
            PATHS.model(run, seed, "model.safetensors")
            for run in PLAN.made_from(run_of(wildcards))
            for seed in seeds_of(wildcards)
        ],
    output:
        [PATHS.model("{dataset}/{arch}/{training}", seed, name) for seed in JOB_SEEDS for name in REMADE_FILES],
    log:
        f"logs/{EDITION}/rescale/{{dataset}}/{{arch}}/{{training}}/{JOB_LOG}.log",
    wildcard_constraints:
        training=one_of(config["controls"]),
    priority: 20
    conda:
        "../../envs/torch.yaml"
    threads: threads_of
    resources:
        gpu=gpus,
        mem_mb=data_memory,
        runtime=network_runtime(trained),
    params:
        plan=plan_file,
        settings=run_json,
        reference=reference_json,
        code=lambda wildcards: run_code("rescale.py", wildcards, PLAN.made_from(run_of(wildcards))),
        seeds=seeds_of,
    message:
        "rescale {wildcards.dataset}/{wildcards.arch}/{wildcards.training}"
    shell:
        "device_python {resources.gpu} workflow/scripts/rescale.py --plan {params.plan}"
        " --run {wildcards.dataset}/{wildcards.arch}/{wildcards.training} --seeds {params.seeds}"
        ' --device "$DEVICE" --threads {threads} --workers "$WORKERS" --prefetch "$PREFETCH"'
        " > {log:q} 2>&1"
