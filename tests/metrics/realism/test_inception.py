"""FID's Inception: against features that torchmetrics gave for the same weights, and by hand."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from safetensors.numpy import save_file

import jaxreact
from jaxreact import runs
from jaxreact.errors import NotFiniteError, Remark, UserError
from jaxreact.metrics.realism.conversion import convert_inception
from jaxreact.metrics.realism.inception import (
    SIDE,
    FrozenBatchNorm,
    InceptionConfig,
    InceptionE,
    prepare,
)
from jaxreact.metrics.realism.load import INCEPTION
from jaxreact.torch_files.engine import paths
from tests.metrics.realism.inception_weights import images, tensor_of

GOLDEN = Path(__file__).parents[2] / "golden" / "inception.npz"
TORCH = {"kernel": "weight", "scale": "weight", "mean": "running_mean", "var": "running_var"}


def published_tensors(classes: int = 1008) -> dict[str, np.ndarray]:
    """A state dict with the published file's names and shapes."""
    tensors = {}
    leaves = paths(runs.abstract_variables(INCEPTION, InceptionConfig()))
    for name, leaf in leaves.items():
        *at, last = map(str, name)
        module = ".".join(at)
        shape = leaf.shape
        if last == "kernel":
            shape = (shape[3], shape[2], shape[0], shape[1])
        torch_name = f"{module}.{TORCH.get(last, last)}"
        tensors[torch_name] = tensor_of(torch_name, shape)
        if last == "scale":
            tensors[f"{module}.num_batches_tracked"] = np.zeros((), np.int64)
    tensors["fc.weight"] = np.zeros((classes, 2048), np.float32)
    tensors["fc.bias"] = np.zeros(classes, np.float32)
    return tensors


@pytest.mark.slow
def test_features_of_torchmetrics(tmp_path):
    """Names, shapes, resizing, padding and pooling of the whole network at once."""
    save_file(published_tensors(), tmp_path / "inception.safetensors")
    convert_inception(tmp_path / "inception.safetensors", tmp_path / "run")
    with np.load(GOLDEN) as golden:
        for name, antialias in (("tensorflow", False), ("antialias", True)):
            network = jaxreact.load_inception(tmp_path / "run", antialias=antialias)
            for image, expected in zip(images(), golden[name], strict=True):
                found = np.asarray(network(image[None]))[0]
                assert found.shape == (2048,)
                np.testing.assert_allclose(found[::32], expected, rtol=1e-4, atol=1e-4)


def test_another_inception_is_refused(tmp_path):
    path = tmp_path / "imagenet.safetensors"
    save_file({"fc.weight": np.zeros((1000, 2048), np.float32)}, path)
    with pytest.raises(UserError, match=r"not the Inception of FID: its fc.weight is \(1000, 2048"):
        convert_inception(path, tmp_path / "run")
    save_file({"weight": np.zeros(3, np.float32)}, path)
    with pytest.raises(UserError, match=r"it has no fc\.weight"):
        convert_inception(path, tmp_path / "run")
    tensors = published_tensors()
    del tensors["Mixed_6c.branch7x7_2.conv.weight"]
    save_file(tensors, path)
    with pytest.raises(UserError, match=r"Mixed_6c\.branch7x7_2\.conv\.weight"):
        convert_inception(path, tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_a_wrapped_file_in_half_precision(tmp_path):
    tensors = {f"module.{name}": x.astype(np.float16) for name, x in published_tensors().items()}
    path = tmp_path / "half.safetensors"
    save_file(tensors, path)
    with pytest.warns(Remark) as caught:
        convert_inception(path, tmp_path / "run")
    count = len(tensors)
    assert [str(w.message) for w in caught if w.category is Remark] == [
        f"{path}: module. taken off {count} of {count} names",
        f"{path}: tensors converted to float32: {count} of float16",
    ]
    name = "Mixed_5b.branch1x1.bn.running_var"
    tensors[f"module.{name}"][3] = np.nan
    save_file(tensors, path)
    with pytest.raises(NotFiniteError, match=f"{name}: 1 of 64 are not finite"):
        convert_inception(path, tmp_path / "other")


def test_resizing_like_tensorflow_1():
    """Pixel k lies at k in / 299: no half pixels, and the last pixel repeats."""
    ramp = np.arange(0, 250, 5, dtype=np.uint8)
    image = np.broadcast_to(ramp[None, :, None], (40, 50, 3))
    made = np.asarray(prepare(jnp.asarray(image)[None]))[0]
    assert made.shape == (SIDE, SIDE, 3)
    place = np.minimum(np.arange(SIDE) * 50 / SIDE, 49)
    expected = np.broadcast_to(((5 * place - 128) / 128)[None, :, None], made.shape)
    np.testing.assert_allclose(made, expected, atol=1e-4)
    turned = np.asarray(prepare(jnp.asarray(image.transpose(1, 0, 2))[None]))[0]
    np.testing.assert_allclose(turned, made.transpose(1, 0, 2), atol=1e-6)


def test_resizing_with_antialias_centres_the_pixels():
    ramp = np.arange(0, 250, 5, dtype=np.uint8)
    image = np.broadcast_to(ramp[None, :, None], (40, 50, 3))
    made = np.asarray(prepare(jnp.asarray(image)[None], antialias=True))[0]
    place = np.clip((np.arange(SIDE) + 0.5) * 50 / SIDE - 0.5, 0, 49)
    np.testing.assert_allclose(made[0, :, 0], (5 * place - 128) / 128, atol=1e-4)
    noise = np.random.default_rng(0).integers(0, 256, (1, 4 * SIDE, 4 * SIDE, 3), np.uint8)
    smoothed, picked = (np.asarray(prepare(jnp.asarray(noise), how)) for how in (True, False))
    assert smoothed.std() < 0.35 * picked.std()


def test_values_of_the_ends():
    for value, expected in ((0, -1), (128, 0), (255, 127 / 128)):
        image = jnp.full((1, 7, 9, 3), value, jnp.uint8)
        for antialias in (False, True):
            np.testing.assert_allclose(prepare(image, antialias), expected, atol=1e-6)


def test_batch_norm_is_tensorflows():
    norm = FrozenBatchNorm(1)
    for name, value in {"scale": 2.0, "bias": 0.5, "mean": 3.0, "var": 0.003}.items():
        getattr(norm, name)[...] = jnp.array([value])
    found = norm(jnp.array([[[[4.0]]]]))
    assert float(found[0, 0, 0, 0]) == pytest.approx(2 * 1 / np.sqrt(0.003 + 0.001) + 0.5, rel=1e-6)


@pytest.mark.parametrize(("pool", "corner"), [("average", 2.5), ("maximum", 4.0)])
def test_pools_of_the_last_blocks(pool, corner):
    """An average does not count the padding; the last block takes the maximum."""
    block = nnx.eval_shape(lambda: InceptionE(1, pool, rngs=nnx.Rngs(0)))
    graph, state = nnx.split(block)
    zeros = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), state)
    block = nnx.merge(graph, zeros)
    last = block.branch_pool
    last.conv.kernel[...] = jnp.ones_like(last.conv.kernel[...])
    last.bn.scale[...] = jnp.ones(192)
    last.bn.var[...] = jnp.full(192, 1 - 1e-3)
    found = block(jnp.array([[1.0, 2.0], [3.0, 4.0]])[None, :, :, None])
    assert found.shape == (1, 2, 2, 2048)
    np.testing.assert_allclose(found[0, 0, 0, -192:], corner, rtol=1e-6)
    assert not np.asarray(found[..., :-192]).any()
