"""What our own layers save of a training step, beside the library's that would do the same.

    python benchmarks/layers.py --stages tokenizer --out layers_tokenizer_cpu.json

Dropout, attention, linear layer and GELU of `jaxreact.nn.attention` are replaced one by one
(`layers_variants.py`), and each time the whole step of both stages is compiled: forwards,
backwards and the update, on a made-up batch, with new weights. All variants stand in one process
and take turns, each round in another order; a ratio is of medians, and its quartiles are of the
rounds' own ratios. Above 1, ours is faster. `cpu` is processor time, all threads together, which
other programs disturb least; on an accelerator only `wall` tells. The predictor's step contains the
frozen tokenizer and audio encoder; `generation` are ten reactions to 320 frames, where there is no
dropout. `demo` are that preset's sizes, with dropout in both stages; `released` the released ones,
with a smaller batch.
"""

import os
import statistics
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import record
import tyro
from flax import nnx
from layers_variants import VARIANTS, in_place
from tqdm import tqdm
from training_workload import DROPOUT

from jaxreact.audio_features.wav2vec2 import AudioEncoder, AudioEncoderConfig
from jaxreact.commands import run_command
from jaxreact.media.sound import SAMPLES_PER_FRAME
from jaxreact.sharding import make_device_mesh
from jaxreact.systems.fiber import train_predictor as predictor
from jaxreact.systems.fiber import train_tokenizer as tokenizer
from jaxreact.systems.fiber.config import AUDIO_FEATURES, AUDIO_RATE
from jaxreact.systems.fiber.frozen_parts import FrozenParts
from jaxreact.systems.fiber.loaded_predictor import Predictor
from jaxreact.systems.fiber.predictor import ReactPredictor
from jaxreact.systems.fiber.presets import PREDICTOR_PRESETS, TOKENIZER_PRESETS
from jaxreact.systems.fiber.tokenizer import FaceTokenizer
from jaxreact.training.batches import Data
from jaxreact.training.command import parse
from jaxreact.training.stage import Stage

SIZES = {"demo": ("demo", 8), "released": ("react2024", 2)}
"""Preset, and clips of a batch."""
GENERATED = 320
"""Frames of a clip that is answered."""
PATHS = ("--data", ".", "--out", ".")
MEAN = np.zeros(58, np.float32)


@dataclass(frozen=True)
class Config:
    """What to measure, and how often."""

    sizes: tuple[str, ...] = ("demo",)
    """Of demo and released."""
    stages: tuple[str, ...] = ("tokenizer", "predictor", "generation")
    rounds: int = 21
    out: Path | None = None


def make_stage(kind: str, size: str) -> tuple[Stage, dict[str, np.ndarray]]:
    """A stage as its training command makes it, with new weights, and a batch for it."""
    preset, rows = SIZES[size]
    data = Data(lambda: iter([]), 100, list)  # pyright: ignore[reportArgumentType]
    mesh = make_device_mesh()
    options = (preset, *PATHS, "--loop.batch-size", str(rows), "--model.dropout", str(DROPOUT))
    coder_config = parse(TOKENIZER_PRESETS, list(options))
    if kind == "tokenizer":
        frames = coder_config.clip_frames
        shapes = {"listener_coeffs": (rows, frames, 58), "listener_emotion": (rows, frames, 25)}
        return tokenizer._stage(coder_config, MEAN, data, mesh), numbers(shapes)
    config = parse(PREDICTOR_PRESETS, [*options, "--tokenizer", "."])
    coder = FaceTokenizer(coder_config.model, rngs=nnx.Rngs(0))
    encoder_config = config.untrained_encoder or AudioEncoderConfig()
    encoder = AudioEncoder(encoder_config, rngs=nnx.Rngs(0))
    sizes = predictor._with_codebook(config.model, coder)
    frames = predictor.crop_frames(sizes, coder_config.model.block_size)
    shapes: dict[str, tuple[int, ...]] = {
        f"{role}_coeffs": (rows, frames, 58) for role in ("speaker", "listener")
    }
    if config.audio == "clip":
        shapes["speaker_features"] = (rows, AUDIO_RATE * sizes.block_size, AUDIO_FEATURES)
    else:
        heard = config.audio_context + sizes.block_size
        shapes["speaker_waveform"] = (rows, heard * SAMPLES_PER_FRAME)
    frozen = FrozenParts(coder, encoder, MEAN)
    return predictor._stage(config, sizes, frozen, data, mesh), numbers(shapes)


def numbers(shapes: dict[str, tuple[int, ...]]) -> dict[str, np.ndarray]:
    random = np.random.default_rng(0)
    return {name: 0.1 * random.standard_normal(shape, np.float32) for name, shape in shapes.items()}


class Steps:
    """The compiled training step of one variant, and its own state."""

    def __init__(self, stage: Stage, batch: Any, replacements: list[Any]):
        self._stage, self._batch = stage, batch
        self._state = stage.state
        self._step = stage.step(0)
        with in_place(replacements):
            first = self.run()  # traces and compiles
        self.first_loss = float(first["loss"])

    def run(self) -> Any:
        self._state, metrics = self._step(self._state, self._stage.frozen, self._batch)
        return jax.block_until_ready(metrics)

    def seconds(self) -> tuple[float, float]:
        """Wall and processor time."""
        wall, busy = time.perf_counter(), time.process_time()
        self.run()
        jax.block_until_ready(self._state)
        return time.perf_counter() - wall, time.process_time() - busy


class Reactions:
    """Ten reactions to one clip with the layers of one variant, without dropout."""

    def __init__(self, size: str, replacements: list[Any]):
        options = [SIZES[size][0], *PATHS, "--tokenizer", "."]
        config = parse(PREDICTOR_PRESETS, options).model
        model = ReactPredictor(replace(config, codebook_size=1000), rngs=nnx.Rngs(0))
        shapes = {"features": (1, 2 * GENERATED, 512)}
        self._predictor = Predictor(model, {}, "benchmark")
        self._features = numbers(shapes)["features"]
        with in_place(replacements):
            codes = self._run()  # traces and compiles
        self.first_loss = float(codes.mean())

    def _run(self) -> np.ndarray:
        codes = np.arange(GENERATED)[None] % 1000
        return np.asarray(self._predictor.generate(self._features, codes, key=jax.random.key(0)))

    def seconds(self) -> tuple[float, float]:
        """Wall and processor time."""
        wall, busy = time.perf_counter(), time.process_time()
        self._run()
        return time.perf_counter() - wall, time.process_time() - busy


def compiled(kind: str, size: str, replacements: list[Any]) -> Steps | Reactions:
    """What a variant is measured by."""
    if kind == "generation":
        return Reactions(size, replacements)
    stage, batch = make_stage(kind, size)
    placed = jax.tree.map(jnp.asarray, stage.mesh.put_local_rows(batch))
    return Steps(stage, placed, replacements)


def measure(kind: str, size: str, rounds: int) -> dict[str, Any]:
    """Milliseconds of a step (or a generation) with each variant, and what it takes beside ours."""
    offered = VARIANTS.items()
    if kind == "generation":
        offered = [(name, layers) for name, layers in offered if "bernoulli" not in name]
    variants = {}
    for name, replacements in tqdm(offered, f"{size} {kind}", leave=False, disable=None):
        variants[name] = compiled(kind, size, replacements)
    names = list(variants)
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in names}
    for number in tqdm(range(rounds + 1), f"{size} {kind}", leave=False, disable=None):
        for name in np.random.default_rng(number).permutation(names):
            seconds = variants[name].seconds()
            if number:  # the first round warms up
                times[name].append(seconds)
    return {
        name: row(times["ours"], times[name]) | {"first_loss": round(variants[name].first_loss, 4)}
        for name in names
    }


def row(ours: list[tuple[float, float]], theirs: list[tuple[float, float]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for number, clock in enumerate(("wall", "cpu")):
        own, other = ([seconds[number] for seconds in side] for side in (ours, theirs))
        low, _, high = statistics.quantiles([b / a for a, b in zip(own, other, strict=True)], n=4)
        median = statistics.median(other)
        result |= {
            f"median_{clock}_ms": round(1e3 * median, 1),
            f"times_ours_{clock}": round(median / statistics.median(own), 3),
            f"quartiles_{clock}": [round(low, 3), round(high, 3)],
        }
    return result


def main() -> None:
    """Prints (and writes) a JSON object."""
    config = tyro.cli(Config, description=__doc__)
    load = os.getloadavg()[0]
    result = {
        "command": f"python benchmarks/layers.py --sizes {' '.join(config.sizes)}"
        f" --stages {' '.join(config.stages)} --rounds {config.rounds}",
        "what": "milliseconds of a step or a generation, and its ratio to ours; variants in turns",
        "device": jax.devices()[0].device_kind,
        "rows": {size: SIZES[size][1] for size in config.sizes},
        "steps": {
            size: {kind: measure(kind, size, config.rounds) for kind in config.stages}
            for size in config.sizes
        },
        **record.machine(load),
    }
    record.write(result, config.out)


if __name__ == "__main__":
    run_command(main, keep=False)
