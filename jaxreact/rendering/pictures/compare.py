"""The command `python -m jaxreact.rendering compare`."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import numpy as np
from tyro.conf import Positional, arg

from jaxreact.errors import UserError
from jaxreact.rendering.options import Drawing
from jaxreact.rendering.pictures.out import check_out
from jaxreact.rendering.pictures.panels import Panel, columns_for, recorded, write_panels
from jaxreact.rendering.pictures.reactions import Reactions, Recording, read_reactions

IN_A_ROW = 6
"""So many faces and fewer stand in one row."""


@dataclass(frozen=True)
class Compare:
    """Reactions of several systems to the same clip, side by side with the speaker's sound.

    With --data, or in files reaction.npz, the recorded persons stand before them.
    """

    predictions: Annotated[Positional[tuple[Path, ...]], arg(metavar="A B [C ...]")]
    """Two or more files predictions.npz of the same split, or reaction.npz of the same video."""
    out: Annotated[Path, arg(metavar="FILE.mp4")]
    """The video."""
    recording: Annotated[Recording, arg(name="")] = field(default_factory=Recording)
    sample: int = 1
    """Which of a system's reactions to the clip, from 1."""
    names: Annotated[tuple[str, ...], arg(metavar="NAME ...")] = ()
    """What to call the systems. Default: after their files or folders."""
    columns: int | None = None
    """Faces in a row. Default: what suits their number."""
    drawing: Annotated[Drawing, arg(name="")] = field(default_factory=Drawing)

    def run(self) -> None:
        """Writes the video and prints its path."""
        check_out(self.out, ".mp4")
        if len(self.predictions) < 2:
            raise UserError("give two files of predictions or more; for one there is grid")
        names = self.names or distinct_names(self.predictions)
        if len(names) != len(self.predictions):
            raise UserError(f"--names: {len(names)} names for {len(self.predictions)} files")
        systems = [read_reactions(path, self.recording) for path in self.predictions]
        for other in systems[1:]:
            check_same(systems[0], other)
        panels = [*recorded(systems[0]), *_chosen(systems, names, self.sample)]
        columns = self.columns
        if columns is None:
            columns = len(panels) if len(panels) <= IN_A_ROW else columns_for(len(panels))
        write_panels(self.out, panels, columns, self.drawing, systems[0].sound)
        print(f"{systems[0].clip}: {', '.join(panel.name for panel in panels)}\n{self.out}")


def distinct_names(paths: Sequence[Path]) -> list[str]:
    """Names that tell files apart: their own if they differ, else their folders', else both."""
    whole = [path.resolve() for path in paths]
    for name in (
        [path.stem for path in whole],
        [path.parent.name for path in whole],
        [f"{path.parent.parent.name}/{path.parent.name}" for path in whole],
    ):
        if len(set(name)) == len(paths):
            return name
    return [f"{path.parent.name} ({number})" for number, path in enumerate(whole, start=1)]


def check_same(first: Reactions, other: Reactions) -> None:
    """Raises `UserError`, naming both files, unless they are of the same clips."""
    if (first.clips is None) != (other.clips is None):
        named, bare = (first, other) if first.clips else (other, first)
        raise UserError(
            f"{bare.path}: does not say which clips it holds, as {named.path} does; give --data"
        )
    for index, (ours, theirs) in enumerate(zip(first.clips or (), other.clips or (), strict=False)):
        if ours != theirs:
            raise UserError(f"{other.path}: clip {index} is {theirs}, in {first.path} it is {ours}")
    if len(first.clips or ()) != len(other.clips or ()):
        counts = f"{len(other.clips or ())} clips, {first.path} has {len(first.clips or ())}"
        raise UserError(f"{other.path}: {counts}")
    mine, yours = first.speaker.coeffs, other.speaker.coeffs
    if mine is not None and yours is not None:
        frames = min(len(mine), len(yours))
        if not np.array_equal(mine[:frames], yours[:frames]):
            raise UserError(f"{other.path}: another speaker than in {first.path}")


def _chosen(systems: Sequence[Reactions], names: Sequence[str], sample: int) -> list[Panel]:
    """A panel for the same sample of each system."""
    for system in systems:
        if not 1 <= sample <= len(system.coeffs):
            raise UserError(f"--sample {sample}: {system.path} has 1 to {len(system.coeffs)}")
    return [
        Panel(name, system.coeffs[sample - 1]) for system, name in zip(systems, names, strict=True)
    ]
