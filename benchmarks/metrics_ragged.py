"""How long FRD of clips of many lengths takes, beside the function that the challenge calls.

    python benchmarks/metrics_ragged.py --tslearn PYTHON \
        --out benchmarks/results/metrics_ragged_cpu.json

PYTHON is an interpreter of an environment with `pip install tslearn tqdm`. Both sides search for
the nearest targets of the same sample of clips (`metrics_ragged_workload.py`), lengths as they are,
in processes of their own, on all cores, one after the other; their scores must agree. Of ours the
second of two passes counts, since the first compiles. `wall` depends on what else the machine does,
`cpu`, of all cores together, hardly.

From the cells a second of ours follows what the validation split of MARS would take: 571 clips, ten
predictions and ten targets each, 2100 frames on average. That is an extrapolation; `--clips 571`
runs it. Then one clip of 20,000 frames shows that memory grows with the length and not with its
square.
"""

import json
import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import metrics_ragged_workload as workload
import numpy as np
import record
import tyro
from side_by_side import Worker

from jaxreact.commands import run_command
from jaxreact.errors import UserError

MARS = 571
MARS_CELLS = MARS * workload.SAMPLES * workload.TARGETS * workload.MEAN**2


@dataclass(frozen=True)
class Config:
    """What to score, and beside what."""

    tslearn: Path | None = None
    """The interpreter of an environment that has tslearn; without one, ours alone."""
    clips: int = 8
    longest: bool = True
    """Whether to score a clip of 20,000 frames too."""
    out: Path | None = None


def ours(folder: Path, passes: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """The last pass's answer, and versions."""
    worker = Worker("metrics_ragged_ours.py", folder)
    answers = [worker.run() for _ in range(passes)]
    worker.close()
    return answers[-1], worker.versions


def theirs(python: Path, folder: Path) -> dict[str, Any]:
    """What tslearn's side answers."""
    script = Path(__file__).with_name("metrics_ragged_tslearn.py")
    done = subprocess.run(
        [str(python), str(script), str(folder)], stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode:
        raise UserError(f"--tslearn: {python} failed; see above. It needs pip install tslearn tqdm")
    return json.loads(done.stdout.splitlines()[-1])


def rounded(numbers: dict[str, float]) -> dict[str, float]:
    """For people."""
    return {name: round(number, 2) for name, number in numbers.items()}


def compared(config: Config, folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """The sample's rows of the result, and versions."""
    workload.make(folder, config.clips)
    answer, versions = ours(folder, passes=2)
    seconds, found = answer["seconds"]["FRD"], answer["result"]
    cells = workload.cells(folder)
    lengths = [clip.shape[1] for clip in workload.load(folder)[0]]
    result: dict[str, Any] = {
        "sample": {
            "clips": config.clips,
            "mean_frames": round(float(np.mean(lengths))),
            "cells": cells,
            "seconds": {name: rounded(one) for name, one in answer["seconds"].items()},
            "own_gib": rounded({name: found[f"{name} own_gib"] for name in answer["seconds"]}),
            "FRD": found["FRD"],
        },
        "extrapolated_to_mars": {
            "clips": MARS,
            "cells": MARS_CELLS,
            "minutes": rounded({k: MARS_CELLS * v / cells / 60 for k, v in seconds.items()}),
        },
    }
    if config.tslearn is not None:
        other = theirs(config.tslearn, folder)
        np.testing.assert_allclose(other["FRD"], found["FRD"], rtol=1e-5)
        result["tslearn"] = {
            "FRD": other["FRD"],
            "seconds": rounded({clock: other[clock] for clock in seconds}),
            "times_slower": rounded({clock: other[clock] / seconds[clock] for clock in seconds}),
        }
        versions["tslearn"] = other["version"]
    return result, versions


def main() -> None:
    """Prints (and writes) a JSON object."""
    config = tyro.cli(Config, description=__doc__)
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        rows, versions = compared(config, Path(folder))
    peer = "" if config.tslearn is None else " --tslearn PYTHON"
    shorter = "" if config.longest else " --no-longest"
    result: dict[str, Any] = {
        "command": f"python benchmarks/metrics_ragged.py{peer} --clips {config.clips}{shorter}",
        "what": "seconds of FRD in mode corrected on clips of many lengths, second pass",
        "predictions": workload.SAMPLES,
        "targets": workload.TARGETS,
        **rows,
    }
    if config.longest:
        with tempfile.TemporaryDirectory() as folder:
            workload.make(Path(folder), 1, workload.LONGEST)
            answer, _ = ours(Path(folder), passes=1)
        result["one_clip_of_20000_frames"] = {
            "seconds": round(answer["seconds"]["FRD"]["wall"], 1),
            "own_gib": round(answer["result"]["FRD own_gib"], 2),
        }
    record.write({**result, **record.machine(load, versions)}, config.out)


if __name__ == "__main__":
    run_command(main, keep=False)
