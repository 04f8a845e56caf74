"""How fast the engine is beside other libraries. Not part of the study.

In: the first model of the config and its stories; the libraries of `make bench`.
Out: `results/benchmark/summary.json`; for each work all timings, and a profile.
"""

BENCHMARKED = list(study.models)[0]
WORKS = ["stories", "capture", "pairs", "dose_response"]


rule measure:
    """Do one kind of the study's work in turn with the peers."""
    input:
        weights=f"results/{BENCHMARKED}/model",
        record=f"results/{BENCHMARKED}/model.json",
        texts=f"results/{BENCHMARKED}/stories/stories.jsonl",
    output:
        timings="results/benchmark/{work}.json",
        profile="results/benchmark/{work}-profile.txt",
    log:
        "results/benchmark/logs/{work}.log",
    benchmark:
        "results/benchmark/benchmarks/{work}.tsv"
    wildcard_constraints:
        work="|".join(WORKS),
    conda:
        "../../environment.yml"
    # As many as there are: nothing else may run beside it.
    threads: workflow.cores
    resources:
        gpu=1,
        mem_mb=32000,
        runtime=120,
    params:
        settings=lambda wc: settings("measure", study.benchmark(wc.work)),
        max_memory=lambda wc, input: study.max_memory(BENCHMARKED),
        code=code_digest("scripts/benchmark.py"),
        versions=libraries(*ENGINE),
    shell:
        "python scripts/benchmark.py --settings {params.settings:q} "
        "--weights {input.weights:q} --max-memory {params.max_memory:q} "
        "--texts {input.texts:q} "
        "--out {output.timings:q} --profile {output.profile:q} 2>&1 | tee {log:q} >&2"


rule benchmarks:
    """Put the ratios together."""
    input:
        expand("results/benchmark/{work}.json", work=WORKS),
    output:
        "results/benchmark/summary.json",
    log:
        "results/benchmark/logs/summary.log",
    benchmark:
        "results/benchmark/benchmarks/summary.tsv"
    conda:
        "../../environment.yml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code_digest("scripts/benchmark_summary.py"),
    shell:
        "python scripts/benchmark_summary.py --works {input:q} --out {output:q} "
        "2>&1 | tee {log:q} >&2"
