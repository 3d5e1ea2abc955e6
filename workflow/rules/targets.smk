# Short names: one target per exhibit (sp_fig_3) and one per paper (sp).


def refuse(target, why):
    """Stop, while jobs are still being planned, with one line that says why a target cannot be made."""
    sys.exit(f"lossproof: {target} cannot be made in the edition '{EDITION}': {why}")


for EXHIBIT in PLAN.made:

    rule:
        name:
            EXHIBIT.target
        input:
            PLAN.outputs(EXHIBIT),
            PLAN.tidy(EXHIBIT),
        localrule: True


# Other names of exhibits ask for the same files.
for EXHIBIT in PLAN.made:
    for NAME in EXHIBIT.same_as:

        rule:
            name:
                f"{EXHIBIT.paper}_{NAME}"
            input:
                PLAN.outputs(EXHIBIT),
                PLAN.tidy(EXHIBIT),
            localrule: True


# What cannot be made here can still be asked for. Nothing depends on these targets.
for EXHIBIT in PLAN.exhibits:
    if EXHIBIT.id in PLAN.missing:
        for NAME in (EXHIBIT.name, *EXHIBIT.same_as):

            rule:
                name:
                    f"{EXHIBIT.paper}_{NAME}"
                input:
                    lambda wildcards, target=f"{EXHIBIT.paper}_{NAME}", why=PLAN.missing[EXHIBIT.id]: refuse(
                        target, why
                    ),
                localrule: True


for PAPER in config["papers"]:

    rule:
        name:
            PAPER
        input:
            [path for exhibit in PLAN.made if exhibit.paper == PAPER for path in PLAN.outputs(exhibit)],
            every_card() if PAPER == "jury" else [],
        localrule: True
