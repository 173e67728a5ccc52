"""The examination of a whole data set."""

from collections.abc import Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

import numpy as np
from tqdm import tqdm

from jaxreact.data.contents import mean_face
from jaxreact.data.conversations import open_recordings
from jaxreact.data.layout import SPLITS
from jaxreact.data.prepare.examine import examine_clip
from jaxreact.data.prepare.findings import (
    CUT_OFF,
    FATAL,
    PROBLEM,
    REMARK,
    SLIGHT,
    ClipFacts,
    Examination,
    Finding,
    SplitFacts,
)
from jaxreact.data.prepare.matrices import examine_matrix
from jaxreact.data.prepare.peculiar import peculiarities
from jaxreact.data.prepare.strays import find_strays
from jaxreact.data.prepare.twins import find_repeated, find_twins
from jaxreact.data.recordings import Recordings
from jaxreact.data.remarks import taken_down
from jaxreact.data.sense import doubts_of_mean_face
from jaxreact.errors import UserError
from jaxreact.face import FPS
from jaxreact.processes import in_processes


def examine(root: Path, workers: int | None = None) -> Examination:
    """Reads every file of every pair of `root`, in several processes.

    Raises `UserError` only if there is no split at all; everything else is a finding.
    """
    data = open_recordings(root)
    present = data.splits()
    if not present:
        raise UserError(
            f"{root}: none of {', '.join(f'{split}.csv' for split in SPLITS)} is here, nor a folder"
            f" of a split; give the root of a data set in the REACT2024 or the MARS layout"
        )
    findings: list[Finding] = []
    lists: dict[str, list[tuple[str, str]]] = {}
    for split in present:
        lists |= _read_list(data, split, findings)
    clips = _examine_clips(data, lists, workers)
    splits = {}
    for split, pairs in lists.items():
        matrix, about_matrix = examine_matrix(data, split, len(pairs))
        splits[split] = SplitFacts(pairs, clips[split], matrix)
        of_clips = [finding for clip in clips[split].values() for finding in clip.findings]
        missing = [finding.path for finding in of_clips if finding.kind == "missing"]
        findings += of_clips + _partners(splits[split], split, data.equal_lengths) + about_matrix
        findings += find_strays(data, split, clips[split], missing)
        findings += peculiarities(data, split, clips[split])
    absent = tuple(split for split in SPLITS if split not in present)
    everybody = [clip for facts in splits.values() for clip in facts.clips.values()]
    findings += find_twins(everybody)
    return Examination(str(root), splits, absent, _mean_face(root, everybody, findings), findings)


def _read_list(
    data: Recordings, split: str, findings: list[Finding]
) -> dict[str, list[tuple[str, str]]]:
    """The pairs by their split, or nothing where they cannot be used."""
    root, name = data.path, data.lists(split)
    try:
        with taken_down() as remarks:
            pairs = data.pairs(split)
    except UserError as error:
        message = str(error).removeprefix(f"{root / name}: ")
        findings.append(Finding("list", name, message, FATAL, split))
        return {}
    for remark in remarks:
        message = remark.removeprefix(f"{root / name}: ")
        findings.append(Finding("list", name, message, REMARK, split))
    findings += find_repeated(name, split, pairs)
    return {split: pairs}


def _examine_clips(
    data: Recordings, lists: dict[str, list[tuple[str, str]]], workers: int | None
) -> dict[str, dict[str, ClipFacts]]:
    """Facts by split and name, in the order of the lists."""
    listed = [
        (split, name)
        for split, pairs in lists.items()
        for name in dict.fromkeys(name for pair in pairs for name in pair)
    ]
    clips: dict[str, dict[str, ClipFacts]] = {split: {} for split in lists}
    with closing(in_processes(partial(_examine, data), listed, workers)) as facts:
        for clip in tqdm(facts, "examining", len(listed), unit="clip", disable=None):
            clips[clip.split][clip.name] = clip
    return clips


def _examine(data: Recordings, clip: tuple[str, str]) -> ClipFacts:
    return examine_clip(data, *clip)


def _partners(facts: SplitFacts, split: str, equal: bool) -> list[Finding]:
    """Differences in length between the two persons of a pair, where each has all files; remarks
    only unless they have to be `equal`."""
    findings = []
    for row, pair in enumerate(facts.pairs):
        shortest = [
            min(facts.clips[name].sources.values(), key=lambda source: source.frames, default=None)
            for name in pair
        ]
        shorter, longer = shortest
        if shorter is None or longer is None or abs(shorter.frames - longer.frames) <= SLIGHT:
            continue
        if shorter.frames > longer.frames:
            shorter, longer = longer, shorter
        cut_off = equal and longer.frames - shorter.frames > CUT_OFF
        severity = PROBLEM if cut_off else REMARK
        message = (
            f"{shorter.frames} frames of 1/{FPS} s, the partner has {longer.frames} ({longer.file})"
        )
        findings.append(Finding("length", shorter.file, message, severity, split, pair=row))
    return findings


def _mean_face(
    root: Path, clips: Sequence[ClipFacts], findings: list[Finding]
) -> list[float] | None:
    try:
        face = mean_face(root)
    except UserError as error:
        message = str(error).removeprefix(f"{root / 'mean_face.npy'}: ")
        findings.append(Finding("mean face", "mean_face.npy", message, FATAL))
        return None
    means = [clip.mean for clip in clips if clip.mean is not None]
    doubts = doubts_of_mean_face(face, np.mean(means, axis=0) if means else None)
    findings += [Finding(doubt.kind, "mean_face.npy", doubt.message, REMARK) for doubt in doubts]
    return face.tolist()
