"""The residual stream on prompts of ours, for the probes.

In: the model; the stimuli.
Out: `readings/<prompts>.safetensors`.
"""


rule read_prompts:
    """Read a set of prompts, keeping named positions at every captured layer."""
    input:
        weights="results/{model}/model",
        record="results/{model}/model.json",
    output:
        "results/{model}/readings/{prompts}.safetensors",
    log:
        "results/{model}/logs/read_prompts-{prompts}.log",
    benchmark:
        "results/{model}/benchmarks/read_prompts-{prompts}.tsv"
    conda:
        "../../environment.yml"
    threads: 8
    resources:
        gpu=1,
        mem_mb=32000,
        runtime=60,
    params:
        settings=lambda wc: settings("read_prompts", study.prompts(wc.prompts)),
        max_memory=untracked(study.max_memory),
        code=code_digest("scripts/read_prompts.py"),
        versions=libraries(*ENGINE),
    shell:
        "python scripts/read_prompts.py --settings {params.settings:q} "
        "--weights {input.weights:q} --max-memory {params.max_memory:q} "
        "--out {output:q} 2>&1 | tee {log:q} >&2"
