"""Operations counted by hand, and against what XLA counts in what it compiled."""

from dataclasses import dataclass
from typing import Any, cast

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax
from jax.sharding import AxisType
from jax.sharding import PartitionSpec as P

from jaxreact.training.monitor.flops import count_flops
from jaxreact.training.monitor.peaks import TFLOPS, peak_flops


def shaped(*shape: int) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct(shape, jnp.float32)


def test_a_matrix_product_and_nothing_else():
    assert (
        count_flops(lambda x, w: jnp.tanh(x @ w) + 1, shaped(3, 4), shaped(4, 5)) == 2 * 3 * 4 * 5
    )


def test_batched_products_and_several_contracted_axes():
    x, y = shaped(7, 3, 4), shaped(7, 4, 5)
    assert count_flops(lambda x, y: jnp.einsum("bij,bjk->bik", x, y), x, y) == 2 * 7 * 3 * 4 * 5
    assert count_flops(lambda x, y: jnp.einsum("bij,bjk->ik", x, y), x, y) == 2 * 3 * 5 * 7 * 4


def test_the_gradient_of_a_linear_layer_costs_twice_its_value():
    def loss(w, x):
        return jnp.sum(jnp.sin(x @ w))

    w, x, product = shaped(4, 5), shaped(3, 4), 2 * 3 * 4 * 5
    assert count_flops(jax.grad(loss), w, x) == 2 * product  # the value and the gradient by w
    assert count_flops(jax.grad(loss, argnums=(0, 1)), w, x) == 3 * product


@pytest.mark.parametrize("jitted", [False, True])
def test_gradients_that_are_thrown_away_do_not_count(jitted):
    def loss(params, x):
        return jnp.sum(jnp.sin(jnp.sin(x @ params["first"]) @ params["second"]))

    def step(params, x):
        gradients = jax.grad(loss)(params, x)
        return gradients | {"first": jnp.zeros_like(gradients["first"])}

    params = {"first": shaped(4, 4), "second": shaped(4, 4)}
    product = 2 * 4**3
    assert count_flops(jax.grad(loss), params, shaped(4, 4)) == 5 * product
    assert count_flops(jax.jit(step) if jitted else step, params, shaped(4, 4)) == 3 * product


def test_remat_computes_again_and_is_counted():
    def layers(x):
        return jnp.sum(jnp.sin(jnp.sin(x @ x) @ x))

    x, product = shaped(4, 4), 2 * 4**3
    plain = count_flops(jax.value_and_grad(layers), x)
    again = count_flops(jax.value_and_grad(jax.checkpoint(layers)), x)
    assert plain == 6 * product
    assert again == plain + 2 * product


def test_a_scan_counts_each_turn_and_a_while_loop_one():
    x, product = shaped(4, 4), 2 * 4**3
    assert count_flops(lambda x: lax.scan(lambda c, _: (c @ x, None), x, None, 6)[0], x) == (
        6 * product
    )
    looped = lax.while_loop
    assert count_flops(lambda x: looped(lambda x: x[0, 0] < 3, lambda x: x @ x, x), x) == product
    nested = lambda x: lax.fori_loop(0, 5, lambda _, c: jax.jit(lambda c: c @ x)(c), x)  # noqa: E731
    assert count_flops(nested, x) == 5 * product  # a loop of known length is a scan


def test_of_a_cond_the_largest_branch_counts():
    def branches(index, x):
        return lax.switch(index, [lambda x: x, lambda x: x @ x @ x, lambda x: x @ x], x)

    index = jax.ShapeDtypeStruct((), jnp.int32)
    assert count_flops(branches, index, shaped(4, 4)) == 2 * 2 * 4**3


def test_functions_with_gradients_of_their_own_are_looked_into():
    @jax.custom_vjp
    def square(x):
        return x @ x

    square.defvjp(lambda x: (square(x), x), lambda x, t: (t @ x,))

    @jax.custom_jvp
    def cube(x):
        return x @ x @ x

    cube.defjvp(lambda primals, tangents: (cube(*primals), tangents[0] @ primals[0]))
    x, product = shaped(4, 4), 2 * 4**3
    assert count_flops(square, x) == product
    assert count_flops(jax.grad(lambda x: jnp.sum(jnp.sin(square(x)))), x) == 2 * product
    assert count_flops(cube, x) == 2 * product
    assert count_flops(jax.grad(lambda x: jnp.sum(jnp.sin(cube(x)))), x) == 3 * product


def test_a_sharded_function_counts_the_work_of_all_devices():
    mesh = jax.make_mesh((1,), ("data",), axis_types=(AxisType.Auto,))
    sharded = jax.shard_map(
        lambda x, w: x @ w, mesh=mesh, in_specs=(P("data"), P()), out_specs=P("data")
    )
    assert count_flops(sharded, shaped(8, 4), shaped(4, 5)) == 2 * 8 * 4 * 5
    eight = jax.sharding.AbstractMesh((8,), ("data",), axis_types=(AxisType.Auto,))
    sharded = jax.shard_map(
        lambda x, w: x @ w, mesh=eight, in_specs=(P("data"), P()), out_specs=P("data")
    )
    assert count_flops(sharded, shaped(8, 4), shaped(4, 5)) == 2 * 8 * 4 * 5


def convolve(x: Any, kernel: Any, **options: Any) -> jax.Array:
    """Over (batch, length, channels) by (taps, channels, features)."""
    options = {"window_strides": (1,), "padding": "VALID"} | options
    return lax.conv_general_dilated(x, kernel, dimension_numbers=("NWC", "WIO", "NWC"), **options)


@pytest.mark.parametrize(
    ("options", "kernel", "expected"),
    [
        ({}, (3, 4, 6), 2 * 2 * 8 * 3 * 4 * 6),
        ({"window_strides": (2,)}, (3, 4, 6), 2 * 2 * 4 * 3 * 4 * 6),
        ({"window_strides": (3,)}, (3, 4, 6), 2 * 2 * 3 * 3 * 4 * 6),
        # Padding of one a side: ten outputs, of which the first and the last see two inputs.
        ({"padding": "SAME"}, (3, 4, 6), 2 * 2 * (10 * 3 - 2) * 4 * 6),
        # Two groups: each output sees half of the channels.
        ({"feature_group_count": 2}, (3, 2, 6), 2 * 2 * 8 * 3 * 2 * 6),
        ({"rhs_dilation": (2,)}, (3, 4, 6), 2 * 2 * 6 * 3 * 4 * 6),
        # Data at 0, 2, 4 ... of 19: outputs see two of it or one, in turn, nine and eight times.
        ({"lhs_dilation": (2,), "padding": ((0, 0),)}, (3, 4, 6), 2 * 2 * (9 * 2 + 8 * 1) * 4 * 6),
    ],
)
def test_convolutions_by_hand(options, kernel, expected):
    def function(x, kernel):
        return convolve(x, kernel, **options)

    assert count_flops(function, shaped(2, 10, 4), shaped(*kernel)) == expected


def test_a_two_dimensional_convolution():
    def function(x, kernel):
        return lax.conv(x, kernel, (2, 1), "VALID")

    # (batch, channels, height, width) by (features, channels, height, width)
    assert (
        count_flops(function, shaped(1, 3, 9, 8), shaped(5, 3, 3, 2)) == 2 * 4 * 7 * 5 * 3 * 3 * 2
    )


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_both_gradients_of_a_convolution_cost_what_it_does(stride, groups):
    def value(kernel, x):
        y = convolve(x, kernel, window_strides=(stride,), feature_group_count=groups)
        return jnp.sum(jnp.sin(y))

    kernel, x = shaped(3, 4 // groups, 6), shaped(2, 16, 4)
    forward = count_flops(value, kernel, x)
    assert forward > 0
    assert count_flops(jax.grad(value), kernel, x) == 2 * forward
    assert count_flops(jax.grad(value, argnums=(0, 1)), kernel, x) == 3 * forward


@pytest.mark.parametrize(
    "options", [{"padding": "SAME"}, {"lhs_dilation": (2,), "padding": ((0, 0),)}]
)
def test_convolutions_as_the_compiler_counts_them(options):
    def function(x, kernel):
        return convolve(x, kernel, **options)

    arguments = (shaped(2, 10, 4), shaped(3, 4, 6))
    analysis = cast(Any, jax.jit(function).lower(*arguments).cost_analysis())
    assert count_flops(function, *arguments) == analysis["flops"]


@dataclass(frozen=True)
class Named:
    """Stands in for a device of that kind."""

    device_kind: str


def test_peaks_of_known_devices():
    assert peak_flops(Named("NVIDIA H200"), "bfloat16") == 989.4e12
    assert peak_flops(Named("NVIDIA A100-SXM4-80GB"), "tensorfloat32") == 156e12
    assert peak_flops(Named("NVIDIA H100 PCIe"), "float32") == 51e12
    assert peak_flops(Named("TPU v5 lite"), "bfloat16") == 197e12


def test_no_peak_is_better_than_a_wrong_one():
    assert peak_flops(jax.devices("cpu")[0], "float32") is None
    assert peak_flops(Named("NVIDIA H200 MIG 1g.18gb"), "bfloat16") is None
    assert peak_flops(Named("Tesla V100-SXM2-16GB"), "bfloat16") is None
    with pytest.raises(ValueError, match="'int8' is not one of bfloat16"):
        peak_flops(Named("NVIDIA H200"), "int8")


def test_tensor_cores_are_faster_the_fewer_bits_they_take():
    for kind, peaks in TFLOPS.items():
        assert all(np.isfinite(value) and value > 1 for value in peaks.values()), kind
        order = [peaks[p] for p in ("float32", "tensorfloat32", "bfloat16") if p in peaks]
        assert order == sorted(order), kind
