"""What an evaluation needs of a split besides the sound and the speakers' faces."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from tqdm import tqdm

from jaxreact import metrics
from jaxreact.data.conversations import Conversations
from jaxreact.data.layout import EMOTION, Dyad
from jaxreact.data.modality import Modality
from jaxreact.data.pipeline import evaluation_items
from jaxreact.errors import UserError


def clip_names(dyads: Sequence[Dyad]) -> tuple[str, ...]:
    """The speakers' clip names, which tell the rows of predictions apart."""
    return tuple(dyad.speaker.name for dyad in dyads)


def common_frames(dyads: Sequence[Dyad], wanted: int, block: int) -> int:
    """Frames that every clip has, at most `wanted`, cut to whole blocks of the tokenizer."""
    frames = min([wanted, *(dyad.frames for dyad in dyads)]) // block * block
    if frames < 1:
        raise UserError(
            f"the clips have no common stretch of {block} frames, the tokenizer's block"
        )
    return frames


def emotions(
    data: Conversations, dyads: Sequence[Dyad], frames: int
) -> tuple[Float[np.ndarray, "clips frames 25"], Float[np.ndarray, "clips frames 25"]]:
    """What listeners and speakers of a split really showed, from the first frame on."""
    both = (Modality("listener", "emotion"), Modality("speaker", "emotion"))
    items = evaluation_items(data, dyads, frames, modalities=both)
    read = tqdm(items, "reading emotion", len(items), unit="clip", delay=2, disable=None)
    pairs = [(item["listener_emotion"], item["speaker_emotion"]) for item in read]
    listener, speaker = (np.stack(part) for part in zip(*pairs, strict=True))
    return listener, speaker


def training_mean(data: Conversations, frames: int) -> Float[np.ndarray, "frames 25"]:
    """The training listeners' mean reaction."""
    dyads = data.dyads("train", modalities=(EMOTION,))
    clips = tqdm(dyads, "mean reaction", unit="clip", delay=2, disable=None)
    return metrics.mean_reaction((data.emotion(dyad.listener) for dyad in clips), frames)


def check_neighbours(matrix: np.ndarray, mode: str) -> None:
    """Raises `UserError` where no clip has an appropriate reaction to be compared with."""
    if mode == "corrected" and not (matrix == 1).any():
        raise UserError("the neighbour matrix has no 1; is it the matrix of this split?")
