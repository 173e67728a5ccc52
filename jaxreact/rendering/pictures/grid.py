"""The command `python -m jaxreact.rendering grid`."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from jaxreact.errors import UserError
from jaxreact.rendering.options import Drawing
from jaxreact.rendering.pictures.out import check_out
from jaxreact.rendering.pictures.panels import Panel, recorded, write_panels
from jaxreact.rendering.pictures.reactions import Reactions, Recording, read_reactions


@dataclass(frozen=True)
class Grid:
    """Sampled reactions to one clip, side by side in one video with the speaker's sound.

    With --data, or in a reaction.npz, the recorded persons stand before them.
    """

    predictions: Annotated[Positional[Path], arg(metavar="PREDICTIONS")]
    """predictions.npz of evaluate.py, or reaction.npz of jaxreact.react."""
    out: Annotated[Path, arg(metavar="FILE.mp4")]
    """The video."""
    recording: Annotated[Recording, arg(name="")] = field(default_factory=Recording)
    samples: int | None = None
    """How many reactions, from the first. Default: all."""
    columns: int | None = None
    """Faces in a row. Default: what suits their number."""
    drawing: Annotated[Drawing, arg(name="")] = field(default_factory=Drawing)

    def run(self) -> None:
        """Writes the video and prints its path."""
        check_out(self.out, ".mp4")
        reactions = read_reactions(self.predictions, self.recording)
        panels = grid_panels(reactions, self.samples)
        write_panels(self.out, panels, self.columns, self.drawing, reactions.sound)
        print(f"{reactions.clip}: {', '.join(panel.name for panel in panels)}\n{self.out}")


def grid_panels(reactions: Reactions, samples: int | None = None) -> list[Panel]:
    """The recorded persons that are known, then the first so many samples (None: all)."""
    known = len(reactions.coeffs)
    if samples is not None and not 1 <= samples <= known:
        raise UserError(f"--samples {samples}: {reactions.path} has {known} of each clip")
    shown = reactions.coeffs[:samples]
    names = [f"sample {number}" for number in range(1, known + 1)]
    return [
        *recorded(reactions),
        *(Panel(name, coeffs) for name, coeffs in zip(names, shown, strict=False)),
    ]
