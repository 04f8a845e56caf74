"""Under pressure: blackmail, reward hacking, sycophancy and harshness (paper, sections 9 to 11;
parts 3.2 to 3.4).

In: the model, the vectors, the evaluations' stimuli; config `behaviours`.
Out, for each evaluation: what the model chose (`choices/`) and wrote (`rollouts/`), with and without
steering; how its graders agree with labels (`grader.json`); the probes along it; its numbers.
"""

# What decides what the model writes. While it stays, finished batches stay finished.
REPLIES = [
    "emotion_concepts/model.py:load",
    "emotion_concepts/writing.py:write_texts",
    "emotion_concepts/behaviours.py:reply_prompt",
    "emotion_concepts/behaviours.py:rereading",
    "emotion_concepts/choices.py:score_choices",
    "emotion_concepts/directions.py:Directions",
]


rule choose:
    """Ask which of the spelled-out options the model takes: one shard of the directions."""
    input:
        weights="results/{model}/model",
        record="results/{model}/model.json",
        vectors="results/{model}/vectors/vectors.safetensors",
    output:
        "results/{model}/{behaviour}/choices/{shard}.jsonl",
    log:
        "results/{model}/logs/choose-{behaviour}-{shard}.log",
    benchmark:
        "results/{model}/benchmarks/choose-{behaviour}-{shard}.tsv"
    conda:
        "../../environment.yml"
    threads: 8
    resources:
        gpu=1,
        mem_mb=32000,
        runtime=720,
    params:
        settings=lambda wc: settings("choose", study.choose(wc.behaviour, wc.shard)),
        max_memory=untracked(study.max_memory),
        code=code_digest("scripts/choose.py"),
        batches=code_digest(
            "emotion_concepts/model.py:load",
            "emotion_concepts/choices.py:score_choices",
            "emotion_concepts/behaviours.py:option_chooser",
            "emotion_concepts/directions.py:Directions",
            but="emotion_concepts/store.py",
        ),
        versions=libraries(*ENGINE),
    shell:
        "python scripts/choose.py --settings {params.settings:q} "
        "--weights {input.weights:q} --max-memory {params.max_memory:q} "
        "--vectors {input.vectors:q} "
        "--batches results/{wildcards.model}/{wildcards.behaviour}/choices/batches "
        "--code '{params.batches} {params.versions}' "
        "--name '{wildcards.model}: {wildcards.behaviour}, choices, shard {wildcards.shard}' "
        "--out {output:q} 2>&1 | tee {log:q} >&2"


rule roll_out:
    """Have the model act in its own words: one shard of the directions."""
    input:
        weights="results/{model}/model",
        record="results/{model}/model.json",
        vectors="results/{model}/vectors/vectors.safetensors",
    output:
        "results/{model}/{behaviour}/rollouts/{shard}.jsonl",
    log:
        "results/{model}/logs/roll_out-{behaviour}-{shard}.log",
    benchmark:
        "results/{model}/benchmarks/roll_out-{behaviour}-{shard}.tsv"
    conda:
        "../../environment.yml"
    threads: 8
    resources:
        gpu=1,
        mem_mb=32000,
        runtime=1440,
    params:
        settings=lambda wc: settings("roll_out", study.roll_out(wc.behaviour, wc.shard)),
        max_memory=untracked(study.max_memory),
        code=code_digest("scripts/roll_out.py"),
        batches=code_digest(*REPLIES, but="emotion_concepts/store.py"),
        grader=code_digest(
            "emotion_concepts/reward_hacking.py:grade",
            but="emotion_concepts/store.py",
        ),
        versions=libraries(*ENGINE),
    shell:
        "python scripts/roll_out.py --settings {params.settings:q} "
        "--weights {input.weights:q} --max-memory {params.max_memory:q} "
        "--vectors {input.vectors:q} "
        "--batches results/{wildcards.model}/{wildcards.behaviour}/rollouts/batches "
        "--code '{params.batches} {params.versions}' --grader-code {params.grader:q} "
        "--name '{wildcards.model}: {wildcards.behaviour}, rollouts, shard {wildcards.shard}' "
        "--out {output:q} 2>&1 | tee {log:q} >&2"


rule grader:
    """Measure a grader that is a rule on the replies labelled by hand."""
    output:
        "results/{model}/{behaviour}/grader.json",
    log:
        "results/{model}/logs/grader-{behaviour}.log",
    benchmark:
        "results/{model}/benchmarks/grader-{behaviour}.tsv"
    wildcard_constraints:
        behaviour="blackmail|reward_hacking",
    conda:
        "../../environment.yml"
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        settings=lambda wc: settings("grader", study.grader(wc.behaviour)),
        code=code_digest("scripts/grader.py"),
        versions=libraries("numpy", "scikit-learn"),
    shell:
        "python scripts/grader.py --settings {params.settings:q} --out {output:q} "
        "2>&1 | tee {log:q} >&2"


rule judge:
    """Measure the judge on labelled replies; where it can be trusted, have it judge ours."""
    input:
        weights=judge_weights("model"),
        record=judge_weights("model.json"),
        rollouts=of_shards("rollouts"),
    output:
        judged="results/{model}/sycophancy/judged.json",
        grader="results/{model}/sycophancy/grader.json",
    log:
        "results/{model}/logs/judge.log",
    benchmark:
        "results/{model}/benchmarks/judge.tsv"
    conda:
        "../../environment.yml"
    threads: 8
    resources:
        gpu=1,
        mem_mb=32000,
        runtime=720,
    params:
        settings=lambda wc: settings("judge", study.judge(wc.model)),
        max_memory=untracked(study.judge_memory),
        code=code_digest("scripts/judge.py"),
        batches=code_digest(
            "emotion_concepts/model.py:load",
            "emotion_concepts/judges.py:local_choice",
            "emotion_concepts/judges.py:ask_endpoint",
            "emotion_concepts/choices.py:score_choices",
            but="emotion_concepts/store.py",
        ),
        versions=libraries(*ENGINE, "scikit-learn"),
    shell:
        "python scripts/judge.py --settings {params.settings:q} "
        "--weights {input.weights:q} --max-memory {params.max_memory:q} "
        "--rollouts {input.rollouts:q} "
        "--batches results/{wildcards.model}/sycophancy/judged-batches "
        "--code '{params.batches} {params.versions}' "
        "--name '{wildcards.model}: judging replies' "
        "--grader {output.grader:q} --out {output.judged:q} 2>&1 | tee {log:q} >&2"


rule read_along:
    """Read the probes on every prompt and through what was written unsteered."""
    input:
        weights="results/{model}/model",
        record="results/{model}/model.json",
        vectors="results/{model}/vectors/vectors.safetensors",
        rollouts=of_shards("rollouts"),
    output:
        streams="results/{model}/{behaviour}/probes.safetensors",
        transcripts="results/{model}/{behaviour}/transcripts.jsonl",
    log:
        "results/{model}/logs/read_along-{behaviour}.log",
    benchmark:
        "results/{model}/benchmarks/read_along-{behaviour}.tsv"
    conda:
        "../../environment.yml"
    threads: 8
    resources:
        gpu=1,
        mem_mb=32000,
        runtime=120,
    params:
        settings=lambda wc: settings("read_along", study.read_along(wc.behaviour)),
        max_memory=untracked(study.max_memory),
        code=code_digest("scripts/read_along.py"),
        versions=libraries(*ENGINE),
    shell:
        "python scripts/read_along.py --settings {params.settings:q} "
        "--weights {input.weights:q} --max-memory {params.max_memory:q} "
        "--vectors {input.vectors:q} --rollouts {input.rollouts:q} "
        "--transcripts {output.transcripts:q} "
        "--out {output.streams:q} 2>&1 | tee {log:q} >&2"


rule behaviour:
    """Put an evaluation's numbers together."""
    input:
        model="results/{model}/model.json",
        vectors="results/{model}/vectors/vectors.safetensors",
        stories="results/{model}/stories/stories.jsonl",
        choices=of_shards("choices"),
        rollouts=of_shards("rollouts"),
        judged=lambda wc: (
            [f"results/{wc.model}/sycophancy/judged.json"]
            if wc.behaviour == "sycophancy"
            else []
        ),
        grader="results/{model}/{behaviour}/grader.json",
        streams="results/{model}/{behaviour}/probes.safetensors",
    output:
        "results/{model}/{behaviour}/{behaviour}.json",
    log:
        "results/{model}/logs/behaviour-{behaviour}.log",
    benchmark:
        "results/{model}/benchmarks/behaviour-{behaviour}.tsv"
    conda:
        "../../environment.yml"
    resources:
        mem_mb=8000,
        runtime=60,
    params:
        settings=lambda wc: settings("behaviour", study.behaviour(wc.behaviour)),
        code=code_digest("scripts/behaviour.py"),
        versions=libraries(*ANALYSIS),
    shell:
        "python scripts/behaviour.py --settings {params.settings:q} "
        "--model {input.model:q} --vectors {input.vectors:q} --stories {input.stories:q} "
        "--choices {input.choices:q} --rollouts {input.rollouts:q} "
        "--judged {input.judged:q} --grader {input.grader:q} "
        "--streams {input.streams:q} --out {output:q} 2>&1 | tee {log:q} >&2"
