# One classifier per data set x architecture x training x seed.


rule train:
    input:
        PATHS.dataset("{dataset}"),
    output:
        [PATHS.model("{dataset}/{arch}/{training}", seed, name) for seed in JOB_SEEDS for name in MODEL_FILES],
    log:
        f"logs/{EDITION}/train/{{dataset}}/{{arch}}/{{training}}/{JOB_LOG}.log",
    priority: 20
    conda:
        "../../envs/torch.yaml"
    threads: threads_of
    resources:
        gpu=GPU,
    params:
        edition=EDITION,
        settings=run_json,
        code=lambda wildcards: run_code("train.py", wildcards),
        seeds=seeds_of,
    message:
        "train {wildcards.dataset}/{wildcards.arch}/{wildcards.training}"
    shell:
        "warm_python workflow/scripts/train.py --settings {params.settings:q} --seeds {params.seeds}"
        ' --data results/{params.edition}/datasets/{wildcards.dataset} --device "$DEVICE" --threads {threads}'
        " --out results/{params.edition}/models/{wildcards.dataset}/{wildcards.arch}/{wildcards.training}"
        " --resume .cache/{params.edition}/models/{wildcards.dataset}/{wildcards.arch}/{wildcards.training}"
        ' --resume-every "$RESUME_EVERY" --workers "$WORKERS" --prefetch "$PREFETCH" > {log:q} 2>&1'
