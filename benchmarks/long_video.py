"""How long a video may be that `python -m jaxreact.react` answers: seconds and memory by length.

    python benchmarks/long_video.py --out benchmarks/results/long_video_cpu.json

Films of a man who talks, four seconds there and back again and again, 176 x 144, with 48 kHz sound;
the demo's frame-wise listener of random weights; pictures of 64 pixels. *tracked*: all of the
command. *face known*: the face is tracked in one turn and taken for all others, so that half an
hour is measured in minutes. Each in a process of its own; what is answered at once is held below
all lengths, so that the shortest is a stream too. Needs the test dependencies and MediaPipe.
"""

import os
import tempfile
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import record
import tyro
from jobs import answer

from jaxreact.commands import run_command
from tests.clips import CARPHONE, decode, write_clip

RATE = 48000


@dataclass(frozen=True)
class Config:
    """What to measure."""

    tracked: tuple[float, ...] = (2.0, 4.0)
    """Lengths in minutes."""
    face_known: tuple[float, ...] = (4.0, 30.0)
    samples: int = 1
    out: Path | None = None
    """JSON file for the result."""


def turn(path: Path) -> Path:
    """The clip there and back, and sound of as many samples as its pictures last."""
    pictures, _ = decode(CARPHONE)
    pictures = pictures + pictures[::-1]
    time = np.arange(len(pictures) * RATE // 30) / RATE
    loud = np.maximum(np.sin(2 * np.pi * 3 * time), 0)  # syllables
    sound = 0.3 * loud * np.sin(2 * np.pi * 140 * time) + 0.01 * np.sin(2 * np.pi * 999 * time)
    times = [number / 30 for number in range(len(pictures))]
    return write_clip(path, pictures, times, (sound.astype(np.float32), RATE))


def repeated(source: Path, path: Path, minutes: float) -> Path:
    """The packets of a film again and again."""
    with av.open(str(source)) as film, av.open(str(path), "w") as container:
        streams = {s.index: container.add_stream_from_template(s) for s in film.streams}
        packets = [p for p in film.demux() if p.dts is not None]
        # Frames of sound are not as long as pictures: turns begin where its last frame ends.
        sound = [p for p in packets if p.stream.type == "audio"]
        first, last = sound[0], sound[-1]
        ticks = int(last.pts or 0) + int(last.duration or 0) - int(first.pts or 0)
        length = ticks * Fraction(last.time_base or 1)
        kept = [(p, p.pts, p.dts) for p in packets]
        for number in range(round(minutes * 60 / float(length))):
            for packet, pts, dts in kept:
                stream, base = packet.stream, Fraction(packet.time_base or 1)
                offset = round(number * length / base)
                packet.pts, packet.dts = int(pts or 0) + offset, int(dts or 0) + offset
                packet.stream = streams[stream.index]
                container.mux(packet)
                packet.stream, packet.time_base = stream, base  # muxing has changed them
    return path


def run(config: Config) -> None:
    """All jobs, one after the other."""
    before = os.getloadavg()[0]
    result: dict[str, Any] = {"command": f"python benchmarks/long_video.py{_changes(config)}"}
    with tempfile.TemporaryDirectory() as folder:
        one = turn(Path(folder) / "turn.mp4")
        for way in ("tracked", "face_known"):
            result[way] = {}
            for minutes in getattr(config, way):
                film = repeated(one, Path(folder) / "film.mp4", minutes)
                known = [one] if way == "face_known" else []
                out = Path(folder) / "out"
                result[way][f"{minutes:g} minutes"] = answer(
                    "long_video_job.py", film, out, config.samples, *known
                )
    record.write({**result, **record.machine(before)}, config.out)


def _changes(config: Config) -> str:
    """The options that were given."""
    said = ""
    for name in ("tracked", "face_known", "samples"):
        if (value := getattr(config, name)) != getattr(Config, name):
            words = " ".join(f"{each:g}" for each in np.atleast_1d(value))
            said += f" --{name.replace('_', '-')} {words}"
    return said


if __name__ == "__main__":
    run_command(lambda: run(tyro.cli(Config, description=__doc__)), keep=False)
