"""The command `python -m jaxreact.rendering compare`."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, UseAppendAction, arg

from jaxreact.errors import UserError
from jaxreact.rendering.options import Drawing
from jaxreact.rendering.pictures.out import check_out
from jaxreact.rendering.pictures.panels import Panel, columns_for, recorded, write_panels
from jaxreact.rendering.pictures.reactions import Reactions, Recording
from jaxreact.rendering.pictures.systems import React, read_systems

IN_A_ROW = 6
"""So many faces and fewer stand in one row."""


@dataclass(frozen=True)
class Compare:
    """Reactions of two to six systems to the same clip, side by side with the speaker's sound.

    With --data, or in files reaction.npz, the recorded persons stand before them.
    """

    predictions: Annotated[Positional[tuple[Path, ...]], arg(metavar="[A B C ...]")]
    """Files predictions.npz of the same split, or reaction.npz of the same video."""
    out: Annotated[Path, arg(metavar="FILE.mp4")]
    """The video."""
    run: Annotated[UseAppendAction[tuple[Path, ...]], arg(metavar="RUN")] = ()
    """Run directory of a system that is to react now, to the clip of --data; several times for
    several."""
    recording: Annotated[Recording, arg(name="")] = field(default_factory=Recording)
    sample: int = 1
    """Which of a system's reactions to the clip, from 1."""
    names: Annotated[tuple[str, ...], arg(metavar="NAME ...")] = ()
    """What to call the systems. Default: after their files or folders."""
    columns: int | None = None
    """Faces in a row. Default: what suits their number."""
    drawing: Annotated[Drawing, arg(name="")] = field(default_factory=Drawing)

    def write(self, react: React) -> None:
        """Writes the video and prints its path; `react` makes the reactions of --run."""
        check_out(self.out, ".mp4")
        if len(self.predictions) + len(self.run) < 2:
            raise UserError("give two systems or more; for one there is grid")
        named = read_systems(
            self.predictions, self.run, self.names, self.recording, self.sample, react
        )
        systems = [reactions for _, reactions in named]
        panels = [*recorded(systems[0]), *_chosen(named, self.sample)]
        columns = self.columns
        if columns is None:
            columns = len(panels) if len(panels) <= IN_A_ROW else columns_for(len(panels))
        write_panels(self.out, panels, columns, self.drawing, systems[0].sound)
        print(f"{systems[0].clip}: {', '.join(panel.name for panel in panels)}\n{self.out}")


def _chosen(systems: Sequence[tuple[str, Reactions]], sample: int) -> list[Panel]:
    """A panel for the same sample of each system."""
    for _, system in systems:
        if not 1 <= sample <= len(system.coeffs):
            raise UserError(f"--sample {sample}: {system.path} has 1 to {len(system.coeffs)}")
    return [Panel(name, system.coeffs[sample - 1]) for name, system in systems]
