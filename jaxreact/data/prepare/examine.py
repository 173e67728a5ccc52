"""One clip's files, read to their end, and whether what is in them makes sense."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from jaxreact.data.layout import COEFFS, EMOTION, MODALITIES
from jaxreact.data.prepare.findings import (
    CUT_OFF,
    PROBLEM,
    REMARK,
    SLIGHT,
    ClipFacts,
    Finding,
    Source,
)
from jaxreact.data.recordings import Recordings
from jaxreact.data.remarks import taken_down
from jaxreact.data.sense import Doubt, doubts_of_coeffs, doubts_of_emotion, doubts_of_sound
from jaxreact.data.shards import sha256
from jaxreact.errors import NotFiniteError, ShapeError, UserError, reading
from jaxreact.face import FPS
from jaxreact.media.sound import read_native_audio

_KINDS = {NotFiniteError: "not finite", ShapeError: "shape"}


def examine_clip(data: Recordings, split: str, name: str) -> ClipFacts:
    """Reads all of a clip's files. What is wrong is a finding, never an exception."""
    sources: dict[str, Source] = {}
    findings: list[Finding] = []
    mean = None
    for modality in MODALITIES:
        path = data.find(split, modality, name)
        if path is None:
            missing = data.expected(split, modality, name)
            findings.append(Finding("missing", missing, "", split=split, clip=name))
            continue
        file = path.relative_to(data.path).as_posix()
        try:
            content = _content(data, modality, path)
            sources[modality] = Source(file, content.frames, sha256(path))
        except (UserError, OSError) as error:
            kind = _KINDS.get(type(error), "damaged")
            message = str(error).removeprefix(f"{path}: ")
            findings.append(Finding(kind, file, message, split=split, clip=name))
            continue
        findings += [
            Finding(doubt.kind, file, doubt.message, REMARK, split, name)
            for doubt in content.doubts
        ]
        mean = content.mean if modality == COEFFS else mean
    findings += _lengths(split, name, sources)
    return ClipFacts(split, name, sources, tuple(findings), mean)


@dataclass
class _Content:
    """What a file that can be read holds."""

    frames: int = 0
    """As training will count them."""
    doubts: list[Doubt] = field(default_factory=list)
    mean: tuple[float, ...] | None = None


def _content(data: Recordings, modality: str, path: Path) -> _Content:
    """Reads all of a file."""
    content = _Content()
    with taken_down() as remarks, reading(path, "cannot be read"):
        if path.stat().st_size == 0 or (frames := data.frames(modality, path)) == 0:
            raise UserError(f"{path}: the file is empty")
        content.frames = frames
        if modality == COEFFS:
            table = data.load(COEFFS, path)
            senseless = doubts_of_coeffs(table)
            if not senseless:
                content.mean = tuple(table.mean(axis=0, dtype=np.float64).tolist())
        elif modality == EMOTION:
            senseless = doubts_of_emotion(data.load(EMOTION, path, quietly=True))
        else:
            senseless = doubts_of_sound(read_native_audio(path)[0])
    said = [Doubt("doubtful", remark.removeprefix(f"{path}: ")) for remark in remarks]
    content.doubts += said + senseless
    return content


def _lengths(split: str, name: str, sources: dict[str, Source]) -> list[Finding]:
    lengths = {modality: source.frames for modality, source in sources.items()}
    if not lengths or max(lengths.values()) - min(lengths.values()) <= SLIGHT:
        return []
    shortest = min(sources.values(), key=lambda source: source.frames)
    spread = max(lengths.values()) - shortest.frames
    listed = ", ".join(f"{modality} {frames}" for modality, frames in lengths.items())
    message = f"{listed} frames of 1/{FPS} s"
    severity = PROBLEM if spread > CUT_OFF else REMARK
    return [Finding("length", shortest.file, message, severity, split, clip=name)]
