"""Run by test_sharding.py in a process of its own, since a process has its devices for life.

Trains stages of all systems on meshes of 1, 2 and 8 of eight CPU devices, and prints the losses as
JSON.
"""

import dataclasses
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import jax
import numpy as np
from flax import nnx
from jax.sharding import AxisType, Mesh

from jaxreact import runs
from jaxreact.audio_features.wav2vec2 import AudioEncoder, AudioEncoderConfig
from jaxreact.nn import attend_fused
from jaxreact.sharding import DeviceMesh
from jaxreact.systems.belfusion import train_vae
from jaxreact.systems.fiber import train_predictor as predictor
from jaxreact.systems.fiber import train_tokenizer as tokenizer
from jaxreact.systems.fiber.frozen_parts import FrozenParts
from jaxreact.systems.fiber.kinds import TOKENIZER
from jaxreact.systems.fiber.presets import PREDICTOR_PRESETS, TOKENIZER_PRESETS
from jaxreact.systems.framewise import training as framewise
from jaxreact.systems.learning2listen import train_vqvae
from jaxreact.train import train
from jaxreact.training.command import parse

MESHES = {"1": (1, 1), "2 fsdp": (1, 2), "8": (8, 1), "8 fsdp": (2, 4)}
HARDEST = ("1", "8 fsdp")
"""Of the other systems: one device, and the mesh that cuts batches as well as variables."""
STEPS = 3
ROWS = 8


def mesh(shape: tuple[int, int]) -> DeviceMesh:
    devices = np.array(jax.devices()[: shape[0] * shape[1]]).reshape(shape)
    axes = (AxisType.Auto, AxisType.Auto)
    return DeviceMesh(Mesh(devices, ("data", "fsdp"), axis_types=axes), min_sharded_size=64)


def losses(stage: Any, batches: list[Any]) -> dict[str, Any]:
    """Losses of some steps and of a validation with a remainder, and what is cut of the state."""
    state, values = stage.state, []
    for batch in batches:
        state, metrics = stage.step(0)(state, stage.frozen, stage.mesh.put_global(batch))
        values.append(float(metrics["loss"]))
    remainder = jax.tree.map(lambda rows: rows[: ROWS - 1], batches[0])
    scores = stage.evaluate(
        state, stage.frozen, stage.mesh.put_global(remainder), jax.random.key(1)
    )
    leaves = jax.tree.leaves(state)
    cut = sum(not leaf.is_fully_replicated for leaf in leaves)
    return {"losses": [*values, float(scores["loss"])], "cut": cut, "leaves": len(leaves)}


def tokenizer_batches() -> list[Any]:
    rng = np.random.default_rng(0)
    shapes = {"listener_coeffs": (ROWS, 64, 58), "listener_emotion": (ROWS, 64, 25)}
    return [
        {name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
        for _ in range(STEPS)
    ]


def predictor_batches() -> list[Any]:
    rng = np.random.default_rng(0)
    shapes = {
        "speaker_coeffs": (ROWS, 96, 58),
        "listener_coeffs": (ROWS, 96, 58),
        "speaker_waveform": (ROWS, 64 * 640),
    }
    return [
        {name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
        for _ in range(STEPS)
    ]


def tokenizer_stage(kind: str, shape: tuple[int, int]) -> Any:
    options = f"--model.quantize-type {kind} --model.quantize-codebook-size 32 --model.dropout 0.1"
    arguments = ["debug", "--data", ".", "--out", ".", *options.split()]
    config = parse(TOKENIZER_PRESETS, arguments)
    batch = tokenizer_batches()[0]
    data = tokenizer.Data(lambda: iter([batch]), 2, list)  # pyright: ignore[reportArgumentType]
    return tokenizer._stage(config, np.zeros(58, np.float32), data, mesh(shape))


def predictor_stage(run: Path, shape: tuple[int, int]) -> Any:
    config = parse(
        PREDICTOR_PRESETS, ["debug", "--data", ".", "--out", ".", "--tokenizer", str(run)]
    )
    frozen = FrozenParts(
        runs.load_model(run, TOKENIZER)[0],
        AudioEncoder(config.untrained_encoder or AudioEncoderConfig(), rngs=nnx.Rngs(0)),
        np.zeros(58, np.float32),
    )
    sizes = dataclasses.replace(
        predictor._with_codebook(config.model, frozen.tokenizer), dropout=0.1
    )
    data = tokenizer.Data(lambda: iter([]), 2, list)  # pyright: ignore[reportArgumentType]
    return predictor._stage(config, sizes, frozen, data, mesh(shape))


@contextmanager
def by_kernels() -> Iterator[None]:
    """Attention as on GPUs, walked through step by step."""
    step_by_step = partial(attend_fused.attend, interpret=True)
    with (
        patch.object(attend_fused, "is_usable", lambda: True),
        patch.object(attend_fused, "attend", step_by_step),
    ):
        yield


OTHERS = {
    "belfusion/vae": train_vae,
    "learning2listen/vqvae": train_vqvae,
    "framewise": framewise,
}
"""Stages of other systems that measure or keep statistics, and the modules that train them."""


def trained(stage: str, folder: Path, shape: tuple[int, int]) -> dict[str, Any]:
    """`losses` of a stage on the conversations in a folder, which is read as in any training."""
    found: dict[str, Any] = {}

    def train_a_little(made: Any, data: Any, *_: Any, **__: Any) -> float:
        batches = data.training()
        found.update(losses(made, [next(batches) for _ in range(STEPS)]))
        batches.close()
        return 0.0

    def start(*_: Any) -> DeviceMesh:
        return mesh(shape)

    with (
        patch.object(OTHERS[stage], "start_run", start),
        patch.object(OTHERS[stage], "train", train_a_little),
    ):
        _command(stage, folder, folder / "unused")
    return found


def _command(stage: str, folder: Path, out: Path) -> None:
    given = ("--data", folder / "data", "--out", out, "--loop.batch-size", ROWS)
    train(stage, ["debug", *map(str, given)])


def main() -> None:
    assert jax.device_count() == 8
    run, folder = Path(sys.argv[1]), Path(sys.argv[2])
    found: dict[str, Any] = {}
    for kind in ("fsq", "vq", "lfq"):
        found[kind] = {
            name: losses(tokenizer_stage(kind, shape), tokenizer_batches())
            for name, shape in MESHES.items()
        }
    found["predictor"] = {
        name: losses(predictor_stage(run, shape), predictor_batches())
        for name, shape in MESHES.items()
    }
    with by_kernels():
        found["predictor, by kernels"] = {
            name: losses(predictor_stage(run, MESHES[name]), predictor_batches())
            for name in HARDEST
        }
    for stage in OTHERS:
        found[stage] = {name: trained(stage, folder, MESHES[name]) for name in HARDEST}
    print(json.dumps(found))


if __name__ == "__main__":
    main()
