"""Everything that is said of a GPU, measured in the few minutes that one is rented for.

    python benchmarks/gpu.py --out gpu.json [--original CHECKOUT] [--train 3]

Needs no network. Each way runs in a process of its own with its own time limit (`gpu_ways.py`), the
most important first, and FILE holds after each what is known so far: a result, or why there is
none. What a machine lacks is skipped and said. Models have the released sizes and random weights.

`first` and `second` are starts of a process with an empty and with a filled compilation cache, to
the end of its first step; the time of a step is the median of those after it. Utilisation is of the
device's dense peak in the precision that the products have.

docs/speed.md says what to carry to a machine that has no network. The project need not be installed
there: it is found beside this script.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

import record  # noqa: E402
import tyro  # noqa: E402
from tqdm import tqdm  # noqa: E402

from jaxreact.commands import run_command  # noqa: E402
from jaxreact.errors import UserError  # noqa: E402
from jaxreact.files import replacing  # noqa: E402

WAYS = Path(__file__).with_name("gpu_ways.py")
LEAST = 5
"""Seconds that must be left for a way to begin."""
NO_RESULT = {"failed", "skipped", "stopped_after"}


@dataclass(frozen=True)
class Config:
    """What to measure, and how long."""

    out: Path
    """JSON, written anew after each way; results that it holds already are not measured again."""
    original: Path | None = None
    """A checkout of the original repository, to run beside."""
    sizes: Literal["released", "small"] = "released"
    """small: to try the script out on a processor."""
    minutes: float = 9.0
    """All ways together; what does not fit any more is left out."""
    patience: float = 1.0
    """Ways may take so many times as long, for a machine that is busy."""
    train: float | None = None
    """Also train preset `improved` for so many minutes, from simulation to the table."""
    only: tuple[str, ...] = ()
    """Names of ways; by default all."""


@dataclass(frozen=True)
class Way:
    name: str
    limit: float
    """Seconds."""
    arguments: tuple[str, ...]
    environment: tuple[tuple[str, str], ...] = ()
    needs_original: bool = False


def step(kind: str, rows: int, precision: str, known: str = "nothing") -> tuple[str, ...]:
    return ("step", kind, str(rows), precision, known)


WRITTEN_OUT = (("JAXREACT_FUSED_ATTENTION", "off"),)
TABLE = (
    Way("attention kernel", 90, ("kernel",)),
    Way("golden parity", 90, ("parity",)),
    Way("predictor step 16 tensorfloat32, first", 150, step("predictor", 16, "tensorfloat32")),
    Way("predictor step 16 tensorfloat32, second", 60, step("predictor", 16, "tensorfloat32")),
    Way(
        "predictor step 64 bfloat16, codes known",
        100,
        step("predictor", 64, "bfloat16", "codes"),
    ),
    Way(
        "predictor step 64 bfloat16, codes and features known",
        100,
        step("predictor", 64, "bfloat16", "codes and features"),
    ),
    Way("predictor step 64 bfloat16", 100, step("predictor", 64, "bfloat16")),
    Way("generation, first", 100, ("generation",)),
    Way("generation, second", 50, ("generation",)),
    Way("tokenizer step 8 tensorfloat32, first", 100, step("tokenizer", 8, "tensorfloat32")),
    Way("tokenizer step 8 tensorfloat32, second", 50, step("tokenizer", 8, "tensorfloat32")),
    Way("tokenizer step 64 bfloat16", 80, step("tokenizer", 64, "bfloat16")),
    Way("one stream, 32 frames at once", 70, ("stream", "32")),
    Way("60 streams, 32 frames at once", 80, ("streams", "32", "60")),
    Way("codes", 60, ("codes",)),
    Way("FRD", 80, ("frd",)),
    Way("PyTorch3D", 60, ("pytorch3d",)),
    Way("passes", 60, ("passes",)),
    Way(
        "predictor step 256 bfloat16, codes and features known",
        100,
        step("predictor", 256, "bfloat16", "codes and features"),
    ),
    Way(
        "predictor step 64 bfloat16, attention written out",
        100,
        step("predictor", 64, "bfloat16"),
        WRITTEN_OUT,
    ),
    Way("original predictor step 16", 60, ("original", "predictor", "16"), needs_original=True),
    Way("original tokenizer step 8", 60, ("original", "tokenizer", "8"), needs_original=True),
    Way("original generation", 60, ("original_generation",), needs_original=True),
    Way("PIRender", 80, ("pirender",)),
    Way("predictor step 16 float32", 90, step("predictor", 16, "float32")),
)
"""The most important first."""


def training(minutes: float) -> Way:
    return Way("training", 60 * minutes, ("train", str(minutes)))


class Bench:
    """Runs ways, and writes what is known after each."""

    def __init__(self, config: Config, folder: Path):
        self.config, self.folder = config, folder
        self.began = time.monotonic()
        self.load = os.getloadavg()[0]
        self.ways: dict[str, Any] = {}
        if config.out.exists():
            held = json.loads(config.out.read_text())["ways"]
            self.ways = {name: found for name, found in held.items() if not NO_RESULT & set(found)}

    def left(self) -> float:
        return 60 * self.config.minutes - (time.monotonic() - self.began)

    def measure(self, way: Way) -> None:
        if way.needs_original and self.config.original is None:
            self.keep(way, {"skipped": "no --original"})
            return
        limit = way.limit * self.config.patience
        left = limit if way.name == "training" else self.left()
        if left < LEAST:
            self.keep(way, {"skipped": "no time left"})
            return
        self.keep(way, self.run(way, min(limit, left)))

    def run(self, way: Way, limit: float) -> dict[str, Any]:
        command = [sys.executable, str(WAYS), "--sizes", self.config.sizes]
        if way.needs_original:
            command += ["--original", str(self.config.original)]
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "JAX_COMPILATION_CACHE_DIR": str(self.folder / "programs" / way.name.split(",")[0]),
            "GPU_WAYS_FOLDER": str(self.folder),
            "GPU_WAYS_BEGAN": repr(time.time()),
            **dict(way.environment),
        }
        began = time.monotonic()
        with (self.folder / "stderr").open("w+") as noise:
            process = subprocess.Popen(
                [*command, *way.arguments],
                stdout=subprocess.PIPE,
                stderr=noise,
                text=True,
                env=environment,
                start_new_session=True,
            )
            try:
                answer, _ = process.communicate(timeout=limit)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.communicate()
                return {"stopped_after": round(limit, 1)}
            noise.seek(0)
            last = noise.read().strip().splitlines()[-1:]
        seconds = round(time.monotonic() - began, 1)
        if process.returncode:
            return {"failed": "".join(last)[:400], "seconds": seconds}
        return {**json.loads(answer.strip().splitlines()[-1]), "seconds": seconds}

    def keep(self, way: Way, found: dict[str, Any]) -> None:
        self.ways[way.name] = found
        print(json.dumps({way.name: found}), flush=True)
        result = {
            "command": f"python benchmarks/gpu.py --sizes {self.config.sizes}",
            "minutes": round((time.monotonic() - self.began) / 60, 2),
            "ways": self.ways,
            **record.machine(self.load),
        }
        with replacing(self.config.out) as path:
            path.write_text(json.dumps(result, indent=1) + "\n")


def main() -> None:
    config = tyro.cli(Config, description=__doc__)
    if config.original is not None and not (config.original / "p2_react_predictor.py").is_file():
        raise UserError(f"{config.original}: no checkout of the original; give it by --original")
    ways = [*TABLE, *([] if config.train is None else [training(config.train)])]
    if unknown := set(config.only) - {way.name for way in ways}:
        raise UserError(f"--only {', '.join(sorted(unknown))}: no such way")
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(config, Path(folder))
        wanted = [way for way in ways if not config.only or way.name in config.only]
        for way in tqdm([way for way in wanted if way.name not in bench.ways], disable=None):
            bench.measure(way)


if __name__ == "__main__":
    run_command(main, keep=False)
