"""What a training computes of its clips before it begins: codes where that pays, and features."""

import math
import os
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path

import jax
import numpy as np
from jaxtyping import Float

from jaxreact.audio_features.wav2vec2 import AudioEncoder
from jaxreact.data.conversations import Conversations, open_conversations
from jaxreact.data.layout import Dyad
from jaxreact.data.modality import Modality
from jaxreact.errors import Remark, UserError
from jaxreact.systems.fiber.kept_table import KeptTable, Known, KnownRows
from jaxreact.systems.fiber.known_codes import CodeTable, KnownCodes
from jaxreact.systems.fiber.known_features import FeatureTable, KnownFeatures
from jaxreact.systems.fiber.tokenizer import FaceTokenizer, FaceTokenizerConfig
from jaxreact.training.distributed import all_of_them, is_first

MOST_SECONDS = 60.0
"""That a training waits for its codes unless it is told to."""
_ACCELERATOR, _CORE = 3e13, 3e10
"""Operations a second in full float32: of a data-centre GPU, and of a processor's core."""


def seconds_to_code(blocks: int, config: FaceTokenizerConfig) -> float:
    """About how long coding takes on this process's first device."""
    weights = 12 * config.n_layer * config.n_embd**2
    operations = 2 * weights * blocks * config.block_size
    is_cpu = jax.default_backend() == "cpu"
    return operations / (_CORE * (os.cpu_count() or 1) if is_cpu else _ACCELERATOR)


def pays(blocks: int, coded_frames: int, config: FaceTokenizerConfig) -> bool:
    """Whether to code so many blocks once, instead of `coded_frames` frames crop by crop."""
    once = blocks * config.block_size
    return 2 * once <= coded_frames and seconds_to_code(blocks, config) <= MOST_SECONDS


def codes_ahead(
    path: Path,
    modalities: Sequence[Modality],
    tokenizer: FaceTokenizer,
    mean_face: Float[np.ndarray, "58"],
    shortest: int,
    frames_of_each: int,
    *,
    wanted: bool,
) -> KnownCodes | None:
    """The codes of a training split's clips, or None where they are to be computed crop by crop.

    `path` is a data set's; `modalities`, and at least the `shortest` number of frames, are what
    makes a clip one of the training's; `frames_of_each` is how many frames the whole training would
    code of each pair, crop by crop. Unless codes are `wanted` in any case, they are given where
    they are kept or where coding pays. Every process of a training calls it, and all get codes or
    none does. Raises `UserError` where they are wanted and cannot be kept.
    """
    data = open_conversations(path)
    dyads = _dyads(data, "train", modalities, shortest)
    clips = [clip for dyad in dyads for clip in (dyad.speaker, dyad.listener)]
    table = CodeTable(data, clips, tokenizer, mean_face)
    coded_frames = frames_of_each * len(dyads)
    worth = wanted or pays(table.rows, coded_frames, tokenizer.config) or table.is_kept
    if not all_of_them(worth):
        return None
    seconds = math.ceil(seconds_to_code(table.rows, tokenizer.config))
    what = f"coding what can be cropped of {len(table.clips)} clips: {table.rows:,} blocks"
    try:
        return _of_all(table, f"{what}, about {seconds} s")
    except _Unkept as unkept:
        if wanted:
            raise UserError(f"{unkept}, and --codes every-step does without") from None
        said = f"{unkept}: until then faces are coded in every step"
        warnings.warn(said, Remark, stacklevel=2)
        return None


def features_ahead(
    path: Path, modalities: Sequence[Modality], encoder: AudioEncoder, shortest: int
) -> KnownFeatures:
    """What the audio encoder hears in the speakers' clips of both splits.

    The arguments are as those of `codes_ahead`, and so is who calls it. Raises `UserError` where
    features cannot be kept.
    """
    data = open_conversations(path)
    splits = [_dyads(data, split, modalities, shortest) for split in ("train", "val")]
    table = FeatureTable(data, [dyad.speaker for dyads in splits for dyad in dyads], encoder)
    megabytes = math.ceil(table.rows * encoder.config.features * 2 / 1e6)
    what = f"hearing {len(table.clips)} whole clips: {megabytes:,} MB in {table.folder}"
    try:
        return _of_all(table, what)
    except _Unkept as unkept:
        raise UserError(f"{unkept}, and --audio crop does without") from None


def _dyads(
    data: Conversations, split: str, modalities: Sequence[Modality], shortest: int
) -> list[Dyad]:
    dyads = data.dyads(split, modalities=modalities)
    return [dyad for dyad in dyads if dyad.frames >= shortest]


class _Unkept(Exception):
    """Why a table cannot be kept, and what to do."""


def _of_all(table: KeptTable[Known], said: str) -> Known:
    """What the table holds, for every process: the first computes it, and says so; the others find
    what it has written, where they share a folder. Raises _Unkept in all where one cannot have it.
    """
    found = _kept(table, said) if is_first() else None
    if all_of_them(not isinstance(found, _Unkept)) and found is None:
        found = _kept(table, said)
    if not all_of_them(isinstance(found, KnownRows)):
        other = f"{table.FOLDER} cannot be kept by another process"
        raise found if isinstance(found, _Unkept) else _Unkept(other)
    assert found is not None
    assert not isinstance(found, _Unkept)
    return found


def _kept(table: KeptTable[Known], said: str) -> Known | _Unkept:
    file = table.file
    try:
        file.parent.mkdir(parents=True, exist_ok=True)  # before anything is announced
        if not table.is_kept and is_first():
            print(said, file=sys.stderr)
        return table.known()
    except OSError as error:
        return _Unkept(
            f"{file}: {table.FOLDER} cannot be kept there ({error.strerror or error});"
            " XDG_CACHE_HOME names another cache folder"
        )
