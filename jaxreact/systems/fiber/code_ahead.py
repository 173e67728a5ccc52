"""Whether a training's faces become codes once, before it begins, or crop by crop."""

import math
import os
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path

import jax
import numpy as np
from jaxtyping import Float

from jaxreact.data.conversations import open_conversations
from jaxreact.data.modality import Modality
from jaxreact.errors import Remark, UserError
from jaxreact.systems.fiber.known_codes import CodeTable, KnownCodes
from jaxreact.systems.fiber.tokenizer import FaceTokenizer, FaceTokenizerConfig
from jaxreact.training.distributed import all_of_them, is_first, wait_for_all

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
    frames_of_each: int,
    *,
    wanted: bool,
) -> KnownCodes | None:
    """The codes of a training split's clips, or None where they are to be computed crop by crop.

    `path` is a data set's; `modalities` are those that make a clip one of the training's;
    `frames_of_each` is how many frames the whole training would code of each pair, crop by crop.
    Unless codes are `wanted` in any case, they are given where they are kept or where coding pays.
    Every process of a training calls it, and all get codes or none does. Raises `UserError` where
    they are wanted and cannot be kept.
    """
    data = open_conversations(path)
    dyads = data.dyads("train", modalities=modalities)
    clips = [clip for dyad in dyads for clip in (dyad.speaker, dyad.listener)]
    table = CodeTable(data, clips, tokenizer, mean_face)
    coded_frames = frames_of_each * len(dyads)
    worth = wanted or pays(table.blocks, coded_frames, tokenizer.config) or table.is_kept
    if not all_of_them(worth):
        return None
    known = None
    if is_first():
        known = _kept(table, wanted)
    wait_for_all("coded")
    if not is_first():  # finds what the first has written, where they share a folder
        known = _kept(table, wanted)
    return known if all_of_them(known is not None) else None


def _kept(table: CodeTable, wanted: bool) -> KnownCodes | None:
    try:
        if not table.is_kept and is_first():
            table.file.parent.mkdir(parents=True, exist_ok=True)  # before anything is announced
            seconds = math.ceil(seconds_to_code(table.blocks, table.tokenizer.config))
            print(
                f"coding what can be cropped of {len(table.clips)} clips: {table.blocks:,} blocks,"
                f" about {seconds} s",
                file=sys.stderr,
            )
        return table.known()
    except OSError as error:
        said = f"{table.file}: codes cannot be kept there ({error.strerror})"
        advice = "XDG_CACHE_HOME names another cache folder"
        if wanted:
            raise UserError(f"{said}; {advice}, and --codes every-step does without") from None
        warnings.warn(f"{said}: faces are coded in every step; {advice}", Remark, stacklevel=2)
        return None
