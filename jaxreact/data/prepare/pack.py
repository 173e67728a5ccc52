"""Writes the shards of a cache, several at once; what is finished and unchanged is kept."""

import hashlib
import io
import json
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
from tqdm import tqdm

from jaxreact.data.layout import AUDIO, MODALITIES, VIDEO, Clip
from jaxreact.data.packed_index import (
    AGAIN,
    FORMAT,
    INDEX,
    SHARD_SUFFIX,
    PackedClip,
    PackedIndex,
    PackedSplit,
    write_index,
)
from jaxreact.data.prepare.choice import Choice, ChosenSplit
from jaxreact.data.prepare.findings import Source
from jaxreact.data.prepare.folder import tidy
from jaxreact.data.prepare.pictures import digest, encode_recording
from jaxreact.data.recordings import Recordings
from jaxreact.data.shards import Part, encode_sound, encode_table, write_shard
from jaxreact.errors import UserError, reading
from jaxreact.files import read_json, replacing
from jaxreact.media.sound import read_audio
from jaxreact.processes import in_processes

CLIPS_PER_SHARD = 64
"""60 MB of sound. A process keeps a handle to each shard it reads: some 300 for REACT2024."""


@dataclass(frozen=True)
class Task:
    """One shard to be written."""

    split: str
    modality: str
    number: int
    sources: tuple[Source, ...]
    side: int = 0
    """Of pictures, in pixels."""

    @property
    def file(self) -> str:
        """The shard's place below the cache."""
        return f"{self.split}/{self.modality}-{self.number:05d}{SHARD_SUFFIX}"

    @property
    def note(self) -> str:
        """The place of the note on the finished shard."""
        return str(Path(self.file).with_suffix(".json"))

    @property
    def identity(self) -> str:
        """Digest of all that the shard's bytes follow from."""
        digests = [source.sha256 for source in self.sources]
        made = self.modality if not self.side else f"{self.modality} {self.side}"
        text = json.dumps([FORMAT, made, digests])
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class Done:
    """A finished shard, as its note describes it: what it was made of, and of sound the scales."""

    identity: str
    part: Part
    scales: tuple[float, ...]


def pack(
    data: Recordings,
    out: Path,
    choice: Choice,
    workers: int | None = None,
    pictures: int | None = None,
) -> PackedIndex:
    """Packs what was chosen of `data` into `out`, `cache.json` last; returns its content.

    Of `pictures` their side in pixels; then each clip has a source of them.
    Everything written follows from the sources alone: the same bytes for any number of workers and
    interruptions. Raises `UserError` if a source changed since it was examined, or the disk is
    full.
    """
    tasks = [
        task for split, chosen in choice.splits.items() for task in _tasks(split, chosen, pictures)
    ]
    matrices = {
        f"neighbour_emotion_{split}.npy": _as_npy(chosen.neighbours)
        for split, chosen in choice.splits.items()
        if chosen.neighbours is not None
    }
    current = all(_is_noted(out, task) for task in tasks)
    if not (current and all(_holds(out / file, content) for file, content in matrices.items())):
        (out / INDEX).unlink(missing_ok=True)  # a cache that is being changed is none
    done = _write_shards(data, out, tasks, workers)
    for file, content in matrices.items():
        if not _holds(out / file, content):
            with replacing(out / file) as temporary:
                temporary.write_bytes(content)
    index = _index(data, out, choice, tasks, done, pictures)
    tidy(out, {INDEX, *matrices, *(file for task in tasks for file in (task.file, task.note))})
    write_index(out, index)
    return index


def _tasks(split: str, chosen: ChosenSplit, pictures: int | None) -> list[Task]:
    clips = list(chosen.sources.values())
    return [
        Task(
            split,
            modality,
            number,
            tuple(clip[modality] for clip in clips[start : start + CLIPS_PER_SHARD]),
            pictures or 0 if modality == VIDEO else 0,
        )
        for modality in _packed(pictures)
        for number, start in enumerate(range(0, len(clips), CLIPS_PER_SHARD))
    ]


def _packed(pictures: int | None) -> tuple[str, ...]:
    return MODALITIES if pictures is None else (*MODALITIES, VIDEO)


def _write_shards(
    data: Recordings, out: Path, tasks: list[Task], workers: int | None
) -> list[Done]:
    bar = tqdm(
        total=sum(len(task.sources) for task in tasks), desc="packing", unit="file", disable=None
    )
    done = []
    with (
        bar,
        closing(in_processes(partial(_write_unless_done, data, out), tasks, workers)) as finished,
    ):
        for task, result in zip(tasks, finished, strict=True):
            done.append(result)
            bar.update(len(task.sources))
    return done


def _write_unless_done(data: Recordings, out: Path, task: Task) -> Done:
    done = _read_note(out, task)
    if done is not None and done.identity == task.identity and done.part.is_intact(out):
        return done
    scales: list[float] = []

    def records() -> Iterator[bytes]:
        for source in task.sources:
            record, scale = _record(data, task, source)
            scales.extend([] if scale is None else [scale])
            yield record

    write_shard(out / task.file, records())
    done = Done(task.identity, Part.of(out, task.file), tuple(scales))
    with replacing(out / task.note) as temporary:
        temporary.write_text(json.dumps(asdict(done)) + "\n")
    return done


def _record(data: Recordings, task: Task, source: Source) -> tuple[bytes, float | None]:
    path, modality = data.path / source.file, task.modality
    if modality == VIDEO:
        record = encode_recording(path, source.frames, task.side), None
    elif modality == AUDIO:
        record = encode_sound(read_audio(path))
    else:
        record = encode_table(data.load(modality, path, quietly=True)), None
    if digest(path) != source.sha256:
        raise UserError(f"{path}: changed while it was being packed; run {AGAIN} again")
    return record


def _read_note(out: Path, task: Task) -> Done | None:
    """What the note says of a shard, or None for one that is unfinished or damaged."""
    try:
        note = read_json(out / task.note, "not a note on a shard")
        with reading(out / task.note, "not a note on a shard"):
            return Done(note["identity"], Part(**note["part"]), tuple(note["scales"]))
    except UserError:
        return None


def _is_noted(out: Path, task: Task) -> bool:
    done = _read_note(out, task)
    return done is not None and done.identity == task.identity


def _as_npy(matrix: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.ascontiguousarray(matrix, np.uint8))
    return buffer.getvalue()


def _holds(path: Path, data: bytes) -> bool:
    return path.is_file() and path.read_bytes() == data


def _index(
    data: Recordings,
    out: Path,
    choice: Choice,
    tasks: list[Task],
    done: list[Done],
    pictures: int | None,
) -> PackedIndex:
    splits = {}
    for split, chosen in choice.splits.items():
        parts: dict[str, list[Part]] = {modality: [] for modality in _packed(pictures)}
        scales: list[float] = []
        for task, result in zip(tasks, done, strict=True):
            if task.split == split:
                parts[task.modality].append(result.part)
                scales += result.scales
        clips = [
            PackedClip(name, **{kind: sources[kind].frames for kind in MODALITIES}, scale=scale)
            for (name, sources), scale in zip(chosen.sources.items(), scales, strict=True)
        ]
        matrix = f"neighbour_emotion_{split}.npy"
        neighbours = None if chosen.neighbours is None else Part.of(out, matrix)
        splits[split] = PackedSplit(chosen.pairs, clips, parts, neighbours)
    traits = {
        split: known
        for split, chosen in choice.splits.items()
        if (known := _traits(data, split, chosen.sources))
    }
    left_out = {
        split: chosen.left_out for split, chosen in choice.splits.items() if chosen.left_out
    }
    return PackedIndex(
        choice.mean_face,
        CLIPS_PER_SHARD,
        splits,
        pictures,
        data.release.name,
        traits or None,
        left_out or None,
    )


def _traits(data: Recordings, split: str, names: Iterable[str]) -> dict[str, list[float]]:
    """The Big Five of clips of whom they are known."""
    known = {name: data.traits(Clip(split, name, (), 0)) for name in names}
    return {name: scores.tolist() for name, scores in known.items() if scores is not None}
