"""The process that `fuzz.py` gives damaged files to: python tools/fuzz_worker.py SEEDS SEED

Reads `[reader, number]` a line, answers each by `[outcome, words]`, and says `ready` first.
"""

import json
import os
import resource
import sys
import tempfile
import traceback
import warnings
from pathlib import Path

import numpy as np
from fuzz_mutations import mutate
from fuzz_readers import READERS, prepare_folder

from jaxreact.errors import UserError

MEMORY = 2 << 30
"""Bytes that a reader may take beyond what the program takes itself."""
READY = "ready"


def damaged(reader: str, seeds: Path, seed: int, number: int) -> bytes:
    """The file of this number for a reader."""
    rng = np.random.default_rng([seed, number, *reader.encode()])
    files = sorted({path for each in READERS[reader].seeds for path in seeds.glob(each)})
    one, other = (files[int(rng.integers(len(files)))].read_bytes() for _ in range(2))
    return mutate(one, other, rng)


def attempt(reader: str, path: Path) -> tuple[str, str]:
    """What a reader makes of the file, and of an exception its kind and where it began."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            READERS[reader].read(path)
    except UserError as error:
        text = str(error)
        if "\n" in text or not any(str(part) in text for part in (path, path.parent)):
            return "unclear", text[:300]
        return "refused", ""
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)
        ours = [frame for frame in frames if "/jaxreact/" in frame.filename]
        place = ours[-1] if ours else frames[-1]
        file = place.filename.rpartition("/jaxreact/")[2]
        return "escaped", f"{type(error).__name__} at {file}:{place.lineno}"
    return "accepted", ""


def work(seeds: Path, seed: int) -> None:
    """Reads and answers until the end of the input."""
    answers = os.fdopen(os.dup(1), "w")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)  # what readers and libraries print
    os.dup2(nowhere, 2)
    taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (taken + MEMORY, taken + MEMORY))
    print(READY, file=answers, flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for line in sys.stdin:
            reader, number = json.loads(line)
            base = Path(folder) / reader.replace(" ", "_")
            if not base.is_dir():
                prepare_folder(seeds, base)
            path = base / READERS[reader].name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(damaged(reader, seeds, seed, number))
            print(json.dumps(attempt(reader, path)), file=answers, flush=True)


if __name__ == "__main__":
    work(Path(sys.argv[1]), int(sys.argv[2]))
