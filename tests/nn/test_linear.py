"""Linear layers on a GPU: filled up with zeros where that is faster, and nothing else."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from jax.sharding import AbstractMesh, AxisType, NamedSharding, PartitionSpec

from jaxreact.nn import attend_fused
from jaxreact.nn.attention import CrossAttention, SelfAttention, linear_of
from jaxreact.sharding import over
from jaxreact.systems.fiber.config import PredictorConfig

KEYS = jax.random.split(jax.random.key(0), 3)


@pytest.mark.parametrize(("inputs", "outputs"), [(252, 756), (16, 24), (3, 5), (8, 1)])
@pytest.mark.parametrize("dtype", [jnp.float32, jnp.bfloat16])
def test_a_gpu_computes_the_same(monkeypatch, inputs, outputs, dtype):
    x = jax.random.normal(KEYS[0], (2, 3, inputs)).astype(dtype)
    kernel = jax.random.normal(KEYS[1], (inputs, outputs)).astype(dtype)
    bias = jax.random.normal(KEYS[2], (outputs,)).astype(dtype)

    def both() -> list[np.ndarray]:
        found, back = jax.vjp(linear_of, x, kernel, bias)
        assert found.dtype == dtype
        return [np.asarray(part, np.float32) for part in (found, *back(jnp.ones_like(found)))]

    expected = both()
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    padded = str(jax.make_jaxpr(linear_of)(x, kernel, bias)).count(" pad[")
    assert padded == (2 if dtype == jnp.bfloat16 and (inputs % 8 or outputs % 8) else 0)
    for ours, theirs in zip(both(), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=2e-2, atol=0.05)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("kind", [SelfAttention, CrossAttention])
def test_heads_as_wide_as_the_kernel_reads_them(monkeypatch, kind, bias):
    """21 features a head, with zeros up to 32; biases in the products; gradients too."""
    config = PredictorConfig(n_embd=42, n_head=2, n_layer=1, bias=bias, init_std=0.5)
    graph, state = nnx.split(kind(config, rngs=nnx.Rngs(0)))
    count = 1 if kind is SelfAttention else 2
    given = [jax.random.normal(key, (2, 16, 42)) for key in KEYS[:count]]

    def total(state: nnx.State) -> jax.Array:
        return jnp.sum(jnp.sin(nnx.merge(graph, state)(*given)))

    expected = jax.value_and_grad(total)(state)
    monkeypatch.setenv(attend_fused.CHOICE, "on")
    text = str(jax.make_jaxpr(total)(state))
    made_at_once = 6 if kind is SelfAttention else 4
    assert f"2,16,{made_at_once},32" in text  # what the kernel reads
    found = jax.value_and_grad(total)(state)
    for ours, theirs in zip(*map(jax.tree.leaves, (found, expected)), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=3e-3)  # of up to 90


@pytest.mark.parametrize(
    ("rows", "shared", "cut"), [(16, True, True), (12, True, False), (16, False, False)]
)
def test_each_device_computes_its_own_rows(rows, shared, cut):
    """Of a batch that eight share; otherwise the compiler cuts as it finds weights cut."""
    mesh = AbstractMesh((4, 2), ("data", "fsdp"), axis_types=(AxisType.Auto,) * 2)
    place = NamedSharding(mesh, PartitionSpec()) if shared else None
    with over(place):
        program = jax.make_jaxpr(linear_of)(jnp.ones((rows, 3, 4)), jnp.ones((4, 5)), None)
    found = [each for each in program.eqns if each.primitive.name == "sharding_constraint"]
    assert [each.params["sharding"].spec for each in found] == [
        PartitionSpec(mesh.axis_names)
    ] * cut
