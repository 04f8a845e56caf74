"""The map of the emotions (paper, section 5; part 2.1).

In: the vectors; config `geometry`, the human ratings.
Out: `geometry.json` (every number without its interval), `bootstrap.json` and `permuted.json`
(its samples), `layout.json` (places in the plane, for display).
"""


rule geometry:
    """Draw up the map: axes, order, clusters, read-outs, along the layers."""
    input:
        vectors="results/{model}/vectors/vectors.safetensors",
        cells="results/{model}/vectors/cells.safetensors",
    output:
        "results/{model}/geometry/geometry.json",
    log:
        "results/{model}/logs/geometry.log",
    benchmark:
        "results/{model}/benchmarks/geometry.tsv"
    priority: 1
    conda:
        "../../environment.yml"
    resources:
        mem_mb=8000,
        runtime=60,
    params:
        settings=settings("geometry", study.geometry()),
        # JSON does not keep their order.
        first=list(study.stimuli["ratings"])[0],
        code=code_digest("scripts/geometry.py"),
        versions=libraries(*ANALYSIS),
    shell:
        "python scripts/geometry.py --settings {params.settings:q} "
        "--vectors {input.vectors:q} --cells {input.cells:q} --first {params.first:q} "
        "--out {output:q} 2>&1 | tee {log:q} >&2"


rule resample:
    """Recompute the map over resampled topics and words, or with the emotions permuted."""
    input:
        vectors="results/{model}/vectors/vectors.safetensors",
        cells="results/{model}/vectors/cells.safetensors",
    output:
        "results/{model}/geometry/{how}.json",
    log:
        "results/{model}/logs/resample-{how}.log",
    benchmark:
        "results/{model}/benchmarks/resample-{how}.tsv"
    priority: 1
    conda:
        "../../environment.yml"
    resources:
        mem_mb=8000,
        runtime=240,
    params:
        settings=settings("resample", study.resampling()),
        code=code_digest("scripts/resample.py"),
        versions=libraries(*ANALYSIS),
    shell:
        "python scripts/resample.py --settings {params.settings:q} "
        "--vectors {input.vectors:q} --cells {input.cells:q} --how {wildcards.how} "
        "--name '{wildcards.model}: map, {wildcards.how}' "
        "--out {output:q} 2>&1 | tee {log:q} >&2"


rule layout:
    """Lay the emotions out in the plane by UMAP, for display only."""
    input:
        "results/{model}/vectors/vectors.safetensors",
    output:
        "results/{model}/geometry/layout.json",
    log:
        "results/{model}/logs/layout.log",
    benchmark:
        "results/{model}/benchmarks/layout.tsv"
    priority: 1
    conda:
        "../../environment.yml"
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        code=code_digest("scripts/layout.py"),
        versions=libraries(*ANALYSIS, "umap-learn", "numba"),
    shell:
        "python scripts/layout.py --vectors {input:q} --out {output:q} "
        "2>&1 | tee {log:q} >&2"
