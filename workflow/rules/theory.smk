# Numerical checks of statements: those of a paper share one job; curves have their own.


for PAPER in config["papers"]:
    for KIND in ("statement", "curve"):
        if CHECKS := exhibit_specs.checks(PLAN, PAPER, KIND):

            rule:
                name:
                    f"theory_{PAPER}_{KIND}"
                output:
                    [PATHS.theory(PAPER, check) for check in CHECKS],
                log:
                    f"logs/{EDITION}/theory/{PAPER}_{KIND}.log",
                group:
                    "checks"
                conda:
                    "../../envs/torch.yaml"
                threads: 1
                resources:
                    mem_mb=small_memory,
                    runtime=small_runtime,
                params:
                    plan=plan_file,
                    paper=PAPER,
                    checks=CHECKS,
                    recipes=as_json(exhibit_specs.curves(PLAN, PAPER) if KIND == "curve" else {}),
                    code=code(
                        "theory.py",
                        theory=CHECKS,
                        criteria=(map(criterion_of, exhibit_specs.curves(PLAN, PAPER)) if KIND == "curve" else []),
                    ),
                message:
                    "theory: {params.checks}"
                shell:
                    "warm_python workflow/scripts/theory.py --plan {params.plan} --paper {params.paper} --checks {params.checks}"
                    " --threads {threads} > {log:q} 2>&1"
