"""What is computed in which precision; a processor shows it in what is traced, not in numbers."""

from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxreact.nn.precision import computed_in
from jaxreact.systems.fiber.loaded_predictor import Predictor
from jaxreact.systems.fiber.loaded_tokenizer import Tokenizer
from jaxreact.variables import state_of
from tests.weights import golden, predictor, tokenizer

CODES = jnp.zeros((1, 16), jnp.int32)
PRECISIONS = ("float32", "tensorfloat32", "bfloat16")


def products(function: Any, *arguments: Any) -> list[tuple[str, bool]]:
    """The type of each product's factors, and whether it asks for all digits."""
    return list(_products(jax.make_jaxpr(function)(*arguments).jaxpr))


def _products(jaxpr: Any) -> Iterator[tuple[str, bool]]:
    for equation in jaxpr.eqns:
        if equation.primitive.name == "dot_general":
            exact = equation.params["precision"] is not None
            yield str(equation.invars[0].aval.dtype), exact
        for inner in jax.tree.leaves(equation.params, is_leaf=lambda x: hasattr(x, "jaxpr")):
            if hasattr(inner, "jaxpr"):
                yield from _products(inner.jaxpr)


@pytest.fixture(scope="module")
def coder() -> Tokenizer:
    return Tokenizer(tokenizer("small_fsq"), {}, "golden")


@pytest.mark.parametrize("precision", PRECISIONS)
def test_codes_are_decided_in_float32_whatever_the_rest_does(coder, precision):
    arrays, model = golden("tok_small_fsq"), coder.in_precision(precision)
    coeffs = jnp.asarray(arrays["x"])[:, :40]
    assert set(products(model.encode, coeffs)) == {("float32", True)}
    np.testing.assert_array_equal(model.encode(coeffs), arrays["tokenize"])
    # So too inside a training step, which does not know this class.
    cast = tokenizer("small_fsq")
    assert set(products(cast.encode, coeffs)) == {("float32", True)}


def test_faces_are_computed_as_asked_and_given_in_float32(coder):
    codes = golden("tok_small_fsq")["tokenize"]
    exact = coder.in_precision("float32").decode(codes)
    for precision, kind, digits, tolerance in (
        ("float32", "float32", True, 0),
        ("tensorfloat32", "float32", False, 1e-6),  # a processor has no such thing
        ("bfloat16", "bfloat16", False, 0.05),
    ):
        model = coder.in_precision(precision)
        found = model.decode(codes)
        assert (kind, digits) in products(model.decode, codes)
        for part, true in zip(found, exact, strict=True):
            assert part.dtype == jnp.float32
            np.testing.assert_allclose(part, true, rtol=0, atol=tolerance)
    assert (np.asarray(found[0]) != np.asarray(exact[0])).any()


@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_predictor_draws_from_float32_logits(monkeypatch, precision):
    seen = []

    def note(logits, sampling, codes, key):
        seen.append(logits.dtype)
        return jnp.zeros(logits.shape[:-1], jnp.int32)

    monkeypatch.setattr("jaxreact.systems.fiber.generation.draw", note)
    model = Predictor(predictor("small", codebook_size=36), {}, "golden").in_precision(precision)

    def generate(sound: jax.Array, codes: jax.Array) -> jax.Array:
        return model.generate(sound, codes, num_samples=1, top_k=1)

    kinds = {kind for kind, _ in products(generate, jnp.zeros((1, 32, 512)), CODES)}
    assert ("bfloat16" in kinds) == (precision == "bfloat16")
    assert set(seen) == {jnp.dtype("float32")}


def test_a_predictor_of_half_precision_answers_nearly_alike():
    arrays, model = golden("pred_small"), Predictor(predictor("small"), {}, "golden")
    inputs = [arrays[name] for name in ("sp_sound", "sp_face", "lt_face")]
    exact = np.asarray(model.logits(*inputs))
    half = model.in_precision("bfloat16").logits(*inputs)
    assert half.dtype == jnp.float32
    error = np.abs(np.asarray(half) - exact).max()
    assert 0 < error < 0.05 * np.abs(exact).max()


def test_placing_keeps_the_precision_and_nothing_changes_the_fingerprint(coder):
    half = coder.in_precision("bfloat16")
    device = jax.sharding.SingleDeviceSharding(jax.devices()[0])
    assert half.placed(device).precision == "bfloat16"
    assert half.fingerprint() == coder.fingerprint()
    assert coder.precision == "tensorfloat32"


def test_weights_are_cast_only_for_bfloat16():
    params = state_of(tokenizer("small_fsq"))
    for precision in ("float32", "tensorfloat32"):
        assert computed_in(params, precision) is params
    kinds = {leaf.dtype for leaf in jax.tree.leaves(computed_in(params, "bfloat16"))}
    assert kinds == {jnp.dtype("float32"), jnp.dtype("bfloat16")}
