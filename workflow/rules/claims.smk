# The ledger: every printed number, its measurement, a verdict and a reason.


rule claims:
    input:
        tidy=[PATHS.tidy(exhibit.paper, exhibit.name) for exhibit in exhibit_specs.answering(PLAN)],
        cards=[PATHS.dataset(data)[-1] for data in exhibit_specs.data_in_use(PLAN)],
        claims=repository("reference/claims.csv"),
    output:
        report(f"{RESULTS}/claims.csv", caption="../report/claims.rst", category="Claims"),
    log:
        f"logs/{EDITION}/claims.log",
    conda:
        "../../envs/plot.yaml"
    resources:
        mem_mb=small_memory,
        runtime=small_runtime,
    params:
        plan=plan_file,
        settings=as_json(exhibit_specs.claims(PLAN, ROOT)),
        code=code("claims.py"),
    message:
        "ledger of claims"
    shell:
        "python workflow/scripts/claims.py --plan {params.plan} --claims {input.claims:q}"
        " --out {output:q} > {log:q} 2>&1"
