"""The challenge's checkpoint of its alignment network: there, and back, and what does not fit."""

import shutil
import sys
from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import save_file

import convert_weights
from jaxreact import runs
from jaxreact.errors import UserError
from jaxreact.metrics.alignment.conversion import convert_alignment
from jaxreact.metrics.alignment.load import ALIGNMENT, load_alignment
from jaxreact.metrics.alignment.network import AlignmentConfig
from tests.metrics.alignment import weights

TINY = {"features": 16, "inner": 24, "encoder_layers": 2, "decoder_layers": 1, "tokens": 3}
NORM = "encoder.transformer_encoder.layers.1.norm2.weight"
INNER = "encoder.transformer_encoder.layers.0.linear1.weight"
TOKENS = "encoder.global_tokens"


def command(monkeypatch, *arguments: object) -> None:
    monkeypatch.setattr(sys, "argv", ["convert_weights.py", *map(str, arguments)])
    convert_weights.main()


def test_there_and_back_bit_for_bit(tmp_path, monkeypatch):
    """A file as the challenge's program saves it, with its optimizer and its best loss."""
    torch = pytest.importorskip("torch", reason="only PyTorch writes its files")
    tensors = weights.tensors(**TINY)
    state = {name: torch.from_numpy(x) for name, x in tensors.items()}
    optimizer = {"state": {0: {"exp_avg": torch.ones(3)}}, "param_groups": [{"lr": 1e-4}]}
    content = {"epoch": 7, "best_loss": 0.25, "state_dict": state, "optimizer": optimizer}
    torch.save(content, tmp_path / "checkpoint.pth")
    run = tmp_path / "run"
    command(monkeypatch, "emotion-autoencoder", tmp_path / "checkpoint.pth", run)
    config, kept = runs.read_config(run, ALIGNMENT)
    assert config == replace(AlignmentConfig(), **TINY)
    assert kept["origin"] == {"file": "checkpoint.pth", "epoch": 7}
    command(monkeypatch, "to-torch", run, tmp_path / "back.pth")
    back = torch.load(tmp_path / "back.pth", weights_only=True)
    assert back["epoch"] == 7
    assert set(back["state_dict"]) == set(tensors)
    for name, tensor in tensors.items():
        np.testing.assert_array_equal(back["state_dict"][name].numpy(), tensor, err_msg=name)


WRONG = {
    "a stranger": (lambda t: t.update(other=t[NORM]), "1 tensor.* other"),
    "one missing": (lambda t: t.pop(NORM), f"lacks 1 tensor.*{NORM}"),
    "no positions": (lambda t: t.pop("PE.pe"), "there is no PE.pe in it"),
    "another shape": (lambda t: t.update({NORM: t[NORM][:5]}), f"of another shape, {NORM}"),
    "no numbers": (lambda t: t[NORM].fill(np.nan), f"{NORM}: 16 of 16 are not finite"),
    "one output layer": (
        lambda t: t.update({"out_proj.weight": t.pop("au_out_proj.weight")}),
        r"lacks 1 tensor of the alignment network, au_out_proj\.weight; has 1 tensor.*out_proj",
    ),
    "a learnt query": (
        lambda t: t.update({"decoder.time_query": t["PE.pe"]}),
        r"has 1 tensor that.*decoder\.time_query",
    ),
    "learnt positions": (
        lambda t: t.update({"PE.pe": np.ascontiguousarray(t["PE.pe"].swapaxes(0, 1))}),
        r"PE\.pe has shape \(1, 5000, 16\), \(positions, 1, features\) expected",
    ),
    "two layers as input": (
        lambda t: t.update({"in_proj.0.weight": t.pop("in_proj.weight")}),
        r"not the alignment network of REACT 2026, there is no in_proj\.weight in it; give",
    ),
    "another channel": (
        lambda t: t.update({"in_proj.weight": t["in_proj.weight"][:, :24].copy()}),
        r"in_proj\.weight has shape \(16, 24\), \(features, 25\) expected",
    ),
    "an odd token": (
        lambda t: t.update({TOKENS: t[TOKENS][:, :5].copy()}),
        "encoder.global_tokens are 5, an even number expected",
    ),
    "too few positions": (
        lambda t: t.update({"PE.pe": t["PE.pe"][:900].copy()}),
        "describes no alignment network .positions 900 are fewer than 1000",
    ),
    "no inner features": (
        lambda t: t.update({INNER: t[INNER][:0].copy()}),
        "describes no alignment network .inner 0 is not 1 or more",
    ),
    "a layer left out": (
        lambda t: [t.pop(name) for name in [*t] if "decoder.layers" in name],
        "describes no alignment network .decoder_layers 0",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_does_not_fit_is_refused_and_nothing_written(tmp_path, name):
    change, words = WRONG[name]
    tensors = weights.tensors(**TINY)
    change(tensors)
    path = tmp_path / "x.safetensors"
    save_file(tensors, path)
    with pytest.raises(UserError, match=words) as caught:
        convert_alignment(path, tmp_path / "run")
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert sorted(tmp_path.iterdir()) == [path]


def test_a_directory_without_a_network(tmp_path):
    with pytest.raises(UserError, match=r"no alignment network here; download.*emotion-autoenc"):
        load_alignment(tmp_path)
    runs.write_config(tmp_path, ALIGNMENT, AlignmentConfig())
    path = tmp_path / "config.json"
    path.write_text(path.read_text().replace('"alignment"', '"inception"'))
    with pytest.raises(UserError, match="kind is 'inception', expected 'alignment'"):
        load_alignment(tmp_path)


@pytest.mark.parametrize("name", ["encoder_layers", "decoder_layers"])
def test_a_damaged_configuration_is_told_before_anything_is_built(run, tmp_path, name):
    """A million layers would take hours."""
    shutil.copytree(run, tmp_path / "run")
    path = tmp_path / "run" / "config.json"
    path.write_text(path.read_text().replace(f'"{name}": 2', f'"{name}": 1000000'))
    with pytest.raises(UserError, match=f"config.json: {name} is 1000000, and model/ holds only"):
        load_alignment(tmp_path / "run")
