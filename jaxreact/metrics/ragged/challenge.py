"""The rules of the REACT 2026 challenge (MARS) for what reactions are compared with."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import jax
import numpy as np
from jaxtyping import Array, Float, Int
from tqdm import tqdm

from jaxreact.errors import UserError
from jaxreact.face import ACTION_UNITS, EMOTION_CHANNELS
from jaxreact.metrics.targets import Targets

DRAWN = 10
"""Targets of an item: the paired listener, and nine others drawn at random."""


@runtime_checkable
class Align(Protocol):
    """What makes a target as long as a prediction: the challenge's network, which
    `metrics.load_alignment` gives, or something in its place.

    The network draws noise, so that it gives another answer for every key.
    """

    def __call__(
        self, target: Float[np.ndarray, "_ 25"], length: int, key: Array
    ) -> Float[np.ndarray, "{length} 25"]:
        """The target's emotion in `length` frames; `key` is one of `jax.random.key`."""
        ...


def rounded_units(
    clips: Sequence[Float[np.ndarray, "_ _ 25"]],
) -> list[Float[np.ndarray, "_ _ 25"]]:
    """The reactions with action units of whole numbers, as the challenge scores them.

    Exactly one half becomes 0, as `torch.round` has it. Clips that are so already are not copied.
    """
    return [_rounded(clip) for clip in clips]


def _rounded(
    clip: Float[np.ndarray, "samples frames 25"],
) -> Float[np.ndarray, "samples frames 25"]:
    units = np.rint(clip[..., ACTION_UNITS])
    if (units == clip[..., ACTION_UNITS]).all():
        return clip
    clip = clip.copy()
    clip[..., ACTION_UNITS] = units
    return clip


def is_random(targets: Targets, clips: Sequence[Float[np.ndarray, "_ _ 25"]]) -> bool:
    """Whether the challenge's scores of these depend on chance: on which targets are drawn, or on
    the noise that an alignment draws."""
    lists = [[targets.sequences[other] for other in others] for others in targets.lists]
    return any(len(others) > DRAWN for others in lists) or not fit(clips, lists)


def fit(
    clips: Sequence[Float[np.ndarray, "_ _ 25"]],
    targets: Sequence[Sequence[Float[np.ndarray, "_ 25"]]],
) -> bool:
    """Whether every target is as long as the prediction that it is compared with."""
    return all(
        len(target) == clip.shape[1]
        for clip, others in zip(clips, targets, strict=True)
        for target in others
    )


def as_challenge(
    targets: Targets,
    clips: Sequence[Float[np.ndarray, "_ _ 25"]],
    align: Align | None,
    seed: int,
    first: int = 0,
) -> Targets:
    """Ten targets for each clip, the first and nine others at random, in the clip's own length.

    Fewer are all taken; the challenge takes some of them twice, which changes no best one except
    where both are aligned, each by noise of its own. Those of the clip's length pass as they are;
    `align` makes the others so. `seed` decides which are drawn, and the keys that `align` is given,
    for each clip by its number, which begins at `first`.

    Raises `UserError` where there is no `align` and a target has another length, where `align`
    itself does, and for what it gives that is no such sequence.
    """
    chosen = drawn(targets, seed, first)
    sequences: list[np.ndarray] = []
    lists = []
    total = sum(map(len, chosen))
    with tqdm(total=total, desc="targets", delay=2, leave=False, disable=None) as progress:
        for index, (clip, others) in enumerate(zip(clips, chosen, strict=True), first):
            frames = clip.shape[1]
            lists.append(np.arange(len(sequences), len(sequences) + len(others)))
            key = jax.random.fold_in(jax.random.key(seed), index)
            for number, other in enumerate(others):
                target = targets.sequences[other]
                if len(target) != frames:
                    name = f"target {number} of clip {index}"
                    target = _aligned(target, frames, align, jax.random.fold_in(key, number), name)
                sequences.append(target)
                progress.update()
    return Targets(sequences, lists)


def drawn(targets: Targets, seed: int, first: int = 0) -> list[Int[np.ndarray, "_"]]:
    """Which sequences `as_challenge` takes for each clip."""
    return [_drawn(others, seed, clip) for clip, others in enumerate(targets.lists, first)]


def _drawn(others: np.ndarray, seed: int, clip: int) -> np.ndarray:
    if len(others) <= DRAWN:
        return others
    random = np.random.default_rng([seed, clip])
    return np.concatenate([others[:1], random.choice(others[1:], DRAWN - 1, replace=False)])


def _aligned(
    target: np.ndarray, frames: int, align: Align | None, key: Array, name: str
) -> np.ndarray:
    if align is None:
        raise UserError(
            f"{name}: {len(target)} frames, the prediction has {frames}: FRC and FRD of mode "
            "react2026 need the challenge's alignment; give align=, or use mode corrected"
        )
    try:
        found = np.asarray(align(target, frames, key))
    except UserError as error:
        raise UserError(f"{name}: {error}") from error
    if found.shape != (frames, EMOTION_CHANNELS) or not np.isfinite(found).all():
        raise UserError(
            f"align: gave shape {found.shape} for {name}; expected finite numbers of shape "
            f"({frames}, {EMOTION_CHANNELS})"
        )
    return found.astype(np.float32, copy=False)
