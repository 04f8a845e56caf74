"""Findings, figures and the page that shows them.

In: everything that the other parts measured, and the paper's numbers.
Out: `findings.json`, the figures, `report.html`.
"""

BEHAVIOUR_FILES = expand(
    "results/{{model}}/{behaviour}/{behaviour}.json", behaviour=BEHAVIOURS
)


rule findings:
    """Set every number beside the paper's, with interval, null, n and verdict."""
    input:
        paper="workflow/stimuli/findings.csv",
        stories="results/{model}/stories/stories.jsonl",
        identification="results/{model}/identification/identification.json",
        geometry="results/{model}/geometry/geometry.json",
        bootstrap="results/{model}/geometry/bootstrap.json",
        permuted="results/{model}/geometry/permuted.json",
        validation="results/{model}/validation/validation.json",
        preferences="results/{model}/preferences/preferences.json",
        behaviours=BEHAVIOUR_FILES,
        wild="results/{model}/wild/wild.json",
    output:
        "results/{model}/findings.json",
    log:
        "results/{model}/logs/findings.log",
    benchmark:
        "results/{model}/benchmarks/findings.tsv"
    conda:
        "../../environment.yml"
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        code=code_digest("scripts/findings.py"),
        versions=libraries(*ANALYSIS),
    shell:
        "python scripts/findings.py --paper {input.paper:q} --stories {input.stories:q} "
        "--identification {input.identification:q} --geometry {input.geometry:q} "
        "--bootstrap {input.bootstrap:q} --permuted {input.permuted:q} "
        "--validation {input.validation:q} --preferences {input.preferences:q} "
        "--behaviours {input.behaviours:q} "
        "--wild {input.wild:q} --out {output:q} 2>&1 | tee {log:q} >&2"


FIGURE_FILES = [
    "emotion_map",
    "people",
    "cosine_matrix",
    "clusters",
    "layers",
    "between_layers",
    "denoising",
    "identification",
    "texts",
    "scenarios",
    "intensities",
    "feeling_words",
    "continuations",
    "preferences",
    "preference_steering",
    "wild",
    "blackmail",
    "reward_hacking",
    "sycophancy",
    "pressure_probes",
]


rule figures:
    """Draw every figure."""
    input:
        geometry="results/{model}/geometry/geometry.json",
        bootstrap="results/{model}/geometry/bootstrap.json",
        permuted="results/{model}/geometry/permuted.json",
        layout="results/{model}/geometry/layout.json",
        denoising="results/{model}/vectors/denoising.json",
        identification="results/{model}/identification/identification.json",
        story_counts="results/{model}/stories/counts.json",
        neutral_counts="results/{model}/neutral/counts.json",
        validation="results/{model}/validation/validation.json",
        preferences="results/{model}/preferences/preferences.json",
        wild="results/{model}/wild/wild.json",
        behaviours=BEHAVIOUR_FILES,
        curves="workflow/stimuli/paper_curves.csv",
        findings="results/{model}/findings.json",
    output:
        expand(
            "results/{{model}}/figures/{name}.{kind}",
            name=FIGURE_FILES,
            kind=["svg", "png"],
        ),
    log:
        "results/{model}/logs/figures.log",
    benchmark:
        "results/{model}/benchmarks/figures.tsv"
    conda:
        "../../environment.yml"
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        code=code_digest("scripts/figures.py"),
        versions=libraries("numpy", *FIGURES),
    shell:
        "python scripts/figures.py --geometry {input.geometry:q} "
        "--bootstrap {input.bootstrap:q} --permuted {input.permuted:q} "
        "--layout {input.layout:q} --denoising {input.denoising:q} "
        "--identification {input.identification:q} "
        "--story-counts {input.story_counts:q} "
        "--neutral-counts {input.neutral_counts:q} "
        "--validation {input.validation:q} --preferences {input.preferences:q} "
        "--wild {input.wild:q} "
        "--behaviours {input.behaviours:q} --curves {input.curves:q} "
        "--findings {input.findings:q} "
        "--out results/{wildcards.model}/figures 2>&1 | tee {log:q} >&2"


rule report:
    """Write the page that shows what was found, with the figures in it."""
    input:
        template="workflow/report/page.html.j2",
        model="results/{model}/model.json",
        findings="results/{model}/findings.json",
        figures=expand("results/{{model}}/figures/{name}.svg", name=FIGURE_FILES),
        denoising="results/{model}/vectors/denoising.json",
        geometry="results/{model}/geometry/geometry.json",
        identification="results/{model}/identification/identification.json",
        story_counts="results/{model}/stories/counts.json",
        neutral_counts="results/{model}/neutral/counts.json",
        validation="results/{model}/validation/validation.json",
        preferences="results/{model}/preferences/preferences.json",
        behaviours=BEHAVIOUR_FILES,
    output:
        "results/{model}/report.html",
    log:
        "results/{model}/logs/report.log",
    benchmark:
        "results/{model}/benchmarks/report.tsv"
    conda:
        "../../environment.yml"
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        code=code_digest("scripts/report.py"),
        versions=libraries("jinja2"),
    shell:
        "python scripts/report.py --name {wildcards.model:q} "
        "--template {input.template:q} --findings {input.findings:q} "
        "--figures results/{wildcards.model}/figures --model {input.model:q} "
        "--denoising {input.denoising:q} --geometry {input.geometry:q} "
        "--identification {input.identification:q} "
        "--story-counts {input.story_counts:q} "
        "--neutral-counts {input.neutral_counts:q} "
        "--validation {input.validation:q} --preferences {input.preferences:q} "
        "--behaviours {input.behaviours:q} "
        "--out {output:q} 2>&1 | tee {log:q} >&2"
