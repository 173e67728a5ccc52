"""The command `python -m jaxreact.react`: its parts, and the whole of it on a real face."""

import dataclasses
from pathlib import Path

import jax
import numpy as np
import pytest

import jaxreact
from jaxreact import runs
from jaxreact.audio_features.wav2vec2 import AudioEncoderConfig
from jaxreact.commands import run_command
from jaxreact.errors import Remark, UserError
from jaxreact.media.sound import read_native_audio
from jaxreact.react import command as react
from jaxreact.react.config import Config
from jaxreact.rendering import render
from jaxreact.rendering.pirender.photoreal import photoreal_frames
from jaxreact.rendering.pirender.portrait import read_portrait
from jaxreact.systems.fiber.config import PredictorConfig
from jaxreact.systems.fiber.system import Fiber
from jaxreact.systems.fiber.tokenizer import FaceTokenizerConfig
from jaxreact.systems.sampling import Sampling
from jaxreact.systems.system import Speaker
from tests.clips import CARPHONE, decode, write_clip
from tests.kinds import KINDS
from tests.rendering.files import moving
from tests.stand_in_system import MEAN, stand_in_system


def _config(folder: Path, video: Path = CARPHONE, **changes) -> Config:
    config = Config(video, folder / "out", folder / "predictor", size=64)
    return dataclasses.replace(config, **changes)


@pytest.mark.wrong_arguments
def test_a_calibrated_speaker_has_the_mean_face(tmp_path):
    coeffs = np.random.default_rng(0).uniform(size=(32, 58)).astype("f4")
    calibrated = stand_in_system().calibrate(coeffs)
    np.testing.assert_allclose(calibrated.mean(axis=0), MEAN, atol=1e-6)
    np.testing.assert_allclose(np.diff(calibrated, axis=0), np.diff(coeffs, axis=0), atol=1e-6)
    sound = np.zeros((1, 32 * 640), "f4")
    config = _config(tmp_path, samples=1, calibrate=True)
    speakers = (Speaker(seen[None], sound) for seen in (coeffs, coeffs + 3))
    faces = [react.react(stand_in_system(), speaker, config).coeffs for speaker in speakers]
    np.testing.assert_allclose(np.asarray(faces[0]), np.asarray(faces[1]), atol=0.011)


@pytest.mark.wrong_arguments
def test_reactions_are_raw_coefficients(tmp_path):
    system = stand_in_system()
    coeffs = np.tile(MEAN, (64, 1))
    coeffs[:, 24] += 0.25
    config = _config(tmp_path, samples=3, sampling=Sampling(0.5, 7))
    speaker = Speaker(coeffs[None], np.zeros((1, 64 * 640), "f4"))
    reactions = react.react(system, speaker, config)
    made = np.asarray(reactions.coeffs)[0]
    assert made.shape == (3, 64, 58)
    assert reactions.emotion.shape == (1, 3, 64, 25)
    for sample in range(3):
        np.testing.assert_allclose(made[sample, :, 24], MEAN[24] + 0.25 + sample / 100, atol=1e-6)
        np.testing.assert_allclose(made[sample, :, :24], coeffs[:, :24], atol=1e-6)
    assert system.predictor.features.shape == (1, 127, 512)  # pyright: ignore
    sampling = system.predictor.sampling  # pyright: ignore
    assert (sampling["temperature"], sampling["top_k"]) == (0.5, 7)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"samples": 0}, "--samples must be more than 0"),
        ({"samples": 10**9}, "--samples 1000000000 is more than 10000"),
        ({"seed": -1}, "--seed -1 must be a whole number from 0 to 4294967295"),
        ({"predictor": Path("p")}, "give --run, or --predictor"),
        ({"run": None}, "give --run, or --predictor"),
        ({"tokenizer": Path("t")}, "--tokenizer belongs to --predictor"),
        ({"size": 65}, "--size 65 is odd"),
        ({"seconds": float("nan")}, "--seconds must be more than 0"),
        ({"out": CARPHONE}, "is a file"),
        ({"pirender": Path("p")}, "--pirender and --portrait belong together"),
        ({"portrait": Path("p")}, "--pirender and --portrait belong together"),
    ],
)
def test_wrong_options_are_refused_first(tmp_path, change, words):
    with pytest.raises(UserError, match=words):
        react.run(_config(tmp_path, **change))


def _save_runs(folder: Path, codes_named: int) -> tuple[Path, Path]:
    """A tokenizer with 12 codes and a predictor that names `codes_named`, with tiny weights."""
    tokenizer = FaceTokenizerConfig(n_embd=8, n_head=1, n_layer=1, quantize_levels=(4, 3))
    predictor = PredictorConfig(
        vocab_size=codes_named,
        vocab_face_size=codes_named,
        block_size=64,
        n_embd=8,
        n_head=1,
        n_layer=1,
    )
    encoder = AudioEncoderConfig(conv_dim=(8,) * 6 + (512,))
    rng = np.random.default_rng(0)
    runs_of = {
        "tokenizer": ("tokenizer", tokenizer, {"mean_face": MEAN.tolist()}),
        "predictor": ("predictor", predictor, {}),
        "predictor/audio_encoder": ("audio_encoder", encoder, {}),
    }
    for name, (kind, config, extra) in runs_of.items():
        shapes = runs.abstract_variables(KINDS[kind], config)
        weights = jax.tree.map(lambda x: rng.normal(0, 0.2, x.shape).astype(x.dtype), shapes)
        runs.save_model(folder / name, KINDS[kind], config, weights, **extra)
    return folder / "tokenizer", folder / "predictor"


def test_real_models_react_within_the_tokenizers_codes(tmp_path):
    tokenizer, predictor = _save_runs(tmp_path, codes_named=40)
    system = jaxreact.load(predictor, tokenizer=tokenizer)
    assert isinstance(system, Fiber)
    assert system.predictor.config.codes == 12
    np.testing.assert_array_equal(system.tokenizer.mean_face, MEAN)
    rng = np.random.default_rng(0)
    coeffs, waveform = MEAN + rng.normal(size=(1, 32, 58)) / 9, rng.normal(size=(1, 32 * 640))
    speaker = Speaker(coeffs.astype("f4"), waveform.astype("f4"))
    config = _config(tmp_path, samples=2)
    reactions = react.react(system, speaker, config)
    assert reactions.coeffs is not None
    made = np.asarray(reactions.coeffs)
    assert (made.shape, reactions.emotion.shape) == ((1, 2, 32, 58), (1, 2, 32, 25))
    assert np.isfinite(made).all()
    assert np.ptp(made, axis=1).any()
    again = react.react(system, speaker, config)
    np.testing.assert_array_equal(made, again.coeffs)


def test_models_that_do_not_fit(tmp_path):
    tokenizer, predictor = _save_runs(tmp_path, codes_named=10)
    with pytest.raises(UserError, match=r"predictor: knows 10 codes, .* has 12"):
        jaxreact.load(predictor, tokenizer=tokenizer)
    with pytest.raises(UserError, match="nowhere"):
        jaxreact.load(tmp_path / "nowhere", tokenizer=tokenizer)


@pytest.mark.usefixtures("mediapipe")
@pytest.mark.wrong_arguments
def test_from_a_video_to_a_reaction(tmp_path, talking, monkeypatch, capsys):
    monkeypatch.setattr(react, "load", lambda *_: stand_in_system())
    config = _config(tmp_path, talking, samples=2)
    react.run(config)
    printed = capsys.readouterr().out.split()
    assert printed == [str(config.out / "reaction.npz"), str(config.out / "reaction.mp4")]
    assert sorted(path.name for path in config.out.iterdir()) == ["reaction.mp4", "reaction.npz"]
    with np.load(config.out / "reaction.npz") as made:
        shapes = {name: made[name].shape for name in made}
        speaker, listener = made["speaker"], made["coeffs"][1]
    assert shapes == {
        "coeffs": (2, 96, 58),
        "emotion": (2, 96, 25),
        "speaker": (96, 58),
        "tracked": (96,),
        "fps": (),
    }
    np.testing.assert_allclose(listener[:, 24], speaker[:, 24] + 0.01, atol=0.006)
    _check_video(config.out / "reaction.mp4", talking)


@pytest.mark.usefixtures("mediapipe")
@pytest.mark.wrong_arguments
def test_a_video_whose_sound_ends_early_is_used_as_the_error_says(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(react, "load", lambda *_: stand_in_system())
    frames, times = decode(CARPHONE)
    sound = (np.zeros(round(1.77 * 16000), "f4"), 16000)
    video = write_clip(tmp_path / "early.mp4", frames, times, sound)
    with pytest.raises(UserError, match=r"early\.mp4: the sound ends .* \(--seconds ") as refused:
        react.run(_config(tmp_path, video))
    seconds = float(str(refused.value).rsplit(" ", 1)[1].rstrip(")"))
    with pytest.warns(Remark, match=r"early\.mp4: the first 1\.8 s of 4\.0 s are used"):
        react.run(_config(tmp_path, video, seconds=seconds))
    assert (tmp_path / "out" / "reaction.mp4").exists()
    assert "generating 1 x 1.28 s; the last 0." in capsys.readouterr().err


@pytest.mark.usefixtures("mediapipe")
@pytest.mark.wrong_arguments
def test_a_video_that_lies_on_its_side(tmp_path, monkeypatch):
    """The speaker's panel is upright too; that the sound is silent is said."""
    monkeypatch.setattr(react, "load", lambda *_: stand_in_system())
    frames, times = decode(CARPHONE)
    sound = (np.zeros(24000, "f4"), 16000)
    video = write_clip(
        tmp_path / "lying.mp4", [np.rot90(f) for f in frames[:45]], times[:45], sound
    )
    upright = write_clip(tmp_path / "upright.mp4", frames[:45], times[:45], sound)
    panels = []
    for clip in (video, upright):
        config = _config(tmp_path, clip)
        with pytest.warns(Remark, match=rf"{clip.name}: no sound: its amplitude is 0"):
            react.run(config)
        panels.append(decode(config.out / "reaction.mp4")[0][0][:48, :64].astype(float))
    assert np.corrcoef(panels[0].ravel(), panels[1].ravel())[0, 1] > 0.98


@pytest.mark.wrong_arguments
def test_a_system_computes_as_asked(tmp_path, monkeypatch):
    monkeypatch.setattr(react, "load", lambda *_: stand_in_system())
    system = react.open_system(_config(tmp_path, precision="bfloat16"))
    parts = (system.tokenizer, system.predictor, system.audio_encoder)  # pyright: ignore
    assert {part.precision for part in parts} == {"bfloat16"}


def test_the_listeners_face(tmp_path, pirender):
    coeffs = moving(3)
    config = _config(tmp_path, CARPHONE)
    drawn = list(react.listener_face(config)(coeffs))
    np.testing.assert_array_equal(drawn, render(coeffs, size=64))
    config = dataclasses.replace(config, pirender=pirender, portrait=CARPHONE)
    made = list(react.listener_face(config)(coeffs))
    portrait = read_portrait(CARPHONE)
    generator = jaxreact.load_face_generator(pirender)
    np.testing.assert_array_equal(made, list(photoreal_frames(generator, portrait, coeffs)))


def _check_video(made: Path, source: Path) -> None:
    """96 frames of three panels, the first being the source's picture, and the source's sound."""
    pictures, times = decode(made)
    assert len(pictures) == 96
    assert times[25] == pytest.approx(1.0)
    assert pictures[0].shape == (64, 192, 3)
    original = decode(source)[0][0]
    square = original[:, : original.shape[0]]
    left = pictures[0][:48, :64].astype(float)  # above the label
    assert abs(left.mean(axis=(0, 1)) - square[:108].mean(axis=(0, 1))).max() < 25
    sound, rate = read_native_audio(made)
    expected, _ = read_native_audio(source, duration=96 / 25)
    assert len(sound) / rate == pytest.approx(3.84, abs=0.05)
    length = min(len(sound), len(expected))
    assert np.corrcoef(sound[:length], expected[:length])[0, 1] > 0.95


@pytest.mark.wrong_arguments
@pytest.mark.usefixtures("mediapipe")
def test_videos_that_cannot_be_used_leave_nothing(tmp_path, talking, monkeypatch):
    monkeypatch.setattr(react, "load", lambda *_: stand_in_system())
    noise = [np.random.default_rng(0).integers(0, 255, (96, 96, 3), dtype=np.uint8)] * 50
    times = [i / 25 for i in range(50)]
    sound = (np.zeros(32000, "f4"), 16000)
    cases = {
        "no sound track": CARPHONE,
        "no face found": write_clip(tmp_path / "noise.mp4", noise, times, sound),
        "too short": write_clip(
            tmp_path / "short.mp4", decode(CARPHONE)[0][:30], times[:30], sound
        ),
        "no such file": tmp_path / "missing.mp4",
    }
    for words, video in cases.items():
        config = _config(tmp_path, video)
        with pytest.raises(UserError, match=words):
            react.run(config)
        assert not config.out.exists()


def test_the_command_line_reports_one_line(tmp_path, monkeypatch, capsys):
    missing = str(tmp_path / "missing.mp4")
    options = ["--tokenizer", "t", "--predictor", "p", "--out", str(tmp_path / "out")]
    monkeypatch.setattr("sys.argv", ["react", missing, *options])
    with pytest.raises(SystemExit) as stopped:
        run_command(react.main)
    assert stopped.value.code == 1
    error = capsys.readouterr().err
    assert error == f"error: {missing}: no such file; give the path of a sound or video file\n"
