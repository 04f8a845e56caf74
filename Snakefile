"""The study at a glance: from stories to vectors to findings, for every model of config.yaml."""

from pathlib import Path

from snakemake.utils import min_version

from workflow.study import readable

min_version("9.27")


configfile: readable("config.yaml")


include: "workflow/rules/common.smk"
include: "workflow/rules/texts.smk"
include: "workflow/rules/vectors.smk"
include: "workflow/rules/geometry.smk"
include: "workflow/rules/prompts.smk"
include: "workflow/rules/validation.smk"
include: "workflow/rules/preferences.smk"
include: "workflow/rules/behaviours.smk"
include: "workflow/rules/wild.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/benchmark.smk"


onstart:
    hold_results()


onsuccess:
    pages = [f"results/{model}/report.html" for model in study.models]
    made = [page for page in pages if Path(page).exists()]
    print("done; open" if made else "done", *made)


localrules:
    all,
    keep,
    findings,
    figures,
    report,
    benchmarks,


rule all:
    """Everything, for every model."""
    default_target: True
    input:
        # By name, because Snakemake makes a lost intermediate again only if asked for it.
        expand(
            "results/{model}/{file}",
            model=study.models,
            file=study.files(FIGURE_FILES),
        ),
