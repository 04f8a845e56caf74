"""What all rules share: the study, the settings that a rule is handed, the digest of its code."""

import re
import sys
from pathlib import Path

sys.path.insert(0, workflow.basedir)

from workflow.codedigest import code_digest
from workflow.study import ANALYSIS, ENGINE, FIGURES, Study, hold_results, libraries
from workflow.study import set_aside_damaged, settings, use_this_python

use_this_python()
study = Study(config, workflow.configfiles)
if workflow.is_main_process:
    set_aside_damaged(Path("results"))


wildcard_constraints:
    model="|".join(map(re.escape, study.models)),
    texts="stories|neutral",
    shard=r"\d+",
    how="bootstrap|permuted",
    prompts="activities",


def shards_of(pattern):
    """All shards of a model's stories."""
    return lambda wc: collect(pattern, model=wc.model, shard=study.shards("stories"))
