"""Several systems' reactions to the same clip, which `compare` and `player` show side by side."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from jaxreact.errors import UserError
from jaxreact.rendering.pictures.reactions import Reactions, Recording, read_reactions

MOST = 6
"""Systems that are shown side by side."""

React = Callable[[Path, Recording, int], Reactions]
"""(a system's run directory, which clip, how many samples) -> its reactions to the clip."""


def read_systems(
    predictions: Sequence[Path],
    runs: Sequence[Path],
    names: Sequence[str],
    recording: Recording,
    samples: int,
    react: React,
) -> list[tuple[str, Reactions]]:
    """Each system's name and reactions: those of files, then those that `react` makes of runs.

    Raises `UserError` for too many systems or none, for other clips than those of the first, and
    like `read_reactions` and `react`.
    """
    paths = [*predictions, *runs]
    if not 1 <= len(paths) <= MOST:
        raise UserError(f"{len(paths)} systems; give 1 to {MOST} files of predictions or --run RUN")
    if names and len(names) != len(paths):
        raise UserError(f"--names: {len(names)} names for {len(paths)} systems")
    if len(set(names)) < len(names):
        raise UserError(f"--names: {', '.join(names)} do not tell the systems apart")
    systems = [read_reactions(path, recording) for path in predictions]
    for other in systems[1:]:
        check_same(systems[0], other)
    for run in runs:
        made = react(run, recording, samples)
        if systems:
            check_same(systems[0], made)
        systems.append(made)
    return list(zip(names or distinct_names(paths), systems, strict=True))


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
    one, two = first.speaker, other.speaker
    for mine, yours in ((one.coeffs, two.coeffs), (one.emotion, two.emotion)):
        if mine is not None and yours is not None:
            frames = min(len(mine), len(yours))
            if not np.array_equal(mine[:frames], yours[:frames]):
                raise UserError(f"{other.path}: another speaker than in {first.path}")
