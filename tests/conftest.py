"""Tiny models for the tests, each saved and loaded once."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
import torch
from tiny import ARCHITECTURES, save_tiny
from transformers import AutoModelForCausalLM, PreTrainedModel

from emotion_concepts.model import Model, load


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of an architecture's weights."""
    return cache(lambda name: save_tiny(name, tmp_path_factory.mktemp(name)))


@pytest.fixture(scope="session", params=ARCHITECTURES)
def architecture(request: pytest.FixtureRequest) -> str:
    """Each architecture in turn."""
    return request.param


@pytest.fixture(scope="session")
def model(architecture: str, weights: Callable[[str], Path]) -> Model:
    """A model of each architecture, as the study loads it."""
    return load(weights(architecture))


@pytest.fixture(scope="session")
def reference(architecture: str, weights: Callable[[str], Path]) -> PreTrainedModel:
    """The same model with transformers' own eager attention."""
    return AutoModelForCausalLM.from_pretrained(
        weights(architecture), dtype=torch.float32, attn_implementation="eager"
    ).eval()


@pytest.fixture(scope="session")
def one_model(weights: Callable[[str], Path]) -> Model:
    """One model, for what does not depend on the architecture."""
    return load(weights("llama"))
