"""How fast the audio encoder is on this machine's processor, and against what.

    python benchmarks/audio_encoder.py --out benchmarks/results/audio_encoder.json

The claim of `jaxreact/audio_features/wav2vec2.py`: none of five other exact formulations of its
convolutions is clearly faster than the plain one. transformers' PyTorch module is measured too,
where it is installed.
"""

import os
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import record
import tyro
from flax import nnx

from jaxreact.audio_features.wav2vec2 import AudioEncoder, AudioEncoderConfig
from jaxreact.commands import run_command
from jaxreact.media.sound import SAMPLE_RATE

Convolution = Callable[[jax.Array, jax.Array, int], jax.Array]
"""(batch, time, channels), kernel (width, channels, channels out), stride -> valid convolution."""


@dataclass(frozen=True)
class Config:
    """What to measure, and how often."""

    seconds: float = 10.24
    repeats: int = 5
    out: Path | None = None


def _frames(x: jax.Array, kernel: jax.Array, stride: int) -> int:
    return (x.shape[1] - kernel.shape[0]) // stride + 1


def time_major(x: jax.Array, kernel: jax.Array, stride: int) -> jax.Array:
    """XLA's convolution, channels last."""
    layout = ("NWC", "WIO", "NWC")
    return jax.lax.conv_general_dilated(x, kernel, (stride,), "VALID", dimension_numbers=layout)


def channel_major(x: jax.Array, kernel: jax.Array, stride: int) -> jax.Array:
    """XLA's convolution in torch's layout."""
    x, kernel, layout = x.swapaxes(1, 2), kernel.transpose(2, 1, 0), ("NCW", "OIW", "NCW")
    y = jax.lax.conv_general_dilated(x, kernel, (stride,), "VALID", dimension_numbers=layout)
    return y.swapaxes(1, 2)


def _taps(x: jax.Array, kernel: jax.Array, stride: int) -> list[jax.Array]:
    length = (_frames(x, kernel, stride) - 1) * stride + 1
    return [x[:, start : start + length : stride] for start in range(kernel.shape[0])]


def patches(x: jax.Array, kernel: jax.Array, stride: int) -> jax.Array:
    """One matrix product over gathered patches."""
    return jnp.concatenate(_taps(x, kernel, stride), -1) @ kernel.reshape(-1, kernel.shape[-1])


def taps(x: jax.Array, kernel: jax.Array, stride: int) -> jax.Array:
    """One matrix product a tap of the kernel."""
    parts = zip(_taps(x, kernel, stride), kernel, strict=True)
    return sum((part @ weights for part, weights in parts), start=jnp.zeros(()))


def reshaped(x: jax.Array, kernel: jax.Array, stride: int) -> jax.Array:
    """Matrix products over `stride` neighbouring steps at once, which are a reshape apart."""
    batch, _, channels = x.shape
    frames, result = _frames(x, kernel, stride), jnp.zeros(())
    for start in range(0, kernel.shape[0], stride):
        part = kernel[start : start + stride]
        steps = x[:, start : start + frames * stride]
        steps = jnp.pad(steps, ((0, 0), (0, frames * stride - steps.shape[1]), (0, 0)))
        steps = steps.reshape(batch, frames, stride * channels)[..., : len(part) * channels]
        result = result + steps @ part.reshape(-1, part.shape[-1])
    return result


FORMULATIONS: dict[str, tuple[Convolution, Convolution]] = {
    "convolution (batch, time, channel)": (time_major, time_major),
    "convolution (batch, channel, time)": (channel_major, channel_major),
    "first layer as patches, then convolution": (patches, time_major),
    "patches": (patches, patches),
    "taps": (patches, taps),
    "reshaped": (reshaped, reshaped),
}
"""Convolution of the first layer, and of the others."""


def stack(first: Convolution, rest: Convolution) -> Callable[..., jax.Array]:
    """The encoder's convolutions with their GELUs, without norms."""

    def apply(x: jax.Array, kernels: list[jax.Array], strides: tuple[int, ...]) -> jax.Array:
        x = x[..., None]
        for index, (kernel, stride) in enumerate(zip(kernels, strides, strict=True)):
            x = jax.nn.gelu((rest if index else first)(x, kernel, stride), approximate=False)
        return x

    return jax.jit(apply, static_argnums=2)


def seconds(function: Callable[[], object], repeats: int) -> float:
    """Wall time of the fastest of the repeats, after one call that compiles."""
    function()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return round(min(times), 3)


def measure_torch(waveform: np.ndarray, repeats: int) -> float | None:
    """transformers' convolutions on the same waveform, or None without torch."""
    try:
        import torch
    except ImportError:
        return None
    from transformers import Wav2Vec2Config
    from transformers.models.wav2vec2.modeling_wav2vec2 import Wav2Vec2FeatureEncoder

    module, x = Wav2Vec2FeatureEncoder(Wav2Vec2Config()).eval(), torch.from_numpy(waveform)
    with torch.inference_mode():
        return seconds(lambda: module(x), repeats)


def main() -> None:
    """Prints (and writes) a JSON object: seconds, and the machine's load before and after."""
    config = tyro.cli(Config, description=__doc__)
    load = os.getloadavg()[0]
    samples = round(config.seconds * SAMPLE_RATE)
    waveform = np.random.default_rng(0).standard_normal((1, samples)).astype(np.float32)
    graph, params = nnx.split(AudioEncoder(AudioEncoderConfig(), rngs=nnx.Rngs(0)))
    encode = jax.jit(lambda params, x: nnx.merge(graph, params)(x))
    encoder = seconds(lambda: encode(params, waveform).block_until_ready(), config.repeats)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    layers = nnx.merge(graph, params).feature_extractor.conv_layers
    kernels = [layer.conv.kernel[...] for layer in layers]  # pyright: ignore[reportOptionalSubscript]
    strides = AudioEncoderConfig().conv_stride
    variants = {name: stack(*parts) for name, parts in FORMULATIONS.items()}
    result = {
        "audio_seconds": config.seconds,
        "encoder": encoder,
        "peak_memory_gib": round(peak / 2**20, 2),
        "transformers (torch), convolutions alone": measure_torch(waveform, config.repeats),
        "formulations, convolutions alone": {
            name: seconds(
                lambda f=f: f(waveform, kernels, strides).block_until_ready(), config.repeats
            )
            for name, f in variants.items()
        },
        **record.machine(load),
    }
    record.write(result, config.out)


if __name__ == "__main__":
    run_command(main, keep=False)
