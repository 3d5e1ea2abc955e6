# One self-contained page for the whole edition.


rule report:
    input:
        outputs=every_output(),
        tidy=[path for exhibit in PLAN.made for path in PLAN.tidy(exhibit)],
        claims=rules.claims.output,
        printed=repository("reference/claims.csv"),
        assumptions=repository("reference/assumptions.csv"),
        published=[repository(path) for path in published_runs()],
        page=[repository(path) for path in page_files()],
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
        settings=as_json(report_settings()),
        code=code("report.py"),
    message:
        "report"
    # Through standard input: Linux takes no argument of more than 128 KiB.
    shell:
        "python workflow/scripts/report.py --settings - --claims {input.claims:q} --printed {input.printed:q}"
        " --assumptions {input.assumptions:q} --out {output:q} > {log:q} 2>&1 <<'SETTINGS'\n{params.settings}\nSETTINGS\n"
