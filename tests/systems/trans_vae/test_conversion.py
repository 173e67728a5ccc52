"""convert_weights.py on Trans-VAE's checkpoints: there, the same numbers, and back."""

import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import convert_weights
from jaxreact import runs
from jaxreact.errors import Remark, UserError
from jaxreact.systems.to_torch import write_torch
from jaxreact.systems.trans_vae.conversion import POSITIONS, convert_trans_vae
from jaxreact.systems.trans_vae.kinds import TRANS_VAE
from jaxreact.torch_files.torch_file import read_state_dict
from tests.golden.trans_vae import recipe
from tests.weights import GOLDEN, golden

FOLDER = GOLDEN / "trans_vae"
ONLINE, OFFLINE = (FOLDER / f"tvae_small_{mode}.pth" for mode in ("online", "offline"))
BATCH, FRAMES = 2, 27


@pytest.mark.parametrize(("source", "window"), [(OFFLINE, None), (ONLINE, 8)])
def test_outputs_are_those_of_the_original_after_loading(tmp_path, source, window):
    convert_trans_vae(source, tmp_path / "run", window, mode="original")
    model, content = runs.load_model(tmp_path / "run", TRANS_VAE)
    assert content["origin"] == {"file": source.name, "epoch": 10}
    assert (model.config.features, model.config.online) == (16, source is ONLINE)
    mode = source.stem.rpartition("_")[2]
    expected, tag = golden("trans_vae/checkpoint_outputs"), f"checkpoint.{mode}"
    noise = expected[f"{mode}.noise"].swapaxes(0, 1)[:, None]
    video, audio = recipe.video(tag, BATCH, FRAMES, 32), recipe.audio(tag, BATCH, FRAMES)
    face = jax.jit(lambda *x: model(*x).face)(*map(jnp.asarray, (video, audio, noise)))
    for part in ("coeffs", "emotion"):
        ours = getattr(face, part)[:, 0]
        np.testing.assert_allclose(ours, expected[f"{mode}.{part}"], rtol=0, atol=1e-5)


def command(monkeypatch, *arguments: object) -> None:
    monkeypatch.setattr(sys, "argv", ["convert_weights.py", *map(str, arguments)])
    convert_weights.main()


@pytest.mark.parametrize("source", [OFFLINE, ONLINE], ids=["offline", "online"])
def test_the_way_back_gives_the_same_tensors(tmp_path, monkeypatch, source):
    torch = pytest.importorskip("torch", reason="only PyTorch writes its files")
    window = ["--window", 16] if source is ONLINE else []
    command(monkeypatch, "trans-vae", source, tmp_path / "run", *window)
    assert runs.read_config(tmp_path / "run", TRANS_VAE)[0].mode == "corrected"
    command(monkeypatch, "to-torch", tmp_path / "run", tmp_path / "back.pth")
    theirs = torch.load(source, weights_only=True)
    ours = torch.load(tmp_path / "back.pth", weights_only=True)
    assert (list(ours), ours["epoch"]) == (["epoch", "state_dict", "optimizer"], theirs["epoch"])
    assert set(ours["state_dict"]) == {*theirs["state_dict"], POSITIONS}
    for name, tensor in theirs["state_dict"].items():
        assert torch.equal(ours["state_dict"][name], tensor), name
    kept = ours["state_dict"][POSITIONS]  # the offline file of the tests lacks them
    known = torch.load(ONLINE, weights_only=True)["state_dict"][POSITIONS]
    torch.testing.assert_close(kept, known, rtol=0, atol=1e-5)


def test_the_window_is_guessed_with_a_remark(tmp_path):
    with pytest.warns(Remark, match=r"online.pth: the window is not in the file.*8.*--window"):
        convert_trans_vae(ONLINE, tmp_path / "run")
    assert runs.read_config(tmp_path / "run", TRANS_VAE)[0].window == 8


def saved(path: Path, change) -> Path:
    """The online checkpoint with a changed state dict."""
    torch = pytest.importorskip("torch", reason="only PyTorch writes its files")
    state = {name: torch.tensor(x) for name, x in read_state_dict(ONLINE).items()}
    change(state)
    torch.save({"epoch": 1, "state_dict": state, "optimizer": {}}, path)
    return path


FUSION = "fusion.weight"
FEATURE_MAP = "speaker_behaviour_encoder.audio_feature_map.weight"
WRONG = {
    "a stranger": (lambda s: s.update(other=s[FUSION]), "1 tensor.* other"),
    "one missing": (lambda s: s.pop(FUSION), f"lacks 1 tensor.*{FUSION}"),
    "another shape": (lambda s: s.update({FUSION: s[FUSION].T}), f"of another shape, {FUSION}"),
    "no numbers": (lambda s: s[FUSION].fill_(float("nan")), f"{FUSION}: 1584 of 1584"),
    "other positions": (lambda s: s[POSITIONS].add_(1), "PE.pe holds other numbers"),
    "fewer positions": (lambda s: s.update({POSITIONS: s[POSITIONS][:9]}), "PE.pe has shape"),
    "another model": (lambda s: s.pop(FEATURE_MAP), "not Trans-VAE of the original"),
    "other features": (
        lambda s: s.update({FEATURE_MAP: s[FEATURE_MAP][:, :9]}),
        r"audio_feature_map.weight has shape \(16, 9\)",
    ),
    "an odd width": (lambda s: s.update({FEATURE_MAP: s[FEATURE_MAP][:9]}), "features 9 is not"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_does_not_fit_is_refused_and_nothing_written(tmp_path, name):
    change, words = WRONG[name]
    path = saved(tmp_path / "x.pth", change)
    with pytest.raises(UserError, match=words) as caught:
        convert_trans_vae(path, tmp_path / "run", 8)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert sorted(tmp_path.iterdir()) == [path]


def test_an_offline_model_has_no_window(tmp_path):
    with pytest.raises(UserError, match="leave out --window"):
        convert_trans_vae(OFFLINE, tmp_path / "run", 8)
    with pytest.raises(UserError, match="--window 0 is not 1 to 5000"):
        convert_trans_vae(ONLINE, tmp_path / "run", 0)


def test_a_mean_face_is_kept_and_a_wrong_one_refused(tmp_path):
    mean = np.linspace(0, 1, 58, dtype=np.float32)
    np.save(tmp_path / "mean_face.npy", mean)
    convert_trans_vae(OFFLINE, tmp_path / "run", mean_face=tmp_path / "mean_face.npy")
    content = runs.read_config(tmp_path / "run", TRANS_VAE)[1]
    np.testing.assert_array_equal(runs.mean_face(content, tmp_path), mean)
    np.save(tmp_path / "mean_face.npy", mean[:5])
    with pytest.raises(UserError, match="a mean face is 58"):
        convert_trans_vae(OFFLINE, tmp_path / "other", mean_face=tmp_path / "mean_face.npy")


def test_the_way_back_of_what_is_no_model(tmp_path):
    pytest.importorskip("torch", reason="only PyTorch writes its files")
    with pytest.raises(UserError, match="not the directory of a model"):
        write_torch(tmp_path, tmp_path / "x.pth")
