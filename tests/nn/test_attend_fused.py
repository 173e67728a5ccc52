"""Attention in one kernel, step by step in Pallas' interpreter, is attention written out."""

from functools import partial
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from jax.sharding import (
    AbstractDevice,
    AbstractMesh,
    AxisType,
    NamedSharding,
    PartitionSpec,
    use_abstract_mesh,
)

from jaxreact.errors import UserError
from jaxreact.nn import attend as written_out
from jaxreact.nn import attend_fused, attention, layers
from jaxreact.nn.attention import Block
from jaxreact.nn.dropout import hashed_bits, seed_of
from jaxreact.sharding import over
from jaxreact.systems.fiber.tokenizer import FaceTokenizerConfig
from tests.weights import golden, predictor, tokenizer

END_TO_END = 1e-4
SEED = seed_of(jax.random.key(3))


def given(
    queries: int, keys: int, size: int, masks: int, dtype: Any = jnp.float32, heads: int = 3
) -> tuple[list[jax.Array], jax.Array | None, jax.Array]:
    """Queries, keys and values of two samples; a mask of `masks` heads; a gradient."""
    draw = jax.random.split(jax.random.key(0), 5)
    lengths = (queries, keys, keys, queries)
    *parts, gradient = (
        jax.random.normal(key, (2, length, heads, size)).astype(dtype)
        for key, length in zip(draw, lengths, strict=False)
    )
    parts[0] = parts[0] * size**-0.5
    if masks == 0:
        return parts, None, gradient
    mask = jax.random.bernoulli(draw[4], 0.6, (2, masks, keys)).at[0, -1].set(False)
    return parts, mask, gradient


def computed(
    form: Any, inputs: Any, patch: int | None = None, rate: float = 0.0
) -> tuple[jax.Array, ...]:
    """Output, and the gradients by queries, keys and values."""
    parts, allowed, gradient = inputs

    def output(*parts: jax.Array) -> jax.Array:
        return form(*parts, allowed, patch, rate, SEED)

    found, back = jax.vjp(output, *parts)
    return found, *back(gradient)


IN_STEPS = partial(attend_fused.attend, interpret=True)


@pytest.mark.parametrize(
    ("queries", "keys", "size", "masks", "patch", "rate"),
    [
        (16, 16, 16, 0, None, 0.0),  # nothing to pad
        (32, 32, 21, 1, None, 0.1),  # the tokenizer's
        # the predictor's, two blocks each way
        pytest.param(128, 128, 30, 1, None, 0.1, marks=pytest.mark.slow),
        # queries of two programs, whose gradients by keys are summed
        pytest.param(300, 40, 16, 1, None, 0.1, marks=pytest.mark.slow),
        # whole blocks of neither; a mask for each head
        pytest.param(70, 100, 30, 3, None, 0.0, marks=pytest.mark.slow),
        (8, 70, 30, 1, 8, 0.2),  # causal patches, of the last queries only
        pytest.param(5, 5, 4, 0, 2, 0.5, marks=pytest.mark.slow),
        (1, 1, 1, 1, None, 0.0),
    ],
)
def test_equal_to_what_is_written_out(queries, keys, size, masks, patch, rate):
    inputs = given(queries, keys, size, masks)
    expected = computed(written_out.attend, inputs, patch, rate)
    found = computed(IN_STEPS, inputs, patch, rate)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=4e-6)


@pytest.mark.slow
def test_in_half_precision():
    inputs = given(64, 64, 30, 1, jnp.bfloat16)
    wide = [part.astype(jnp.float32) for part in inputs[0]]
    exact = computed(written_out.attend, (wide, inputs[1], inputs[2].astype(jnp.float32)))
    plain = computed(written_out.attend, inputs)
    found = computed(IN_STEPS, inputs)
    for ours, theirs, true in zip(found, plain, exact, strict=True):
        assert ours.dtype == jnp.bfloat16
        error, other = (np.abs(x.astype(jnp.float32) - true).max() for x in (ours, theirs))
        assert error < 1.5 * other + 1e-3


@pytest.mark.parametrize("form", [IN_STEPS, attend_fused.attend])
@pytest.mark.parametrize(
    ("places", "size", "in_place"),
    [
        *((places, 21, False) for places in ("qkv", "q.kv", "vq.k", "q,kv", "q,k.v.", "-q,-k.v")),
        *(("vkq", 16, True), ("q,vk", 16, True), ("q,k,v", 16, True)),
        *(("vq.k", 16, False), ("-q,-kv", 16, False)),
    ],
)
def test_heads_of_one_array_are_read_where_they_are(monkeypatch, form, places, size, in_place):
    """Each letter is three heads, each point one that nobody reads; a comma, another array.

    Where nothing is filled up, gradients are written `in_place`."""
    fills, found_in_place = attend_fused._Call.fills, []

    def watched(call: Any, arrays: Any) -> bool:
        found_in_place.append(fills(call, arrays))
        return found_in_place[-1]

    monkeypatch.setattr(attend_fused._Call, "fills", watched)
    parts, allowed, gradient = given(32, 40 if places[0] == "-" else 32, size, 1)
    named = dict(zip("qkv", parts, strict=True))
    names = places.replace("-", "").split(",")
    key = jax.random.key(7)

    def array(name: str) -> jax.Array:
        length = named[name.strip(".")[0]].shape[1]
        spare = jax.random.normal(key, (2, length, 1, size))
        return jnp.concatenate([named.get(one, spare) for one in name], axis=2)

    arrays = [array(name) for name in names]

    def of_arrays(arrays: list[jax.Array]) -> jax.Array:
        heads = {}
        for name, array in zip(names, arrays, strict=True):
            first = 0
            for one in name:
                count = 1 if one == "." else 3
                heads[one] = attend_fused.Heads(array, first, count)
                first += count
        return form(heads["q"], heads["k"], heads["v"], allowed, None, 0.1, SEED)

    expected = computed(written_out.attend, (parts, allowed, gradient), rate=0.1)
    by_name = dict(zip("qkv", expected[1:], strict=True))
    found, back = jax.vjp(of_arrays, arrays)
    np.testing.assert_allclose(found, expected[0], rtol=0, atol=4e-6)
    for name, ours in zip(names, back(gradient)[0], strict=True):
        zeros = jnp.zeros_like(ours[:, :, :1])
        theirs = jnp.concatenate([by_name.get(one, zeros) for one in name], axis=2)
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=4e-6)
    assert found_in_place == ([in_place] if form is IN_STEPS else [])


def test_heads_that_two_take_are_no_place_to_write_in():
    """Nobody asks for it: an error, no garbage."""
    keys = attend_fused.Heads(jnp.ones((2, 32, 4, 16)), 0, 2)
    queries = jnp.ones((2, 32, 2, 16))
    _, back = jax.vjp(lambda queries: IN_STEPS(queries, keys, keys), queries)
    with pytest.raises(ValueError, match="shape"):
        back(queries)


def test_another_seed_drops_other_weights():
    (query, key, value), _, _ = given(16, 16, 16, 0)
    value = jnp.broadcast_to(jnp.eye(16)[:, None], (2, 16, 3, 16))
    one, other = (
        np.asarray(IN_STEPS(query, key, value, None, None, 0.5, seed_of(jax.random.key(number))))
        for number in (0, 1)
    )
    assert 0.4 < (one == 0).mean() < 0.6
    assert ((one == 0) != (other == 0)).mean() > 0.4


@pytest.fixture
def in_steps(monkeypatch):
    """Models attend by the kernel."""
    monkeypatch.setattr(attend_fused, "is_usable", lambda: True)
    monkeypatch.setattr(attend_fused, "attend", IN_STEPS)
    # A loop that was traced with the other form would be taken again.
    anew = jax.jit(partial(layers._scan), static_argnames=("graph", "step", "remat"))
    monkeypatch.setattr(layers, "_loop", anew)


@pytest.mark.usefixtures("in_steps")
@pytest.mark.parametrize("case", ["partial", "random"])
def test_a_predictor_is_the_originals(case):
    arrays, model = golden("pred_small"), predictor("small", mixed_masks=True)
    inputs = [arrays[name] for name in ("sp_sound", "sp_face", "lt_face")]
    masks = [
        arrays.get(f"{case}.{name}") for name in ("mask_sound_time", "mask_sp_face", "mask_lt_face")
    ]
    last = arrays[f"{case}.logits"]
    logits = jax.jit(model)(*inputs, *masks)
    np.testing.assert_allclose(logits[:, -last.shape[1] :], last, rtol=0, atol=END_TO_END)


@pytest.mark.usefixtures("in_steps")
def test_weights_that_are_filled_up_beforehand_train_as_those_that_are_not():
    """A stack of blocks, whose loop is given them so, beside one block after the other."""
    config = FaceTokenizerConfig(n_embd=6, n_head=2, n_layer=2, bias=True, dropout=0.1)
    stack = layers.Layers([Block(config, rngs=nnx.Rngs(number)) for number in range(2)])
    x = jax.random.normal(jax.random.key(0), (2, 16, 6))

    def through(block: Block, x: jax.Array, seed: Any) -> jax.Array:
        return block(x, None, seed)

    def looped(stack: Any) -> jax.Array:
        return jnp.sum(jnp.sin(stack(through, x, seed=SEED)))

    def one_by_one(stack: Any) -> jax.Array:
        y = x
        for number, seed in enumerate(hashed_bits(SEED, (2, 2))):
            y = through(stack[number], y, seed)
        return jnp.sum(jnp.sin(y))

    ours, theirs = (nnx.jit(nnx.value_and_grad(form))(stack) for form in (looped, one_by_one))
    for found, expected in zip(*map(jax.tree.leaves, (ours, theirs)), strict=True):
        np.testing.assert_allclose(found, expected, rtol=0, atol=2e-5)


@pytest.mark.usefixtures("in_steps")
def test_a_tokenizer_finds_the_originals_codes():
    arrays, model = golden("tok_small_fsq"), tokenizer("small_fsq")
    found = jax.jit(lambda coeffs: model.encode(coeffs))(jnp.asarray(arrays["x"])[:, :40])
    np.testing.assert_array_equal(found, arrays["tokenize"])


def test_a_device_that_is_no_gpu_computes_what_is_written_out():
    """Gradients too, though a GPU may be the usual device."""
    inputs = given(16, 16, 16, 1)
    expected = computed(written_out.attend, inputs, rate=0.1)
    for ours, theirs in zip(computed(attend_fused.attend, inputs, rate=0.1), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("backend", "capability", "devices", "usable"),
    [
        ("gpu", "9.0", 1, True),
        ("gpu", "8.0", 1, True),
        ("gpu", "10.3", 1, True),
        ("gpu", "7.5", 1, False),
        ("gpu", "gfx90a", 1, False),
        ("gpu", "9.0", 2, False),
        ("cpu", None, 1, False),
    ],
)
def test_where_it_is_taken(monkeypatch, backend, capability, devices, usable):
    monkeypatch.delenv(attend_fused.CHOICE, raising=False)
    device = SimpleNamespace(compute_capability=capability) if capability else SimpleNamespace()
    monkeypatch.setattr(jax, "default_backend", lambda: backend)
    monkeypatch.setattr(jax, "device_count", lambda: devices)
    monkeypatch.setattr(jax, "local_devices", lambda: [device] * devices)
    assert attend_fused.is_usable() == usable
    shared = AbstractMesh((4, 2), ("data", "fsdp"), axis_types=(AxisType.Auto,) * 2)
    with over(NamedSharding(shared, PartitionSpec())):
        assert attend_fused.is_usable() == (usable or devices == 2)
    for choice, taken in (("off", False), ("auto", usable), ("on", True)):
        monkeypatch.setenv(attend_fused.CHOICE, choice)
        assert attend_fused.is_usable() == taken
    with attend_fused.never():
        assert not attend_fused.is_usable()
    monkeypatch.setenv(attend_fused.CHOICE, "yes")
    with pytest.raises(UserError, match="JAXREACT_FUSED_ATTENTION=yes: give auto, on or off"):
        attend_fused.is_usable()


def test_attention_hands_on_what_it_is_given(monkeypatch):
    seen = {}

    def note(query, key, value, allowed, patch, rate, seed):
        seen.update(shape=query.shape, allowed=allowed.shape, patch=patch, rate=rate, seed=seed)
        return query

    monkeypatch.setattr(attend_fused, "is_usable", lambda: True)
    monkeypatch.setattr(attend_fused, "attend", note)
    x, mask = jnp.ones((2, 8, 12)), jnp.ones((2, 8), bool)
    output = attention.attend(x, x, x, mask, 3, 0.25, SEED, mixed=True, patch=4)
    assert output.shape == x.shape
    assert seen.pop("seed") is SEED
    assert seen == {"shape": (2, 8, 3, 4), "allowed": (2, 3, 8), "patch": 4, "rate": 0.25}


def lowered(function: Any, *arguments: Any) -> str:
    """For a GPU, which need not be there, as text."""
    device = AbstractDevice("NVIDIA H100 80GB HBM3", 132, "gpu")
    with use_abstract_mesh(AbstractMesh((), (), abstract_device=device)):
        traced = jax.jit(function).trace(*arguments)
        return traced.lower(lowering_platforms=("cuda",)).as_text()


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.bfloat16])
@pytest.mark.parametrize(("queries", "patch"), [(256, None), (32, 32)])
def test_a_gpu_gets_two_kernels_and_no_scores(dtype, queries, patch):
    (query, key, value), allowed, _ = given(queries, 256, 30, 1, dtype)

    def total(query: jax.Array, key: jax.Array, value: jax.Array) -> jax.Array:
        output = attend_fused.attend(query, key, value, allowed, patch, 0.1, SEED)
        return jnp.sum(output.astype(jnp.float32))

    text = lowered(jax.grad(total, (0, 1, 2)), query, key, value)
    assert text.count("xla.gpu.triton") == 2
    assert f"x3x{queries}x256x" not in text  # the scores of three heads


def test_a_gpu_cuts_nothing_that_is_made_at_once():
    joint = jnp.ones((2, 256, 9, 32), jnp.bfloat16)

    def output(joint: jax.Array) -> jax.Array:
        query, key, value = (attend_fused.Heads(joint, first, 3) for first in (0, 3, 6))
        return attend_fused.attend(query, key, value, None, None, 0.1, SEED)

    text = lowered(output, joint)
    assert text.count("xla.gpu.triton") == 1
    assert "stablehlo.slice" not in text


def test_samples_are_one_axis_more():
    """Generation asks for all samples of a clip at once."""
    (query, key, value), allowed, _ = given(16, 32, 16, 1)
    queries = jnp.stack([query, query + 1], axis=1)

    def of_samples(form: Any) -> Any:
        return jax.vmap(lambda query: form(query, key, value, allowed, None), 1, 1)

    expected = of_samples(written_out.attend)(queries)
    np.testing.assert_allclose(of_samples(IN_STEPS)(queries), expected, rtol=0, atol=4e-6)
    assert lowered(of_samples(attend_fused.attend), queries).count("xla.gpu.triton") == 1
