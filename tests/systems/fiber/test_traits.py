"""FIBER that is told who listens: its parameters, its answers, whole and as streams, its errors."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from jaxreact import Speaker, runs
from jaxreact.errors import ArgumentError, UserError
from jaxreact.nn.fingerprint import fingerprint
from jaxreact.streaming.pool import StreamPool
from jaxreact.streaming.stream import ReactionStream
from jaxreact.systems.fiber.config import PredictorConfig
from jaxreact.systems.fiber.kinds import PREDICTOR
from jaxreact.systems.fiber.original_config import read_config
from jaxreact.systems.fiber.predictor import ReactPredictor
from jaxreact.systems.fiber.to_torch import model_tensors
from jaxreact.systems.fiber.traits import TraitsEmbed, checked_traits, hidden_at_random
from jaxreact.variables import variables_of
from tests.streaming.systems import KEY, answer, fiber, joined, person
from tests.systems.fiber.persons import knowing_fiber, knowing_predictor

FRAMES = 24
NOBODY = [np.nan] * 5
LIVELY, QUIET = [1, 0.5, 0.5, 0.5, 0.5], [0, 0.5, 0.5, 0.5, 0.5]
TINY = PredictorConfig(
    vocab_size=20, vocab_face_size=20, block_size=8, patch_size=4, n_embd=8, n_head=2, n_layer=1
)


def leaves(config: PredictorConfig) -> dict[str, np.ndarray]:
    variables = variables_of(ReactPredictor(config, rngs=nnx.Rngs(3)))
    found = jax.tree_util.tree_leaves_with_path(variables)
    return {jax.tree_util.keystr(path): np.asarray(leaf) for path, leaf in found}


def test_a_new_model_is_the_one_without_and_two_zeros():
    without, with_traits = leaves(TINY), leaves(dataclasses.replace(TINY, traits=True))
    for name, leaf in without.items():
        np.testing.assert_array_equal(with_traits.pop(name), leaf, err_msg=name)
    assert {name: leaf.shape for name, leaf in with_traits.items()} == {
        "['listener_traits']['scores']['kernel']": (5, 8),
        "['listener_traits']['unknown']": (8,),
    }
    assert not any(leaf.any() for leaf in with_traits.values())


def test_a_new_model_says_what_the_one_without_says():
    draw = np.random.default_rng(0)
    audio = jnp.asarray(draw.normal(size=(2, 16, 512)), jnp.float32)
    speaker, listener = jnp.asarray(draw.integers(2, 22, (2, 2, 8)))
    without = ReactPredictor(TINY, rngs=nnx.Rngs(3))
    with_traits = ReactPredictor(dataclasses.replace(TINY, traits=True), rngs=nnx.Rngs(3))
    expected = without(audio, speaker, listener)
    for rows in ([LIVELY, QUIET], [NOBODY, NOBODY]):
        said = with_traits(audio, speaker, listener, traits=jnp.array(rows))
        np.testing.assert_array_equal(said, expected)


def test_the_configuration_of_before_has_its_old_fingerprint():
    """An option at its default does not count, and runs that do not name it are read."""
    fields = dataclasses.asdict(TINY)
    del fields["traits"]
    assert runs.make_config(PREDICTOR, fields, "config.json") == TINY
    assert fingerprint(TINY, {}) != fingerprint(dataclasses.replace(TINY, traits=True), {})


def test_scores_are_linear_about_the_middle_and_the_unknown_have_a_vector_of_their_own():
    embed = knowing_predictor().listener_traits
    weights, unknown = np.asarray(embed.scores.kernel[...]), np.asarray(embed.unknown[...])
    scores = np.array([[0.9, 0.1, 0.5, 0.3, 1.0], [0.5] * 5, NOBODY, [0.9, 0.1, 0.5, 0.3, np.nan]])
    found = np.asarray(embed(jnp.asarray(scores, jnp.float32)))
    by_hand = 0.4 * weights[0] - 0.4 * weights[1] - 0.2 * weights[3] + 0.5 * weights[4]
    np.testing.assert_allclose(found[0], by_hand, rtol=0, atol=1e-5)
    np.testing.assert_array_equal(found[1], 0)
    np.testing.assert_array_equal(found[2:], [unknown, unknown])


def test_gradients_are_those_of_the_known_and_of_the_unknown():
    embed = TraitsEmbed(4, rngs=nnx.Rngs(0))
    graph, state = nnx.split(embed)
    rows = jnp.array([LIVELY, NOBODY, NOBODY])

    def total(state: Any) -> jax.Array:
        return jnp.sum(nnx.merge(graph, state)(rows))

    gradient = nnx.to_pure_dict(jax.grad(total)(state))
    expected = np.zeros((5, 4))
    expected[0] = 0.5
    np.testing.assert_array_equal(gradient["scores"]["kernel"], expected)
    np.testing.assert_array_equal(gradient["unknown"], 2)


def test_traits_are_hidden_from_so_many():
    rows = jnp.tile(jnp.array(LIVELY), (4000, 1))
    hidden = np.isnan(np.asarray(hidden_at_random(KEY, rows, 0.25)))
    assert (hidden.all(axis=1) == hidden.any(axis=1)).all()
    assert 0.22 < hidden[:, 0].mean() < 0.28  # 4 deviations of 0.7 %
    np.testing.assert_array_equal(hidden_at_random(KEY, rows, 0.0), rows)
    assert np.isnan(np.asarray(hidden_at_random(KEY, rows, 1.0))).all()


@pytest.mark.wrong_arguments
@pytest.mark.parametrize(
    ("traits", "message"),
    [
        ([0.5] * 4, r"traits \(4,\); one listener has \(5,\) and 3 have \(3, 5\)"),
        ([[0.5] * 5] * 2, r"traits \(2, 5\)"),
        ([1.5] * 5, "scores are 0 to 1"),
        ([0.5, 0.5, 0.5, 0.5, -0.1], "scores are 0 to 1"),
        ([np.inf] * 5, "scores are 0 to 1"),
    ],
)
def test_what_are_no_traits(traits, message):
    with pytest.raises(ArgumentError, match=message):
        checked_traits(knowing_predictor().config, np.array(traits), 3)


def test_one_row_is_everybodys_and_none_is_nobodys():
    config = knowing_predictor().config
    found = checked_traits(config, np.array(LIVELY), 3)
    np.testing.assert_array_equal(found, [LIVELY] * 3)
    np.testing.assert_array_equal(checked_traits(config, None, 2), [NOBODY] * 2)
    assert checked_traits(TINY, None, 2) is None


def whole(batch: int) -> Speaker:
    """The same speaker so many times."""
    who = person(FRAMES)
    return Speaker(np.stack([who.coeffs] * batch), np.stack([who.sound] * batch))


def test_each_clip_is_answered_by_its_own_listener():
    """Whatever listeners are beside it; and who the listener is matters."""
    system, keys = knowing_fiber(), jnp.stack([KEY] * 3)
    rows = np.array([LIVELY, NOBODY, QUIET], np.float32)
    made = np.asarray(system.react(whole(3), 2, key=keys, traits=rows).coeffs)
    turned = np.asarray(system.react(whole(3), 2, key=keys, traits=rows[::-1]).coeffs)
    np.testing.assert_allclose(turned, made[::-1], rtol=0, atol=1e-5)
    assert all(np.abs(made[a] - made[b]).max() > 0.01 for a, b in ((0, 1), (1, 2), (0, 2)))
    nobody = np.asarray(system.react(whole(3), 2, key=keys).coeffs)
    np.testing.assert_allclose(nobody, made[[1, 1, 1]], rtol=0, atol=1e-5)


def test_a_stream_answers_as_its_listener_does():
    system, who = knowing_fiber(), person(FRAMES)
    made: dict[str, np.ndarray] = {}
    for name, traits in (("lively", np.array(LIVELY)), ("quiet", np.array(QUIET)), ("any", None)):
        made[name] = answer(system, who, traits=traits)[0]
        stream = ReactionStream(system, key=KEY, traits=traits)
        reactions = [*stream.feed(**who.part(0, FRAMES)), *stream.finish()]
        np.testing.assert_allclose(joined(reactions)[0], made[name][0], rtol=0, atol=1e-5)
    assert np.abs(made["lively"] - made["quiet"]).max() > 0.01
    assert np.abs(made["lively"] - made["any"]).max() > 0.01


def test_streams_of_one_pool_have_each_their_own_listener():
    system, who = knowing_fiber(), person(FRAMES)
    pool = StreamPool(system, capacity=3)
    everybody = (np.array(LIVELY), np.array(QUIET), None)
    streams = [pool.open(key=KEY, traits=traits) for traits in everybody]
    for stream in streams:
        stream.feed(**who.part(0, FRAMES))
        stream.finish()
    while pool.advance():
        pass
    for stream, traits in zip(streams, everybody, strict=True):
        expected = answer(system, who, traits=traits)[0]
        np.testing.assert_allclose(joined(stream.take())[0], expected[0], rtol=0, atol=1e-5)


def test_logits_follow_the_listener():
    predictor = knowing_fiber().predictor
    tokens = np.full((2, 16), 5)
    audio = np.zeros((2, 32, 512), np.float32)
    rows = np.array([LIVELY, QUIET], np.float32)
    found = np.asarray(predictor.logits(audio, tokens, tokens, traits=rows))
    direct = knowing_predictor()(
        jnp.asarray(audio), jnp.asarray(tokens), jnp.asarray(tokens), traits=jnp.asarray(rows)
    )
    np.testing.assert_allclose(found, direct, rtol=0, atol=1e-4)
    assert np.abs(found[0] - found[1]).max() > 0.01


def test_a_system_says_whether_it_takes_traits():
    knowing, unknowing = knowing_fiber(), fiber()
    assert knowing.options - unknowing.options == {"traits"}
    assert dict(knowing.settings) == {**unknowing.settings, "traits": True}
    for react in (unknowing.react, lambda *given, **more: unknowing.start(1, 1, **more)):
        with pytest.raises(ArgumentError, match="the predictor was trained without"):
            react(whole(1), 1, key=KEY, traits=np.array(LIVELY))


def test_the_originals_configurations_have_no_traits(tmp_path):
    path = tmp_path / "config.json"
    path.write_text('{"n_layer": 2, "traits": false}')
    assert read_config(PREDICTOR, path).n_layer == 2
    path.write_text('{"n_layer": 2, "traits": true}')
    with pytest.raises(UserError, match=r"config\.json: traits, which the original does not know"):
        read_config(PREDICTOR, path)


def test_the_original_does_not_know_traits(tmp_path):
    run, model = tmp_path / "run", knowing_predictor()
    runs.save_model(run, PREDICTOR, model.config, variables_of(model))
    with pytest.raises(UserError, match="was trained with traits, which the original does not"):
        model_tensors(run, PREDICTOR, "model.")
