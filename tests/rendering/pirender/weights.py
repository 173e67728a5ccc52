"""Random weights for the face generator under its published names, without torch."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxreact import runs
from jaxreact.rendering.pirender.config import FaceGeneratorConfig
from jaxreact.rendering.pirender.conversion import TABLE
from jaxreact.rendering.pirender.load import FACE_GENERATOR
from jaxreact.torch_files.engine import fill, nest, paths

SMALL: dict[str, Any] = {
    "descriptor": 12,
    "hidden": 16,
    "warping": (4, 4, 2),
    "editing": (6, 2, 1),
    "most": 20,
}
"""Sizes for `shapes` of a generator that takes milliseconds; its pictures need sides of 16 k."""

SMALL_CONFIG = FaceGeneratorConfig(
    descriptor_nc=12,
    mlp_nc=16,
    max_nc=20,
    warping_base_nc=4,
    warping_encoder_layer=4,
    warping_decoder_layer=2,
    editing_base_nc=6,
    editing_layer=2,
    editing_num_res_blocks=1,
)


def generator(config: FaceGeneratorConfig, given: dict[str, np.ndarray]) -> Any:
    """The generator that holds these tensors, by the project's own conversion."""
    abstract = paths(runs.abstract_variables(FACE_GENERATOR, config))
    variables = nest(fill(abstract, given, TABLE, "test"))
    return runs.build(FACE_GENERATOR, config, jax.tree.map(jnp.asarray, variables))


def shapes(
    coefficients: int = 58,
    *,
    pre: bool = True,
    coeff_nc: int = 73,
    descriptor: int = 256,
    mapping_layers: int = 3,
    warping: tuple[int, int, int] = (32, 5, 3),
    editing: tuple[int, int, int] = (64, 3, 2),
    hidden: int = 128,
    most: int = 256,
) -> dict[str, tuple[int, ...]]:
    """Name and shape of every tensor; `warping` and `editing` are base channels and layers.

    The defaults are the challenge baseline's; (73, pre=False) is upstream's.
    """
    found: dict[str, tuple[int, ...]] = {}

    def layer(name: str, *weight: int, bias: int | None = None) -> None:
        found[f"{name}.weight"] = weight
        found[f"{name}.bias"] = (weight[0] if bias is None else bias,)

    def norm(name: str, channels: int) -> None:
        found[f"{name}.weight"] = found[f"{name}.bias"] = (channels, 1, 1)

    def adain(name: str, channels: int) -> None:
        layer(f"{name}.mlp_shared.0", hidden, descriptor)
        layer(f"{name}.mlp_gamma", channels, hidden)
        layer(f"{name}.mlp_beta", channels, hidden)

    if pre:
        layer("mapping_net.pre", coeff_nc, coefficients, 1)
    layer("mapping_net.first.0", descriptor, coeff_nc, 7)
    for i in range(mapping_layers):
        layer(f"mapping_net.encoder{i}.1", descriptor, descriptor, 3)

    base, down, up = warping
    widths = [min(base * 2**i, most) for i in range(down + 1)]
    at = "warpping_net.hourglass"
    layer(f"{at}.encoder.input_layer", base, 3, 7, 7)
    for i in range(down):
        name = f"{at}.encoder.encoder{i}"
        layer(f"{name}.conv_0", widths[i + 1], widths[i], 4, 4)
        layer(f"{name}.conv_1", widths[i + 1], widths[i + 1], 3, 3)
        adain(f"{name}.norm_0", widths[i])
        adain(f"{name}.norm_1", widths[i + 1])
    given = widths[down]
    for i in range(down - 1, down - 1 - up, -1):
        name, made = f"{at}.decoder.decoder{i}", widths[i]
        layer(f"{name}.conv_0", made, given, 3, 3)
        layer(f"{name}.conv_1", made, made, 3, 3)
        layer(f"{name}.conv_s", given, made, 3, 3, bias=made)
        adain(f"{name}.norm_0", given)
        adain(f"{name}.norm_1", made)
        adain(f"{name}.norm_s", given)
        given = made + widths[i]
    norm("warpping_net.flow_out.0", given)
    layer("warpping_net.flow_out.2", 2, given, 7, 7)

    base, layers, blocks = editing
    widths = [min(base * 2**i, most) for i in range(layers + 1)]

    def normed(name: str, inputs: int, outputs: int, side: int) -> None:
        layer(f"{name}.model.0", outputs, inputs, side, side)
        norm(f"{name}.model.1", outputs)

    normed("editing_net.encoder.first", 6, base, 7)
    for i in range(layers):
        normed(f"editing_net.encoder.down{i}", widths[i], widths[i + 1], 3)
        normed(f"editing_net.decoder.up{i}", widths[i + 1], widths[i], 3)
        normed(f"editing_net.decoder.jump{i}", widths[i], widths[i], 3)
        for j in range(blocks):
            for k in (1, 2):
                name = f"editing_net.decoder.res{i}.res{j}"
                layer(f"{name}.conv{k}", widths[i + 1], widths[i + 1], 3, 3)
                adain(f"{name}.norm{k}", widths[i + 1])
    layer("editing_net.decoder.final.model.0", 3, base, 7, 7)
    return found


def tensors(seed: int = 0, **sizes) -> dict[str, np.ndarray]:
    """Random tensors that keep every layer's output alive and the picture unsaturated.

    The flow is some pixels; `sizes` as in `shapes`.
    """
    random = np.random.default_rng(seed)
    made: dict[str, np.ndarray] = {}
    for name, shape in shapes(**sizes).items():
        noise = random.standard_normal(shape)
        if name.endswith("bias"):
            value = 0.2 * noise
        elif len(shape) == 3 and shape[1:] == (1, 1) and "mapping" not in name:
            value = 1 + 0.3 * noise
        else:
            gain = 0.4 if "final" in name else 2.0 if "flow_out" in name else 1.3
            value = gain * noise / np.sqrt(np.prod(shape[1:]))
        made[name] = value.astype(np.float32)
    return made


def portraits(count: int = 1, size: int = 64, seed: int = 0) -> np.ndarray:
    """(count, size, size, 3) float32: smooth coloured waves that fill [-1, 1]."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size] / size
    waves = []
    for _ in range(3 * count):
        a, b, c, d = random.uniform(-12, 12, 4)
        waves.append(np.sin(a * x + b * y + c) * np.cos(d * x * y))
    return np.stack(waves, -1).reshape(size, size, count, 3).transpose(2, 0, 1, 3).astype("f4")


def some_windows(count: int = 1, coefficients: int = 58, seed: int = 0) -> np.ndarray:
    """(count, 27, coefficients) float32."""
    random = np.random.default_rng(seed)
    return random.standard_normal((count, 27, coefficients)).astype(np.float32)
