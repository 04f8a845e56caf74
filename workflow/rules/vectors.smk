"""Activations and emotion vectors (paper, section 3), and whether they are real.

In: the texts; config `capture`, `vectors`.
Out: the mean residual stream of every text, `vectors.safetensors`, `cells.safetensors`,
`denoising.json`, `identification.json`.
"""


rule capture:
    """Read one shard of texts, keeping the mean residual stream at every layer."""
    input:
        weights="results/{model}/model",
        record="results/{model}/model.json",
        texts="results/{model}/{texts}/shards/{shard}.jsonl",
    output:
        "results/{model}/activations/{texts}/{shard}.safetensors",
    log:
        "results/{model}/logs/capture-{texts}-{shard}.log",
    benchmark:
        "results/{model}/benchmarks/capture-{texts}-{shard}.tsv"
    priority: 1
    conda:
        "../../environment.yml"
    threads: 8
    resources:
        gpu=1,
        mem_mb=32000,
        runtime=720,
    params:
        settings=settings("capture", study.capture()),
        max_memory=untracked(study.max_memory),
        code=code_digest("scripts/capture.py"),
        # What decides a mean. While it stays as it is, finished batches stay finished.
        batches=code_digest(
            "emotion_concepts/activations.py:capture_texts",
            "emotion_concepts/model.py:load",
            but="emotion_concepts/store.py",
        ),
        versions=libraries(*ENGINE),
    shell:
        "python scripts/capture.py --settings {params.settings:q} "
        "--weights {input.weights:q} --max-memory {params.max_memory:q} "
        "--texts {input.texts:q} "
        "--batches results/{wildcards.model}/activations/{wildcards.texts}/batches "
        "--code '{params.batches} {params.versions}' "
        "--name '{wildcards.model}: reading {wildcards.texts}, shard {wildcards.shard}' "
        "--out {output:q} 2>&1 | tee {log:q} >&2"


rule vectors:
    """Make the emotion vectors of every layer, and decide on held-out topics what to remove."""
    input:
        model="results/{model}/model.json",
        stories="results/{model}/stories/stories.jsonl",
        activations=shards_of("results/{model}/activations/stories/{shard}.safetensors"),
        neutral="results/{model}/neutral/neutral.jsonl",
        neutral_activations="results/{model}/activations/neutral/0.safetensors",
    output:
        vectors="results/{model}/vectors/vectors.safetensors",
        cells="results/{model}/vectors/cells.safetensors",
        denoising="results/{model}/vectors/denoising.json",
    log:
        "results/{model}/logs/vectors.log",
    benchmark:
        "results/{model}/benchmarks/vectors.tsv"
    priority: 1
    conda:
        "../../environment.yml"
    threads: 2
    resources:
        mem_mb=16000,
        runtime=120,
    params:
        settings=settings("vectors", study.vectors()),
        code=code_digest("scripts/vectors.py"),
        versions=libraries(*ANALYSIS),
    shell:
        "python scripts/vectors.py --settings {params.settings:q} --model {input.model:q} "
        "--stories {input.stories:q} --activations {input.activations:q} "
        "--neutral {input.neutral:q} --neutral-activations {input.neutral_activations:q} "
        "--vectors {output.vectors:q} --cells {output.cells:q} "
        "--denoising {output.denoising:q} 2>&1 | tee {log:q} >&2"


rule identify:
    """Identify each story's emotion with its topic held out, beside the words alone."""
    input:
        model="results/{model}/model.json",
        stories="results/{model}/stories/stories.jsonl",
        activations=shards_of("results/{model}/activations/stories/{shard}.safetensors"),
        vectors="results/{model}/vectors/vectors.safetensors",
    output:
        "results/{model}/identification/identification.json",
    log:
        "results/{model}/logs/identify.log",
    benchmark:
        "results/{model}/benchmarks/identify.tsv"
    priority: 1
    conda:
        "../../environment.yml"
    resources:
        mem_mb=16000,
        runtime=120,
    params:
        settings=settings("identify", study.identification()),
        code=code_digest("scripts/identify.py"),
        versions=libraries(*ANALYSIS),
    shell:
        "python scripts/identify.py --settings {params.settings:q} "
        "--stories {input.stories:q} --activations {input.activations:q} "
        "--model {input.model:q} --vectors {input.vectors:q} "
        "--name '{wildcards.model}: identifying' "
        "--out {output:q} 2>&1 | tee {log:q} >&2"
