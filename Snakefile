# lossproof: every table, figure and theorem check of three robust-loss papers, measured again.
#
#   snakemake --cores 2                 everything of the embedded edition, then results/embedded/report.html
#   snakemake --cores 1 sp_fig_3        one exhibit
#   snakemake -n sp                     what a paper's exhibits need, without running it
#   snakemake plan --cores 1            how much an edition would train, attack and fetch, without running it
from snakemake.utils import min_version

min_version("9.19")


# It reads config/*.yaml, editions/<edition>.yaml and config.yaml, then what --configfile and --config say.
include: "workflow/rules/common.smk"
include: "workflow/rules/shell.smk"
include: "workflow/rules/handover.smk"
include: "workflow/rules/storage.smk"
include: "workflow/rules/resources.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/attack.smk"
include: "workflow/rules/landscape.smk"
include: "workflow/rules/embed.smk"
include: "workflow/rules/jury.smk"
include: "workflow/rules/toy.smk"
include: "workflow/rules/theory.smk"
include: "workflow/rules/exhibit.smk"
include: "workflow/rules/claims.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/plan.smk"


wildcard_constraints:
    dataset=one_of(config["datasets"]),
    arch=one_of(catalogue("models")),
    training=networks_pattern(config),
    seed=r"\d+",


# The default target must stand in this file: Snakemake ignores a default target of an include.
rule all:
    default_target: True
    input:
        rules.report.output,
        every_output(),
    localrule: True


include: "workflow/rules/targets.smk"
include: "workflow/rules/stages.smk"
