"""The batches of a stage: both splits of a data set, as the loop wants them."""

import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar, runtime_checkable

import jax
import numpy as np
from jaxtyping import Float

from jaxreact.data.cache import ArrayCache
from jaxreact.data.conversations import open_conversations
from jaxreact.data.layout import Dyad
from jaxreact.data.modality import Modality, longest_context
from jaxreact.data.pipeline import CACHE_BYTES, training_batches
from jaxreact.data.traits import check_traits, fingerprint_of, traits_of_listeners
from jaxreact.errors import Remark, UserError
from jaxreact.face import FPS

Tree = Any
T = TypeVar("T")

Crop = Literal["random", "start"]
Roles = Literal["both", "either", "drawn"]
"""How often an epoch reads a conversation, and who speaks: twice, once in either role; once, in a
role that a coin decides; twice, each time in a role that a coin decides."""


@runtime_checkable
class Batches(Protocol):
    """An endless iterator over this process's share of the batches; its position can be saved."""

    def __next__(self) -> Tree: ...

    def get_state(self) -> Any: ...

    def set_state(self, state: Any) -> None: ...

    def close(self) -> None: ...


@dataclass(frozen=True)
class Data:
    """Batches of a stage."""

    training: Callable[[], Batches]
    """The training split from its start."""
    steps_per_epoch: int
    validation: Callable[[], Iterable[Tree]]
    """The validation split, always the same batches; the last may be smaller. Every process reads
    all of it."""
    everything: Callable[[], Iterable[Tree]] = tuple
    """The training split once, in order, as validation reads its own."""
    frames: int = 0
    """Frames that one row of a batch trains on."""
    fingerprint: str = ""
    """Tells data sets apart."""


def read_data(
    path: Path,
    mean_face: Float[np.ndarray, "58"] | None,
    *,
    modalities: Sequence[Modality],
    frames: int,
    trained_frames: int,
    batch_size: int,
    seed: int,
    workers: int,
    windows: int = 1,
    validated: Sequence[Modality] | None = None,
    roles: Roles = "both",
    crop: Crop = "random",
    validation_crop: Crop = "start",
) -> Data:
    """Batches of crops of `frames` frames for training, and of fixed ones for validation.

    `path` is a root or a cache; `trained_frames` of a crop are what a model learns from;
    validation reads the modalities `validated`, by default the same, and looks at `windows` places
    of each conversation, or with the `validation_crop` "random" at one that the seed decides. Of
    data whose pairs are not mirrored, `roles` are those that it gives; where only one person of a
    pair is asked for, everybody is. Of data whose clips have lengths of their own, those that are
    shorter than a crop are left out, with a `Remark`; it is a `UserError` if all are. The rest is
    as `training_batches` takes it, whose errors this raises, and those of `check_traits` where
    traits are asked for.
    """
    conversations = open_conversations(path)
    mirrored = conversations.release.mirrors or len({modality.role for modality in modalities}) == 1
    splits = {
        name: conversations.dyads(name, modalities=modalities, mirrored=mirrored)
        for name in ("train", "val")
    }
    if conversations.release.whole:
        reach = longest_context(modalities) + frames
        splits = {
            name: _long_enough(f"{path}, {name}", dyads, reach, 2 if mirrored else 1)
            for name, dyads in splits.items()
        }
    fingerprint = conversations.fingerprint()
    if any(modality.kind == "traits" for modality in modalities):
        check_traits(conversations, splits["train"], "train")
        both = [traits_of_listeners(conversations, dyads) for dyads in splits.values()]
        fingerprint += f"-{fingerprint_of(np.concatenate(both))}"
    trained, coin = _in_roles(splits["train"], roles) if mirrored else (splits["train"], {})

    cache = ArrayCache(CACHE_BYTES)  # validation reads the same clips again and again

    def batches(dyads: Sequence[Any], read: Sequence[Modality] = modalities, **options: Any) -> Any:
        return training_batches(
            conversations,
            dyads,
            mean_face,
            frames=frames,
            batch_size=batch_size,
            seed=seed,
            modalities=read,
            cache=cache,
            **options,
        )

    def training() -> Batches:
        share = (jax.process_index(), jax.process_count())
        return batches(trained, workers=workers, shard=share, crop=crop, **coin)

    once: dict[str, Any] = {"shuffle": False, "epochs": 1, "drop_remainder": False}

    def validation() -> Iterable[Tree]:
        read = modalities if validated is None else validated
        return batches(splits["val"], read, crop=validation_crop, windows=windows, **once)

    def everything() -> Iterable[Tree]:
        return batches(splits["train"], crop="start", **once)

    return Data(
        training,
        len(trained) // batch_size,
        validation,
        everything,
        trained_frames,
        fingerprint,
    )


def _long_enough(where: str, dyads: Sequence[Dyad], frames: int, ways: int) -> list[Dyad]:
    """Those of clips of many lengths that a crop fits into, with a remark about the others.

    Of a pair that is there both ways, the second of all after the first of all, both are or none.
    """
    pairs = np.array([dyad.frames for dyad in dyads]).reshape(ways, -1).min(axis=0)
    fit = np.tile(pairs >= frames, ways)
    crop = f"a crop of {frames} frames ({frames / FPS:g} s)"
    if not fit.any():
        raise UserError(
            f"{where}: none of the {len(pairs)} pairs is as long as {crop}; train on shorter ones,"
            " by --clip-frames where a system has it"
        )
    if short := int((pairs < frames).sum()):
        remark = f"{where}: {short} of {len(pairs)} pairs are shorter than {crop}, and not used"
        warnings.warn(remark, Remark, stacklevel=3)
    return [dyad for dyad, fits in zip(dyads, fit, strict=True) if fits]


def _in_roles(mirrored: Sequence[T], roles: Roles) -> tuple[Sequence[T], dict[str, Any]]:
    """Which of a split's dyads an epoch reads, and what they may be exchanged for."""
    half = len(mirrored) // 2
    first, second = mirrored[:half], mirrored[half:]
    if roles == "both":
        return mirrored, {}
    if roles == "either":
        return first, {"exchanged": second}
    return mirrored, {"exchanged": [*second, *first]}
