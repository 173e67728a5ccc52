"""The loaded network as what scores take: keys, lengths, and the command."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxreact import metrics
from jaxreact.errors import UserError
from jaxreact.metrics.alignment import load
from jaxreact.metrics.alignment.network import Gaussian
from tests.metrics.alignment import weights
from tests.metrics.ragged.by_hand import clips, targets
from tests.metrics.test_command import run as command

PREDICTED = clips(24, 31)
SUITING = targets((20,) * 2, (31,) * 2)
LATENT = Gaussian(jnp.zeros((1, 4, 32)), jnp.ones((1, 4, 32)))


def test_it_is_an_align(run, align):
    assert isinstance(metrics.load_alignment(run), metrics.Align)
    target = weights.emotion("target", 40)
    drawn = [align(target, 30, jax.random.key(seed)) for seed in (1, 1, 2)]
    np.testing.assert_array_equal(drawn[0], drawn[1])
    assert np.abs(drawn[0] - drawn[2]).max() > 1e-2
    noise = jax.random.normal(jax.random.key(1), (1, 4, 32))
    np.testing.assert_array_equal(align.by_noise(target, 30, noise), drawn[0])
    assert (drawn[0].shape, drawn[0].dtype) == ((30, 25), np.float32)


def test_every_piece_has_noise_of_its_own(align):
    target = np.repeat(weights.emotion("target", 1), 1010, axis=0)
    found = align(target, 2000, jax.random.key(0))
    assert np.abs(found[:1000] - found[1000:]).max() > 1e-2
    with pytest.raises(ValueError, match=r"noise of shape \(1, 4, 32\), not \(2, 4, 32\)"):
        align.by_noise(target, 2000, np.zeros((1, 4, 32), np.float32))


def test_a_target_of_that_length_is_not_touched(align):
    target = weights.emotion("target", 40)
    assert align(target, 40, jax.random.key(0)) is target
    assert align.by_noise(target, 40, np.zeros((1, 4, 32), np.float32)) is target


def test_few_programs_for_many_lengths(run, monkeypatch):
    """Pieces of 1 to 1000 frames come in eight lengths."""
    align = metrics.load_alignment(run)
    shapes = set()

    def encode(emotion: np.ndarray, mask: np.ndarray) -> Gaussian:
        assert (mask.shape, mask.sum()) == (emotion.shape[:2], frames)
        shapes.add(emotion.shape)
        return LATENT

    monkeypatch.setattr(align, "_encode", encode)
    for frames in range(1, 1001):
        align.latent(np.zeros((frames, 25), np.float32))
    assert shapes == {(1, room, 25) for room in range(125, 1001, 125)}


def test_a_target_is_read_once_for_all_draws(run, monkeypatch):
    """Of many, what was read last is kept."""
    align = metrics.load_alignment(run)
    seen = []

    def encode(emotion: np.ndarray, mask: np.ndarray) -> Gaussian:
        seen.append(int(mask.sum()))
        return LATENT

    monkeypatch.setattr(align, "_encode", encode)
    metrics.over_draws(PREDICTED, [SUITING[0]] * 2, align=align, draws=4)
    assert seen == [20, 20]
    monkeypatch.setattr(load, "KEPT", 2)
    sequences = [np.full((frames, 25), frames, np.float32) for frames in (3, 4, 5)]
    for index in (0, 1, 0, 2, 0, 1):
        align.latent(sequences[index])
    assert seen[2:] == [3, 4, 5, 4]
    zeros = np.zeros((3, 25), np.float32)
    align.latent(zeros)
    align.latent(zeros[:2])  # which looks alike when it is filled up
    assert seen[6:] == [3, 2]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    arrays = {f"PRED_{n}": each for n, each in enumerate(PREDICTED)}
    arrays |= {f"GT_{n}": np.stack(each) for n, each in enumerate(SUITING)}
    np.savez("results.npz", **arrays)  # pyright: ignore[reportArgumentType]
    return tmp_path


def test_the_command_aligns(folder, run, align, capsys):
    given = ("score", "results.npz", "--mode", "react2026", "--alignment", run, "--draws", 3)
    command(*given, "--seed", 4, "--json", "s.json", "--resamples", 100)
    text, written = capsys.readouterr().out, json.loads((folder / "s.json").read_text())
    each = [
        metrics.evaluate(PREDICTED, SUITING, mode="react2026", align=align, seed=4 + n)
        for n in range(3)
    ]
    for name in ("FRC", "FRD", "FRVar", "FRDiv"):
        mean = np.mean([scores[name] for scores in each])
        assert written["scores"][name] == pytest.approx(mean, rel=1e-5)
    assert len({scores["FRC"] for scores in each}) == 3
    assert set(written["draws_intervals"]) == {"FRC", "FRD"}
    assert "FRD of another draw of ten targets and of the alignment's noise: " in text
    assert written["alignment"] == str(run)


def test_where_there_is_nothing_to_align(folder, run, capsys):
    fitting = {"PRED_0": PREDICTED[1], "GT_0": np.stack(SUITING[1])}
    np.savez("fitting.npz", **fitting)  # pyright: ignore[reportArgumentType]
    command("score", "fitting.npz", "--mode", "react2026", "--alignment", run)
    text = capsys.readouterr().out
    assert "as long as their predictions: --alignment has nothing to do\nnothing was drawn" in text


def test_lengths_that_the_challenge_cannot_align(folder, run, align):
    """Told with its place, and by the command before anything is aligned."""
    target = np.zeros((2, 16500, 25), np.float32)
    np.savez("results.npz", PRED_0=np.zeros((1, 58, 25), np.float32), GT_0=target)
    with pytest.raises(UserError, match=r"^results.npz: GT\[0\]\[0\]: .* 16500 frames to 58: one"):
        command("score", "results.npz", "--mode", "react2026", "--alignment", run)
    with pytest.raises(UserError, match=r"^target 0 of clip 0: .* 16500 frames to 58: one is too"):
        metrics.frc([np.zeros((1, 58, 25))], [list(target)], mode="react2026", align=align)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (("--alignment", "nowhere"), "--alignment: mode corrected aligns nothing; add --mode"),
        (
            ("--alignment", "nowhere", "--mode", "react2026"),
            "nowhere: no alignment network here; download",
        ),
    ],
)
def test_refusals(folder, given, words):
    with pytest.raises(UserError, match=words):
        command("score", "results.npz", *given)
