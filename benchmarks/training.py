"""How long a training step of both stages takes, and how much memory, beside the original.

    python benchmarks/training.py --original CHECKOUT --out benchmarks/results/training_cpu.json

CHECKOUT is a clone of the original repository; nothing is taken from it but its models and steps,
which need `pip install einops` and the extra `torch`. Both sides have the released sizes, the same
random weights, carried over by `convert_weights.py`, and the same made-up batches of the
original's sizes. A step begins with a batch in memory and ends with new parameters; the predictor's
goes from coefficients and sound through tokenizer and wav2vec2. Reading data is not part of it (see
`benchmarks/input_pipeline.py`).

The sides take turns, each turn in a process of its own, whose peak memory is told. The fastest pass
counts, by each clock for itself. In every turn the original makes passes with one thread and with
all cores: on a busy machine its threads wait for each other, which costs processor time too.

On a GPU (`--device gpu`, chosen where JAX has one) the original runs there too, if its PyTorch can;
ours also in bfloat16 and at larger batches, with model FLOP utilisation. Single-precision products
are counted against the peak of TensorFloat-32, in which both sides compute them there.
"""

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import record
import tyro
from side_by_side import CORES, ON_CPU, Worker, convert
from tqdm import tqdm
from training_table import GPU_STEPS, Answers, Way, compare, losses
from training_workload import BATCH

from jaxreact.commands import run_command
from jaxreact.errors import UserError


@dataclass(frozen=True)
class Config:
    """What to measure, and how often."""

    original: Path
    """A checkout of the original repository."""
    stages: tuple[str, ...] = ("tokenizer", "predictor")
    turns: int = 2
    passes: int = 2
    """Measured passes in a turn (for the original: with each number of threads)."""
    device: Literal["auto", "cpu", "gpu"] = "auto"
    factors: tuple[int, ...] = (1, 4, 16)
    """Multiples of the original's batch size at which ours is measured on a GPU."""
    out: Path | None = None


def ways(config: Config, stage: str, on_gpu: bool) -> list[Way]:
    rows = BATCH[stage]
    if not on_gpu:
        options = ("", "--loop.accumulate 8")
        return [*(Way("ours", rows, each) for each in options), Way("original", rows)]
    ours = [
        Way("ours", rows * factor, f"--loop.precision {precision}")
        for factor in config.factors
        for precision in ("float32", "bfloat16")
    ]
    return [*ours, Way("original", rows)]


class Bench:
    """Where the models are, and the processes that run them."""

    def __init__(self, config: Config, directory: Path, on_gpu: bool):
        self.config, self.on_gpu = config, on_gpu
        self.checkpoint, self.run = directory / "original.ckpt", directory / "converted"
        self.versions: dict[str, Any] = {}
        self._original("tokenizer", 1, on_gpu=False).close()  # makes the checkpoint
        convert(self.checkpoint, self.run)

    def turn(self, stage: str, way: Way) -> Answers:
        """The answers of a new process; of ours the first one contains compiling."""
        threads = (CORES,) if way.side == "ours" or self.on_gpu else (1, CORES)
        worker = self._worker(stage, way)
        first = [worker.run()] if way.side == "ours" or self.on_gpu else []
        answers = [worker.run(each) for _ in range(self.config.passes) for each in threads]
        worker.close()
        self.versions |= worker.versions
        return first + answers

    def _worker(self, stage: str, way: Way) -> Worker:
        if way.side == "original":
            return self._original(stage, way.rows, self.on_gpu)
        times, environment = (GPU_STEPS, {}) if self.on_gpu else (1, ON_CPU)
        arguments = (self.run, stage, way.rows, times, *way.options.split())
        return Worker("training_ours.py", *arguments, environment=environment)

    def _original(self, stage: str, rows: int, on_gpu: bool) -> Worker:
        device, times = ("cuda", GPU_STEPS) if on_gpu else ("cpu", 1)
        arguments = (self.config.original.resolve(), self.checkpoint, stage, rows, times, device)
        environment = {} if on_gpu else ON_CPU
        return Worker("training_original.py", *arguments, environment=environment)


def take_turns(bench: Bench) -> dict[str, dict[Way, list[Answers]]]:
    """Answers of every stage, way and turn; none of a way whose process stopped."""
    config = bench.config
    table = {stage: ways(config, stage, bench.on_gpu) for stage in config.stages}
    answers: dict[str, dict[Way, list[Answers]]] = {stage: {} for stage in table}
    total = config.turns * sum(map(len, table.values()))
    with tqdm(total=total, unit="turn", disable=None) as bar:
        for stage, each in table.items():
            for way in each * config.turns:
                given = answers[stage].setdefault(way, [])
                try:
                    given.append(bench.turn(stage, way))
                except UserError as error:
                    if not bench.on_gpu:
                        raise
                    print(f"{stage}, {way.name}: {error}", file=sys.stderr)
                bar.update()
    return answers


def has_gpu() -> bool:
    """Whether JAX computes on a GPU here; asked in another process, which leaves it free."""
    program = "import jax; print(jax.default_backend())"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    return done.stdout.strip() == "gpu"


def main() -> None:
    """Prints (and writes) a JSON object."""
    config = tyro.cli(Config, description=__doc__)
    if not (config.original / "p2_react_predictor.py").is_file():
        raise UserError(f"{config.original}: no checkout of the original; give it by --original")
    on_gpu = has_gpu() if config.device == "auto" else config.device == "gpu"
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as directory:
        bench = Bench(config, Path(directory), on_gpu)
        answers = take_turns(bench)
    result = {
        "command": f"python benchmarks/training.py --original CHECKOUT --turns {config.turns}"
        f" --passes {config.passes}",
        "what": "seconds of a training step, fastest pass; peak memory of the process",
        "stages": compare(answers, on_gpu),
        "first_loss": losses(answers),
        **record.machine(load, bench.versions),
    }
    record.write(result, config.out)


if __name__ == "__main__":
    run_command(main, keep=False)
