"""Every stage that can be trained, as tests train it that take what all have in common."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.training.processes import finish, start_stage

FIRST = {
    "fiber/predictor": ("fiber/tokenizer", "--tokenizer"),
    "belfusion/denoiser": ("belfusion/vae", "--first"),
    "learning2listen/predictor": ("learning2listen/vqvae", "--first"),
}
"""Stages that need the run of another one, that one, and the option that names it."""


@dataclass(frozen=True)
class Trainings:
    """Trainings of any stages, with the preset debug and some more options."""

    data: Path
    folder: Path
    """Where whole runs are, and what JAX has compiled."""
    options: tuple[object, ...] = ()

    def start(self, stage: str, out: Path, *more: object) -> subprocess.Popen[str]:
        """Starts a training; where it needs the run of another stage, that is a whole one."""
        arguments = ("--data", self.data, "--out", out, *self.options, *self._first(stage), *more)
        return start_stage(stage, *arguments, cache=self.folder / "compiled")

    def whole(self, stage: str) -> Path:
        """The run of a training that nothing interrupted."""
        out = self.folder / stage
        if not out.exists():
            finish(self.start(stage, out))
        return out

    def _first(self, stage: str) -> tuple[object, ...]:
        if stage not in FIRST:
            return ()
        first, option = FIRST[stage]
        return option, self.whole(first)
