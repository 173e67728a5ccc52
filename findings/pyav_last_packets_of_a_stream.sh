#!/usr/bin/env bash
# PyAV's `demux` ends with an empty packet for each stream, which a decoder needs to give what it
# holds back. Its `packet.stream` is that stream; its `packet.stream_index`, which for all other
# packets is the same stream's number, is 0. Who sorts packets by it loses the last pictures of
# every stream but the first, without an error.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.11}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check av==18.1.0 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
from fractions import Fraction

import av
import numpy as np

COUNT = 20
with av.open("clip.mkv", "w") as container:
    sound = container.add_stream("pcm_s16le", rate=16000, layout="mono")
    film = container.add_stream("libx264", rate=25, options={"bf": "3"})
    film.width = film.height = 64
    for number in range(COUNT):
        picture = av.VideoFrame.from_ndarray(np.full((64, 64, 3), number, np.uint8), format="rgb24")
        picture.pts = number
        container.mux(film.encode(picture))
        block = av.AudioFrame.from_ndarray(np.zeros((1, 640), np.int16), format="s16", layout="mono")
        block.sample_rate, block.pts, block.time_base = 16000, 640 * number, Fraction(1, 16000)
        container.mux(sound.encode(block))
    container.mux(film.encode(None))


def decoded(index_of) -> int:
    with av.open("clip.mkv") as container:
        film = container.streams.video[0]
        packets = container.demux(film, container.streams.audio[0])
        return sum(len(packet.decode()) for packet in packets if index_of(packet) == film.index)


with av.open("clip.mkv") as container:
    film = container.streams.video[0]
    packets = container.demux(film, container.streams.audio[0])
    last = [(p.stream.index, p.stream_index) for p in packets if p.dts is None and not p.size]
by_stream = decoded(lambda packet: packet.stream.index)
by_number = decoded(lambda packet: packet.stream_index)
print(f"av {av.__version__}; the film is stream 1 of 2 and has {COUNT} pictures")
print("expected: packet.stream_index is packet.stream.index")
print("last packets, (stream.index, stream_index):", last)
print("pictures by stream.index:", by_stream, " by stream_index:", by_number)
assert by_stream == COUNT
assert sorted(last) == [(0, 0), (1, 0)], "this has changed"
assert by_number < COUNT, "this has changed"
PYTHON
