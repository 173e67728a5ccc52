"""convert_weights.py on the original's checkpoints of BeLFusion: there, the same numbers, back."""

import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

import jaxreact
from jaxreact import Speaker, runs
from jaxreact.errors import Remark, UserError
from jaxreact.files import building
from jaxreact.systems.belfusion.config import DenoiserConfig
from jaxreact.systems.belfusion.conversion import convert_belfusion, convert_vae
from jaxreact.systems.belfusion.kinds import DENOISER, VAE
from jaxreact.systems.belfusion.original_config import config_text
from jaxreact.systems.belfusion.to_torch import write_torch
from jaxreact.torch_files.engine import paths
from jaxreact.torch_files.torch_file import read_checkpoint
from jaxreact.torch_files.yaml_block import read_block
from tests.golden.belfusion import recipe
from tests.systems.belfusion.weights import CHECKPOINTS, golden

MEAN = np.linspace(0.1, 0.9, 58).astype(np.float32)
VAE_FOLDER = CHECKPOINTS / "vae_small"
needs_torch = pytest.mark.skipif(find_spec("torch") is None, reason="only PyTorch writes its files")


def assert_same_checkpoint(path: Path, original: Path) -> None:
    ours, theirs = read_checkpoint(path), read_checkpoint(original)
    assert set(ours) == set(theirs)
    assert ours["epoch"] == theirs["epoch"]
    for entry in set(theirs) & {"state_dict", "statistics"}:
        assert set(ours[entry]) == set(theirs[entry])
        for name, tensor in theirs[entry].items():
            assert ours[entry][name].dtype == tensor.dtype
            np.testing.assert_array_equal(ours[entry][name], tensor, err_msg=name)


@pytest.fixture
def mean_face(tmp_path) -> Path:
    np.save(tmp_path / "mean_face.npy", MEAN)
    return tmp_path / "mean_face.npy"


@needs_torch
@pytest.mark.parametrize("mode", ["offline", "online"])
def test_a_system_gives_the_originals_reactions_and_goes_back(tmp_path, mean_face, mode):
    source, run = CHECKPOINTS / f"ldm_small_{mode}", tmp_path / "run"
    convert_belfusion(source, run, VAE_FOLDER, mean_face)
    given = golden("checkpoint_outputs")
    speaker = Speaker(emotion=recipe.emotion("checkpoint.speaker", 2, 20))
    system = jaxreact.load(run)
    noise = given[f"{mode}.noise"].reshape(2, 1, 4, 12)
    made = system.react(speaker, 1, noise=noise)
    assert made.coeffs is not None
    np.testing.assert_allclose(made.emotion[:, 0], given[f"{mode}.prediction"], rtol=0, atol=1e-5)
    np.testing.assert_allclose(made.coeffs[:, 0] - MEAN, given[f"{mode}.coeffs"], rtol=0, atol=1e-5)
    for part, original in ((run, source), (run / "vae", VAE_FOLDER)):
        out = tmp_path / part.name / "back"
        write_torch(part, out / "checkpoint_1.pth")
        assert_same_checkpoint(out / "checkpoint_1.pth", original / "checkpoint_1.pth")
        assert (out / "config.yaml").read_bytes() == (original / "config.yaml").read_bytes()
    torch = pytest.importorskip("torch")
    state = torch.load(tmp_path / "run/back/checkpoint_1.pth", weights_only=True)["state_dict"]
    names = ("layers.0.linear_emb.weight", "layers.0.cond_layers.1.weight")
    assert state[names[0]].data_ptr() == state[names[1]].data_ptr()


def test_the_commands(tmp_path, mean_face, monkeypatch, capsys):
    import convert_weights

    def command(*words: object) -> None:
        monkeypatch.setattr(sys, "argv", ["convert_weights.py", *map(str, words)])
        convert_weights.main()

    vae, run = tmp_path / "vae", tmp_path / "run"
    command("belfusion-vae", VAE_FOLDER, vae, "--mean-face", mean_face)
    command("belfusion", CHECKPOINTS / "ldm_small_online", run, "--vae", vae)
    content = runs.read_config(run / "vae", VAE)[1]
    np.testing.assert_array_equal(runs.mean_face(content, run), MEAN)
    assert content["origin"] == {"file": "checkpoint_1.pth", "epoch": 1}
    assert runs.read_config(run, DENOISER)[0].online
    if find_spec("torch") is not None:
        command("to-torch", run, tmp_path / "back.pth")
        assert_same_checkpoint(
            tmp_path / "back.pth", CHECKPOINTS / "ldm_small_online" / "checkpoint_1.pth"
        )
    capsys.readouterr()


@needs_torch
@pytest.mark.parametrize("mode", [pytest.param("offline", marks=pytest.mark.slow), "online"])
def test_a_run_that_was_trained_here_goes_back_with_a_configuration(belfusion_run, tmp_path, mode):
    """Which says what the original's did, and from which conversion makes the same again."""
    run = tmp_path / "trained"
    shutil.copytree(belfusion_run(mode), run)
    for part in (run, run / "vae"):
        (part / "config.yaml").unlink()  # training leaves none
    out, vae = tmp_path / "back/checkpoint_1.pth", tmp_path / "back/vae/checkpoint_0.pth"
    with pytest.warns(Remark, match=r"config.yaml: names .*; put the VAE there: .* to-torch") as to:
        write_torch(run, out)
    words = str(to[0].message).split()
    assert [Path(word) for word in words[-2:]] == [run / "vae", vae]  # can be typed
    write_torch(run / "vae", vae)
    for part, original in ((out, f"ldm_small_{mode}"), (vae, "vae_small")):
        theirs = read_block(CHECKPOINTS / original / "config.yaml", ("arch", "args"))
        ours = read_block(part.parent / "config.yaml", ("arch", "args"))
        free = {"emb_emotion_path", "k", "seq_len", "feature_dim"}  # the last is read by nobody
        assert {n: ours[n] for n in theirs if n not in free} == (
            {n: x for n, x in theirs.items() if n not in free}
        )
    convert_belfusion(tmp_path / "back", tmp_path / "again", vae.parent)
    for part, kind in (("", DENOISER), ("vae", VAE)):
        config = runs.read_config(run / part, kind)[0]
        assert runs.read_config(tmp_path / "again" / part, kind)[0] == config
        ours, theirs = (
            paths(runs.load_variables(folder / part, kind, config))
            for folder in (tmp_path / "again", run)
        )
        assert all(np.array_equal(ours[path], x) for path, x in theirs.items())
    (vae.parent / "config.yaml").write_text("arch:")
    with pytest.warns(Remark, match="left as it is; remove it for one of the model's"):
        write_torch(run / "vae", vae)


def test_a_configuration_has_what_trained_the_run():
    content = {
        "stage": {"samples": 7},
        "training": {
            "epochs": 9,
            "batch_size": 3,
            "optimizer": {"learning_rate": 1e-5, "weight_decay": 0.5},
        },
    }
    text = config_text(DENOISER, DenoiserConfig(window_size=40), content, Path("a b/x.pth"))
    yaml = pytest.importorskip("yaml", reason="to read it as others do").safe_load(text)
    args = yaml["arch"]["args"]
    assert (args["k"], args["seq_len"], args["emb_emotion_path"]) == (7, 720, "a b/x.pth")
    assert yaml["optimizer"] == {"lr": 1e-5, "weight_decay": 0.5}
    assert (yaml["trainer"]["epochs"], yaml["trainer"]["resume"]) == (9, None)
    for name, split in (("dataset", "train"), ("validation_dataset", "val")):
        given = yaml[name]
        assert (given["split"], given["shuffle"]) == (split, split == "train")
        assert (given["clip_length"], given["batch_size"]) == (720, 3)


def copied(folder: Path, name: str) -> Path:
    """A folder of a training that may be changed."""
    shutil.copytree(CHECKPOINTS / name, folder / name)
    return folder / name


def change_config(folder: Path, before: str, after: str) -> None:
    text = (folder / "config.yaml").read_text()
    assert before in text
    (folder / "config.yaml").write_text(text.replace(before, after))


@pytest.mark.wrong_arguments
@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("window_size: 5", "", "lacks window_size under arch: args:"),
        ("window_size: 5", "window_size: five", "window_size is 'five', not of type int"),
        ("window_size: 5", "window_size: !!python/x 5", "is more than a plain value"),
        ("hidden_dim: 12", "hidden_dim: 13", "of another shape"),
        ("hidden_dim: 12", "hidden_dim: 999999999999", "holds only 5313 numbers"),
        ("- 10", "- 10.5", r"emb_dims \(10\.5, 9\) are not one or more sizes"),
        ("- 10", "- true", r"emb_dims \(True, 9\) are not one or more sizes"),
        ("- 10", "- ten", r"emb_dims \('ten', 9\) are not one or more sizes"),
        ("    emb_dims:\n    - 10\n    - 9\n", "    emb_dims: 10\n", "emb_dims 10 is no list"),
        ("rnn_type: gru", "rnn_type: lstm", "only gru is known"),
        ("AutoencoderRNN_VAE_v2", "Another", "arch.type is Another"),
    ],
)
def test_configurations_that_do_not_fit(tmp_path, before, after, words):
    folder = copied(tmp_path, "vae_small")
    change_config(folder, before, after)
    with pytest.raises(UserError, match=words) as caught:
        convert_vae(folder, tmp_path / "out")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


@needs_torch
@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        ("min", lambda x: x + 100, r"statistics\.min is above statistics\.max"),
        ("var", lambda x: -x, r"statistics\.var is negative"),
        ("std", lambda x: -x, r"statistics\.std is negative"),
        ("min", lambda x: x[:3], r"statistics\.min: shape \(3,\)"),
    ],
)
def test_statistics_that_nothing_is_scaled_by(tmp_path, name, change, words):
    torch = pytest.importorskip("torch")
    file = copied(tmp_path, "vae_small") / "checkpoint_1.pth"
    content = torch.load(file, weights_only=True)
    content["statistics"][name] = change(content["statistics"][name])
    torch.save(content, file)
    with pytest.raises(UserError, match=words):
        convert_vae(file, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(UserError, match="nothing: no such file; give the folder of a training"):
        convert_belfusion(CHECKPOINTS / "ldm_small_online", tmp_path / "out", tmp_path / "nothing")


@pytest.mark.parametrize("cut", [False, True])
def test_a_run_that_is_half_copied_is_refused_in_one_line(belfusion_run, tmp_path, capfd, cut):
    shutil.copytree(belfusion_run("online") / "vae", tmp_path / "vae")
    files = [path for path in (tmp_path / "vae" / "model").rglob("*") if path.is_file()]
    arrays = max(files, key=lambda path: path.stat().st_size)
    if cut:
        arrays.write_bytes(arrays.read_bytes()[:100])
    else:
        arrays.unlink()
    with pytest.raises(UserError, match="damaged or not whole; copy the run again"):
        runs.load_model(tmp_path / "vae", VAE)
    assert capfd.readouterr().err == ""


def test_a_vae_that_does_not_fit_the_denoiser(tmp_path):
    folder = copied(tmp_path, "vae_small")
    change_config(folder, "window_size: 5", "window_size: 6")
    with pytest.raises(UserError, match="windows are 5 frames, the VAE's 6"):
        convert_belfusion(CHECKPOINTS / "ldm_small_online", tmp_path / "out", folder)
    assert not (tmp_path / "out").exists()


def test_files_of_the_other_model_and_none(tmp_path):
    folder = copied(tmp_path, "vae_small")
    ldm = CHECKPOINTS / "ldm_small_online"
    shutil.copyfile(ldm / "checkpoint_1.pth", folder / "checkpoint_1.pth")
    with pytest.raises(UserError, match=r"use `convert_weights\.py belfusion`"):
        convert_vae(folder, tmp_path / "out")
    (folder / "checkpoint_1.pth").unlink()
    with pytest.raises(UserError, match=r"no checkpoint_N\.pth in it"):
        convert_vae(folder, tmp_path / "out")
    (folder / "config.yaml").unlink()
    shutil.copyfile(VAE_FOLDER / "checkpoint_1.pth", folder / "checkpoint_1.pth")
    with pytest.raises(UserError, match=r"config\.yaml of the training"):
        convert_vae(folder, tmp_path / "out")


def test_of_several_checkpoints_the_last_is_taken(tmp_path):
    folder = copied(tmp_path, "vae_small")
    (folder / "checkpoint_1.pth").rename(folder / "checkpoint_10.pth")
    (folder / "checkpoint_9.pth").write_bytes(b"")
    with pytest.warns(match="the last checkpoint is taken, not checkpoint_9.pth"):
        convert_vae(folder, tmp_path / "out")


@needs_torch
@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda s: s["layers.1.cond_layers.1.bias"].__iadd__(1), "differ, where the original"),
        (lambda s: s.pop("layers.1.cond_layers.1.bias"), "lacks layers.1.cond_layers.1.bias"),
        (lambda s: s.pop("layers.1.norm.bias"), "lacks 1 tensor"),
        (lambda s: s["cond_embed.0.bias"].fill_(float("nan")), "float32 cannot hold"),
        (lambda s: s.update(more=s["cond_embed.0.bias"]), "does not know, more"),
    ],
)
def test_tensors_that_do_not_fit(tmp_path, change, words):
    torch = pytest.importorskip("torch")
    folder = copied(tmp_path, "ldm_small_online")
    file = folder / "checkpoint_1.pth"
    content = torch.load(file, weights_only=True)
    state = {name: tensor.clone() for name, tensor in content["state_dict"].items()}
    change(state)
    torch.save({"state_dict": state}, file)
    with pytest.raises(UserError, match=words) as caught:
        convert_belfusion(folder, tmp_path / "out", VAE_FOLDER)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


@needs_torch
def test_a_vae_without_statistics_is_refused(tmp_path):
    torch = pytest.importorskip("torch")
    folder = copied(tmp_path, "vae_small")
    file = folder / "checkpoint_1.pth"
    content = torch.load(file, weights_only=True)
    for left in ({"state_dict": content["state_dict"]}, content["state_dict"]):
        torch.save(left, file)
        with pytest.raises(UserError, match="statistics"):
            convert_vae(folder, tmp_path / "out")


def test_what_is_no_model_of_belfusion_does_not_go_back(tmp_path):
    with building(tmp_path / "run") as run:
        run.mkdir()
        (run / "config.json").write_text('{"kind": "predictor"}')
    with pytest.raises(UserError, match="is no model of BeLFusion"):
        write_torch(tmp_path / "run", tmp_path / "back.pth")
    assert not (tmp_path / "back.pth").exists()
