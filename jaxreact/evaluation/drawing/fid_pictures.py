"""Pictures of generated and recorded listeners, frame by frame, and how alike the two sets are.

    render_for_fid/fake_video_b1_ind1/frame_<t>.png     generated faces
    render_for_fid/real_video_b1_ind1/frame_<t>.png     recorded ones of the same frames
    render_for_fid/mesh_video_b1_ind1/frame_<t>.png     the mesh
    render_for_fid/b1_ind1.json                         the record, written last

Both sides are 224 pixels wide and framed alike. The original crops recorded frames for its models
only, and compares its faces with raw frames of 256 pixels (`FilmOptions.fid_protocol`). Where faces
are drawn instead of photo-real, so are the recorded ones: a drawing beside a photograph would
measure nothing but that.
"""

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from jaxreact.data.recorded import recorded_at
from jaxreact.errors import UserError, reading
from jaxreact.evaluation.drawing.choice import Take
from jaxreact.evaluation.drawing.images import open_folder
from jaxreact.evaluation.drawing.options import Protocol
from jaxreact.evaluation.drawing.records import contents, is_made, recorded_addresses
from jaxreact.evaluation.drawing.studio import Frames, Scene, Studio
from jaxreact.files import read_json, write_json
from jaxreact.media.image import read_image
from jaxreact.metrics.realism.frechet import frechet_distance
from jaxreact.metrics.realism.frrea import image_statistics, size_notes
from jaxreact.metrics.realism.load import load_inception
from jaxreact.rendering.camera import SIZE
from jaxreact.rendering.pirender.portrait import framed

STEP = 30
"""Frames from one picture to the next, as in the challenge."""

ORIGINAL_FRAMES = 5000
"""The original puts the frames of all clips in a row and takes no more of it than this."""

GENERATED, RECORDED, MESH = "fake_video", "real_video", "mesh_video"


@dataclass(frozen=True)
class Realism:
    """FRRea of an evaluation's pictures: how many a side, what they show, and what to know."""

    value: float
    pictures: int
    photoreal: bool
    protocol: Protocol
    notes: list[str]

    def content(self) -> dict[str, Any]:
        """As it stands in metrics.json."""
        content = dataclasses.asdict(self)
        return {"FRRea": content.pop("value"), **content}


def frames_of(number: int, frames: int, protocol: Protocol) -> list[int]:
    """The frames that are taken of take `number`, from 0, of clips of `frames` frames."""
    if protocol == "corrected":
        return list(range(0, frames, STEP))
    first = number * frames  # in the row of all frames
    return [t for t in range(frames) if (first + t) % STEP == 0 and first + t < ORIGINAL_FRAMES]


def make_fid_pictures(studio: Studio, scene: Scene, take: Take, frames: Sequence[int]) -> bool:
    """Makes the pictures of a take, unless they are there; says whether it did."""
    protocol = studio.options.fid_protocol
    folders = {kind: take.file(kind, "") for kind in (GENERATED, RECORDED, MESH)}
    record = {
        **recorded_addresses(scene, frames),
        "mesh_video_address": str(folders[MESH]),
        "fake_video_address": str(folders[GENERATED]),
        "real_video_address": str(folders[RECORDED]),
        **contents(studio, scene),
        "pictures": list(frames),
        "protocol": protocol,
    }
    if is_made(take, folders.values(), record):
        return False
    take.file("", ".json").unlink(missing_ok=True)  # it would speak of other pictures
    studio = dataclasses.replace(studio, options=dataclasses.replace(studio.options, size=SIZE))
    sides = {
        folders[GENERATED]: studio.face(scene, frames, protocol == "original"),
        folders[RECORDED]: _recorded(studio, scene, frames),
        folders[MESH]: studio.mesh(scene.reaction[list(frames)]),
    }
    for folder, side in sides.items():
        with open_folder(folder) as save:
            bar = tqdm(side, f"{folder.name}", len(frames), unit="picture", disable=None)
            for number, picture in zip(frames, bar, strict=True):
                save(number, picture)
    write_json(take.file("", ".json"), record)
    return True


def _recorded(studio: Studio, scene: Scene, frames: Sequence[int]) -> Frames:
    if not studio.is_photoreal(scene):
        return studio.portrait(scene.listener.coeffs[list(frames)])
    assert scene.listener.video is not None
    pictures = recorded_at(scene.listener.video, frames)
    if studio.options.fid_protocol == "original":
        return pictures
    return (framed(picture, SIZE) for picture in pictures)


def realism(takes: Sequence[Take], inception: Path, protocol: Protocol) -> Realism:
    """FRRea of the pictures of all takes.

    Raises `UserError` for fewer than two pictures, where the network is missing, and for pictures
    that are photographs in some clips and drawn in others.
    """
    network = load_inception(inception)
    records = [_record(take.file("", ".json")) for take in takes]
    kinds = {record["photoreal"] for record in records}
    if len(kinds) > 1:
        raise UserError(
            "FRRea: some listeners have a recorded face (Video_files) and some have none, and "
            "photographs cannot be compared with drawings; complete the data set"
        )
    sides = []
    for kind in (GENERATED, RECORDED):
        files = [
            take.file(kind, "") / f"frame_{number}.png"
            for take, record in zip(takes, records, strict=True)
            for number in record["pictures"]
        ]
        if len(files) < 2:
            raise UserError("FRRea: needs at least 2 pictures a side; draw more or longer clips")
        sides.append(image_statistics(_read(kind, files), network))
    return Realism(
        frechet_distance(*sides), sides[0].count, kinds.pop(), protocol, size_notes(sides)
    )


def _record(path: Path) -> dict[str, Any]:
    """What was written down beside the pictures of a clip."""
    again = "remove it and draw the pictures again"
    record = read_json(path, "not the record of pictures", again)
    with reading(path, "not the record of pictures", again):
        return {"photoreal": bool(record["photoreal"]), "pictures": list(record["pictures"])}


def _read(kind: str, files: Sequence[Path]) -> Iterator[Any]:
    return map(read_image, tqdm(files, f"FRRea {kind}", unit="picture", disable=None))
