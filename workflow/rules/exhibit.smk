# Records to one tidy table per exhibit, and from tidy tables alone to figures and typeset tables.


for GRIDS in (False, True):

    rule:
        name:
            "collect_grids" if GRIDS else "collect"
        input:
            lambda wildcards: PLAN.inputs(declared(wildcards)),
        output:
            PATHS.tidy("{paper}", "{exhibit}"),
            *([PATHS.tidy("{paper}", "{exhibit}", "npz")] if GRIDS else []),
        log:
            f"logs/{EDITION}/collect/{{paper}}/{{exhibit}}.log",
        wildcard_constraints:
            paper=one_of(config["papers"]),
            exhibit=names_of(lambda exhibit, grids=GRIDS: exhibit.grids == grids),
        group:
            "exhibits"
        conda:
            "../../envs/plot.yaml"
        resources:
            mem_mb=small_memory,
            runtime=small_runtime,
        params:
            plan=plan_file,
            settings=collect_json,
            code=lambda wildcards: code("collect.py", exhibits=[declared(wildcards).kind]),
        message:
            "collect {wildcards.paper}/{wildcards.exhibit}"
        shell:
            "warm_python workflow/scripts/collect.py --plan {params.plan} --exhibit {wildcards.paper}/{wildcards.exhibit}"
            " > {log:q} 2>&1"


rule figure:
    input:
        lambda wildcards: PLAN.tidy(declared(wildcards)),
    output:
        report(
            PATHS.figure("{paper}", "{exhibit}", "png"),
            caption="../report/exhibit.rst",
            category="Figures",
            subcategory="{paper}",
            labels=exhibit_label,
        ),
        PATHS.figure("{paper}", "{exhibit}", "pdf"),
    log:
        f"logs/{EDITION}/figure/{{paper}}/{{exhibit}}.log",
    wildcard_constraints:
        paper=one_of(config["papers"]),
        exhibit=names_of(lambda exhibit: "figure" in exhibit.outputs),
    group:
        "exhibits"
    conda:
        "../../envs/plot.yaml"
    resources:
        mem_mb=small_memory,
        runtime=small_runtime,
    params:
        plan=plan_file,
        settings=drawing_json,
        caption=lambda wildcards: caption(PLAN, declared(wildcards)),
        code=lambda wildcards: part_code("figure", wildcards),
    message:
        "draw {wildcards.paper}/{wildcards.exhibit}"
    shell:
        "warm_python workflow/scripts/figure.py --plan {params.plan} --exhibit {wildcards.paper}/{wildcards.exhibit}"
        " --tidy {input:q} --out {output:q} > {log:q} 2>&1"


rule table:
    input:
        tidy=lambda wildcards: PLAN.tidy(declared(wildcards))[0],
        claims=repository("reference/claims.csv"),
    output:
        PATHS.table("{paper}", "{exhibit}", "md"),
        PATHS.table("{paper}", "{exhibit}", "tex"),
        report(
            PATHS.table("{paper}", "{exhibit}", "csv"),
            caption="../report/exhibit.rst",
            category="Tables",
            subcategory="{paper}",
            labels=exhibit_label,
        ),
    log:
        f"logs/{EDITION}/table/{{paper}}/{{exhibit}}.log",
    wildcard_constraints:
        paper=one_of(config["papers"]),
        exhibit=names_of(lambda exhibit: "table" in exhibit.outputs),
    group:
        "exhibits"
    conda:
        "../../envs/plot.yaml"
    resources:
        mem_mb=small_memory,
        runtime=small_runtime,
    params:
        plan=plan_file,
        settings=drawing_json,
        caption=lambda wildcards: caption(PLAN, declared(wildcards)),
        code=lambda wildcards: part_code("table", wildcards),
    message:
        "typeset {wildcards.paper}/{wildcards.exhibit}"
    shell:
        "warm_python workflow/scripts/table.py --plan {params.plan} --exhibit {wildcards.paper}/{wildcards.exhibit}"
        " --tidy {input.tidy:q} --claims {input.claims:q} --out {output:q} > {log:q} 2>&1"
