"""Preferences (paper, section 7; part 1.3).

In: the model, the vectors, the activities; config `preferences`.
Out: every pair's answer (`pairs/`), with steering (`steered/`), and `preferences.json`: the
ranking, the probes beside it, what steering does.
"""

# What decides the answer to a pair. While it stays, finished batches stay finished.
CHOICES = [
    "emotion_concepts/model.py:load",
    "emotion_concepts/choices.py:score_choices",
    "emotion_concepts/preferences.py:chooser",
]


rule prefer:
    """Ask which of two activities the model prefers: one shard of all ordered pairs."""
    input:
        weights="results/{model}/model",
        record="results/{model}/model.json",
    output:
        "results/{model}/preferences/pairs/{shard}.jsonl",
    log:
        "results/{model}/logs/prefer-{shard}.log",
    benchmark:
        "results/{model}/benchmarks/prefer-{shard}.tsv"
    conda:
        "../../environment.yml"
    threads: 8
    resources:
        gpu=1,
        mem_mb=32000,
        runtime=240,
    params:
        settings=lambda wc: settings("prefer", study.prefer(wc.shard)),
        max_memory=untracked(study.max_memory),
        code=code_digest("scripts/prefer.py"),
        batches=code_digest(*CHOICES, but="emotion_concepts/store.py"),
        versions=libraries(*ENGINE),
    shell:
        "python scripts/prefer.py --settings {params.settings:q} "
        "--weights {input.weights:q} --max-memory {params.max_memory:q} "
        "--batches results/{wildcards.model}/preferences/pairs/batches "
        "--code '{params.batches} {params.versions}' "
        "--name '{wildcards.model}: pairs of activities, shard {wildcards.shard}' "
        "--out {output:q} 2>&1 | tee {log:q} >&2"


rule steer_preferences:
    """Ask again while the model is steered: one shard of the directions."""
    input:
        weights="results/{model}/model",
        record="results/{model}/model.json",
        vectors="results/{model}/vectors/vectors.safetensors",
    output:
        "results/{model}/preferences/steered/{shard}.jsonl",
    log:
        "results/{model}/logs/steer_preferences-{shard}.log",
    benchmark:
        "results/{model}/benchmarks/steer_preferences-{shard}.tsv"
    conda:
        "../../environment.yml"
    threads: 8
    resources:
        gpu=1,
        mem_mb=32000,
        runtime=720,
    params:
        settings=lambda wc: settings(
            "steer_preferences", study.steer_preferences(wc.shard)
        ),
        max_memory=untracked(study.max_memory),
        code=code_digest("scripts/steer_preferences.py"),
        batches=code_digest(
            *CHOICES,
            "emotion_concepts/steering.py:steering",
            "emotion_concepts/directions.py:Directions",
            but="emotion_concepts/store.py",
        ),
        versions=libraries(*ENGINE),
    shell:
        "python scripts/steer_preferences.py --settings {params.settings:q} "
        "--weights {input.weights:q} --max-memory {params.max_memory:q} "
        "--vectors {input.vectors:q} "
        "--batches results/{wildcards.model}/preferences/steered/batches "
        "--code '{params.batches} {params.versions}' "
        "--name '{wildcards.model}: steered pairs, shard {wildcards.shard}' "
        "--out {output:q} 2>&1 | tee {log:q} >&2"


rule preferences:
    """Rank the activities, set the probes against the ranking, see what steering does."""
    input:
        model="results/{model}/model.json",
        vectors="results/{model}/vectors/vectors.safetensors",
        readings="results/{model}/readings/activities.safetensors",
        stories="results/{model}/stories/stories.jsonl",
        pairs=lambda wc: collect(
            "results/{model}/preferences/pairs/{shard}.jsonl",
            model=wc.model,
            shard=study.preference_shards("pairs"),
        ),
        steered=lambda wc: collect(
            "results/{model}/preferences/steered/{shard}.jsonl",
            model=wc.model,
            shard=study.preference_shards("steered"),
        ),
    output:
        "results/{model}/preferences/preferences.json",
    log:
        "results/{model}/logs/preferences.log",
    benchmark:
        "results/{model}/benchmarks/preferences.tsv"
    conda:
        "../../environment.yml"
    resources:
        mem_mb=8000,
        runtime=120,
    params:
        settings=settings("preferences", study.preferences()),
        code=code_digest("scripts/preferences.py"),
        versions=libraries(*ANALYSIS, "choix"),
    shell:
        "python scripts/preferences.py --settings {params.settings:q} "
        "--model {input.model:q} --vectors {input.vectors:q} "
        "--readings {input.readings:q} --stories {input.stories:q} "
        "--pairs {input.pairs:q} --steered {input.steered:q} "
        "--out {output:q} 2>&1 | tee {log:q} >&2"
