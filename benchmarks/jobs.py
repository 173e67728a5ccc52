"""Jobs of a benchmark, each in a process of its own, which prints its answer as JSON last."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jaxreact.errors import UserError

HERE = Path(__file__).parent


def answer(
    script: str,
    *words: object,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Any:
    """What a script of this directory answers to words on its command line.

    `environment` is added to this process's; the job runs in `folder`, here without. What it says
    beside, it says where this process does. Raises `UserError` where it fails.
    """
    done = subprocess.run(
        [sys.executable, str(HERE / script), *map(str, words)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **(environment or {})},
        cwd=folder,
    )
    if done.returncode:
        said = " ".join(map(str, (script, *words)))
        raise UserError(f"{said}: ended with {done.returncode}; see above")
    return json.loads(done.stdout.splitlines()[-1])
