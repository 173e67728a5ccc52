"""Films of fields: a frame holds two moments, its even lines 20 ms before its odd ones or after.

What moves looks like a comb. As players do, each frame is made one moment: the lines of its second
field are computed from their neighbours in place and time (FFmpeg's yadif).
"""

from collections import deque
from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import TypeVar

import av
from av.error import FFmpegError
from av.filter import Graph

Mark = TypeVar("Mark")


def deinterlaced(
    frames: Iterable[tuple[Mark, av.VideoFrame]],
) -> Iterator[tuple[Mark, av.VideoFrame]]:
    """The frames, each with its mark, those of fields as one moment; others are left as they are.

    Such films come one frame late, since the next one is looked at; others at once.
    """
    graph: Graph | None = None
    kind = None
    waiting: deque[Mark] = deque()
    for number, (mark, frame) in enumerate(frames):
        if graph is None and not frame.interlaced_frame:
            yield mark, frame
            continue
        before, kind = kind, (frame.width, frame.height, frame.format.name)
        if graph is None or kind != before:
            yield from _rest(graph, waiting)
            graph = _graph(frame)
        waiting.append(mark)
        frame.pts = number
        graph.push(frame)
        yield from _ready(graph, waiting)
    yield from _rest(graph, waiting)


def _graph(frame: av.VideoFrame) -> Graph:
    graph = Graph()
    graph.link_nodes(
        graph.add_buffer(
            width=frame.width, height=frame.height, format=frame.format, time_base=Fraction(1, 25)
        ),
        graph.add("yadif", mode="send_frame", deint="interlaced"),
        graph.add("buffersink"),
    ).configure()
    return graph


def _ready(graph: Graph, waiting: deque[Mark]) -> Iterator[tuple[Mark, av.VideoFrame]]:
    while waiting:
        try:
            frame = graph.vpull()
        except FFmpegError:  # none is ready, or there is none any more
            return
        yield waiting.popleft(), frame


def _rest(graph: Graph | None, waiting: deque[Mark]) -> Iterator[tuple[Mark, av.VideoFrame]]:
    if graph is not None:
        graph.vpush(None)
        yield from _ready(graph, waiting)
