# The ledger: every printed number, its measurement, a verdict and a reason.


rule claims:
    input:
        tidy=[PATHS.tidy(exhibit.paper, exhibit.name) for exhibit in with_numbers()],
        cards=[PATHS.dataset(data)[-1] for data in data_in_use()],
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
        settings=as_json(
            {
                "edition": EDITION,
                "papers": claiming_papers(),
                "facts": paper_facts(ROOT / "exhibits", config["papers"]),
                "exhibits": answering(),
                "data": data_in_use(),
                "stand_ins": config["stand_ins"],
                "sources": {data: config["datasets"][data]["source"] for data in data_in_use()},
                "missing": also_by_alias(PLAN.missing | PLAN.in_part),
                "full_protocol": config["protocol"] == "full",
            }
        ),
        code=code("claims.py"),
    message:
        "ledger of claims"
    shell:
        "python workflow/scripts/claims.py --settings {params.settings:q} --claims {input.claims:q}"
        " --out {output:q} > {log:q} 2>&1"
