# Raw files into the cache, then to one uniform prepared form per data set.


# On this machine: a node of a cluster may have no network. Names and checksums alone decide what comes out, so
# they are its params, and neither other addresses nor other code of the download make anything stale.
rule download:
    output:
        PATHS.raw_files("{dataset}"),
    log:
        f"logs/{EDITION}/download/{{dataset}}.log",
    wildcard_constraints:
        dataset=one_of(name for name in config["datasets"] if published_files(name)),
    localrule: True
    conda:
        "../../envs/data.yaml"
    params:
        source=lambda wildcards: source_named(wildcards.dataset).name,
        files=lambda wildcards: as_json(published_files(wildcards.dataset)),
    message:
        "download {wildcards.dataset}"
    shell:
        'python workflow/scripts/download.py --source {params.source} --cache "$CACHE" --mirrors "$MIRRORS"'
        " --out {output:q} > {log:q} 2>&1"


# Files that nobody published have no checksums to go by: `files` is a digest of what lies there.
rule prepare:
    input:
        lambda wildcards: PATHS.raw_files(wildcards.dataset) if published_files(wildcards.dataset) else [],
    output:
        PATHS.dataset("{dataset}"),
    log:
        f"logs/{EDITION}/prepare/{{dataset}}.log",
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=data_memory,
        runtime=small_runtime,
    params:
        plan=plan_file,
        settings=lambda wildcards: as_json(config["datasets"][wildcards.dataset]),
        files=lambda wildcards: on_disk.state(config["datasets"][wildcards.dataset], config["data"]["cache"]),
        code=lambda wildcards: code("prepare.py", datasets=[config["datasets"][wildcards.dataset]["source"]]),
    message:
        "prepare {wildcards.dataset}"
    shell:
        "python workflow/scripts/prepare.py --plan {params.plan} --dataset {wildcards.dataset}"
        ' --cache "$CACHE" --files {input:q} > {log:q} 2>&1'
