"""convert_weights.py on the original's checkpoints of Learning2Listen: there, and back."""

import json
import math
import shutil
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import convert_weights
from jaxreact import runs
from jaxreact.errors import Remark, UserError
from jaxreact.files import building
from jaxreact.systems.learning2listen.conversion import Sources, convert_coder, convert_listener
from jaxreact.systems.learning2listen.kinds import CODER, LISTENER
from jaxreact.systems.learning2listen.original_config import original_json
from jaxreact.systems.learning2listen.tables import table_of
from jaxreact.systems.learning2listen.to_torch import write_torch
from jaxreact.torch_files.engine import nest, paths
from jaxreact.torch_files.torch_file import read_checkpoint, read_state_dict
from tests.systems.learning2listen.models import (
    CHECKPOINTS,
    FULL_CODER,
    FULL_LISTENER,
    golden,
    torch_tensors,
)

needs_torch = pytest.mark.skipif(find_spec("torch") is None, reason="only PyTorch writes its files")

VQVAE, LISTENING = (CHECKPOINTS / f"small_{n}er2er_best.pth" for n in ("", "delta_v6_"))
LEGACY = CHECKPOINTS / "small_er2er_best_legacy.pth"
JSON = CHECKPOINTS / "small_er2er_best.json"


def command(monkeypatch, *words: object) -> None:
    monkeypatch.setattr(sys, "argv", ["convert_weights.py", *map(str, words)])
    convert_weights.main()


def tensors_of(run: Path, kind: runs.Kind) -> dict[str, np.ndarray]:
    config = runs.read_config(run, kind)[0]
    return torch_tensors(runs.load_variables(run, kind, config), table_of(kind, config))


@pytest.mark.parametrize("source", [VQVAE, LEGACY], ids=["zip", "legacy"])
def test_a_vqvae_in_both_of_torchs_formats(tmp_path, monkeypatch, source, recwarn):
    command(monkeypatch, "learning2listen-vqvae", source, tmp_path / "run", "--config", JSON)
    assert not [each for each in recwarn if issubclass(each.category, UserWarning)]
    config, content = runs.read_config(tmp_path / "run", CODER)
    assert (config.in_dim, config.code_layout, config.conv_padding) == (56, "groups", "replicate")
    assert content["origin"] == {"file": source.name, "epoch": 12}
    tensors, expected = tensors_of(tmp_path / "run", CODER), golden("train_vq_small")
    for key in [key for key in expected if key[:2] in ("p.", "b.")]:
        np.testing.assert_array_equal(tensors[key[2:]], expected[key], err_msg=key)
    with np.load(CHECKPOINTS / "small_er2er_preprocess_core.npz") as known:
        np.testing.assert_array_equal(tensors["statistics.mean"], known["body_mean_Y"][0, 0])
        np.testing.assert_array_equal(tensors["statistics.std"], known["body_std_Y"][0, 0])


def test_a_predictor_holds_its_vqvae_and_the_speakers_statistics(deca_run):
    config, content = runs.read_config(deca_run, LISTENER)
    assert (config.mode, config.audio, config.motion_dim) == ("original", "raw", 56)
    assert set(content["parts"]) == {"vqvae"}
    tensors, expected = tensors_of(deca_run, LISTENER), golden("train_fact_small")
    for key in [key for key in expected if key[:2] in ("p.", "b.")]:
        np.testing.assert_array_equal(tensors[key[2:]], expected[key], err_msg=key)
    with np.load(CHECKPOINTS / "small_delta_v6_er2er_preprocess_core.npz") as known:
        for part, theirs in (("motion", "X"), ("audio", "audio")):
            mean, std = (known[f"body_{m}_{theirs}"][0, 0] for m in ("mean", "std"))
            np.testing.assert_array_equal(tensors[f"statistics.{part}.mean"], mean)
            np.testing.assert_array_equal(tensors[f"statistics.{part}.std"], std)


@needs_torch
def test_the_way_back_is_the_same_bit_for_bit_and_loads_there(deca_run, tmp_path, monkeypatch):
    torch = pytest.importorskip("torch")
    for run, original in ((deca_run, LISTENING), (deca_run / "vqvae", VQVAE)):
        out = tmp_path / original.name
        command(monkeypatch, "to-torch", run, out)
        ours, theirs = read_state_dict(out), read_state_dict(original)
        assert set(ours) == set(theirs)
        for name, tensor in theirs.items():
            assert ours[name].dtype == tensor.dtype, name
            np.testing.assert_array_equal(ours[name], tensor, err_msg=name)
        content = torch.load(out, weights_only=True)
        assert (set(content), content["epoch"]) == (set(read_checkpoint(original)), 12)
        buffers = ("running_mean", "running_var", "num_batches_tracked")
        count = sum(not name.endswith(buffers) for name in theirs)
        params = [torch.nn.Parameter(torch.zeros(1)) for _ in range(count)]
        torch.optim.Adam(params).load_state_dict(content["optimizer"]["optimizer"])
        for beside in (".json", "_preprocess_core.npz"):
            name = original.name.replace("_best.pth", "") + beside.replace(".json", "_best.json")
            assert (tmp_path / name).read_bytes() == (CHECKPOINTS / name).read_bytes()


@needs_torch
def test_a_run_that_was_trained_here_goes_back_with_its_files(react_run, tmp_path):
    """From which conversion makes the same again, bit for bit."""
    vqvae, out = tmp_path / "x_er2er_best.pth", tmp_path / "y_er2er_best.pth"
    with pytest.warns(Remark, match="the original's code knows .* here 83, and codes of groups"):
        write_torch(react_run / "vqvae", vqvae)
    with pytest.warns(Remark) as said:
        write_torch(react_run, out)
    assert any("l_vqconfig is vqgan/configs" in str(each.message) for each in said)
    assert any("knows motion of 56 channels, here 58;" in str(each.message) for each in said)
    with np.load(tmp_path / "x_er2er_preprocess_core.npz") as known:
        assert set(known) == {"body_mean_Y", "body_std_Y"}
        assert known["body_mean_Y"].shape == (1, 1, 83)
        np.testing.assert_allclose(known["body_std_Y"], 0.25)
    sources = (Sources(out), tmp_path / "run", Sources(vqvae))
    convert_listener(*sources, code_layout="time", audio="mel", mode="corrected")
    for run, kind in (("", LISTENER), ("vqvae", CODER)):
        again, before = tmp_path / "run" / run, react_run / run
        assert runs.read_config(again, kind)[0] == runs.read_config(before, kind)[0]
        tensors, expected = tensors_of(again, kind), tensors_of(before, kind)
        assert set(tensors) == set(expected)
        for name, tensor in expected.items():
            np.testing.assert_array_equal(tensors[name], tensor, err_msg=name)


@pytest.mark.parametrize("checkpoint", [VQVAE, LISTENING], ids=["vqvae", "predictor"])
def test_the_json_of_a_model_is_the_originals(checkpoint, deca_run):
    """All but how long it trained, and at what rate."""
    run, kind = (deca_run / "vqvae", CODER) if checkpoint == VQVAE else (deca_run, LISTENER)
    config, content = runs.read_config(run, kind)
    theirs = json.loads(checkpoint.with_suffix(".json").read_text())
    training = {"learning_rate", "warmup_steps", "num_epochs", "l_vqconfig"}
    ours = original_json(config, content, checkpoint)
    assert {k: v for k, v in ours.items() if k not in training} == (
        {k: v for k, v in theirs.items() if k not in training}
    )
    assert set(ours) == set(theirs)


@needs_torch
def test_files_that_are_there_are_left_as_they_are(react_run, tmp_path):
    (tmp_path / "x_best.json").write_text("{}")
    with pytest.warns(Remark, match="x_best.json: left as it is; remove it"):
        write_torch(react_run / "vqvae", tmp_path / "x_best.pth")
    assert (tmp_path / "x_best.json").read_text() == "{}"


def test_a_vqvae_may_be_a_checkpoint_and_options_say_what_files_do_not(tmp_path, monkeypatch):
    given = ("--conv-padding", "zeros", "--code-layout", "time", "--mode", "corrected")
    statistics = CHECKPOINTS / "small_er2er_preprocess_core.npz"
    vqvae = ("--vqvae", LEGACY, "--vqvae-config", JSON, "--vqvae-statistics", statistics)
    out = tmp_path / "run"
    command(monkeypatch, "learning2listen", LISTENING, out, *vqvae, *given, "--audio", "mel")
    config = runs.read_config(out, LISTENER)[0]
    assert (config.conv_padding, config.audio, config.mode) == ("zeros", "mel", "corrected")
    config = runs.read_config(out / "vqvae", CODER)[0]
    assert (config.conv_padding, config.code_layout) == ("zeros", "time")


def copied(folder: Path, checkpoint: Path) -> Path:
    """A checkpoint with its files, which may be changed."""
    for path in CHECKPOINTS.glob(checkpoint.name.replace("best.pth", "*")):
        shutil.copyfile(path, folder / path.name)
    return folder / checkpoint.name


def change_json(path: Path, *where: str, value: Any) -> None:
    content = json.loads(path.with_suffix(".json").read_text())
    inner = content
    for name in where[:-1]:
        inner = inner[name]
    if value is None:
        del inner[where[-1]]
    else:
        inner[where[-1]] = value
    path.with_suffix(".json").write_text(json.dumps(content))


CODER_JSON = {
    "a missing part": (("VQuantizer",), None, "lacks VQuantizer; give"),
    "no number": (("transformer_config", "hidden_size"), "16", "hidden_size is '16', not a whole"),
    "another window": (("transformer_config", "sequence_length"), 64, "is 64, 32 expected: the"),
    "other widths": (("VQuantizer", "zquant_dim"), 8, "zquant_dim is 8, 16 expected"),
    "other faces": (("transformer_config", "in_dim"), 57, "in_dim 57 is not one of 56, 58, 83"),
    "fewer layers": (("transformer_config", "num_hidden_layers"), 1, "does not know"),
    "more codes": (("VQuantizer", "n_embed"), 25, "of another shape, quantize.embedding.weight"),
}


@pytest.mark.parametrize("name", CODER_JSON)
def test_configurations_that_do_not_fit(tmp_path, name):
    where, value, words = CODER_JSON[name]
    source = copied(tmp_path, VQVAE)
    change_json(source, *where, value=value)
    refused(lambda: convert_coder(Sources(source), tmp_path / "out"), words, tmp_path)


LISTENER_JSON = {
    "other codes": (("cross_modal_model", "output_layer", "out_dim"), 25, "out_dim is 25, 24 exp"),
    "two layers": (("listener_past_transformer_config", "num_hidden_layers"), 2, "never run"),
    "no mask": (("cross_modal_model", "max_mask_len"), -1, "max_mask_len is -1, not a whole"),
    "other widths": (("speaker_full_transformer_config", "hidden_size"), 40, "one width serves"),
}


@pytest.mark.parametrize("name", LISTENER_JSON)
def test_predictors_that_do_not_fit(tmp_path, deca_run, name):
    where, value, words = LISTENER_JSON[name]
    source = copied(tmp_path, LISTENING)
    change_json(source, "fact_model", *where, value=value)
    coder = Sources(deca_run / "vqvae")
    refused(lambda: convert_listener(Sources(source), tmp_path / "out", coder), words, tmp_path)


def refused(convert: Callable[[], None], words: str, folder: Path) -> None:
    """One line that names a file, and nothing is written."""
    with pytest.raises(UserError, match=words) as caught:
        convert()
    assert str(folder) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (folder / "out").exists()


STATISTICS = {
    "missing": (lambda known: known.pop("body_mean_Y"), "lacks body_mean_Y; give"),
    "of others": (
        lambda known: known.update(body_std_Y=known["body_std_Y"][..., :50]),
        r"body_std_Y has shape \(1, 1, 50\) \(float32\), \(1, 1, 56\)",
    ),
    "zero": (lambda known: known["body_std_Y"].fill(0), "body_std_Y holds numbers that nothing"),
    "no numbers": (lambda known: known["body_mean_Y"].fill(np.nan), "body_mean_Y holds numbers"),
}


@pytest.mark.parametrize("name", STATISTICS)
def test_statistics_that_do_not_fit(tmp_path, name):
    change, words = STATISTICS[name]
    source = copied(tmp_path, VQVAE)
    path = tmp_path / "small_er2er_preprocess_core.npz"
    with np.load(path) as known:
        arrays = {key: known[key].copy() for key in known}
    change(arrays)
    np.savez(path, **arrays)
    refused(lambda: convert_coder(Sources(source), tmp_path / "out"), words, tmp_path)


def test_statistics_that_are_not_there_or_no_npz(tmp_path):
    source = copied(tmp_path, VQVAE)
    path = tmp_path / "small_er2er_preprocess_core.npz"
    path.write_bytes(b"nothing")
    refused(lambda: convert_coder(Sources(source), tmp_path / "out"), "no npz file", tmp_path)
    path.unlink()
    refused(lambda: convert_coder(Sources(source), tmp_path / "out"), "by --statistics", tmp_path)


WEIGHTS = {
    "one missing": (lambda s: s.pop("module.quantize.embedding.weight"), "no model of Learning2"),
    "one too few": (lambda s: s.pop("module.decoder.expander.1.2.bias"), "lacks 1 tensor of"),
    "a stranger": (lambda s: s.update({"module.x.weight": s[_BIAS]}), "does not know, x.weight"),
    "no numbers": (lambda s: s[_BIAS].fill_(float("nan")), "float32 cannot hold"),
    "no variance": (lambda s: s[_VARIANCE].neg_(), "squasher.0.2.running_var is negative"),
    "of one gpu": (lambda s: _rename(s), ""),
}
_VARIANCE = "module.encoder.squasher.0.2.running_var"
_BIAS = "module.decoder.cross_smooth_layer.bias"


def _rename(state: dict[str, Any]) -> None:
    for name in list(state):
        state[name.removeprefix("module.")] = state.pop(name)


@needs_torch
@pytest.mark.parametrize("name", WEIGHTS)
def test_tensors_that_do_not_fit(tmp_path, name):
    torch = pytest.importorskip("torch")
    change, words = WEIGHTS[name]
    source = copied(tmp_path, VQVAE)
    state = {k: x.clone() for k, x in torch.load(source, weights_only=True)["state_dict"].items()}
    change(state)
    torch.save({"state_dict": state}, source)
    if words:
        refused(lambda: convert_coder(Sources(source), tmp_path / "out"), words, tmp_path)
    else:
        convert_coder(Sources(source), tmp_path / "out")


def test_the_other_model_and_another_size(tmp_path, deca_run):
    for convert, source, words in (
        (lambda s: convert_coder(s, tmp_path / "out"), LISTENING, "`convert_weights.py learning2l"),
        (
            lambda s: convert_listener(s, tmp_path / "out", Sources(deca_run / "vqvae")),
            VQVAE,
            "use `convert_weights.py learning2listen-vqvae`",
        ),
    ):
        source = copied(tmp_path, source)
        refused(lambda convert=convert, s=source: convert(Sources(s)), words, tmp_path)
    source = copied(tmp_path, VQVAE)
    source.with_suffix(".json").unlink()  # then it is taken for the released size
    refused(lambda: convert_coder(Sources(source), tmp_path / "out"), "another shape", tmp_path)


@pytest.mark.parametrize(
    ("kind", "config", "part", "size"),
    [
        (CODER, FULL_CODER, "vq_released", 13_034_552),
        (LISTENER, FULL_LISTENER, "predictor_released", 5_438_224),
    ],
    ids=["vqvae", "predictor"],
)
def test_the_released_files_have_the_tensors_that_are_expected(kind, config, part, size):
    keys = json.loads((CHECKPOINTS / "keys.json").read_text())[part]
    empty = {
        path: np.broadcast_to(np.int32(0), leaf.shape)
        for path, leaf in paths(runs.abstract_variables(kind, config)).items()
    }
    ours = {n: list(x.shape) for n, x in torch_tensors(nest(empty), table_of(kind, config)).items()}
    theirs = {name.removeprefix("module."): shape for name, shape in keys.items()}
    assert {n: s for n, s in ours.items() if not n.startswith("statistics.")} == theirs
    buffers = ("running_mean", "running_var", "num_batches_tracked")
    assert sum(math.prod(s) for n, s in theirs.items() if not n.endswith(buffers)) == size


def test_what_is_no_model_of_learning2listen_does_not_go_back(tmp_path):
    with building(tmp_path / "run") as run:
        run.mkdir()
        (run / "config.json").write_text('{"kind": "predictor"}')
    with pytest.raises(UserError, match="is no model of Learning2Listen"):
        write_torch(tmp_path / "run", tmp_path / "back.pth")
    assert not (tmp_path / "back.pth").exists()
