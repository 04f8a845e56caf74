"""What all rules share: the study, the settings that a rule is handed, the digest of its code."""

import re
import sys
from functools import cache
from pathlib import Path

from workflow.codedigest import code_digest
from workflow.results import hold_results, to_make_again
from workflow.study import ANALYSIS, ENGINE, FIGURES, JUDGE, Study, libraries
from workflow.study import settings, use_this_python
from workflow.validation import BEHAVIOURS

use_this_python()
study = Study(config, workflow.configfiles)


wildcard_constraints:
    model="|".join(map(re.escape, [*study.models, JUDGE])),
    behaviour="|".join(BEHAVIOURS),
    texts="stories|neutral",
    shard=r"\d+",
    how="bootstrap|permuted",
    prompts="activities|scenarios|intensities",


def shards_of(pattern):
    """All shards of a model's stories."""
    return lambda wc: collect(pattern, model=wc.model, shard=study.shards("stories"))


def of_shards(kind):
    """All shards of an evaluation's choices or rollouts; none where these are not made."""

    def paths(wc):
        behaviour = wc.get("behaviour", "sycophancy")
        if kind not in study.behaviour_steps(behaviour):
            return []
        return collect(
            f"results/{{model}}/{behaviour}/{kind}/{{shard}}.jsonl",
            model=wc.model,
            shard=study.behaviour_shards(behaviour),
        )

    return paths


def judge_weights(file):
    """Where the judge's weights lie, or its record; nothing for an endpoint."""

    def path(wc):
        folder = study.judge_folder(wc.model)
        return [f"results/{folder}/{file}"] if folder else []

    return path


def untracked(value):
    """What a model's rule is told that decides no result.

    Snakemake does not compare a parameter that may depend on the input.
    """
    return lambda wc, input: value(wc.model)


@cache
def make_again(model):
    """Force the rules whose results of a model are damaged or out of date; no input.

    Input functions are called when the jobs are known and it is not yet decided which
    of them run. Every graph has the model's rule in it.
    """
    if workflow.is_main_process:
        files = study.files(FIGURE_FILES)
        again = to_make_again(Path("results", model), study.named(model), files)
        for path, reason in again.items():
            print(f"{path}: {reason}; to be made again", file=sys.stderr)
        workflow.dag.forcefiles.update(again)
    return []
