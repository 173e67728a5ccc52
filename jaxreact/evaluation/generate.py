"""A model's reactions to every clip of a split."""

from collections.abc import Sequence
from pathlib import Path

import jax
import numpy as np
from jaxtyping import Float
from tqdm import tqdm

from jaxreact.data.conversations import Conversations
from jaxreact.data.layout import AUDIO, COEFFS, EMOTION, Dyad
from jaxreact.data.pipeline import EvaluationItems, evaluation_items
from jaxreact.errors import UserError
from jaxreact.generation import Sampling
from jaxreact.predictions import Predictions
from jaxreact.reaction import Models, reactions


def common_frames(dyads: Sequence[Dyad], wanted: int, block: int) -> int:
    """Frames that every clip has, at most `wanted`, cut to whole blocks of the tokenizer."""
    frames = min(wanted, *(dyad.frames for dyad in dyads)) // block * block
    if not frames:
        raise UserError(
            f"the clips have no common stretch of {block} frames, the tokenizer's block"
        )
    return frames


def emotions(
    data: Conversations, dyads: Sequence[Dyad], frames: int
) -> tuple[Float[np.ndarray, "clips frames 25"], Float[np.ndarray, "clips frames 25"]]:
    """What listeners and speakers of a split really showed, from the first frame on."""
    items = list(evaluation_items(data, dyads, frames, modalities=(EMOTION,)))
    listener = np.stack([item["listener_emotion"] for item in items])
    return listener, np.stack([item["speaker_emotion"] for item in items])


def predict(
    models: Models,
    data: Conversations,
    dyads: Sequence[Dyad],
    frames: int,
    sampling: Sampling,
    samples: int,
    seed: int,
) -> Predictions:
    """Reactions of the model to every dyad's speaker.

    A clip's reactions depend on the seed and its place in the split, not on the other clips.
    """
    key = jax.random.key(seed)
    items: EvaluationItems = evaluation_items(
        data, dyads, frames, mean_face=models.mean_face, modalities=(COEFFS, AUDIO)
    )
    made = [
        reactions(
            models,
            item["speaker_coeffs"],
            item["speaker_waveform"],
            sampling,
            samples,
            jax.random.fold_in(key, index),
        )
        for index, item in enumerate(
            tqdm(items, "generating", len(items), unit="clip", disable=None)
        )
    ]
    coeffs, emotion = (np.stack(part) for part in zip(*made, strict=True))
    listener, speaker = emotions(data, dyads, frames)
    return Predictions(emotion, coeffs, listener, speaker, clip_names(dyads))


def clip_names(dyads: Sequence[Dyad]) -> tuple[str, ...]:
    """The speakers' clip names, which tell the rows of predictions apart."""
    return tuple(dyad.speaker.name for dyad in dyads)


def video_name(clip: str) -> str:
    """A file name for a clip's video: its name without folders."""
    return clip.replace("/", "_") + ".mp4"


def video_paths(out: Path, clips: Sequence[str]) -> list[Path]:
    """Where the videos of clips go."""
    return [out / "videos" / video_name(clip) for clip in clips]
