"""What every stage of training is configured by, whichever model it trains."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from tyro.conf import Suppress

from jaxreact.training.distributed import DistributedConfig
from jaxreact.training.loop import LoopConfig


@dataclass(frozen=True)
class StageTraining:
    """A stage's own options come after these, by keyword; `model` is among them."""

    MAY_CHANGE: ClassVar[tuple[str, ...]] = ()
    """Options of a stage's own that change no result, and may be others when a run is resumed."""

    data: Path
    """Root of a data set, of REACT2024 or MARS, or a cache made by jaxreact.data.prepare."""
    out: Path
    """Run directory to write."""
    resume: bool = False
    """Continue the run in `out` from its last checkpoint."""
    profile: Path | None = None
    """Trace a few steps into this folder (docs/speed.md says how to look at it)."""
    loop: LoopConfig = field(default_factory=LoopConfig)
    distributed: DistributedConfig = DistributedConfig()  # noqa: RUF009 (frozen)
    preset: Suppress[str] = ""
    """The preset that the command line named."""
