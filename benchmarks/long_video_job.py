"""The measuring half of `benchmarks/long_video.py`: one video in a process of its own.

    python benchmarks/long_video_job.py VIDEO OUT SAMPLES [TURN]

TURN: a clip of whose repetitions the video is made, which alone is tracked. Prints one line of
JSON.
"""

import json
import resource
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from streaming_models import SYSTEMS

from jaxreact.commands import run_command
from jaxreact.media.video_reader import length_by_header
from jaxreact.react import command, lengths
from jaxreact.react.config import Config
from jaxreact.tracking.track import Track, track_video

SYSTEM = "framewise, demo sizes"


def peak_mib() -> int:
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def repeated(track: Track, seconds: float) -> Track:
    """The track of a clip as often as it fills so many."""
    frames = int(seconds * 25)
    numbers = np.arange(frames) % len(track.coeffs)
    return replace(track, coeffs=track.coeffs[numbers], tracked=track.tracked[numbers])


def main(words: list[str]) -> None:
    video, out, samples, *turn = words
    begin, tracked = time.perf_counter(), {}

    def track(path: Path, **options: Any) -> Track:
        found = track_video(turn[0] if turn else path, **options)
        found = repeated(found, length_by_header(path) or 0.0) if turn else found
        tracked.update(seconds=round(time.perf_counter() - begin, 1), peak_mib=peak_mib())
        return found

    command.load = lambda *_: SYSTEMS[SYSTEM]()
    command.track_video = track
    lengths.WHOLE = 60.0
    command.run(Config(Path(video), Path(out), Path("run"), samples=int(samples), size=64))
    with np.load(Path(out) / "reaction.npz") as made:
        frames = made["coeffs"].shape[1]
    found = {
        "film_seconds": round(frames / 25, 1),
        "seconds": round(time.perf_counter() - begin, 1),
        "peak_mib": peak_mib(),
        "until_tracked": tracked,
    }
    print(json.dumps(found))


if __name__ == "__main__":
    run_command(lambda: main(sys.argv[1:]), keep=False)
