"""convert_weights.py on the original's checkpoints: there, the same numbers, and back."""

import json
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

from jaxreact import runs
from jaxreact.audio_features.load import AUDIO_ENCODER
from jaxreact.errors import UserError
from jaxreact.systems.fiber.conversion import convert_predictor, convert_tokenizer
from jaxreact.systems.fiber.kinds import PREDICTOR, TOKENIZER
from jaxreact.systems.fiber.to_torch import write_torch
from jaxreact.torch_files.torch_file import read_state_dict

GOLDEN = Path(__file__).parents[2] / "golden"
CHECKPOINTS = GOLDEN / "checkpoints"
CHECKPOINT = CHECKPOINTS / "react_predictor_small.ckpt"
PREDICTOR_CONFIG = CHECKPOINTS / "react_predictor_small.json"


def tokenizer_files(kind: str) -> tuple[Path, Path]:
    stem = CHECKPOINTS / f"face_tokenizer_small_{kind}"
    return stem.with_suffix(".ckpt"), stem.with_suffix(".json")


needs_torch = pytest.mark.skipif(find_spec("torch") is None, reason="only PyTorch writes its files")


def assert_same_checkpoint(path: Path, original: Path) -> None:
    torch = pytest.importorskip("torch")
    ours = torch.load(path, weights_only=True)
    theirs = torch.load(original, weights_only=True)
    assert list(ours) == list(theirs)
    for name in set(theirs) - {"state_dict"}:
        assert ours[name] == theirs[name]
    assert set(ours["state_dict"]) == set(theirs["state_dict"])
    for name, tensor in theirs["state_dict"].items():
        assert ours["state_dict"][name].dtype == tensor.dtype
        assert torch.equal(ours["state_dict"][name], tensor), name


@pytest.fixture(scope="module")
def predictor_run(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "predictor"
    convert_predictor(CHECKPOINT, out, PREDICTOR_CONFIG, tokenizer_files("fsq")[1])
    return out


@needs_torch
@pytest.mark.parametrize("kind", ["fsq", "vq", "lfq"])
def test_a_tokenizer_gives_the_originals_codes_and_goes_back(tmp_path, kind):
    source, config = tokenizer_files(kind)
    convert_tokenizer(source, tmp_path / "run", config)
    model, content = runs.load_model(tmp_path / "run", TOKENIZER)
    golden = np.load(GOLDEN / f"tok_small_{kind}.npz")
    codes = np.asarray(model.encode(jnp.asarray(golden["x"][:, :40])))
    np.testing.assert_array_equal(codes, golden["tokenize"])
    coeffs, emotion = model.decode(jnp.asarray(codes))
    np.testing.assert_allclose(coeffs, golden["get_3dmm"], rtol=0, atol=1e-5)
    np.testing.assert_allclose(emotion, golden["get_emotion"], rtol=0, atol=1e-5)
    assert content["origin"] == {"file": source.name, "epoch": 185, "global_step": 37200}
    write_torch(tmp_path / "run", tmp_path / "back.ckpt")
    assert_same_checkpoint(tmp_path / "back.ckpt", source)


def test_a_predictor_is_split_by_name(predictor_run):
    model, _ = runs.load_model(predictor_run, PREDICTOR)
    golden = np.load(GOLDEN / "pred_small.npz")
    inputs = (jnp.asarray(golden[name]) for name in ("sp_sound", "sp_face", "lt_face"))
    logits = model(*inputs)
    np.testing.assert_allclose(logits[:, -8:], golden["none.logits"], rtol=0, atol=1e-4)
    assert model.config.codebook_size == 36
    runs.load_model(predictor_run / "tokenizer", TOKENIZER)
    encoder, _ = runs.load_model(predictor_run / "audio_encoder", AUDIO_ENCODER)
    features = np.load(GOLDEN / "wav2vec2_small.npz")
    ours = np.asarray(encoder(jnp.asarray(features["1s.audio"][None])))
    assert ours.shape == features["1s.extract_features"].shape
    unused = predictor_run / "unused.safetensors"
    assert all(".encoder." in k or "projection" in k or "masked" in k for k in _names(unused))


def _names(path: Path) -> list[str]:
    from safetensors import safe_open

    with safe_open(path, "numpy") as file:
        return list(file.keys())


@needs_torch
def test_a_predictor_goes_back_whole(predictor_run, tmp_path):
    write_torch(predictor_run, tmp_path / "back.ckpt")
    assert_same_checkpoint(tmp_path / "back.ckpt", CHECKPOINT)


@needs_torch
def test_a_tokenizer_of_unknown_sizes_is_kept_aside(tmp_path, capsys):
    convert_predictor(CHECKPOINT, tmp_path / "run", PREDICTOR_CONFIG)
    assert "--tokenizer-config" in capsys.readouterr().err
    assert not (tmp_path / "run" / "tokenizer").exists()
    assert runs.read_config(tmp_path / "run", PREDICTOR)[0].codebook_size is None
    write_torch(tmp_path / "run", tmp_path / "back.ckpt")
    assert_same_checkpoint(tmp_path / "back.ckpt", CHECKPOINT)


@needs_torch
def test_a_predictor_without_its_companions_says_so(predictor_run, tmp_path, capsys):
    shutil.copytree(predictor_run, tmp_path / "run")
    (tmp_path / "run" / "unused.safetensors").unlink()
    write_torch(tmp_path / "run", tmp_path / "back.ckpt")
    assert "strict=False" in capsys.readouterr().err
    written = read_state_dict(tmp_path / "back.ckpt")
    assert set(written) < set(read_state_dict(CHECKPOINT))


def test_the_wrong_kind_is_named(tmp_path):
    with pytest.raises(UserError, match="expected a tokenizer, but it holds a predictor"):
        convert_tokenizer(CHECKPOINT, tmp_path / "out")
    with pytest.raises(UserError, match="expected a predictor, but it holds a tokenizer"):
        convert_predictor(tokenizer_files("fsq")[0], tmp_path / "out")
    assert not list(tmp_path.iterdir())


def test_a_wrong_configuration_is_said_with_both_shapes(tmp_path):
    source, config = tokenizer_files("fsq")
    fields = json.loads(config.read_text()) | {"n_embd": 48, "n_layer": 3}
    (tmp_path / "wrong.json").write_text(json.dumps(fields))
    with pytest.raises(UserError) as caught:
        convert_tokenizer(source, tmp_path / "out", tmp_path / "wrong.json")
    message = str(caught.value)
    first = "model.decoder_to_3dmm.h."
    assert f"lacks 18 tensors of a face tokenizer, first {first}2.attn.c_attn.weight" in message
    assert "has 50 tensors of another shape" in message  # project_in.bias: as many as levels
    assert f"{first}0.attn.c_attn.weight: shape (72, 24) in the file, (144, 48) exp" in message
    assert message.endswith("its sizes are not those of the configuration, or it is another model")
    assert len(message) < 500
    assert [path.name for path in tmp_path.iterdir()] == ["wrong.json"]


@pytest.mark.wrong_arguments
def test_configurations_that_cannot_be_used(tmp_path):
    source, _ = tokenizer_files("fsq")
    for text, reason in (
        ("{", "not a readable JSON"),
        ("[1]", "not a mapping"),
        ('{"n_embed": 3}', "unknown keys for a tokenizer: n_embed"),
        ('{"quantize_type": "pq"}', "not one of fsq, vq, lfq"),
        ('{"quantize_type": ["fsq"]}', "not one of fsq, vq, lfq"),
        ('{"n_embd": "24"}', "n_embd is '24', not a whole number of 1 or more"),
        ('{"input_dim": -1}', "input_dim is -1, not a whole number"),
        ('{"block_size": 2.5}', "block_size is 2.5, not a whole number"),
        ('{"output_dim": null}', "output_dim is None, not a whole number"),
        ('{"n_layer": true}', "n_layer is True, not a whole number"),
        ('{"bias": "no"}', "bias is 'no', not true or false"),
        ('{"quantize_levels": [8, "5"]}', "not a list of whole numbers"),
        ('{"quantize_decay": NaN}', "quantize_decay is nan, not a number"),
        ("[" * 100_000, "not a readable JSON"),
    ):
        (tmp_path / "config.json").write_text(text)
        with pytest.raises(UserError, match=reason):
            convert_tokenizer(source, tmp_path / "out", tmp_path / "config.json")
    with pytest.raises(UserError, match=r"none\.json: no such file"):
        convert_tokenizer(source, tmp_path / "out", tmp_path / "none.json")


def test_the_mean_face_is_kept(tmp_path):
    source, config = tokenizer_files("fsq")
    mean = np.linspace(-1, 1, 58, dtype=np.float32)
    np.save(tmp_path / "mean_face.npy", mean)
    convert_tokenizer(source, tmp_path / "run", config, tmp_path / "mean_face.npy")
    content = runs.read_config(tmp_path / "run", TOKENIZER)[1]
    np.testing.assert_array_equal(runs.mean_face(content, "run"), mean)


@pytest.mark.parametrize(
    "values", [np.zeros(57), np.zeros(58, int), np.full(58, np.nan), np.full(58, 1e39)]
)
def test_a_mean_face_that_is_none(tmp_path, values):
    np.save(tmp_path / "mean_face.npy", values)
    source, config = tokenizer_files("fsq")
    with pytest.raises(UserError, match=r"mean_face\.npy"):
        convert_tokenizer(source, tmp_path / "run", config, tmp_path / "mean_face.npy")
    assert not (tmp_path / "run").exists()


def test_nothing_is_overwritten(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "precious").touch()
    source, config = tokenizer_files("fsq")
    with pytest.raises(UserError, match="exists already"):
        convert_tokenizer(source, tmp_path / "run", config)
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["precious"]


def test_the_way_back_without_torch(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(UserError, match=r"pip install -e .\.\[torch\]"):
        write_torch(tmp_path, tmp_path / "out.ckpt")


@needs_torch
@pytest.mark.parametrize("kind", ["tokenizer", "predictor"])
def test_the_way_back_refuses_what_the_original_does_not_know(kind, tmp_path):
    run = tmp_path / "run"
    if kind == "tokenizer":
        source, config = tokenizer_files("fsq")
        convert_tokenizer(source, run, config)
    else:
        convert_predictor(CHECKPOINT, run, PREDICTOR_CONFIG)
    option = {"tokenizer": "relative_pose", "predictor": "block_causal"}[kind]
    content = json.loads((run / "config.json").read_text())
    content["model"][option] = True
    (run / "config.json").write_text(json.dumps(content))
    with pytest.raises(UserError, match=option):
        write_torch(run, tmp_path / "out.ckpt")


@needs_torch
def test_the_way_back_from_what_is_no_model(tmp_path):
    with pytest.raises(UserError, match="not the directory of a model"):
        write_torch(tmp_path, tmp_path / "out.ckpt")
    (tmp_path / "config.json").write_text('{"kind": "audio_encoder"}')
    with pytest.raises(UserError, match="'audio_encoder'; the original"):
        write_torch(tmp_path, tmp_path / "out.ckpt")


@needs_torch
def test_the_command_line(tmp_path, monkeypatch, capsys):
    import convert_weights
    from jaxreact.commands import run_command

    source, config = tokenizer_files("fsq")
    out = tmp_path / "run"
    arguments = ["convert_weights.py", "tokenizer", str(source), str(out), "--config", str(config)]
    monkeypatch.setattr(sys, "argv", arguments)
    run_command(convert_weights.main)
    monkeypatch.setattr(
        sys, "argv", ["convert_weights.py", "to-torch", str(out), str(tmp_path / "back.ckpt")]
    )
    run_command(convert_weights.main)
    assert_same_checkpoint(tmp_path / "back.ckpt", source)
    monkeypatch.setattr(sys, "argv", arguments)
    with pytest.raises(SystemExit) as stopped:
        run_command(convert_weights.main)
    assert stopped.value.code == 1
    assert capsys.readouterr().err.startswith(f"error: {out}: exists already")
