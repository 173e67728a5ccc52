"""The batches of a stage: both splits of a data set, as the loop wants them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import jax
import numpy as np
from jaxtyping import Float

from jaxreact.data.conversations import open_conversations
from jaxreact.data.modality import Modality
from jaxreact.data.pipeline import training_batches

Tree = Any


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
) -> Data:
    """Batches of random crops of `frames` frames for training, and of fixed ones for validation.

    `path` is a root or a cache; `trained_frames` of a crop are what a model learns from;
    validation looks at `windows` places of each conversation. The rest is as `training_batches`
    takes it, whose errors this raises.
    """
    conversations = open_conversations(path)
    splits = {name: conversations.dyads(name, modalities=modalities) for name in ("train", "val")}

    def batches(split: str, **options: Any) -> Any:
        return training_batches(
            conversations,
            splits[split],
            mean_face,
            frames=frames,
            batch_size=batch_size,
            seed=seed,
            modalities=modalities,
            **options,
        )

    def training() -> Batches:
        share = (jax.process_index(), jax.process_count())
        return batches("train", workers=workers, shard=share)

    def validation() -> Iterable[Tree]:
        once: dict[str, Any] = {"shuffle": False, "epochs": 1, "drop_remainder": False}
        return batches("val", crop="start", windows=windows, **once)

    return Data(
        training,
        len(splits["train"]) // batch_size,
        validation,
        trained_frames,
        conversations.fingerprint(),
    )
