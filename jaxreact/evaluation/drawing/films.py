"""The film of a take: speaker, listener, mesh and face from left to right, with a record beside it.

    videos/<clip>.mp4, .json                            any clips
    only_submit_video/b1_ind1.mp4, .json                a submission's, as the original has them:
    only_submit_video/mesh_video_b1_ind1.mp4            the mesh alone; with `images` a folder of
    only_submit_video/fake_video_b1_ind1.mp4            frame_<t>.png instead; the face alone

The record is written last. Where it says that a film was made of the same things, and the film is
there, it is not made again.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from tqdm import tqdm

from jaxreact.evaluation.drawing.choice import Take
from jaxreact.evaluation.drawing.images import open_folder
from jaxreact.evaluation.drawing.records import contents, is_made, recorded_addresses
from jaxreact.evaluation.drawing.studio import Frames, Scene, Studio
from jaxreact.face import FPS
from jaxreact.files import write_json
from jaxreact.media.video_writer import Sound, open_film
from jaxreact.rendering.compose import side_by_side

PARTS = {"mesh": "mesh_video", "face": "fake_video"}
"""Panels that a submission also has alone, and the original's names for them."""

LABELS = ("speaker", "recorded listener", "mesh")

Add = Callable[[UInt8[np.ndarray, "size size 3"]], None]


def make_film(studio: Studio, scene: Scene, take: Take, sound: Sound, alone: bool) -> bool:
    """Makes the film of a take, unless it is there; says whether it did.

    `alone`: mesh and face also by themselves. Every file is written whole or not at all.
    """
    parts = _parts(studio, take) if alone else {}
    film = take.file("", ".mp4")
    record = {
        **recorded_addresses(scene, range(len(scene.reaction))),
        **{f"{PARTS[name]}_address": str(path) for name, path in parts.items()},
        **contents(studio, scene),
        "panels": [*LABELS, "photo-real" if studio.is_photoreal(scene) else "generated"],
        "frames": len(scene.reaction),
        "fps": FPS,
    }
    if is_made(take, [film, *parts.values()], record):
        return False
    take.file("", ".json").unlink(missing_ok=True)  # it would speak of other files
    panels = {
        "speaker": studio.recorded(scene.speaker),
        "listener": studio.recorded(scene.listener),
        "mesh": studio.mesh(scene.reaction),
        "face": studio.face(scene),
    }
    with ExitStack() as stack:
        for name, path in parts.items():
            add = stack.enter_context(_open_part(path))
            panels[name] = _passing(panels[name], add)
        whole = stack.enter_context(open_film(film, audio=sound))
        frames = side_by_side(list(panels.values()), record["panels"], studio.options.size)
        total = len(scene.reaction)
        for frame in tqdm(frames, f"film {take.name}", total, unit="frame", disable=None):
            whole.add(frame)
    write_json(take.file("", ".json"), record)
    return True


def _parts(studio: Studio, take: Take) -> dict[str, Path]:
    suffix = "" if studio.options.images else ".mp4"
    return {name: take.file(kind, suffix) for name, kind in PARTS.items()}


def _passing(frames: Frames, add: Add) -> Frames:
    """The same frames, each also given to `add` on its way."""
    for frame in frames:
        add(frame)
        yield frame


@contextmanager
def _open_part(path: Path) -> Iterator[Add]:
    """Something that takes one frame after another and becomes the film or the folder `path`."""
    if path.suffix == ".mp4":
        with open_film(path) as film:
            yield film.add
        return
    with open_folder(path) as save:
        numbers = count()
        yield lambda frame: save(next(numbers), frame)
