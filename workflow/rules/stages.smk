# Stages of a grid whose plan as a whole takes too long: `snakemake attacks --batch attacks=1/100` plans and runs a
# hundredth of the attacks, with the networks and data that those need.
rule networks:
    input:
        [PATHS.model(run, seed, "model.safetensors") for run in PLAN.runs for seed in PLAN.seeds],
    localrule: True


rule attacks:
    input:
        [
            PATHS.attack(run, seed, split, attack)
            for run, attack in PLAN.attacks
            for seed in PLAN.seeds
            for split in PLAN.splits[attack]
        ],
    localrule: True
