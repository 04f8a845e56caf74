"""Model and texts (paper, section 2).

In: config `models`, `emotions`, `stories`, `neutral`, `sampling`; stimuli.
(The map comes first: these rules and those of the map have a priority.)
Out: the model as safetensors, `model.json`, `stories.jsonl`, `neutral.jsonl`, their counts.
"""


rule model:
    """Bring a model into a local safetensors folder, with its tokenizer and identity."""
    input:
        lambda wc: make_again(wc.model),
    output:
        weights=directory("results/{model}/model"),
        record="results/{model}/model.json",
    log:
        "results/{model}/logs/model.log",
    benchmark:
        "results/{model}/benchmarks/model.tsv"
    priority: 1
    conda:
        "../../environment.yml"
    threads: 8
    resources:
        mem_mb=16000,
        runtime=240,
    params:
        settings=lambda wc: settings("model", study.model(wc.model)),
        code=code_digest("scripts/model.py"),
        versions=libraries(*ENGINE, "gguf"),
    shell:
        "python scripts/model.py --settings {params.settings:q} "
        "--weights {output.weights:q} --record {output.record:q} "
        "2>&1 | tee {log:q} >&2"


rule write:
    """Have the model write one shard of texts."""
    input:
        weights="results/{model}/model",
        record="results/{model}/model.json",
    output:
        "results/{model}/{texts}/shards/{shard}.jsonl",
    log:
        "results/{model}/logs/write-{texts}-{shard}.log",
    benchmark:
        "results/{model}/benchmarks/write-{texts}-{shard}.tsv"
    priority: 1
    conda:
        "../../environment.yml"
    threads: 8
    resources:
        gpu=1,
        mem_mb=32000,
        runtime=720,
    params:
        settings=lambda wc: settings("write", study.write(wc.texts, wc.shard)),
        max_memory=untracked(study.max_memory),
        code=code_digest("scripts/write.py"),
        # What decides a text. While it stays as it is, finished batches stay finished.
        batches=code_digest(
            "emotion_concepts/model.py:load",
            "emotion_concepts/writing.py:write_texts",
            but="emotion_concepts/store.py",
        ),
        versions=libraries(*ENGINE),
    shell:
        "python scripts/write.py --settings {params.settings:q} "
        "--weights {input.weights:q} --max-memory {params.max_memory:q} "
        "--batches results/{wildcards.model}/{wildcards.texts}/batches "
        "--code '{params.batches} {params.versions}' "
        "--name '{wildcards.model}: writing {wildcards.texts}, shard {wildcards.shard}' "
        "--out {output:q} 2>&1 | tee {log:q} >&2"


rule keep:
    """Put the shards together and say which texts are kept, and why not the others."""
    input:
        lambda wc: collect(
            "results/{model}/{texts}/shards/{shard}.jsonl",
            model=wc.model,
            texts=wc.texts,
            shard=study.shards(wc.texts),
        ),
    output:
        texts="results/{model}/{texts}/{texts}.jsonl",
        counts="results/{model}/{texts}/counts.json",
    log:
        "results/{model}/logs/keep-{texts}.log",
    benchmark:
        "results/{model}/benchmarks/keep-{texts}.tsv"
    priority: 1
    conda:
        "../../environment.yml"
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        settings=lambda wc: settings("keep", study.keeping(wc.texts)),
        code=code_digest("scripts/keep.py"),
    shell:
        "python scripts/keep.py --settings {params.settings:q} --shards {input:q} "
        "--out {output.texts:q} --counts {output.counts:q} 2>&1 | tee {log:q} >&2"
