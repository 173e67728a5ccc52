"""Blocks of the face generator against plain torch, and the warp and the convolutions by hand."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from jaxreact.rendering.pirender import winograd
from jaxreact.rendering.pirender.config import FaceGeneratorConfig
from jaxreact.rendering.pirender.convolution import Conv, TransposedConv, UpConv, convolve
from jaxreact.rendering.pirender.norms import instance_norm
from jaxreact.rendering.pirender.warp import neighbours, positions, sample
from tests.rendering.pirender.weights import (
    SMALL,
    SMALL_CONFIG,
    generator,
    portraits,
    some_windows,
    tensors,
)

UPSTREAM_SMALL = {**SMALL, "coefficients": 73, "pre": False}


def noise(*shape: int) -> np.ndarray:
    """The same whenever it is called, so that tests do not depend on their order."""
    return np.random.default_rng(sum(shape)).standard_normal(shape).astype(np.float32)


class Both:
    """The small generator and the plain torch reference, on the same tensors and inputs."""

    def __init__(self) -> None:
        torch = pytest.importorskip("torch")
        from tests.rendering.pirender import reference

        given = tensors(**SMALL)
        self.reference = reference
        self.model = generator(SMALL_CONFIG, given)
        self.state = {name: torch.from_numpy(tensor) for name, tensor in given.items()}
        self.descriptor = noise(2, 12)

    def assert_same(self, ours: Any, theirs: Any, *inputs: np.ndarray, atol: float = 1e-5) -> None:
        """Inputs are ours (channels last); torch's pictures have them second."""
        import torch

        expected = theirs(*(torch.from_numpy(_channels_second(x)) for x in inputs))
        expected = expected if isinstance(expected, list | tuple) else [expected]
        found = jax.tree.leaves(jax.jit(lambda *given: ours(*given))(*inputs))
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            assert one.dtype == jnp.float32
            assert other.std() > 0.1, "nothing is compared"
            np.testing.assert_allclose(_channels_second(one), other, rtol=0, atol=atol)


def _channels_second(x: Any) -> np.ndarray:
    x = np.asarray(x)
    return np.ascontiguousarray(np.moveaxis(x, -1, 1)) if x.ndim > 2 else x


@pytest.fixture(scope="module")
def both() -> Both:
    return Both()


def test_mapping(both):
    state, mapping = both.state, both.reference.mapping
    both.assert_same(both.model.mapping_net, lambda x: mapping(state, x), some_windows(2))


def test_mapping_without_the_first_layer():
    torch = pytest.importorskip("torch")
    from tests.rendering.pirender.reference import mapping

    given = tensors(**UPSTREAM_SMALL)
    sizes = {**vars(SMALL_CONFIG), "input_nc": 73}
    windows = jnp.asarray(some_windows(2, 73))
    ours = generator(FaceGeneratorConfig(**sizes), given).mapping_net(windows)
    state = {name: torch.from_numpy(tensor) for name, tensor in given.items()}
    theirs = mapping(state, torch.from_numpy(some_windows(2, 73).swapaxes(1, 2)))
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-5)


def test_warping_encoder(both):
    encoder = both.model.warpping_net.hourglass.encoder
    both.assert_same(
        lambda image, d: encoder(encoder.source(image), d),
        lambda image, d: both.reference.warping_encoder(both.state, image, d)[1:],
        portraits(2),
        both.descriptor,
        atol=3e-5,  # after nine layers
    )


def test_warping_decoder_block(both):
    name = "warpping_net.hourglass.decoder.decoder3"
    both.assert_same(
        both.model.warpping_net.hourglass.decoder.decoder3,
        lambda x, d: both.reference.warping_block(both.state, name, x, d),
        noise(2, 4, 6, 20),
        both.descriptor,
    )


def test_flow(both):
    net = both.model.warpping_net
    both.assert_same(
        lambda image, d: net(net.source(image), d),
        lambda image, d: both.reference.flow(both.state, image, d),
        portraits(2),
        both.descriptor,
        atol=1e-4,  # of pixels; the flow is some of them
    )


@pytest.mark.parametrize("block", ["encoder.down1", "decoder.up0", "decoder.jump1"])
def test_normed_convolutions(both, block):
    part, name = block.split(".")
    ours = getattr(getattr(both.model.editing_net, part), name)
    theirs, up = both.reference.normed_conv, name.startswith("up")

    def reference(x):
        x = x.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3) if up else x
        return theirs(both.state, f"editing_net.{block}", x)

    both.assert_same(ours, reference, noise(2, 8, 12, 12))


def test_residual_block(both):
    both.assert_same(
        both.model.editing_net.decoder.res1.res0,
        lambda x, d: both.reference.residual(both.state, "editing_net.decoder.res1.res0", x, d),
        noise(2, 8, 12, 20),
        both.descriptor,
    )


def test_editing(both):
    net = both.model.editing_net
    both.assert_same(
        lambda image, warped, d: net(net.source(image), warped, d),
        lambda image, warped, d: both.reference.edit(both.state, image, warped, d),
        portraits(2),
        portraits(2, seed=1),
        both.descriptor,
    )


@pytest.mark.parametrize("pixels", [0.0, 0.7, 20.0])
def test_warp(pixels):
    """Flows that stay inside, go a little over the edge, and leave the picture; not square."""
    torch = pytest.importorskip("torch")
    from tests.rendering.pirender.reference import warp

    image, flow = portraits(2)[:, :32], pixels * noise(2, 8, 16, 2)
    ours = jax.jit(lambda x, flow: sample(neighbours(x), positions(flow, 32, 64)))(image, flow)
    theirs = warp(*(torch.from_numpy(_channels_second(x)) for x in (image, flow)))
    np.testing.assert_allclose(_channels_second(ours), theirs, rtol=0, atol=2e-5)


@pytest.mark.slow
def test_the_whole_generator_and_its_gradient(both):
    import torch

    image, window = portraits(2), some_windows(2)
    picture = _channels_second(image)
    given = torch.from_numpy(_channels_second(window)).requires_grad_()
    expected = both.reference.generate(both.state, torch.from_numpy(picture), given)
    expected[2].square().sum().backward()

    def loss(window: jax.Array) -> tuple[jax.Array, Any]:
        made = both.model(jnp.asarray(image), window)
        return (made.fake**2).sum(), made

    gradient, found = jax.jit(jax.grad(loss, has_aux=True))(jnp.asarray(window))
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(_channels_second(ours), theirs.detach(), rtol=0, atol=1e-4)
    slope = np.asarray(given.grad)
    scale = np.abs(slope).max()
    assert (np.abs(slope).max(axis=(0, 1)) > 1e-6 * scale).all(), "each frame has a part in it"
    np.testing.assert_allclose(_channels_second(gradient), slope, rtol=0, atol=1e-3 * scale)


@pytest.mark.slow
@pytest.mark.parametrize("on_processor", [None, False, True])
def test_the_whole_generator_at_full_size(on_processor):
    torch = pytest.importorskip("torch")
    from tests.rendering.pirender.reference import generate

    given, image, window = tensors(), portraits(size=224), some_windows()
    with torch.inference_mode():
        state = {name: torch.from_numpy(tensor) for name, tensor in given.items()}
        inputs = (torch.from_numpy(_channels_second(x)) for x in (image, window))
        expected = generate(state, *inputs)
    assert 0.1 < expected[2].std() < 0.7
    assert 0.5 < expected[0].std() < 5
    model = generator(FaceGeneratorConfig(), given)
    if on_processor is not None:
        model = model.prepared("float32", on_processor=on_processor)
    graph, weights = nnx.split(model)
    found = jax.jit(lambda weights, *x: nnx.merge(graph, weights)(*x))(weights, image, window)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(_channels_second(ours), theirs, rtol=0, atol=1e-4)


# The rest needs no torch.


def test_no_flow_shows_the_portrait_a_little_smaller():
    """A field on the centres of 8 x 8 pixels is read as if it reached the picture's edges."""
    image = jnp.asarray(portraits(1, 64))
    places = positions(jnp.zeros((1, 16, 16, 2)), 64, 64)
    middle = np.asarray(places[0, 24:40, 24:40])
    expected = (np.mgrid[24:40, 24:40] - 31.5) * 16 / 15 + 31.5
    np.testing.assert_allclose(middle, expected[::-1].transpose(1, 2, 0), atol=1e-4)
    shown = np.asarray(sample(neighbours(image), places))
    assert np.abs(shown - np.asarray(image))[0, 16:48, 16:48].mean() < 0.1


def test_a_flow_fetches_from_where_it_points():
    """+1 in x fetches from a pixel of the small map further right, so the picture moves left."""
    image = np.zeros((1, 64, 64, 3), np.float32)
    image[0, 30:34, 40:44] = 1
    for axis in (0, 1):
        flow = np.zeros((1, 16, 16, 2), np.float32)
        flow[..., 1 - axis] = 1.5
        centres = []
        for one in (0 * flow, flow):
            places = positions(jnp.asarray(one), 64, 64)
            shown = np.asarray(sample(neighbours(jnp.asarray(image)), places))[0, ..., 0]
            centres.append((np.mgrid[:64, :64] * shown).sum(axis=(1, 2)) / shown.sum())
        moved = centres[1] - centres[0]
        assert moved[axis] == pytest.approx(-6, abs=0.3)  # 1.5 pixels of a map of a fourth
        assert moved[1 - axis] == pytest.approx(0, abs=0.1)


def test_beyond_the_edge_is_zero():
    image = np.ones((1, 32, 32, 3), np.float32)
    places = jnp.array([[-1, 5], [-0.5, 5], [31.5, 31.5], [32, 9], [-400, 3], [1e9, 1e9]])
    found = np.asarray(sample(neighbours(jnp.asarray(image)), places[None, None]))[0, 0, :, 0]
    np.testing.assert_allclose(found, [0, 0.5, 0.25, 0, 0, 0], atol=1e-6)


@pytest.mark.parametrize("sides", [(7, 7), (14, 9), (4, 4), (1, 2)])
def test_winograd_is_the_same_convolution(sides):
    x, kernel = noise(2, *sides, 5), noise(3, 3, 5, 3)
    plain = convolve(jnp.asarray(x), jnp.asarray(kernel), (1, 1))
    found = winograd.convolve(jnp.asarray(x), winograd.transform(jnp.asarray(kernel)))
    np.testing.assert_allclose(found, plain, rtol=0, atol=5e-5)


def test_winograds_matrices_are_exact():
    """y_k = sum_i d_(k+i) g_i for all tiles and kernels, in float64."""
    for position in np.ndindex(winograd.SPAN, 3):
        tile, kernel = np.eye(winograd.SPAN)[position[0]], np.eye(3)[position[1]]
        made = winograd.OUTPUT @ ((winograd.KERNEL @ kernel) * (winograd.INPUT @ tile))
        np.testing.assert_allclose(made, np.correlate(tile, kernel, "valid"), atol=1e-12)


def test_up_convolution_repeats_then_convolves():
    conv = UpConv(5, 3, rngs=nnx.Rngs(0))
    conv.kernel[...] = jnp.asarray(noise(3, 3, 5, 3))
    conv.bias[...] = jnp.asarray(noise(3))
    x = jnp.asarray(noise(2, 4, 6, 5))
    repeated = jnp.repeat(jnp.repeat(x, 2, axis=1), 2, axis=2)
    expected = convolve(repeated, conv.kernel[...], (1, 1)) + conv.bias[...]
    np.testing.assert_allclose(conv(x), expected, rtol=0, atol=1e-5)
    conv.prepare("float32", on_processor=False)
    np.testing.assert_allclose(conv(x), expected, rtol=0, atol=1e-5)


def test_transposed_convolution_spreads_pixels():
    conv = TransposedConv(1, 1, rngs=nnx.Rngs(0))
    conv.kernel[...] = jnp.arange(1.0, 10).reshape(3, 3, 1, 1)
    x = jnp.zeros((1, 3, 3, 1)).at[0, 1, 1].set(1)
    expected = np.zeros((6, 6))
    expected[1:4, 1:4] = np.arange(1, 10).reshape(3, 3)
    np.testing.assert_allclose(conv(x)[0, ..., 0], expected)


def test_partial_sums_make_the_whole():
    conv = Conv(6, 4, 7, rngs=nnx.Rngs(0))
    x = jnp.asarray(noise(1, 8, 8, 6))
    parts = conv.partial(x[..., :3]) + conv.partial(x[..., 3:], after=3)
    np.testing.assert_allclose(parts, conv(x), atol=1e-6)


def test_instance_norm_of_a_constant_channel_is_zero():
    x = jnp.full((1, 4, 4, 2), 3.0).at[..., 1].set(jnp.asarray(noise(1, 4, 4)))
    normed = np.asarray(instance_norm(x))
    assert not normed[..., 0].any()
    assert normed[..., 1].std() == pytest.approx(1, abs=1e-4)
