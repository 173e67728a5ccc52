#!/usr/bin/env bash
# An AVI says of each picture only when it is decoded. FFmpeg, and so PyAV, gives these times to the
# decoded frames all the same, as times of showing: with B-frames they run to and fro. Who shows a
# frame only if it is later than the one before drops a part of the film without an error, and the
# first one is a picture late.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.11}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check av==18.1.0 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import av
import numpy as np

COUNT = 60


def times(name: str) -> list[int]:
    """Times of a film's frames as decoded, in pictures of 40 ms."""
    with av.open(name, "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"bf": "3"})
        stream.width = stream.height = 64
        for number in range(COUNT):
            pixels = np.zeros((64, 64, 3), np.uint8)
            pixels[:, : number * 7 % 64] = 200
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with av.open(name) as container:
        return [round(frame.time * 25) for frame in container.decode(video=0)]


mp4, avi = times("film.mp4"), times("film.avi")
later = [time for k, time in enumerate(avi) if time > max(avi[:k], default=-1)]
print(f"av {av.__version__}, libavformat {av.library_versions['libavformat']}")
print("expected: 0, 1, 2, ... for both")
print("mp4:", mp4[:12])
print("avi:", avi[:12], f"; {len(later)} of {COUNT} are later than all before")
assert mp4 == list(range(COUNT))
assert avi[0] == 1 and avi != sorted(avi) and sorted(avi)[0] == 1, "this has changed"
assert len(later) < COUNT, "this has changed"
PYTHON
