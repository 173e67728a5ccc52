"""Run by test_devices.py in a process of its own, since a process has its devices for life.

    python -m tests.evaluation.eight_devices DATA MODELS OUT BATCH

Prints the collective operations in the compiled generation: there should be none.
"""

import re
import sys
from pathlib import Path

import jax

from jaxreact.data.split import open_split
from jaxreact.evaluation.generate import Generation, predict
from jaxreact.systems.sampling import Sampling
from jaxreact.systems.system import load

WANTED = Generation("train", frames=64, samples=3, seed=7, sampling=Sampling())
COLLECTIVES = r"\b(all-gather|all-reduce|all-to-all|collective-permute|reduce-scatter)\b"


def main() -> None:
    root, runs, out, batch = sys.argv[1:]
    system = load(Path(runs) / "predictor", tokenizer=Path(runs) / "tokenizer")
    split = open_split(root, "train")
    truth = split.emotions(WANTED.frames)
    predict(system, split.data, split.dyads, WANTED, Path(out), truth, int(batch))
    print(jax.device_count(), *exchanges())


def exchanges() -> list[str]:
    """Collective operations in all that has been compiled."""
    texts = (path.read_text() for path in Path("hlo").glob("*after_optimizations.txt"))
    return sorted({name for text in texts for name in re.findall(COLLECTIVES, text)})


if __name__ == "__main__":
    main()
