# Short names: one target per exhibit (sp_fig_3) and one per paper (sp).

for EXHIBIT in PLAN.made:

    rule:
        name:
            EXHIBIT.target
        input:
            PLAN.outputs(EXHIBIT),
            PLAN.tidy(EXHIBIT),
        localrule: True


for PAPER in config["papers"]:

    rule:
        name:
            PAPER
        input:
            [path for exhibit in PLAN.made if exhibit.paper == PAPER for path in PLAN.outputs(exhibit)],
        localrule: True
