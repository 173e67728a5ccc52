"""A system's reactions to one clip of a data set, for those who want to look at them."""

from pathlib import Path

import numpy as np

from jaxreact.data.pipeline import evaluation_items
from jaxreact.data.split import open_split
from jaxreact.errors import UserError
from jaxreact.evaluation.generate import Generation, needed, reactor
from jaxreact.rendering.pictures.reactions import Reactions, Recording, find_clip, with_recorded
from jaxreact.sharding import make_device_mesh
from jaxreact.systems.sampling import Sampling
from jaxreact.systems.system import load

SEED = 0
"""That of evaluate.py where its --seed does not say: the same samples of the same clip come out."""


def react_to_clip(run: Path, recording: Recording, samples: int) -> Reactions:
    """Loads a run directory's system and has it react to the whole clip that `recording` names.

    Raises `UserError` without a data set, for a clip that is not in it or too short, and for a
    system that cannot be loaded, or lacks something that it needs of the data set.
    """
    if recording.data is None:
        raise UserError(f"--run {run}: reacts to a clip of a data set; give --data and --clip")
    system = load(run)
    split = open_split(recording.data, recording.split)
    index = find_clip(split.data.path, recording.clip, len(split.dyads), split.clips)
    dyad = split.dyads[index]
    frames = dyad.frames // system.frame_multiple * system.frame_multiple
    if not frames:
        raise UserError(
            f"{dyad.speaker.name}: {dyad.frames} frames, {system.name} ({run}) reacts to "
            f"{system.frame_multiple} at once"
        )
    items = evaluation_items(split.data, [dyad], frames, modalities=needed(system))
    mesh = make_device_mesh()
    request = Generation(recording.split, frames, samples, SEED, Sampling())
    react = reactor(system, request, mesh.devices, mesh)
    made = react([(index, 0)], [items[0]])
    emotion = np.asarray(made.emotion)[0]
    reactions = Reactions(run, split.clips, split.clips[index], np.asarray(made.coeffs)[0], emotion)
    return with_recorded(reactions, split.data, dyad)
