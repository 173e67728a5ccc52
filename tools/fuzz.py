"""Gives every reader damaged files and counts what becomes of them.

    python tools/fuzz.py --inputs 1000
    python tools/fuzz.py --inputs 20000 --readers npy "emotion csv" --keep FOLDER

A damaged file may be accepted, if what is left of it is whole, or refused by a `UserError` of one
line that names it; any other exception has escaped. Readers run in a process of their own, whose
memory is limited and which is ended where it hangs, so that a crash is counted too. The same seed
gives the same files. `--keep` writes those that were not dealt with well; they may crash programs,
so keep them to yourself.
"""

import json
import select
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro
from fuzz_readers import READERS, make_seeds
from fuzz_worker import READY, damaged

SECONDS = 20
"""How long a reader may take for a small file."""
WELL = ("accepted", "refused")


@dataclass(frozen=True)
class Fuzz:
    """Tries damaged files on every reader and prints how many were dealt with how."""

    inputs: int = 1000
    """Files for each reader."""
    seed: int = 0
    readers: Annotated[list[str], tyro.conf.arg(metavar="NAME")] = field(
        default_factory=lambda: list(READERS)
    )
    """Which readers."""
    keep: Path | None = None
    """Folder for the files that were not dealt with well."""


class Worker:
    """The process that reads; a new one after each that ended or hung."""

    def __init__(self, seeds: Path, seed: int):
        script = Path(__file__).with_name("fuzz_worker.py")
        self._command = [sys.executable, str(script), str(seeds), str(seed)]
        self._process: subprocess.Popen[str] | None = None

    def _started(self) -> subprocess.Popen[str]:
        if self._process is None:
            process = subprocess.Popen(
                self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
            assert process.stdout is not None
            if process.stdout.readline().strip() != READY:
                raise SystemExit("the process that reads does not start")
            self._process = process
        return self._process

    def ask(self, reader: str, number: int) -> tuple[str, str]:
        """What became of a file."""
        process = self._started()
        assert process.stdin is not None
        assert process.stdout is not None
        print(json.dumps([reader, number]), file=process.stdin, flush=True)
        if not select.select([process.stdout], [], [], SECONDS)[0]:
            self.end()
            return "hung", f"longer than {SECONDS} s"
        line = process.stdout.readline()
        if not line:
            status = process.wait()
            self._process = None
            return "crashed", f"exit status {status}"
        outcome, words = json.loads(line)
        return outcome, words

    def end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


def fuzz(config: Fuzz, seeds: Path) -> None:
    """Tries all files and prints a line a reader, then each way that did not go well once."""
    worker, badly = Worker(seeds, config.seed), Counter[tuple[str, str, str]]()
    kinds = (*WELL, "unclear", "escaped", "crashed", "hung")
    print(f"{'reader':22s}" + "".join(f"{kind:>10s}" for kind in ("inputs", *kinds)))
    total = Counter[str]()
    for reader in config.readers:
        counts = Counter[str]()
        for number in range(config.inputs):
            outcome, words = worker.ask(reader, number)
            counts[outcome] += 1
            if outcome not in WELL:
                badly[reader, outcome, words] += 1
                _keep(config, seeds, reader, number)
        total += counts
        print(_line(reader, counts, kinds), flush=True)
    worker.end()
    print(_line("together", total, kinds))
    for (reader, outcome, words), count in badly.most_common():
        print(f"{count} x {reader}: {outcome}: {words}")


def _line(title: str, counts: Counter[str], kinds: tuple[str, ...]) -> str:
    numbers = (counts.total(), *(counts[kind] for kind in kinds))
    return f"{title:22s}" + "".join(f"{number:10d}" for number in numbers)


def _keep(config: Fuzz, seeds: Path, reader: str, number: int) -> None:
    if config.keep is not None:
        config.keep.mkdir(parents=True, exist_ok=True)
        name = f"{reader.replace(' ', '_')}-{number}-{Path(READERS[reader].name).name}"
        (config.keep / name).write_bytes(damaged(reader, seeds, config.seed, number))


def main() -> None:
    """Makes the whole files and tries damaged ones."""
    config = tyro.cli(Fuzz)
    with tempfile.TemporaryDirectory() as folder:
        make_seeds(Path(folder))
        fuzz(config, Path(folder))


if __name__ == "__main__":
    main()
