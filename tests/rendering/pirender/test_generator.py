"""The face generator as a whole: sizes, what depends on what, and its rewriting for speed."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from jaxreact import runs
from jaxreact.rendering.pirender import convolution
from jaxreact.rendering.pirender.config import UPSTREAM, FaceGeneratorConfig
from jaxreact.rendering.pirender.conversion import TABLE
from jaxreact.rendering.pirender.generator import FaceGenerator, Pictures
from jaxreact.rendering.pirender.load import FACE_GENERATOR
from jaxreact.torch_files.engine import fill, nest, paths, to_torch
from tests.rendering.pirender.weights import (
    SMALL,
    SMALL_CONFIG,
    generator,
    portraits,
    shapes,
    some_windows,
    tensors,
)


class Jitted:
    """The small generator, compiled once; its variables, by path, may be replaced at each call."""

    def __init__(self) -> None:
        graph, state = nnx.split(generator(SMALL_CONFIG, tensors(**SMALL)))
        self.variables = paths(nnx.to_pure_dict(state))

        def call(variables: dict[Any, Any], image: Any, window: Any) -> Pictures:
            nnx.replace_by_pure_dict(state, variables)
            return nnx.merge(graph, state)(image, window)

        self._call = jax.jit(call)

    def __call__(self, image: Any, window: Any, changed: dict[Any, Any] | None = None) -> Pictures:
        return self._call(nest(self.variables | (changed or {})), image, window)


@pytest.fixture(scope="module")
def small() -> Jitted:
    return Jitted()


@pytest.mark.parametrize(
    ("config", "sizes", "count", "parameters"),
    [
        (FaceGeneratorConfig(), {}, 306, 22_523_416),
        (UPSTREAM, {"coefficients": 73, "pre": False}, 304, 22_523_416 - 73 * 59),
    ],
)
def test_every_published_tensor_has_its_place(config, sizes, count, parameters):
    published = shapes(**sizes)
    assert len(published) == count
    assert sum(int(np.prod(shape)) for shape in published.values()) == parameters
    abstract = paths(runs.abstract_variables(FACE_GENERATOR, config))
    assert sum(int(np.prod(leaf.shape)) for leaf in abstract.values()) == parameters
    given = {k: np.broadcast_to(np.float32(0), shape) for k, shape in published.items()}
    filled = fill(abstract, given, TABLE, "published")
    assert {k: x.shape for k, x in to_torch(filled, TABLE).items()} == published


def test_parameters_of_each_network():
    sums = {"mapping_net": 725_971, "warpping_net": 12_707_138, "editing_net": 9_090_307}
    for network, parameters in sums.items():
        own = [np.prod(shape) for name, shape in shapes().items() if name.startswith(network)]
        assert sum(own) == parameters


def test_the_test_is_not_of_a_dead_network(small):
    """Random weights that saturate, or move nothing, would prove nothing below."""
    flow, warped, fake = small(portraits(), some_windows())
    assert (flow.shape, warped.shape, fake.shape) == (
        (1, 16, 16, 2),
        (1, 64, 64, 3),
        (1, 64, 64, 3),
    )
    assert 0.5 < np.std(flow) < 5
    assert np.abs(warped - portraits()).mean() > 0.1
    assert 0.1 < np.std(fake) < 0.7
    assert (np.abs(fake) > 0.99).mean() < 0.05


def _inert(name: str) -> bool:
    """Whether a tensor has no effect at all: it shifts a channel whose mean is then taken away.

    Only the warping encoder's second block and its decoder's last reach a layer norm.
    """
    at = name.removesuffix(".bias")
    if at == name or "mlp" in name:
        return False
    if ".hourglass." in at:
        return not at.endswith(("encoder1.conv_1", "decoder2.conv_1", "decoder2.conv_s"))
    return at.endswith((".conv1", ".conv2"))


def test_the_picture_depends_on_every_tensor(small):
    """But for biases that an instance norm takes away again: those must change nothing."""
    image, window = portraits(), some_windows()
    fake = np.asarray(small(image, window).fake)
    random = np.random.default_rng(1)
    for path, tensor in small.variables.items():
        (name,) = to_torch({path: tensor}, TABLE)
        moved = tensor + 0.3 * random.standard_normal(tensor.shape).astype(np.float32)
        change = np.abs(small(image, window, {path: moved}).fake - fake).max()
        assert (change < 1e-5) if _inert(name) else (change > 1e-3), f"{name}: {change}"


def test_the_picture_depends_on_window_flow_and_portrait(small):
    image, window = portraits(), some_windows()
    fake = np.asarray(small(image, window).fake)
    for frame in (0, 13, 26):
        moved = window.copy()
        moved[0, frame] += 0.5
        assert np.abs(small(image, moved).fake - fake).max() > 1e-3
    assert np.abs(small(portraits(seed=1), window).fake - fake).max() > 0.1
    last = ("warpping_net", "flow_out", "conv")
    still = {(*last, name): 0 * small.variables[*last, name] for name in ("kernel", "bias")}
    unmoved = small(image, window, still)
    assert not np.asarray(unmoved.flow).any()
    assert np.abs(unmoved.fake - fake).max() > 1e-2


@pytest.mark.slow
def test_the_rewritten_network_is_the_same(small, monkeypatch):
    """Winograd's convolutions from 4 channels on: then the small network has them everywhere."""
    monkeypatch.setattr(convolution, "WINOGRAD_CHANNELS", 4)
    model = generator(SMALL_CONFIG, tensors(**SMALL)).prepared("float32", on_processor=True)
    assert sum(kernel.ndim == 3 for kernel in _kernels(model)) == 14
    image, window = map(jnp.asarray, (portraits(), some_windows(3)))
    found = jax.jit(lambda: model.render(model.source(image), window))()
    expected = small(np.repeat(image, 3, axis=0), window)
    for ours, plain in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, plain, rtol=0, atol=1e-4)


@pytest.mark.parametrize(
    ("dtype", "on_processor", "rewritten"),
    [("float32", True, 26), ("float32", False, 0), ("bfloat16", True, 0)],
)
def test_rewritten_is_only_what_gains_by_it_and_stays_exact(dtype, on_processor, rewritten):
    graph, state = runs.abstract_model(FACE_GENERATOR, FaceGeneratorConfig())

    def prepared(state: nnx.State) -> list[jax.Array]:
        return _kernels(nnx.merge(graph, state).prepared(dtype, on_processor=on_processor))

    kernels = jax.eval_shape(prepared, state)
    assert len(kernels) == 38
    assert sum(kernel.ndim == 3 for kernel in kernels) == rewritten
    assert all(kernel.dtype == dtype for kernel in kernels)


def _kernels(model: FaceGenerator) -> list[jax.Array]:
    return [m.kernel[...] for _, m in nnx.iter_modules(model) if isinstance(m, convolution.Conv)]


def test_bfloat16_is_near_and_keeps_its_norms(small):
    model = generator(SMALL_CONFIG, tensors(**SMALL)).prepared("bfloat16", on_processor=False)
    image, window = portraits(), some_windows()
    found = jax.jit(model)(image, window)
    assert all(x.dtype == jnp.float32 for x in found)
    difference = np.abs(found.fake - small(image, window).fake)
    assert 1e-4 < difference.mean() < 0.02, "rounded, but not lost"
    assert model.editing_net.decoder.final.kernel.dtype == jnp.bfloat16
    assert model.editing_net.encoder.down0.norm.scale.dtype == jnp.float32
    assert model.mapping_net.first.kernel.dtype == jnp.float32


def test_portraits_and_windows_of_a_batch_do_not_mix(small):
    images, windows = portraits(3), some_windows(3)
    together = small(images, windows)
    for number in range(3):
        alone = small(images[number : number + 1], windows[number : number + 1])
        for one, all_ in zip(alone, together, strict=True):
            np.testing.assert_allclose(one[0], all_[number], rtol=0, atol=2e-5)


def test_sides_that_do_not_halve_evenly(small):
    with pytest.raises(ValueError, match="multiples of 16"):
        small(np.zeros((1, 64, 40, 3), np.float32), some_windows())
    inputs = portraits()[:, :32], some_windows()
    made = jax.eval_shape(generator(SMALL_CONFIG, tensors(**SMALL)), *inputs)
    assert made.fake.shape == (1, 32, 64, 3)


@pytest.mark.parametrize(
    ("sizes", "reason"),
    [
        ({"max_nc": 0}, "1 or more"),
        ({"warping_decoder_layer": 5}, "not less than"),
        ({"semantic_radius": 11}, "too short"),
    ],
)
def test_configurations_that_describe_no_network(sizes, reason):
    with pytest.raises(ValueError, match=reason):
        FaceGeneratorConfig(**sizes)
