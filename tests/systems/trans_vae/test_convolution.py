"""Our gradients of convolutions are XLA's own, also in loops, for any sizes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxreact.systems.trans_vae.convolution import convolved

RNG = np.random.default_rng(0)


def plain(pictures: jax.Array, kernel: jax.Array, stride: int, pad: int) -> jax.Array:
    order = ("NHWC", "HWIO", "NHWC")
    return jax.lax.conv_general_dilated(
        pictures, kernel, (stride,) * 2, ((pad, pad),) * 2, dimension_numbers=order
    )


def assert_close(made: jax.Array, known: jax.Array) -> None:
    """But for the order of sums."""
    np.testing.assert_allclose(made, known, rtol=0, atol=float(2e-6 * jnp.abs(known).max()))


@pytest.mark.parametrize(
    ("height", "width", "inputs", "side", "stride", "pad"),
    [
        (17, 20, 3, 7, 2, 3),
        (16, 15, 2, 7, 2, 3),
        (9, 12, 3, 3, 2, 1),
        (8, 7, 2, 3, 1, 1),
        (12, 13, 2, 5, 3, 2),  # the last pixels of each row are not seen
        (11, 10, 2, 7, 2, 0),
    ],
)
@pytest.mark.parametrize("frames", [6, 34])
def test_gradients_are_those_of_the_plain_convolution(
    frames, height, width, inputs, side, stride, pad
):
    pictures = jnp.asarray(RNG.normal(size=(frames, height, width, inputs)), jnp.float32)
    kernel = jnp.asarray(RNG.normal(size=(side, side, inputs, 4)), jnp.float32)
    expected, back = jax.vjp(lambda x, k: plain(x, k, stride, pad), pictures, kernel)
    weights = jnp.asarray(RNG.normal(size=expected.shape), jnp.float32)
    made, own_back = jax.vjp(lambda x, k: convolved(x, k, stride, pad), pictures, kernel)
    assert_close(made, expected)
    for own, known in zip(own_back(weights), back(weights), strict=True):
        assert_close(own, known)
    only = jax.vjp(lambda x, k: convolved(x, k, stride, pad, only_kernel=True), pictures, kernel)
    no_pictures, own = only[1](weights)
    assert not no_pictures.any()
    assert_close(own, back(weights)[1])
