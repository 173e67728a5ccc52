"""Run directories of any system -> checkpoints of the original that it was made after."""

from pathlib import Path

from jaxreact import runs
from jaxreact.systems.fiber import to_torch as fiber
from jaxreact.systems.trans_vae import to_torch as trans_vae
from jaxreact.systems.trans_vae.kinds import TRANS_VAE


def write_torch(run: Path, out: Path) -> None:
    """A run directory -> a checkpoint that its original loads. Needs torch.

    Raises UserError where it is missing, and for what has no such checkpoint.
    """
    if (run / "config.json").is_file() and runs.kind_name(run) == TRANS_VAE.name:
        trans_vae.write_torch(run, out)
    else:
        fiber.write_torch(run, out)
