# Loss surfaces around a trained network, by our own directions and by the loss-landscapes package.


rule landscape:
    input:
        PATHS.dataset("{dataset}"),
        PATHS.model("{dataset}/{arch}/{training}", "{seed}", "model.safetensors"),
    output:
        [PATHS.landscape("{dataset}/{arch}/{training}", "{seed}", method) for method in LANDSCAPE_METHODS],
    log:
        f"logs/{EDITION}/landscape/{{dataset}}/{{arch}}/{{training}}/seed{{seed}}.log",
    group:
        "attacks_{dataset}_{arch}_{training}"
    conda:
        "../../envs/torch.yaml"
    threads: threads_of
    resources:
        gpu=gpus,
        mem_mb=data_memory,
        runtime=network_runtime(surveyed),
    params:
        plan=plan_file,
        settings=run_json,
        landscape=as_json(config["landscape"]),
        code=lambda wildcards: run_code("landscape.py", wildcards),
    message:
        "landscape of {wildcards.dataset}/{wildcards.arch}/{wildcards.training}, seed {wildcards.seed}"
    shell:
        "device_python {resources.gpu} workflow/scripts/landscape.py --plan {params.plan}"
        " --run {wildcards.dataset}/{wildcards.arch}/{wildcards.training} --seeds {wildcards.seed}"
        ' --device "$DEVICE" --threads {threads} --workers "$WORKERS" --prefetch "$PREFETCH"'
        " > {log:q} 2>&1"
