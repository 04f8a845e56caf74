"""Findings, figures and the page that shows them.

In: everything that the other parts measured, and the paper's numbers.
Out: `findings.json`, the figures, `report.html`.
"""


rule findings:
    """Set every number beside the paper's, with interval, null, n and verdict."""
    input:
        paper="workflow/stimuli/findings.csv",
        stories="results/{model}/stories/stories.jsonl",
        identification="results/{model}/identification/identification.json",
        geometry="results/{model}/geometry/geometry.json",
        bootstrap="results/{model}/geometry/bootstrap.json",
        permuted="results/{model}/geometry/permuted.json",
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
        "--out {output:q} 2>&1 | tee {log:q} >&2"
