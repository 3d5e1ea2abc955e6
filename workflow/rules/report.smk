# One self-contained page for the whole edition.


rule report:
    input:
        outputs=every_output(),
        tidy=[path for exhibit in PLAN.made for path in PLAN.tidy(exhibit)],
        claims=rules.claims.output,
        printed=repository("reference/claims.csv"),
        assumptions=repository("reference/assumptions.csv"),
        published=[repository(path) for path in exhibit_specs.published(ROOT)],
        page=[repository(path) for path in exhibit_specs.page_files(ROOT)],
    output:
        f"{RESULTS}/report.html",
    log:
        f"logs/{EDITION}/report.log",
    conda:
        "../../envs/plot.yaml"
    resources:
        mem_mb=small_memory,
        runtime=small_runtime,
    params:
        plan=plan_file,
        settings=as_json(exhibit_specs.report(PLAN, ROOT, overlays())),
        code=code("report.py"),
    message:
        "report"
    shell:
        "python workflow/scripts/report.py --plan {params.plan} --claims {input.claims:q} --printed {input.printed:q}"
        " --assumptions {input.assumptions:q} --out {output:q} > {log:q} 2>&1"
