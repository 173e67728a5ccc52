"""How codes are drawn: temperature, the most likely ones, and those that share a probability."""

from dataclasses import asdict

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import tyro

from jaxreact.errors import UserError
from jaxreact.evaluation.config import Evaluation
from jaxreact.systems.learning2listen.generation import State, _choose
from jaxreact.systems.sampling import SAMPLING, Sampling, options_of, sample_keys, truncate
from tests.weights import golden


@pytest.mark.parametrize("setting", ["t0.7_p0.9", "t1.0_p0.9", "t0.7_p0.5", "t1.3_p0.95"])
def test_temperature_and_nucleus_are_those_of_learning2listen(setting):
    given = golden("learning2listen/sampling")
    temperature, share = (float(word[1:]) for word in setting.split("_"))
    sampling = Sampling(temperature, None, top_p=share)
    chances = jax.nn.softmax(truncate(jnp.asarray(given["logits"]), sampling))
    np.testing.assert_allclose(chances, given[f"probs_{setting}"], rtol=0, atol=1e-6)


def test_with_neither_all_are_drawn_as_often_as_they_are_likely():
    given = golden("learning2listen/sampling")
    logits = jnp.asarray(given["logits"])
    chances = jax.nn.softmax(truncate(logits, Sampling(1.0, None, top_p=1.0)))
    np.testing.assert_allclose(chances, given["probs_sample_idx"], rtol=0, atol=1e-6)
    np.testing.assert_allclose(
        given["frequency_sample_idx0"], given["probs_sample_idx"][0], rtol=0, atol=0.01
    )
    drawn = jax.random.categorical(jax.random.key(0), logits[0], shape=(20_000,))
    ours = np.bincount(drawn, minlength=200) / 20_000
    np.testing.assert_allclose(ours, given["frequency_sample_idx0"], rtol=0, atol=0.012)
    np.testing.assert_array_equal(np.argmax(logits, -1), given["argmax"])


def test_samples_are_drawn_independently():
    """Each is as likely as any; the original's second and fifth (`--sample_idx`) are what is left
    after the draws before (behaviour L17)."""
    given = golden("learning2listen/sampling")
    chances = given["probs_sample_idx"][0].astype(np.float64)
    likely = chances.argmax()
    second = sum(chances[i] * chances[likely] / (1 - chances[i]) for i in range(200) if i != likely)
    assert given["frequency_sample_idx1"][likely] == pytest.approx(second, abs=0.005)
    streams, state = 500, np.zeros((), np.int32)
    keys = sample_keys(Sampling(), jax.random.key(0), streams, 5)
    logits = jnp.broadcast_to(given["logits"][0], (streams, 5, 200))
    past = State(jnp.zeros((streams, 5, 4), jnp.int32), jnp.asarray(state), keys)
    drawn = np.asarray(_choose(logits, past, Sampling(1.0, None)))
    for sample, theirs in ((0, "0"), (1, "1"), (4, "4")):
        share = np.mean(drawn[:, sample] == likely)
        assert share == pytest.approx(given["frequency_sample_idx0"][likely], abs=0.05)
        alike = abs(share - given[f"frequency_sample_idx{theirs}"][likely]) < 0.05
        assert alike == (sample == 0), sample


def test_the_first_is_always_kept_and_equals_are_cut_by_their_order():
    logits = jnp.log(jnp.array([0.4, 0.3, 0.2, 0.1]))
    for share, kept in ((0.001, 1), (0.39, 1), (0.41, 2), (0.71, 3), (0.95, 4), (1.0, 4)):
        found = np.isfinite(truncate(logits, Sampling(1.0, None, top_p=share)))
        assert found.tolist() == [True] * kept + [False] * (4 - kept), share
    found = np.isfinite(truncate(jnp.zeros(4), Sampling(1.0, None, top_p=0.4)))
    assert found.sum() == 2


def test_both_limits_hold():
    """The share is of what the number leaves."""
    logits = jnp.log(jnp.array([0.1, 0.4, 0.2, 0.3]))
    found = np.isfinite(truncate(logits, Sampling(1.0, 2, top_p=0.5)))
    assert found.tolist() == [False, True, False, False]


@pytest.mark.parametrize("share", [0.0, -1.0, 1.01, float("nan")])
def test_shares_that_cannot_be(share):
    with pytest.raises(ValueError, match="is not above 0 and at most 1"):
        Sampling(top_p=share)


def test_a_models_own_options_give_way():
    assert Sampling().of_model(0.7, 0.9) == Sampling(0.7, top_p=0.9)
    assert Sampling(1.0, top_p=0.5).of_model(0.7, 0.9) == Sampling(1.0, top_p=0.5)
    assert Sampling().of_model(0.5) == Sampling(0.5)


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("temperature", "nan", "temperature nan is not positive and finite"),
        ("temperature", "inf", "temperature inf is not positive and finite"),
        ("temperature", "0", "temperature 0.0 is not positive and finite"),
        ("top-k", "0", "top_k 0 is less than 1"),
        ("top-p", "nan", "top_p nan is not above 0 and at most 1"),
        ("top-p", "2", "top_p 2.0 is not above 0 and at most 1"),
    ],
)
def test_numbers_that_cannot_be_are_one_line_of_a_command(option, value, words):
    """And a ValueError of a call."""
    with pytest.raises(UserError, match=words) as caught:
        tyro.cli(Evaluation, args=["--data", "d", "--out", "o", f"--{option}", value])
    assert isinstance(caught.value, ValueError)


def test_what_a_system_is_given_of_the_options():
    """All, where it draws codes; what was chosen, where it has an option of that name."""
    given = Sampling(temperature=0.5)
    assert options_of(given, SAMPLING | {"causal"}, "fiber") == asdict(given)
    assert options_of(given, {"temperature"}, "framewise") == {"temperature": 0.5}
    assert options_of(Sampling(), {"noise"}, "trans-vae") == {}
    with pytest.raises(
        UserError, match="trans-vae draws no codes; leave --temperature, --top-k out"
    ):
        options_of(Sampling(temperature=0.5, top_k=3), {"noise"}, "trans-vae")
