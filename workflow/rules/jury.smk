# What the gradients of a run's networks say of clean test images.


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
    conda:
        "../../envs/torch.yaml"
    threads: threads_of
    resources:
        gpu=GPU,
    params:
        edition=EDITION,
        settings=run_json,
        images=as_json(config["attack_images"]["test"]),
        seeds=seeds_of,
        code=lambda wildcards: run_code("sensitivity.py", wildcards),
    message:
        "sensitivity of {wildcards.dataset}/{wildcards.arch}/{wildcards.training}"
    shell:
        "warm_python workflow/scripts/sensitivity.py --settings {params.settings:q} --images {params.images}"
        ' --seeds {params.seeds} --data results/{params.edition}/datasets/{wildcards.dataset} --device "$DEVICE"'
        ' --threads {threads} --workers "$WORKERS" --prefetch "$PREFETCH" --results results/{params.edition}'
        " > {log:q} 2>&1"
