"""Whether training learns to react: a system from scratch, scored on dyads never seen.

    python benchmarks/learnability.py --out benchmarks/results/learnability_demo.json
    python benchmarks/learnability.py --system fiber --out FILE

Each seed has a world of its own: other persons, stories and sounds, other first weights, other
draws. So the interval of the mean says what somebody may expect who repeats the whole, and not
only what the same conversations give again. The figures are means over the seeds with their 95 %
confidence interval (Student's t).

An interrupted benchmark goes on with the same command: `--work` keeps what each seed has made.
"""

import json
import os
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import jax
import record
import tyro
from learnability_measures import variety
from learnability_table import intervals, table

from jaxreact.audio_features.wav2vec2 import AudioEncoderConfig
from jaxreact.commands import run_command
from jaxreact.data.prepare import PrepareConfig, prepare
from jaxreact.errors import UserError
from jaxreact.evaluation.command import evaluate
from jaxreact.evaluation.config import Evaluation
from jaxreact.files import replacing
from jaxreact.metrics import NAMES
from jaxreact.simulation import SimulateConfig, simulate
from jaxreact.systems.fiber.presets import PREDICTOR_PRESETS, TOKENIZER_PRESETS
from jaxreact.systems.fiber.train_predictor import train_predictor
from jaxreact.systems.fiber.train_tokenizer import train_tokenizer
from jaxreact.systems.framewise.presets import PRESETS as FRAMEWISE_PRESETS
from jaxreact.systems.framewise.training import train_framewise

STAGES = {"fiber": ("tokenizer", "predictor"), "framewise": ("model",)}
"""Of each system, the last of which is what reacts."""


@dataclass(frozen=True)
class Config:
    """What to train, how often, and on how much."""

    system: Literal["framewise", "fiber"] = "framewise"
    preset: str = "demo"
    """Of every stage; `demo` takes minutes on two cores, what has the released sizes (`improved`,
    `react2024` of FIBER, `full` of the frame-wise listener) wants a GPU."""
    seeds: int = 3
    dyads: tuple[int, int] = (144, 16)
    """Simulated dyads for training, and unseen ones for the scores; each gives two clips."""
    samples: int = 10
    """Reactions to each clip."""
    wav2vec2: Path | None = None
    """Of FIBER: a converted wav2vec2 encoder; without it the presets of released size get a random
    one."""
    epochs: tuple[int, ...] | None = None
    """Epochs of each stage instead of the presets'."""
    work: Path = Path("runs/learnability")
    """Holds data and runs of every seed."""
    out: Path | None = None
    """JSON file for the result."""

    def folder(self, seed: int) -> Path:
        """What all systems share: the data."""
        return self.work / self.preset / f"seed_{seed}"

    def home(self, seed: int) -> Path:
        """What is the system's own."""
        return self.folder(seed) / self.system


def begun(run: Path) -> bool:
    """Whether a run directory holds a state to go on from."""
    return any(path.name.isdecimal() for path in (run / "state").glob("*"))


def stage_config(preset: Any, config: Config, seed: int, number: int, **fields: Any) -> Any:
    """The preset's configuration for one seed; it resumes what has begun."""
    made = preset(out=config.home(seed) / STAGES[config.system][number], **fields)
    epochs = made.loop.epochs if config.epochs is None else config.epochs[number]
    loop = replace(made.loop, seed=seed, epochs=epochs)
    return replace(made, loop=loop, resume=begun(made.out))


def train_once(train: Any, config: Any) -> float:
    """Trains unless it has been done; returns the seconds that it took, this time at least."""
    done = config.out / "complete"
    if not done.exists():
        start = time.perf_counter()
        train(config)
        done.write_text(f"{time.perf_counter() - start:.0f}\n")
    return float(done.read_text())


def train_fiber(config: Config, seed: int, data: Path) -> list[float]:
    tokenizer = stage_config(TOKENIZER_PRESETS[config.preset], config, seed, 0, data=data)
    predictor = stage_config(
        PREDICTOR_PRESETS[config.preset], config, seed, 1, data=data, tokenizer=tokenizer.out
    )
    predictor = replace(predictor, wav2vec2=config.wav2vec2)
    if config.wav2vec2 is None and predictor.untrained_encoder is None:
        predictor = replace(predictor, untrained_encoder=AudioEncoderConfig())
    return [train_once(train_tokenizer, tokenizer), train_once(train_predictor, predictor)]


def train_stages(config: Config, seed: int, data: Path) -> dict[str, float]:
    """Trains all stages of a seed; returns the seconds of each."""
    if config.system == "fiber":
        seconds = train_fiber(config, seed, data)
    else:
        stage = stage_config(FRAMEWISE_PRESETS[config.preset], config, seed, 0, data=data)
        seconds = [train_once(train_framewise, stage)]
    return dict(zip(STAGES[config.system], seconds, strict=True))


def run_seed(config: Config, seed: int) -> dict[str, Any]:
    """All figures of one seed; read again if they are there."""
    folder, home = config.folder(seed), config.home(seed)
    identity = {
        "dyads": config.dyads,
        "samples": config.samples,
        "epochs": config.epochs,
        "scores": NAMES,
    }
    result = home / "result.json"
    if result.exists():
        found = json.loads(result.read_text())
        if found["identity"] != json.loads(json.dumps(identity)):
            raise UserError(f"{result}: of other options; choose another --work or delete it")
        return found
    data = folder / "data"
    if not (folder / "cache" / "cache.json").exists():
        simulate(SimulateConfig(out=data, split=(*config.dyads, 1), seed=seed))
        prepare(PrepareConfig(data, folder / "cache"))
    seconds = train_stages(config, seed, folder / "cache")
    made = Evaluation(
        data=data,
        out=home / "evaluation",
        run=home / STAGES[config.system][-1],
        samples=config.samples,
        seed=seed,
    )
    print(evaluate(made))
    scores = json.loads((made.out / "metrics.json").read_text())
    found = {
        "identity": identity,
        "seed": seed,
        "seconds": seconds,
        "scores": {"model": scores["scores"], **scores["baselines"]},
        "variety": variety(data, made.out / "predictions.npz", seed),
    }
    with replacing(result) as path:
        path.write_text(json.dumps(found, indent=1) + "\n")
    return found


def main() -> None:
    """Prints a markdown table, and writes a JSON object."""
    config = tyro.cli(Config, description=__doc__)
    presets = TOKENIZER_PRESETS if config.system == "fiber" else FRAMEWISE_PRESETS
    if config.preset not in presets:
        raise UserError(f"--preset {config.preset}: choose one of {', '.join(presets)}")
    if config.epochs is not None and len(config.epochs) != len(STAGES[config.system]):
        raise UserError(f"--epochs: give one for each of {', '.join(STAGES[config.system])}")
    if config.seeds < 2:
        raise UserError(f"--seeds {config.seeds}: an interval needs two or more")
    load = os.getloadavg()[0]
    found = [run_seed(config, seed) for seed in range(config.seeds)]
    summary = intervals(found)
    result = {
        "command": f"python benchmarks/learnability.py --system {config.system}"
        f" --preset {config.preset}"
        f" --seeds {config.seeds} --dyads {config.dyads[0]} {config.dyads[1]}",
        "what": "mean over seeds and half-width of its 95 % confidence interval",
        "summary": summary,
        "seeds": found,
        "device": jax.devices()[0].device_kind,
        **record.machine(load),
    }
    print(table(summary))
    if config.out is not None:
        with replacing(config.out) as path:
            path.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    run_command(main, keep=False)
