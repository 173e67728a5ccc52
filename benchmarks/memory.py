"""What it takes a training on a processor to be given its memory anew at every step.

    python benchmarks/memory.py --out benchmarks/results/memory_cpu.json

Trains stages of the preset `demo` on a few simulated conversations, with memory kept
(`jaxreact.commands.keep_memory`) and without, in turns, each in a process of its own. Seconds are
processor time of the whole command, the start and the compiling included; the least of the turns
counts.
"""

import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import record
import tyro

from jaxreact.commands import run_command
from jaxreact.simulation import SimulateConfig, simulate

MEASURED = """
import resource, runpy, sys
sys.argv = sys.argv[1:]
runpy.run_module("jaxreact.train", run_name="__main__")
used = resource.getrusage(resource.RUSAGE_SELF)
print("USED", used.ru_utime, used.ru_stime, used.ru_minflt, used.ru_maxrss)
"""
WAYS = {"kept": {}, "given anew": {"MALLOC_PERTURB_": "0"}}
"""A variable of glibc's that changes nothing, but that memory is not kept beside one."""


@dataclass(frozen=True)
class Config:
    """What to train, and how often."""

    stages: tuple[str, ...] = ("framewise", "belfusion/vae", "fiber/tokenizer")
    dyads: int = 32
    epochs: int = 12
    turns: int = 2
    out: Path | None = None
    """JSON file for the result."""


def trained(stage: str, data: Path, config: Config, variables: dict[str, str]) -> dict[str, float]:
    """Seconds of the user's and of the system's, pages given, and MiB at most."""
    with tempfile.TemporaryDirectory() as folder:
        options = ("--data", data, "--out", f"{folder}/run", "--loop.epochs", config.epochs)
        quiet = ("--loop.validate-every", config.epochs, "--loop.pictures-every", 0)
        done = subprocess.run(
            [sys.executable, "-c", MEASURED, "jaxreact.train", stage, "demo"]
            + [str(word) for word in (*options, *quiet)],
            env=os.environ | variables,
            capture_output=True,
            text=True,
            check=True,
        )
    found = re.findall(r"USED (\S+) (\S+) (\d+) (\d+)", done.stdout)[-1]
    user, system, pages, peak = map(float, found)
    return {"user": user, "system": system, "pages": pages, "peak_mib": peak / 1024}


def main() -> None:
    """Prints (and writes) a JSON object."""
    config = tyro.cli(Config, description=__doc__)
    load = os.getloadavg()[0]
    result: dict[str, object] = {
        "command": "python benchmarks/memory.py",
        "what": "processor seconds of a short training; pages of 4 KiB that the system gave",
    }
    with tempfile.TemporaryDirectory() as folder:
        simulate(SimulateConfig(Path(folder) / "data", split=(config.dyads, 2, 1)))
        for stage in config.stages:
            found = {way: [] for way in WAYS}
            for _ in range(config.turns):
                for way, variables in WAYS.items():
                    found[way].append(trained(stage, Path(folder) / "data", config, variables))
            result[stage] = {
                way: min(each, key=lambda one: one["user"] + one["system"])
                for way, each in found.items()
            }
    record.write({**result, **record.machine(load)}, config.out)


if __name__ == "__main__":
    run_command(main, keep=False)
