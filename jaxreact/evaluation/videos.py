"""Videos of an evaluation: the speaker beside a generated listener."""

from collections.abc import Sequence
from pathlib import Path

from jaxreact.data.conversations import Conversations
from jaxreact.data.layout import Dyad
from jaxreact.face import FPS
from jaxreact.predictions import Predictions
from jaxreact.rendering.compose import render_conversation


def video_paths(out: Path, clips: Sequence[str]) -> list[Path]:
    """Where the videos of clips go: named after the clips, without folders."""
    return [out / "videos" / (clip.replace("/", "_") + ".mp4") for clip in clips]


def render_videos(
    out: Path,
    data: Conversations,
    dyads: Sequence[Dyad],
    predictions: Predictions,
    *,
    clips: int,
    size: int,
) -> None:
    """Videos of the first `clips` clips (0: all), the first sample of each; `size` in pixels."""
    assert predictions.coeffs is not None
    assert predictions.clips is not None
    frames = predictions.coeffs.shape[2]
    paths = video_paths(out, predictions.clips)
    for dyad, coeffs, path in list(zip(dyads, predictions.coeffs, paths, strict=True))[
        : clips or None
    ]:
        render_conversation(
            path,
            data.coeffs(dyad.speaker)[:frames],
            coeffs[0],
            data.sound(dyad.speaker, frames / FPS),
            size=size,
        )
        print(path)
