"""Training on a GPU: starts, steps, and a short training from simulation to table."""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import jax
from gpu_measuring import Found, gib, median_ms, since_start
from gpu_models import Sizes
from gpu_originals import said
from training_workload import Known, batch

from jaxreact import runs
from jaxreact.audio_features.load import AUDIO_ENCODER
from jaxreact.audio_features.wav2vec2 import AudioEncoderConfig
from jaxreact.training.monitor.peaks import peak_flops

ROOT = Path(__file__).parents[1]
MOST_SMALL = 16
"""Rows of a batch where it is only tried out whether all of this works."""


def step(sizes: Sizes, kind: str, rows: str, precision: str, known: Known = "nothing") -> Found:
    """From a bare process to the first step, and the steps after it."""
    count = min(int(rows), MOST_SMALL) if sizes.small else int(rows)
    made = batch(kind, count, known)
    stage = sizes.stage(kind, count, precision)
    placed = stage.mesh.put_local_rows(made)
    ready = since_start()
    update, state = stage.step(0), stage.state
    state, metrics = update(state, stage.frozen, placed)
    jax.block_until_ready(metrics)
    first = since_start()

    def go() -> Any:
        nonlocal state
        state, metrics = update(state, stage.frozen, placed)
        return metrics

    milliseconds = median_ms(go)
    operations = stage.operations(0, placed)
    used = "tensorfloat32" if precision == "tensorfloat32" else precision
    peak = peak_flops(jax.devices()[0], used)
    each_second = operations / milliseconds * 1e3
    return {
        "seconds_to_models": ready,
        "seconds_to_first_step": first,
        "step_ms": milliseconds,
        "teraflops": round(each_second / 1e12, 2),
        "utilisation_percent": peak and round(100 * each_second / peak, 1),
        "gib": gib(),
        "loss": float(go()["loss"]),
    }


def train(sizes: Sizes, minutes: str) -> Found:
    """Simulate, pack, both stages of preset `improved`, ten reactions to a split, and the table."""
    # This process, which only makes an encoder, must leave the memory to those that it starts.
    children = dict(os.environ)
    os.environ["XLA_PYTHON_CLIENT_PREALLOCATE"] = "false"
    folder = Path(os.environ["GPU_WAYS_FOLDER"]) / "training"
    data, cache = folder / "data", folder / "cache"
    preset = "debug" if sizes.small else "improved"
    scale = float(minutes) / 3
    dyads = "2 1 1" if sizes.small else f"{int(64 * scale)} 8 8"
    epochs = 1 if sizes.small else max(2, int(20 * scale))
    found: Found = {}

    def run(name: str, *command: Any) -> str:
        start = time.perf_counter()
        done = subprocess.run(
            [sys.executable, *map(str, command)],
            cwd=ROOT,
            env=children,
            capture_output=True,
            text=True,
            check=False,
        )
        found[f"{name}_s"] = round(time.perf_counter() - start, 1)
        if done.returncode:
            raise RuntimeError(f"{name}: {said(done.stderr)}")
        return done.stdout

    seconds = ("--seconds", 6) if sizes.small else ()
    simulated = ("-m", "jaxreact.data.simulate", "--out", data, "--split", *dyads.split())
    run("simulate", *simulated, *seconds)
    run("pack", "-m", "jaxreact.data.prepare", "--data", data, "--out", cache)
    loop = ("--data", cache, "--loop.epochs", epochs, "--loop.validate-every", epochs)
    first, second = folder / "tokenizer", folder / "predictor"
    run("tokenizer", "train_tokenizer.py", preset, *loop, "--out", first)
    ears = () if sizes.small else untrained_ears(folder)
    run(
        "predictor",
        *("train_predictor.py", preset, *loop, "--tokenizer", first, "--out", second, *ears),
    )
    options = ("--frames", 64) if sizes.small else ()
    table = run(
        "evaluate",
        *("evaluate.py", "--data", cache, "--run", second, "--out", folder / "scores", *options),
    )
    lines = table.splitlines()
    rows = [line for line in lines if "mime" in line or line[:2] == "FR"]
    return {**found, "epochs": epochs, "dyads": dyads, "table": rows}


def untrained_ears(folder: Path) -> tuple[str, ...]:
    """An encoder of the released shape with random weights, since none can be had here."""
    from jaxreact.variables import variables_of

    model = runs.new_model(AUDIO_ENCODER, AudioEncoderConfig(), 0)
    runs.save_model(folder / "wav2vec2", AUDIO_ENCODER, model.config, variables_of(model))
    return ("--wav2vec2", str(folder / "wav2vec2"))
