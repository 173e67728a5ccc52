"""What generation draws by: temperatures, vocabulary and keys; nothing of it is compiled twice."""

from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxreact import runs
from jaxreact.systems.fiber import generation
from jaxreact.systems.fiber.config import PredictorConfig
from jaxreact.systems.fiber.generation import Sampling, draw, generate, truncate
from jaxreact.systems.fiber.kinds import PREDICTOR
from jaxreact.systems.fiber.loaded_predictor import Predictor
from jaxreact.systems.fiber.predictor import ReactPredictor
from jaxreact.systems.sampling import sample_keys

WINDOWS, BATCH, SAMPLES, PATCH = 5, 2, 3, 2
FRAMES = WINDOWS * PATCH


def model(**changes: Any) -> ReactPredictor:
    """A model of zeros, which finds all codes equally likely: its keys alone decide."""
    sizes: dict[str, Any] = {"block_size": 4, "patch_size": PATCH, "n_embd": 4, "n_head": 1}
    config = PredictorConfig(vocab_size=1000, vocab_face_size=1000, n_layer=1, **sizes, **changes)
    state = runs.abstract_variables(PREDICTOR, config)
    zeros = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), state)
    return runs.build(PREDICTOR, config, zeros)


def clips() -> tuple[jax.Array, jax.Array]:
    audio = jax.random.normal(jax.random.key(0), (BATCH, 2 * FRAMES, 512))
    return audio, jnp.zeros((BATCH, FRAMES), jnp.int32)


def keys() -> jax.Array:
    return jax.random.split(jax.random.key(1), (BATCH, SAMPLES))


@pytest.mark.parametrize(
    ("own", "given", "used"), [(1.0, 0.6, 0.6), (0.5, 0.6, 0.6), (0.5, None, 0.5), (2.0, None, 2.0)]
)
def test_a_temperature_or_the_models_own_divides_the_logits(monkeypatch, own, given, used):
    seen = []

    def note(logits: jax.Array, sampling: Sampling, codes: int, key: Any) -> jax.Array:
        seen.append((sampling, codes))
        return jnp.zeros(logits.shape[:-1], jnp.int32)

    monkeypatch.setattr(generation, "draw", note)
    predictor = model(temperature=own, codebook_size=700)
    sampling = Sampling(given, 50, "full")
    shape = jax.eval_shape(lambda: generate(predictor, *clips(), sampling, keys(), SAMPLES)).shape
    assert shape == (BATCH, SAMPLES, FRAMES)
    assert {codes for _, codes in seen} == {700}
    (first, *rest) = {sampling for sampling, _ in seen}
    assert not rest
    assert first.temperature == pytest.approx(used)
    assert (first.top_k, first.vocabulary) == (50, "full")


@cache
def drawn() -> np.ndarray:
    """Codes (clips, samples, frames) of that model."""
    predictor = Predictor(model(), {}, "even")
    made = predictor._generate(*clips(), sampling=Sampling(top_k=None), keys=keys(), num_samples=3)
    return np.asarray(made)


def test_every_patch_of_every_sample_draws_anew():
    patches = drawn().reshape(-1, PATCH)
    assert len(np.unique(patches, axis=0)) == BATCH * SAMPLES * WINDOWS


def test_a_patchs_key_is_its_samples_folded_with_its_number():
    for clip, sample, window in ((0, 0, 0), (1, 2, 0), (0, 1, 1), (1, 0, 4)):
        key = jax.random.fold_in(keys()[clip, sample], window)
        expected = jax.random.categorical(key, jnp.zeros((PATCH, 1000)))
        found = drawn()[clip, sample, window * PATCH :][:PATCH]
        np.testing.assert_array_equal(found, expected)


def test_every_sample_of_every_stream_has_a_key_of_its_own():
    """From one key or from one for each stream; as many as there are, the first ones stay."""
    key = jax.random.key(7)
    made = sample_keys(Sampling(), key, 3, 4)
    assert made is not None
    assert made.shape == (3, 4)
    assert (
        len({row.tobytes() for row in np.asarray(jax.random.key_data(made)).reshape(12, -1)}) == 12
    )
    own = jnp.stack([jax.random.fold_in(key, stream) for stream in range(2)])
    fewer = sample_keys(Sampling(), own, 2, 3)
    assert fewer is not None
    np.testing.assert_array_equal(jax.random.key_data(fewer), jax.random.key_data(made)[:2, :3])


def test_logits_are_divided_by_the_temperature_and_cut_below_the_kth():
    logits = jnp.array([[1.0, 3.0, 2.0, 3.0], [0.0, -1.0, 5.0, 1.0]])
    inf = -np.inf
    np.testing.assert_allclose(
        truncate(logits, Sampling(2.0, 2)), [[inf, 1.5, inf, 1.5], [inf, inf, 2.5, 0.5]]
    )
    np.testing.assert_allclose(truncate(logits, Sampling(0.5, 4)), 2 * logits)
    three = truncate(logits, Sampling(1.0, 3))
    np.testing.assert_array_equal(np.isfinite(three), [[0, 1, 1, 1], [1, 0, 1, 1]])


def test_argmax_needs_no_key_and_takes_none():
    logits = jnp.array([[9.0, 9.0, 1.0, 2.0, 8.0]])
    for key in (None, jax.random.key(0)):
        assert draw(logits, Sampling(top_k=1), 2, key).tolist() == [3]
        assert draw(logits, Sampling(top_k=1), 3, key).tolist() == [4]
    assert draw(logits, Sampling(vocabulary="full"), 2, None).tolist() == [0]


@pytest.mark.parametrize(
    ("windows", "block", "patch", "vocabulary", "expected"),
    [
        (10, 16, 4, "codes", [(1, 3, 8), (3, 10, 16)]),
        (3, 16, 4, "codes", [(1, 3, 8)]),
        (2, 16, 4, "codes", [(1, 2, 8)]),
        (1, 16, 4, "codes", []),
        (10, 16, 4, "full", [(1, 10, 16)]),
        (10, 4, 4, "codes", [(1, 10, 4)]),
    ],
)
def test_half_of_the_past_is_enough_while_half_is_filled(
    windows, block, patch, vocabulary, expected
):
    config = PredictorConfig(block_size=block, patch_size=patch)
    assert generation._segments(windows, config, Sampling(vocabulary=vocabulary)) == expected
