"""Probes along scripted sessions (paper, section 8; part 3.1).

In: the model, the vectors, the stories; the sessions of the stimuli; config `focus`.
Out: `wild.json`: every prediction and the sessions with a budget, with intervals and
nulls; `transcripts.json`: the sessions token by token.
"""


rule wild:
    """Read the probes along the sessions and hold them against the predictions."""
    input:
        weights="results/{model}/model",
        record="results/{model}/model.json",
        vectors="results/{model}/vectors/vectors.safetensors",
        stories="results/{model}/stories/stories.jsonl",
    output:
        numbers="results/{model}/wild/wild.json",
        transcripts="results/{model}/wild/transcripts.json",
    log:
        "results/{model}/logs/wild.log",
    benchmark:
        "results/{model}/benchmarks/wild.tsv"
    conda:
        "../../environment.yml"
    threads: 8
    resources:
        gpu=1,
        mem_mb=32000,
        runtime=60,
    params:
        settings=settings("wild", study.wild()),
        max_memory=untracked(study.max_memory),
        code=code_digest("scripts/wild.py"),
        versions=libraries(*ENGINE, "scikit-learn"),
    shell:
        "python scripts/wild.py --settings {params.settings:q} "
        "--weights {input.weights:q} --max-memory {params.max_memory:q} "
        "--vectors {input.vectors:q} --stories {input.stories:q} "
        "--out {output.numbers:q} --transcripts {output.transcripts:q} "
        "2>&1 | tee {log:q} >&2"
