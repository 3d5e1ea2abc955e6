# Raw files to one uniform prepared form per data set.


rule prepare:
    output:
        PATHS.dataset("{dataset}"),
    log:
        f"logs/{EDITION}/prepare/{{dataset}}.log",
    conda:
        "../../envs/data.yaml"
    params:
        edition=EDITION,
        settings=lambda wildcards: as_json(config["datasets"][wildcards.dataset]),
        code=lambda wildcards: code("prepare.py", datasets=[config["datasets"][wildcards.dataset]["source"]]),
    message:
        "prepare {wildcards.dataset}"
    shell:
        "python workflow/scripts/prepare.py --name {wildcards.dataset} --settings {params.settings:q}"
        ' --cache "$CACHE" --out results/{params.edition}/datasets/{wildcards.dataset} > {log:q} 2>&1'
