"""Run directories of any system, and of the alignment network -> checkpoints of the original that
they were made after."""

from pathlib import Path

from jaxreact import runs
from jaxreact.metrics.alignment import to_torch as alignment
from jaxreact.metrics.alignment.load import ALIGNMENT
from jaxreact.systems.belfusion import to_torch as belfusion
from jaxreact.systems.fiber import to_torch as fiber
from jaxreact.systems.learning2listen import to_torch as learning2listen
from jaxreact.systems.trans_vae import to_torch as trans_vae

WRITERS = {
    "belfusion": belfusion.write_torch,
    "trans-vae": trans_vae.write_torch,
    "learning2listen": learning2listen.write_torch,
    ALIGNMENT.name: alignment.write_torch,
}
"""By the system in a kind's name, or the kind; of the others FIBER's, which says what it does not
know."""


def write_torch(run: Path, out: Path) -> None:
    """A run directory -> a checkpoint that its original loads. Needs torch.

    Raises UserError where it is missing, and for what has no such checkpoint.
    """
    is_run = (run / "config.json").is_file()
    system = runs.kind_name(run).partition("/")[0] if is_run else ""
    WRITERS.get(system, fiber.write_torch)(run, out)
