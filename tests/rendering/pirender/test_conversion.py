"""convert_weights.py pirender: both variants, every container, and what is refused."""

import os
import pickle
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

import jaxreact
from jaxreact import runs
from jaxreact.errors import NotFiniteError, Remark, UserError
from jaxreact.rendering.pirender.config import UPSTREAM, FaceGeneratorConfig
from jaxreact.rendering.pirender.conversion import TABLE, convert_pirender
from jaxreact.rendering.pirender.load import FACE_GENERATOR
from jaxreact.torch_files.engine import paths, to_torch
from jaxreact.variables import variables_of
from tests.rendering.pirender.weights import shapes
from tests.torch_files.handmade import write_archive

UPSTREAM_SIZES = {"coefficients": 73, "pre": False}


def published(seed: int = 0, **sizes) -> dict[str, np.ndarray]:
    """Tensors of the released size, all different, made fast."""
    random = np.random.default_rng(seed)
    return {k: random.random(shape, np.float32) for k, shape in shapes(**sizes).items()}


@pytest.fixture(scope="module")
def baseline() -> dict[str, np.ndarray]:
    return published()


def assert_holds(run: Path, tensors: dict[str, np.ndarray], config: FaceGeneratorConfig) -> None:
    model, content = runs.load_model(run, FACE_GENERATOR)
    assert model.config == config
    assert content["origin"]["licence"] == "CC BY-NC 4.0"
    back = to_torch(paths(variables_of(model)), TABLE)
    assert set(back) == set(tensors)
    for name, tensor in tensors.items():
        assert back[name].dtype == np.float32
        np.testing.assert_array_equal(back[name], tensor, err_msg=name)


@pytest.mark.slow
def test_the_baselines_file(tmp_path, baseline, capsys):
    """As the challenge ships it: {"state_dict": ...}, no prefix."""
    torch = pytest.importorskip("torch")
    state = {name: torch.from_numpy(tensor) for name, tensor in baseline.items()}
    torch.save({"state_dict": state}, tmp_path / "cur_model_fold.pth")
    convert_pirender(tmp_path / "cur_model_fold.pth", tmp_path / "run")
    assert "CC BY-NC 4.0" in capsys.readouterr().out
    assert_holds(tmp_path / "run", baseline, FaceGeneratorConfig())
    assert jaxreact.load_face_generator(tmp_path / "run").config.input_nc == 58


@pytest.mark.slow
def test_upstreams_checkpoint(tmp_path):
    """The average is taken, not the last step; an optimizer's state beside it is no matter."""
    torch = pytest.importorskip("torch")
    average = published(1, **UPSTREAM_SIZES)
    state = {f"module.{name}": torch.from_numpy(tensor) for name, tensor in average.items()}
    parameter = torch.nn.Parameter(torch.ones(3))
    optimizer = torch.optim.Adam([parameter])
    parameter.sum().backward()
    optimizer.step()
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, 300_000, 0.2)
    content = {
        "net_G": {name: 2 * tensor for name, tensor in state.items()},
        "net_G_ema": state,
        "opt_G": optimizer.state_dict(),
        "sch_G": schedule.state_dict(),
        "current_epoch": 4,
        "current_iteration": 600_000,
    }
    torch.save(content, tmp_path / "epoch.pt")
    with pytest.warns(Remark) as caught:
        convert_pirender(tmp_path / "epoch.pt", tmp_path / "run")
    assert [str(w.message).split(".pt: ")[1] for w in caught if w.category is Remark] == [
        "its net_G_ema, the average of the weights over training, is taken, not its net_G",
        "module. taken off 304 of 304 names",
    ]
    assert_holds(tmp_path / "run", average, UPSTREAM)


def test_a_plain_state_dict_of_a_parallel_module(tmp_path, baseline):
    path = tmp_path / "weights.safetensors"
    save_file({f"module.{name}": tensor for name, tensor in baseline.items()}, path)
    convert_pirender(path, tmp_path / "run")
    assert_holds(tmp_path / "run", baseline, FaceGeneratorConfig())


def test_half_precision_and_a_compiled_module(tmp_path, baseline):
    path = tmp_path / "weights.safetensors"
    halved = {name: tensor.astype(np.float16) for name, tensor in baseline.items()}
    save_file({f"_orig_mod.{name}": tensor for name, tensor in halved.items()}, path)
    with pytest.warns(Remark, match="tensors converted to float32: 306 of float16"):
        convert_pirender(path, tmp_path / "run")
    widened = {name: tensor.astype(np.float32) for name, tensor in halved.items()}
    assert_holds(tmp_path / "run", widened, FaceGeneratorConfig())


def test_numbers_that_are_none(tmp_path, baseline):
    name = "warpping_net.flow_out.2.bias"
    save_file({**baseline, name: np.full(2, np.nan, np.float32)}, tmp_path / "w.safetensors")
    with pytest.raises(NotFiniteError, match=rf"{name}: 2 of 2 are not finite"):
        convert_pirender(tmp_path / "w.safetensors", tmp_path / "run")


def test_a_misfit_is_named(tmp_path, baseline):
    name = "editing_net.decoder.res1.res0.norm2.mlp_gamma.weight"
    wrong: dict[str, Any] = {**baseline, name: np.zeros((256, 64), np.float32)}
    del wrong["warpping_net.flow_out.2.bias"]
    wrong["editing_net.encoder.first.model.0.bias"] = np.zeros(64, np.int32)
    wrong["mapping_net.pre.weight_u"] = np.zeros(73, np.float32)
    save_file(wrong, tmp_path / "wrong.safetensors")
    with pytest.raises(UserError) as caught:
        convert_pirender(tmp_path / "wrong.safetensors", tmp_path / "run")
    message = str(caught.value)
    assert "\n" not in message
    assert "lacks 1 tensor of PIRender's face generator, warpping_net.flow_out.2.bias;" in message
    assert f"{name}: shape (256, 64) in the file, (256, 128) expected" in message
    assert "has 1 tensor of another type" in message
    assert "does not know, mapping_net.pre.weight_u (73,)" in message
    assert not (tmp_path / "run").exists()


def test_a_first_layer_of_another_size(tmp_path, baseline):
    """The variant is told by that layer's presence, so its sizes have to be right."""
    wrong = {**baseline, "mapping_net.pre.weight": np.zeros((73, 70, 1), np.float32)}
    save_file(wrong, tmp_path / "wrong.safetensors")
    with pytest.raises(UserError, match=r"mapping_net\.pre\.weight: shape \(73, 70, 1\)"):
        convert_pirender(tmp_path / "wrong.safetensors", tmp_path / "run")


def test_other_networks_are_refused_in_one_short_line(tmp_path):
    many: dict[str, np.ndarray] = {f"layer{i}.weight": np.zeros(3, np.float32) for i in range(200)}
    many |= {"fc.weight": np.zeros((1000, 2048), np.float32)}
    save_file(many, tmp_path / "resnet.safetensors")
    with pytest.raises(UserError, match="not PIRender's face generator") as caught:
        convert_pirender(tmp_path / "resnet.safetensors", tmp_path / "run")
    assert "cur_model_fold.pth" in str(caught.value)
    assert len(str(caught.value)) < 400
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({"epoch": 3}, "no state_dict or net_G_ema or net_G in it"),
        ({"net_G_ema": [1, 2]}, "its net_G_ema is no dictionary"),
        ({"net_G_ema": {}}, "not PIRender's face generator"),
        ({"state_dict": {"warpping_net": 3}}, "is no tensor"),
    ],
)
def test_files_that_hold_no_generator(tmp_path, content, reason):
    write_archive(tmp_path / "file.pth", content)
    with pytest.raises(UserError, match=reason):
        convert_pirender(tmp_path / "file.pth", tmp_path / "run")
    with pytest.raises(UserError, match="no such file"):
        convert_pirender(tmp_path / "none.pth", tmp_path / "run")


class Gadget:
    """Pickles to a command of the shell."""

    def __init__(self, marker: Path):
        self.marker = marker

    def __reduce__(self):
        return os.system, (f"touch {self.marker}",)


@pytest.mark.parametrize("entry", ["state_dict", "net_G_ema", "opt_G"])
def test_nothing_in_a_file_is_executed(tmp_path, entry):
    marker = tmp_path / "owned"
    write_archive(tmp_path / "evil.pth", pickle.dumps({entry: Gadget(marker)}, protocol=2))
    with pytest.raises(UserError, match="refused"):
        convert_pirender(tmp_path / "evil.pth", tmp_path / "run")
    assert not marker.exists()


def test_the_command_line(tmp_path, baseline, monkeypatch, capsys):
    import convert_weights
    from jaxreact.commands import run_command

    save_file(baseline, tmp_path / "weights.safetensors")
    out = tmp_path / "run"
    arguments = ["convert_weights.py", "pirender", str(tmp_path / "weights.safetensors"), str(out)]
    monkeypatch.setattr(sys, "argv", arguments)
    run_command(convert_weights.main)
    assert capsys.readouterr().out.startswith(f"{out}: CC BY-NC 4.0")
    assert_holds(out, baseline, FaceGeneratorConfig())
    with pytest.raises(SystemExit):
        run_command(convert_weights.main)
    assert capsys.readouterr().err.startswith(f"error: {out}: exists already")
