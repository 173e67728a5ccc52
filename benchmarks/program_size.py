"""How large the programs are that a GPU's compiler gets, at four layers and at eight.

    python benchmarks/program_size.py --out benchmarks/results/program_size.json

Counts the operations of both stages' training steps (preset `react2024`), of one pass of the
predictor and of generation, at released widths and lowered for CUDA, which needs no GPU. Compiling
takes about as long as a program is large: one that grows with its layers takes minutes to start.
"""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np
import tyro
from flax import nnx
from record import machine, write
from training_workload import batch

from jaxreact import runs
from jaxreact.audio_features.load import AUDIO_ENCODER
from jaxreact.audio_features.wav2vec2 import AudioEncoderConfig
from jaxreact.commands import run_command
from jaxreact.sharding import make_device_mesh
from jaxreact.systems.fiber import generation
from jaxreact.systems.fiber import train_predictor as predictor
from jaxreact.systems.fiber import train_tokenizer as tokenizer
from jaxreact.systems.fiber.config import PredictorConfig
from jaxreact.systems.fiber.frozen_parts import FrozenParts
from jaxreact.systems.fiber.kinds import PREDICTOR, TOKENIZER
from jaxreact.systems.fiber.predictor import ReactPredictor
from jaxreact.systems.fiber.presets import PREDICTOR_PRESETS, TOKENIZER_PRESETS
from jaxreact.systems.fiber.tokenizer import FaceTokenizerConfig
from jaxreact.systems.sampling import Sampling
from jaxreact.training.batches import Data
from jaxreact.training.command import parse
from jaxreact.training.stage import Stage

OPERATION = re.compile(r"^\s+(?:%\S+ = )?\"?(?:stablehlo|chlo|func\.call|call)\b", re.MULTILINE)
MEAN = np.zeros(58, np.float32)
FRAMES, SAMPLES = 736, 10


@dataclass(frozen=True)
class ProgramSize:
    """Counts operations of programs at two depths."""

    layers: tuple[int, ...] = (4, 8)
    """Layers of every stack of blocks."""
    rows: int = 2
    """Rows of a batch; no program depends on it."""
    out: Path | None = None
    """JSON to write; printed in any case."""


def zeros(kind: runs.Kind, config: Any) -> Any:
    graph, state = runs.abstract_model(kind, config)
    return nnx.merge(graph, jax.tree.map(lambda leaf: np.zeros(leaf.shape, leaf.dtype), state))


def operations(function: Any, *arguments: Any) -> int:
    """Lines of the StableHLO that compute something, inside of functions and loops too."""
    text = jax.jit(function).trace(*arguments).lower(lowering_platforms=("cuda",)).as_text()
    return len(OPERATION.findall(text))


def stage(kind: str, layers: int) -> Stage:
    """A stage as its training command makes it, with a model of zeros."""
    depth = ["--data", ".", "--out", ".", "--model.n-layer", str(layers)]
    data = Data(lambda: iter([]), 100, list)  # pyright: ignore[reportArgumentType]
    mesh = make_device_mesh()
    if kind == "tokenizer":
        return tokenizer._stage(parse(TOKENIZER_PRESETS, ["react2024", *depth]), MEAN, data, mesh)
    config = parse(PREDICTOR_PRESETS, ["react2024", "--tokenizer", ".", *depth])
    coder = zeros(TOKENIZER, FaceTokenizerConfig(n_layer=layers))
    encoder = zeros(AUDIO_ENCODER, AudioEncoderConfig())
    sizes = predictor._with_codebook(config.model, coder)
    return predictor._stage(config, sizes, FrozenParts(coder, encoder, MEAN), data, mesh)


def step(kind: str, layers: int, rows: int) -> int:
    made = stage(kind, layers)
    return operations(made.step(0), made.state, made.frozen, batch(kind, rows))


def one_pass(layers: int, rows: int) -> int:
    config = PredictorConfig(n_layer=layers)
    graph, state = runs.abstract_model(PREDICTOR, config)
    time = config.block_size
    shapes = ((rows, 2 * time, 512), np.float32), ((rows, time), np.int32), ((rows, time), np.int32)
    inputs = [jax.ShapeDtypeStruct(*shape) for shape in shapes]

    def logits(state: Any, *inputs: jax.Array) -> jax.Array:
        model: ReactPredictor = nnx.merge(graph, state)
        return model(*inputs)

    return operations(logits, state, *inputs)


def generating(layers: int, rows: int) -> int:
    config = PredictorConfig(n_layer=layers, codebook_size=1000)
    graph, state = runs.abstract_model(PREDICTOR, config)
    shapes = ((rows, 2 * FRAMES, 512), np.float32), ((rows, FRAMES), np.int32)
    audio, codes = (jax.ShapeDtypeStruct(*shape) for shape in shapes)

    def generate(state: Any, audio: jax.Array, codes: jax.Array) -> jax.Array:
        model: ReactPredictor = nnx.merge(graph, state)
        keys = jax.random.split(jax.random.key(0), (rows, SAMPLES))
        return generation.generate(model, audio, codes, Sampling(), keys, SAMPLES)

    return operations(generate, state, audio, codes)


PROGRAMS: dict[str, Callable[[int, int], int]] = {
    "tokenizer step": lambda layers, rows: step("tokenizer", layers, rows),
    "predictor step": lambda layers, rows: step("predictor", layers, rows),
    "predictor pass": one_pass,
    "generation": generating,
}


def main() -> None:
    config = tyro.cli(ProgramSize, description=__doc__)
    load = os.getloadavg()[0]
    counted: dict[str, dict[str, int]] = {}
    for name, count in PROGRAMS.items():
        counted[name] = {str(layers): count(layers, config.rows) for layers in config.layers}
        print(name, counted[name], flush=True)
    write({"operations": counted, **machine(load)}, config.out)


if __name__ == "__main__":
    run_command(main, keep=False)
