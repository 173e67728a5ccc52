"""Recordings of faces as small pictures, for systems that see the speaker."""

import hashlib
from pathlib import Path

from jaxreact.data.layout import VIDEO, frame_files
from jaxreact.data.prepare.choice import Choice
from jaxreact.data.prepare.findings import Source
from jaxreact.data.recorded import recorded_frames, resized
from jaxreact.data.recordings import Recordings
from jaxreact.data.shards import sha256
from jaxreact.errors import UserError

_NAMED = 5


def with_pictures(data: Recordings, choice: Choice) -> Choice:
    """The same choice; each clip has a source of pictures too, as long as its coefficients.

    Raises one `UserError` where recordings lack, naming the first few.
    """
    missing: list[str] = []
    for split, chosen in choice.splits.items():
        for name, sources in chosen.sources.items():
            path = data.video_source(split, name)
            if path is None:
                missing.append(data.expected(split, VIDEO, name))
                continue
            frames = max(source.frames for source in sources.values())
            file = path.relative_to(data.path).as_posix()
            sources[VIDEO] = Source(file, frames, digest(path))
    if missing:
        more = f"; and {len(missing) - _NAMED} more" if len(missing) > _NAMED else ""
        raise UserError(
            f"{data.path}: {len(missing)} recordings are missing, add them or leave --pictures out:"
            f" {'; '.join(missing[:_NAMED])}{more}"
        )
    return choice


def digest(path: Path) -> str:
    """Tells recordings apart: a film by its bytes, a folder by its files' names and sizes."""
    if path.is_file():
        return sha256(path)
    listed = [(file.name, file.stat().st_size) for file in frame_files(path)]
    return hashlib.sha256(repr(listed).encode()).hexdigest()


def encode_recording(path: Path, frames: int, side: int) -> bytes:
    """The first `frames` pictures of a recording as a record, each `side` x `side`."""
    pictures = recorded_frames(path, frames)
    return b"".join(resized(picture, (side, side)).tobytes() for picture in pictures)
