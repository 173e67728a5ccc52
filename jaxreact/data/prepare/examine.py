"""One clip's files, read to their end."""

from pathlib import Path

from jaxreact.data.contents import count_frames, load_coeffs, load_emotion
from jaxreact.data.layout import COEFFS, EMOTION, MODALITIES, expected, find
from jaxreact.data.prepare.findings import (
    CUT_OFF,
    PROBLEM,
    REMARK,
    SLIGHT,
    ClipFacts,
    Finding,
    Source,
)
from jaxreact.data.shards import sha256
from jaxreact.errors import NotFiniteError, ShapeError, UserError
from jaxreact.media.sound import read_native_audio

_KINDS = {NotFiniteError: "not finite", ShapeError: "shape"}


def examine_clip(root: Path, split: str, name: str) -> ClipFacts:
    """Reads all of a clip's files. What is wrong is a finding, never an exception."""
    sources: dict[str, Source] = {}
    findings: list[Finding] = []
    for modality in MODALITIES:
        path = find(root, split, modality, name)
        if path is None:
            missing = expected(split, modality, name)
            findings.append(Finding("missing", missing, "", split=split, clip=name))
            continue
        file = path.relative_to(root).as_posix()
        try:
            sources[modality] = Source(file, _frames(modality, path), sha256(path))
        except (UserError, OSError) as error:
            kind = _KINDS.get(type(error), "damaged")
            message = str(error).removeprefix(f"{path}: ")
            findings.append(Finding(kind, file, message, split=split, clip=name))
    findings += _lengths(split, name, sources)
    return ClipFacts(split, name, sources, tuple(findings))


def _frames(modality: str, path: Path) -> int:
    """A file's length in frames, as training will count them, after reading all of it."""
    if path.stat().st_size == 0 or (frames := count_frames(modality, path)) == 0:
        raise UserError(f"{path}: the file is empty")
    if modality == COEFFS:
        load_coeffs(path)
    elif modality == EMOTION:
        load_emotion(path)
    else:
        read_native_audio(path)
    return frames


def _lengths(split: str, name: str, sources: dict[str, Source]) -> list[Finding]:
    lengths = {modality: source.frames for modality, source in sources.items()}
    if not lengths or max(lengths.values()) - min(lengths.values()) <= SLIGHT:
        return []
    shortest = min(sources.values(), key=lambda source: source.frames)
    spread = max(lengths.values()) - shortest.frames
    message = ", ".join(f"{modality} {frames}" for modality, frames in lengths.items()) + " frames"
    severity = PROBLEM if spread > CUT_OFF else REMARK
    return [Finding("length", shortest.file, message, severity, split, clip=name)]
