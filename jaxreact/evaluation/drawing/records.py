"""What is written down beside pictures: in the original's words, and what they were made with."""

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from jaxreact.data.recorded import frame_addresses
from jaxreact.errors import UserError
from jaxreact.evaluation.drawing.choice import Take
from jaxreact.evaluation.drawing.studio import Person, Scene, Studio
from jaxreact.files import read_json


def recorded_addresses(scene: Scene, frames: Sequence[int]) -> dict[str, list[str]]:
    """The original's lists of the files of both persons' recorded frames; empty without any."""

    def files(person: Person) -> list[str]:
        return [] if person.video is None else frame_addresses(person.video, frames)

    return {
        "lt_gt_frame_address": files(scene.listener),
        "sp_gt_frame_address": files(scene.speaker),
    }


def contents(studio: Studio, scene: Scene) -> dict[str, Any]:
    """Who is in the pictures, and all that they depend on."""
    digest = hashlib.sha256()
    for coeffs in (scene.reaction, scene.speaker.coeffs, scene.listener.coeffs):
        digest.update(np.ascontiguousarray(coeffs, np.float32).tobytes())
    return {
        "speaker": scene.speaker.name,
        "listener": scene.listener.name,
        "photoreal": studio.is_photoreal(scene),
        "made_with": {"coefficients": digest.hexdigest()[:16], **studio.identity()},
    }


def is_made(take: Take, files: Iterable[Path], record: dict[str, Any]) -> bool:
    """Whether `files` are there, and the take's record is this one."""
    try:
        before = read_json(take.file("", ".json"), "damaged")
    except UserError:
        return False
    return before == record and all(path.exists() for path in files)
