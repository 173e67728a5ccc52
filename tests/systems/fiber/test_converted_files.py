"""The original's checkpoints as others have saved them again: wrapped, averaged, in half precision,
in shards; and what is refused."""

import json
import sys
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

from jaxreact import runs
from jaxreact.errors import NotFiniteError, Remark, UserError
from jaxreact.systems.fiber.conversion import convert_predictor, convert_tokenizer
from jaxreact.systems.fiber.kinds import TOKENIZER
from jaxreact.systems.fiber.to_torch import write_torch
from jaxreact.torch_files.torch_file import read_state_dict
from tests.systems.fiber.test_conversion import (
    CHECKPOINT,
    GOLDEN,
    PREDICTOR_CONFIG,
    assert_same_checkpoint,
    needs_torch,
    tokenizer_files,
)


def rewritten(path: Path, change, container: str = "zip", source: Path | None = None) -> Path:
    """A golden checkpoint whose state dict has been changed."""
    torch = pytest.importorskip("torch")
    content = torch.load(source or tokenizer_files("fsq")[0], weights_only=True)
    content["state_dict"] = change(content["state_dict"])
    torch.save(content, path, _use_new_zipfile_serialization=container == "zip")
    return path


WRAPPED = {
    "compiled": lambda k: k.replace("model.", "model._orig_mod.", 1),
    "parallel": lambda k: f"module.{k}",
    "compiled in parallel": lambda k: f"module._orig_mod.{k}",
    "parallel in Lightning": lambda k: k.replace("model.", "model.module.", 1),
    "only a part": lambda k: k.replace("model.encoder.h.0.", "model.encoder.h.0._orig_mod."),
    "by itself": lambda k: k.replace("model.", "_orig_mod.", 1),
}


@needs_torch
@pytest.mark.parametrize("wrap", WRAPPED.values(), ids=WRAPPED)
def test_a_wrapped_tokenizer_is_the_same_and_goes_back_unwrapped(tmp_path, wrap):
    source, config = tokenizer_files("fsq")
    wrapped = rewritten(tmp_path / "x.ckpt", lambda state: {wrap(k): x for k, x in state.items()})
    with pytest.warns(Remark, match=rf"{wrapped}: .*taken off \d+ of 51 names"):
        convert_tokenizer(wrapped, tmp_path / "run", config)
    write_torch(tmp_path / "run", tmp_path / "back.ckpt")
    assert_same_checkpoint(tmp_path / "back.ckpt", source)


@needs_torch
@pytest.mark.parametrize("average", ["beside", "alone"])
def test_a_predictor_and_its_average(tmp_path, average):
    """The frozen parts have none, and are taken whichever it is."""

    def change(state):
        copies = {
            k.replace("model.", "model_ema.", 1): 2 * x if average == "beside" else x
            for k, x in state.items()
            if k.startswith("model.")
        }
        rest = {k: x for k, x in state.items() if not k.startswith("model.")}
        return copies | (state if average == "beside" else rest)

    path = rewritten(tmp_path / "x.ckpt", change, source=CHECKPOINT)
    said = {
        "beside": "weights themselves are taken",
        "alone": "only an average .* taken: model_ema",
    }
    with pytest.warns(Remark, match=said[average]):
        convert_predictor(path, tmp_path / "run", PREDICTOR_CONFIG, tokenizer_files("fsq")[1])
    write_torch(tmp_path / "run", tmp_path / "back.ckpt")
    assert_same_checkpoint(tmp_path / "back.ckpt", CHECKPOINT)


@needs_torch
@pytest.mark.parametrize("container", ["zip", "legacy"])
@pytest.mark.parametrize("kind", ["half", "bfloat16", "double"])
def test_a_predictor_of_another_precision_goes_back_in_float32(tmp_path, kind, container):
    """What is converted and what is only kept for the way back alike."""
    import torch

    def change(state):
        return {k: getattr(x, kind)() for k, x in state.items()}

    path = rewritten(tmp_path / "x.ckpt", change, container, CHECKPOINT)
    with pytest.warns(Remark, match=r"tensors converted to float32.*: 279 of") as caught:
        convert_predictor(path, tmp_path / "run", PREDICTOR_CONFIG, tokenizer_files("fsq")[1])
    assert len([warning for warning in caught if warning.category is Remark]) == 1
    write_torch(tmp_path / "run", tmp_path / "back.ckpt")
    back = torch.load(tmp_path / "back.ckpt", weights_only=True)["state_dict"]
    expected = torch.load(path, weights_only=True)["state_dict"]
    assert set(back) == set(expected)
    for name, tensor in expected.items():
        assert torch.equal(back[name], tensor.float()), name


@needs_torch
def test_numbers_that_are_none_are_refused_by_name(tmp_path):
    """In the tokenizer that a predictor's file carries too, which is no matter of its sizes."""
    name = "face_tokenizer.model.encoder.wfe.weight"

    def change(state):
        state[name].reshape(-1)[:3] = float("inf")
        return state

    path = rewritten(tmp_path / "x.ckpt", change, source=CHECKPOINT)
    with pytest.raises(NotFiniteError, match=rf"{name}: 3 of 1392 are not finite"):
        convert_predictor(path, tmp_path / "run", PREDICTOR_CONFIG, tokenizer_files("fsq")[1])
    assert not (tmp_path / "run").exists()


@needs_torch
def test_a_tokenizer_whose_training_failed(tmp_path):
    def change(state):
        return {k: x * float("nan") if k.endswith("wfe.weight") else x for k, x in state.items()}

    path = rewritten(tmp_path / "x.ckpt", change)
    with pytest.raises(UserError, match=r"encoder\.wfe\.weight: 1392 of 1392 are not finite"):
        convert_tokenizer(path, tmp_path / "run", tokenizer_files("fsq")[1])


@needs_torch
def test_another_model_is_a_short_line(tmp_path):
    import torch

    torch.save({f"bert.{i}.weight": torch.ones(2) for i in range(300)}, tmp_path / "bert.bin")
    for convert in (convert_tokenizer, convert_predictor):
        with pytest.raises(
            UserError, match=r"300 tensors, bert\.0\.weight, .* and 297 more"
        ) as caught:
            convert(tmp_path / "bert.bin", tmp_path / "out")
        assert len(str(caught.value)) < 300 + len(str(tmp_path))

    def change(state):
        return state | {f"extra.{i}": torch.ones(1) for i in range(300)}

    path = rewritten(tmp_path / "x.ckpt", change)
    with pytest.raises(
        UserError, match=r"300 tensors that a tokenizer .* not know: extra\.0, extra"
    ):
        convert_tokenizer(path, tmp_path / "out", tokenizer_files("fsq")[1])


def test_a_tokenizer_in_shards(tmp_path):
    from safetensors.numpy import save_file

    source, config = tokenizer_files("fsq")
    tensors = read_state_dict(source)
    places = {}
    for number, names in enumerate((sorted(tensors)[:20], sorted(tensors)[20:]), 1):
        places |= dict.fromkeys(names, f"model-0000{number}-of-00002.safetensors")
        save_file({name: np.array(tensors[name]) for name in names}, tmp_path / places[names[0]])
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": places}))
    convert_tokenizer(index, tmp_path / "run", config)
    model, content = runs.load_model(tmp_path / "run", TOKENIZER)
    golden = np.load(GOLDEN / "tok_small_fsq.npz")
    codes = np.asarray(model.encode(jnp.asarray(golden["x"][:, :40])))
    np.testing.assert_array_equal(codes, golden["tokenize"])
    assert content["origin"] == {"file": index.name}


@pytest.mark.parametrize("data", [b"", b"\x93NUMPY\x01\x00\x08\x00{'a': [[", b"PK\x03\x04", b"[1]"])
def test_a_mean_face_that_cannot_be_read(tmp_path, data):
    (tmp_path / "mean_face.npy").write_bytes(data)
    source, config = tokenizer_files("fsq")
    with pytest.raises(UserError, match=r"mean_face\.npy") as caught:
        convert_tokenizer(source, tmp_path / "run", config, tmp_path / "mean_face.npy")
    assert "\n" not in str(caught.value)


@needs_torch
def test_the_command_says_what_was_repaired(tmp_path, monkeypatch, capsys):
    import convert_weights
    from jaxreact.commands import run_command

    _, config = tokenizer_files("fsq")
    path = rewritten(
        tmp_path / "x.ckpt", lambda state: {f"module.{k}": x for k, x in state.items()}
    )
    arguments = ["convert_weights.py", "tokenizer", str(path), str(tmp_path / "run")]
    monkeypatch.setattr(sys, "argv", [*arguments, "--config", str(config)])
    run_command(convert_weights.main)
    assert capsys.readouterr().err == f"warning: {path}: module. taken off 51 of 51 names\n"
