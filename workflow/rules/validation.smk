"""What the vectors stand for (paper, section 4; part 1.2).

In: the model, the vectors, the stories; the messages and openings of the stimuli; config
`focus`, `validation`.
Out: what each test gave (`lens.json`, `words.jsonl`, `continuations.jsonl`,
`passages.json`) and `validation.json`: all of it with intervals and nulls.
"""


rule lens:
    """Read every emotion's vector through the logit lens."""
    input:
        weights="results/{model}/model",
        record="results/{model}/model.json",
        vectors="results/{model}/vectors/vectors.safetensors",
    output:
        "results/{model}/validation/lens.json",
    log:
        "results/{model}/logs/lens.log",
    benchmark:
        "results/{model}/benchmarks/lens.tsv"
    conda:
        "../../environment.yml"
    threads: 8
    resources:
        gpu=1,
        mem_mb=32000,
        runtime=60,
    params:
        settings=settings("lens", study.lens()),
        max_memory=untracked(study.max_memory),
        code=code_digest("scripts/lens.py"),
        versions=libraries(*ENGINE),
    shell:
        "python scripts/lens.py --settings {params.settings:q} "
        "--weights {input.weights:q} --max-memory {params.max_memory:q} "
        "--vectors {input.vectors:q} "
        "--out {output:q} 2>&1 | tee {log:q} >&2"


rule feeling_words:
    """Score the emotions' own words under every focus direction and random ones."""
    input:
        weights="results/{model}/model",
        record="results/{model}/model.json",
        vectors="results/{model}/vectors/vectors.safetensors",
    output:
        "results/{model}/validation/feeling_words.jsonl",
    log:
        "results/{model}/logs/feeling_words.log",
    benchmark:
        "results/{model}/benchmarks/feeling_words.tsv"
    conda:
        "../../environment.yml"
    threads: 8
    resources:
        gpu=1,
        mem_mb=32000,
        runtime=240,
    params:
        settings=settings("feeling_words", study.feeling_words()),
        max_memory=untracked(study.max_memory),
        code=code_digest("scripts/feeling_words.py"),
        batches=code_digest(
            "emotion_concepts/model.py:load",
            "emotion_concepts/choices.py:score_choices",
            "emotion_concepts/feeling_words.py:Asked",
            "emotion_concepts/directions.py:Directions",
            but="emotion_concepts/store.py",
        ),
        versions=libraries(*ENGINE),
    shell:
        "python scripts/feeling_words.py --settings {params.settings:q} "
        "--weights {input.weights:q} --max-memory {params.max_memory:q} "
        "--vectors {input.vectors:q} "
        "--batches results/{wildcards.model}/validation/feeling_words-batches "
        "--code '{params.batches} {params.versions}' "
        "--name '{wildcards.model}: words under steering' "
        "--out {output:q} 2>&1 | tee {log:q} >&2"


rule continue_openings:
    """Have the steered model continue neutral openings, and reread what it wrote."""
    input:
        weights="results/{model}/model",
        record="results/{model}/model.json",
        vectors="results/{model}/vectors/vectors.safetensors",
    output:
        "results/{model}/validation/continuations.jsonl",
    log:
        "results/{model}/logs/continue_openings.log",
    benchmark:
        "results/{model}/benchmarks/continue_openings.tsv"
    conda:
        "../../environment.yml"
    threads: 8
    resources:
        gpu=1,
        mem_mb=32000,
        runtime=240,
    params:
        settings=settings("continue_openings", study.continue_openings()),
        max_memory=untracked(study.max_memory),
        code=code_digest("scripts/continue_openings.py"),
        batches=code_digest(
            "emotion_concepts/model.py:load",
            "emotion_concepts/writing.py:write_texts",
            "emotion_concepts/continuations.py:steered_prompt",
            "emotion_concepts/continuations.py:rereading",
            "emotion_concepts/choices.py:score_choices",
            "emotion_concepts/directions.py:Directions",
            but="emotion_concepts/store.py",
        ),
        versions=libraries(*ENGINE),
    shell:
        "python scripts/continue_openings.py --settings {params.settings:q} "
        "--weights {input.weights:q} --max-memory {params.max_memory:q} "
        "--vectors {input.vectors:q} "
        "--batches results/{wildcards.model}/validation/continue_openings-batches "
        "--code '{params.batches} {params.versions}' "
        "--name '{wildcards.model}: steered continuations' "
        "--out {output:q} 2>&1 | tee {log:q} >&2"


rule passages:
    """Read the probes along stories and along a corpus, token by token."""
    input:
        weights="results/{model}/model",
        record="results/{model}/model.json",
        vectors="results/{model}/vectors/vectors.safetensors",
        stories="results/{model}/stories/stories.jsonl",
        corpus=study.corpus(),
    output:
        "results/{model}/validation/passages.json",
    log:
        "results/{model}/logs/passages.log",
    benchmark:
        "results/{model}/benchmarks/passages.tsv"
    conda:
        "../../environment.yml"
    threads: 8
    resources:
        gpu=1,
        mem_mb=32000,
        runtime=720,
    params:
        settings=settings("passages", study.passages()),
        max_memory=untracked(study.max_memory),
        code=code_digest("scripts/passages.py"),
        versions=libraries(*ENGINE),
    shell:
        "python scripts/passages.py --settings {params.settings:q} "
        "--weights {input.weights:q} --max-memory {params.max_memory:q} "
        "--vectors {input.vectors:q} "
        "--stories {input.stories:q} --corpus {input.corpus:q} "
        "--out {output:q} 2>&1 | tee {log:q} >&2"


rule validation:
    """Put the tests together, with intervals and nulls."""
    input:
        model="results/{model}/model.json",
        vectors="results/{model}/vectors/vectors.safetensors",
        stories="results/{model}/stories/stories.jsonl",
        scenarios="results/{model}/readings/scenarios.safetensors",
        intensities="results/{model}/readings/intensities.safetensors",
        lens="results/{model}/validation/lens.json",
        words="results/{model}/validation/feeling_words.jsonl",
        continuations="results/{model}/validation/continuations.jsonl",
        passages="results/{model}/validation/passages.json",
    output:
        "results/{model}/validation/validation.json",
    log:
        "results/{model}/logs/validation.log",
    benchmark:
        "results/{model}/benchmarks/validation.tsv"
    conda:
        "../../environment.yml"
    resources:
        mem_mb=8000,
        runtime=60,
    params:
        settings=settings("validation", study.validation()),
        code=code_digest("scripts/validation.py"),
        versions=libraries(*ANALYSIS),
    shell:
        "python scripts/validation.py --settings {params.settings:q} "
        "--model {input.model:q} --vectors {input.vectors:q} "
        "--stories {input.stories:q} --scenarios {input.scenarios:q} "
        "--intensities {input.intensities:q} --lens {input.lens:q} "
        "--words {input.words:q} --continuations {input.continuations:q} "
        "--passages {input.passages:q} --out {output:q} 2>&1 | tee {log:q} >&2"
