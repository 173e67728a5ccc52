"""The alignment network: what the original gave for the same weights and noise, and its masks."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from safetensors.numpy import save_file

from jaxreact import runs
from jaxreact.metrics.alignment import load
from jaxreact.metrics.alignment.conversion import convert_alignment
from jaxreact.metrics.alignment.load import ALIGNMENT, load_alignment
from jaxreact.metrics.alignment.network import AlignmentConfig, emotion_of
from tests.metrics.alignment import weights
from tests.weights import golden

SMALL = ("70.50", "50.70", "2100.1000", "1000.2001", "5.3500")
"""Frames of the target and of the reaction: one piece and several, full and not, either side the
longer one, and a target so short that its last pieces are frames of zeros."""
STRIDE = {"small": 17, "full": 13}
"""Of the goldens' frames."""


def given(case: str, sizes: dict[str, int]) -> tuple[np.ndarray, int, np.ndarray]:
    """The target, the length, and the noise of a golden."""
    frames, length = map(int, case.split("."))
    pieces = -(-max(frames, length) // 1000)
    noise = weights.noise(case, pieces, sizes["tokens"], sizes["features"])
    return weights.emotion(str(frames), frames), length, noise


def check(found: np.ndarray, name: str, key: str) -> None:
    expected = golden(f"alignment/{name}")[key]
    np.testing.assert_allclose(found[:: STRIDE[name]], expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("case", SMALL)
def test_the_same_noise_gives_what_it_gives_the_original(align, case):
    target, length, noise = given(case, weights.SMALL)
    found = align.by_noise(target, length, noise)
    assert found.shape == (length, 25)
    check(found, "small", case)


def test_stages_and_the_mean(run, align):
    target, length, _ = given("70.50", weights.SMALL)
    expected = golden("alignment/small")
    for found, name in zip(align.latent(target), ("mean", "deviation"), strict=True):
        np.testing.assert_allclose(found[0], expected[f"latent.{name}"], rtol=0, atol=1e-5)
    model = runs.load_model(run, ALIGNMENT)[0]
    _, _, noise = given("70.50", weights.SMALL)
    latent = expected["latent.mean"] + expected["latent.deviation"] * noise[0]
    outputs = jax.jit(model.decode)(latent[None], np.ones((1, length), bool))[0]
    check(outputs, "small", "outputs")
    mean = load_alignment(run, deterministic=True)
    found = mean(target, length, jax.random.key(0))
    check(found, "small", "mean.70.50")
    np.testing.assert_array_equal(found, mean(target, length, jax.random.key(1)))


@pytest.mark.slow
def test_the_released_sizes(tmp_path):
    save_file(weights.tensors(**weights.FULL), tmp_path / "full.safetensors")
    convert_alignment(tmp_path / "full.safetensors", tmp_path / "run")
    align = load_alignment(tmp_path / "run")
    assert align.config == AlignmentConfig()
    for case in ("430.290", "310.1040"):
        target, length, noise = given(case, weights.FULL)
        check(align.by_noise(target, length, noise), "full", case)
    target, _, _ = given("430.290", weights.FULL)
    for found, name in zip(align.latent(target), ("mean", "deviation"), strict=True):
        expected = golden("alignment/full")[f"latent.{name}"]
        np.testing.assert_allclose(found[0, ::7, ::7], expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("room", [1, 1000])
def test_room_changes_nothing(run, align, monkeypatch, room):
    """Of pieces filled up to a multiple of 125 frames, not at all, and all to 1000 as the
    original's: the sums of attention get more zeros, in another order."""
    cases = [(130, 240), (240, 130)]
    noise = weights.noise("room", 1, 4, 32)
    filled = [align.by_noise(weights.emotion("room", a), b, noise) for a, b in cases]
    monkeypatch.setattr(load, "ROOM", room)
    other = load_alignment(run)
    for (a, b), expected in zip(cases, filled, strict=True):
        found = other.by_noise(weights.emotion("room", a), b, noise)
        np.testing.assert_allclose(found, expected, rtol=0, atol=3e-6)


@pytest.fixture(scope="module")
def network(run):
    return runs.load_model(run, ALIGNMENT)[0]


def test_what_stands_behind_the_end_reaches_no_bit(network):
    emotion = np.random.default_rng(0).normal(size=(2, 9, 25)).astype(np.float32)
    mask = np.arange(9) < np.array([[5], [9]])
    encode, decode = jax.jit(network.encode), jax.jit(network.decode)
    latent = encode(emotion, mask)
    changed = np.where(mask[..., None], emotion, 1e3).astype(np.float32)
    for found, expected in zip(encode(changed, mask), latent, strict=True):
        np.testing.assert_array_equal(found, expected)
    read = np.where(mask[..., None], emotion + 0.5, emotion).astype(np.float32)
    assert np.abs(encode(read, mask).mean - latent.mean).max() > 1e-3
    outputs = decode(latent.mean, mask)
    moved = nnx.clone(network)
    moved.positions[...] = network.positions[...].at[5:].add(1e3)
    other = jax.jit(moved.decode)(latent.mean, mask)
    np.testing.assert_array_equal(other[0, :5], outputs[0, :5])
    assert np.abs(other[1, :5] - outputs[1, :5]).max() > 1e-3  # there they are in the mask


def test_outputs_as_emotion():
    outputs = np.zeros((3, 25), np.float32)
    outputs[:, 0], outputs[:, 1] = 2.0, -2.0
    outputs[:, 15:17] = (-3.0, 1.25)
    outputs[1, 17] = np.log(3.0)
    found = np.asarray(emotion_of(jnp.asarray(outputs)))
    assert (found[:, 0] == 1).all()
    assert (found[:, 1] == 0).all()
    assert (found[:, 2:15] == 1).all()  # a probability of one half is an action unit
    np.testing.assert_array_equal(found[:, 15:17], outputs[:, 15:17])
    np.testing.assert_allclose(found[0, 17:], 1 / 8)
    np.testing.assert_allclose(found[1, 17:], [0.3] + [0.1] * 7, rtol=1e-6)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"features": 24}, "features 24 is no multiple of 16"),
        ({"tokens": 0}, "tokens 0 is not 1 or more"),
        ({"positions": 999}, "positions 999 are fewer than 1000"),
    ],
)
def test_sizes_that_cannot_be(changes, words):
    with pytest.raises(ValueError, match=words):
        AlignmentConfig(**changes)


def test_goldens_are_where_they_are_read():
    folder = Path(__file__).parents[2] / "golden" / "alignment"
    assert {path.stem for path in folder.glob("*.npz")} == set(STRIDE)
