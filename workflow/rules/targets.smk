# Short names: one target per exhibit (sp_fig_3) and one per paper (sp).

for EXHIBIT in PLAN.made:

    rule:
        name:
            EXHIBIT.target
        localrule: True
        input:
            PLAN.outputs(EXHIBIT),
            PLAN.tidy(EXHIBIT),


for PAPER in config["papers"]:

    rule:
        name:
            PAPER
        localrule: True
        input:
            [path for exhibit in PLAN.made if exhibit.paper == PAPER for path in PLAN.outputs(exhibit)],
