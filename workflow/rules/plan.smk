# What an edition would run, train and fetch, before anything is run.


# No output, so it is made whenever it is asked for. A handover: it needs no environment and no log,
# its text goes to the terminal.
rule plan:
    localrule: True
    handover: True
    params:
        text=lambda wildcards: plan_text(Forecast(PLAN)),
    message:
        "plan of {EDITION}"
    shell:
        "printf '%s\\n' {params.text:q}"
