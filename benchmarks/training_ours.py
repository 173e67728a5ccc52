"""Our half of `benchmarks/training.py`: a worker that makes training steps when told to.

    python benchmarks/training_ours.py RUN STAGE ROWS TIMES [--OPTION VALUE ...]

Takes the weights of a converted predictor's directory, with the tokenizer and the audio encoder
inside, and answers each line on stdin by TIMES steps of each kind: those of the training commands,
preset `react2024`, with the options given. The first pass compiles.
"""

import dataclasses
import gc
import sys
from pathlib import Path
from typing import Any

import flax
import jax
import numpy as np
from side_by_side import Stages, serve
from training_workload import STEPS, batch

from jaxreact import runs
from jaxreact.audio_features.load import AUDIO_ENCODER
from jaxreact.commands import keep_memory
from jaxreact.sharding import make_device_mesh
from jaxreact.systems.fiber import train_predictor as predictor
from jaxreact.systems.fiber import train_tokenizer as tokenizer
from jaxreact.systems.fiber.frozen_parts import FrozenParts
from jaxreact.systems.fiber.kinds import PREDICTOR, TOKENIZER
from jaxreact.systems.fiber.presets import PREDICTOR_PRESETS, TOKENIZER_PRESETS
from jaxreact.training.batches import Data
from jaxreact.training.command import parse
from jaxreact.training.monitor.peaks import peak_flops
from jaxreact.training.stage import Stage
from jaxreact.training.state import split_model

MEAN = np.zeros(58, np.float32)


def make_stage(run: Path, kind: str, options: list[str], past_mask: float = 0.5) -> Stage:
    """A stage as its training command makes it, but with the weights of `run`."""
    paths = ["--data", ".", "--out", "."]
    data = Data(lambda: iter([]), 100, list)  # pyright: ignore[reportArgumentType]
    mesh = make_device_mesh()
    coder = runs.load_model(run / "tokenizer", TOKENIZER)[0]
    if kind == "tokenizer":
        config = parse(TOKENIZER_PRESETS, [*paths, *options])
        trained, stage = coder, tokenizer._stage(config, MEAN, data, mesh)
    else:
        config = parse(PREDICTOR_PRESETS, [*paths, "--tokenizer", str(run / "tokenizer"), *options])
        config = dataclasses.replace(config, past_mask_probability=past_mask)
        sizes = predictor._with_codebook(config.model, coder)
        encoder = runs.load_model(run / "audio_encoder", AUDIO_ENCODER)[0]
        stage = predictor._stage(config, sizes, FrozenParts(coder, encoder, MEAN), data, mesh)
        trained = runs.load_model(run, PREDICTOR)[0]
    params = split_model(trained)[1]
    placed = mesh.put(params, mesh.shard_variables(params))
    return dataclasses.replace(stage, state=dataclasses.replace(stage.state, params=placed))


def loss_without_dropout(stage: Stage, made: dict[str, np.ndarray]) -> float:
    placed = stage.mesh.put_local_rows(made)
    metrics = stage.evaluate(stage.state, stage.frozen, placed, jax.random.key(0))
    return float(metrics["loss"])


def peak_on_device() -> float | None:
    """GiB that the accelerator has held at most; None on a processor."""
    held = jax.devices()[0].memory_stats()
    return None if jax.default_backend() == "cpu" or not held else held["peak_bytes_in_use"] / 2**30


def peak(half: bool) -> float | None:
    """Operations that the device could do a second; by default JAX computes single-precision
    products in TensorFloat-32 where there is that."""
    kinds = ("bfloat16",) if half else ("tensorfloat32", "float32")
    peaks = (peak_flops(jax.devices()[0], kind) for kind in kinds)
    return next((found for found in peaks if found), None)


def main() -> None:
    keep_memory()  # as every command does
    run, kind, rows, times = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    options = ["--loop.batch-size", str(rows), *sys.argv[5:]]
    made = batch(kind, rows)
    first = loss_without_dropout(make_stage(run, kind, options, past_mask=0.0), made)
    gc.collect()
    stage = make_stage(run, kind, options)
    step, state = stage.step(0), stage.state
    operations = stage.operations(0, made) if jax.default_backend() != "cpu" else None

    def steps() -> None:
        nonlocal state
        for _ in range(times):
            state, metrics = step(state, stage.frozen, stage.mesh.put_local_rows(made))
        jax.block_until_ready((state, metrics))

    def one_pass(stages: Stages, _: int) -> dict[str, Any]:
        for name in STEPS[kind]:  # which kind a step is, it draws itself; both do the same work
            stages.timed(name, steps, times)
        measured = {"device_gib": peak_on_device(), "operations": operations}
        return {"loss": first, "peak_flops": peak("bfloat16" in options), **measured}

    device = jax.devices()[0].device_kind
    serve(one_pass, {"jax": jax.__version__, "flax": flax.__version__, "device": device})


if __name__ == "__main__":
    main()
