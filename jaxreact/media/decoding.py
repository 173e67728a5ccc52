"""What a stream of a container holds, decoded as players do: over damage, on one clock."""

import math
from collections import deque
from collections.abc import Iterator, Sequence
from heapq import heapify, heappop, heappush
from pathlib import Path
from typing import Any, NamedTuple

import av
from av.container import InputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Disposition, Stream

from jaxreact.errors import UserError
from jaxreact.media.clock import LONGEST_HOLE, Clock
from jaxreact.media.container import reason
from jaxreact.media.damage import Damage, report_end

WITHOUT_SHOWING_TIMES = {"avi"}
"""Formats that say when packets are decoded only, not when they are shown."""

MOST_REORDERED = 4
"""Pictures that are decoded before others and shown after them."""

WITH_LENGTH = {"asf", "avi", "flv", "matroska", "mov"}
"""Formats whose header says how long they are; of others FFmpeg guesses it."""


class Decoded(NamedTuple):
    """A frame and its time: seconds on the container's clock, None where nothing is said of it."""

    frame: Any
    time: float | None


class Decoding:
    """The frames of one stream of a container, and what was wrong with them."""

    def __init__(
        self,
        path: Path,
        container: InputContainer,
        stream: Stream,
        others: Sequence[Stream],
        what: str,
    ) -> None:
        """`others`: streams that the clock listens to besides; `what`: this one, for messages."""
        self.path, self.stream, self.what = path, stream, what
        self.start = (container.start_time or 0) / av.time_base
        self.clock = Clock(self.start)
        self.damage = Damage(path, what)
        self._container, self._others = container, others
        self.unchanged: deque[float] = deque()
        """Times (s) of packets that only say that the picture stays as it is, in their order."""
        self._format = container.format.name
        self._by_order = self._format in WITHOUT_SHOWING_TIMES
        self._stamps: list[float] = []  # a heap: times that no frame has got yet
        self._waiting: dict[float, None] = {}  # stamps of packets without a frame so far, in order
        self._ends: dict[int, float] = {}

    @property
    def end(self) -> float:
        """When the last packet so far is no longer shown or heard (s)."""
        return self._ends.get(self.stream.index, 0.0)

    def frames(self, until: float = math.inf) -> Iterator[Decoded]:
        """Yields frames as they are shown, up to the first that begins at `until` seconds or later.

        What was lost, and jumps of the clock, are remarked on at the end, also if the caller ends
        early. Raises `UserError` where too much is damaged, or lacks at the end.
        """
        context = self.stream.codec_context
        assert context is not None
        context.copy_opaque = True  # a packet's shift goes with the frames that it gives
        complete = False
        try:
            for packet, shift in self._packets():
                for frame in self._decoded(packet, shift):
                    complete = frame.time is not None and frame.time >= until
                    yield frame
                    if complete:
                        return
            complete = True
            self._report_end(until)
        finally:
            self.clock.report(self.path)
            self.damage.report(refuse=complete)

    def _report_end(self, until: float) -> None:
        is_cover = self.stream.disposition & Disposition.attached_pic
        if is_cover or self.clock.jumps or not set(self._format.split(",")) & WITH_LENGTH:
            return
        stream, whole = self.stream, self._container.duration
        if stream.duration is not None and stream.time_base is not None:
            begin = (stream.start_time or 0) * stream.time_base
            promised = float(begin + stream.duration * stream.time_base) - self.start
            promised = max(promised, self._length_by_count())
            report_end(self.path, self.what, self.end, min(promised, until))
        elif whole is not None:  # of all streams together
            latest = max(self._ends.values(), default=0.0)
            # Such a header says when the end is, not how long it takes from the beginning.
            promised = whole / av.time_base - self.start
            report_end(self.path, "recording", latest, min(promised, until))

    def _length_by_count(self) -> float:
        """Seconds by the number of pictures in an AVI's header, which FFmpeg does not look at."""
        stream = self.stream
        if not self._by_order or not isinstance(stream, av.VideoStream) or not stream.average_rate:
            return 0.0
        return stream.frames / float(stream.average_rate)

    def _packets(self) -> Iterator[tuple[Packet, float]]:
        """Packets of this stream, with the clock's shift."""
        packets = self._container.demux([self.stream, *self._others])
        while True:
            try:
                packet = next(packets, None)
            except FFmpegError as error:
                self._broken_off(error)
                return
            except IndexError:  # PyAV's own, at the end of files in which streams appear later
                return
            if packet is None:
                return
            shift = self._shift(packet)
            if packet.stream.index == self.stream.index:  # stream_index is 0 in the last packets
                packet.opaque = shift, _stamp(packet)
                yield packet, shift

    def _shift(self, packet: Packet) -> float:
        stream, decoded, tick = packet.stream.index, _stamp(packet), float(packet.time_base or 0)
        duration = (packet.duration or 0) * tick
        # Times of showing run to and fro: only those of decoding tell a clock that went back.
        shift = self.clock.shift(stream, None if packet.dts is None else decoded, duration)
        if decoded is None:
            return shift
        shown = decoded if packet.pts is None else packet.pts * tick
        if shown - decoded > LONGEST_HOLE:  # decoded before a jump of the clock, shown after it
            shift = self.clock.shift(stream, shown)
        self._ends[stream] = max(self._ends.get(stream, 0.0), shown + shift + duration)
        return shift

    def _decoded(self, packet: Packet, shift: float) -> Iterator[Decoded]:
        stamp = _stamp(packet)
        is_last = stamp is None and not packet.size
        if not packet.size and not is_last:  # FFmpeg would take it for the end
            self.unchanged += [] if stamp is None else [stamp + shift]
            return
        self.damage.packets += not is_last
        if self._by_order and stamp is not None:
            heappush(self._stamps, stamp)
            self._waiting[stamp] = None
        try:
            frames = packet.decode()
        except (FFmpegError, ValueError):
            if not is_last:
                self._lose(stamp, shift)
            return
        for frame in frames:
            yield Decoded(frame, self._time(frame))

    def _lose(self, stamp: float | None, shift: float) -> None:
        self.damage.lose((stamp or 0.0) + shift)
        if stamp in self._waiting:
            del self._waiting[stamp]
            # Its time may have gone to a picture that came before it was given up.
            self._stamps.remove(stamp if stamp in self._stamps else self._stamps[0])
            heapify(self._stamps)

    def _time(self, frame: Any) -> float | None:
        marks = frame.opaque  # of the packet that it is from; some decoders do not hand them on
        shift, stamp = marks or (self.clock.shift(self.stream.index, None), None)
        time = frame.time
        if self._by_order:  # the k-th picture shown has the k-th time, whichever packet it is from
            self._lose_overdue(stamp, shift, 0 if frame.key_frame else MOST_REORDERED)
            time = heappop(self._stamps) if self._stamps else None
        return None if time is None else time + shift

    def _lose_overdue(self, stamp: float | None, shift: float, reordered: int) -> None:
        """Gives up packets that should have given a frame before that of the packet at `stamp`: all
        before it but the last `reordered`, which may be shown after it. Behind a key picture no
        such packet is left."""
        if stamp not in self._waiting:
            return
        del self._waiting[stamp]
        before = [other for other in self._waiting if other < stamp]
        for overdue in before[: max(0, len(before) - reordered)]:
            self._lose(overdue, shift)

    def _broken_off(self, error: FFmpegError) -> None:
        """The file itself cannot be read on: one more packet is lost, after those that could."""
        if not self.damage.packets:
            raise UserError(
                f"{self.path}: cannot be read as film or sound, or is damaged ({reason(error)})"
            )
        self.damage.packets += 1
        self.damage.lose(self.end)


def _stamp(packet: Packet) -> float | None:
    """When a packet is decoded (s, the container's); when shown, where that is all it says."""
    stamp = packet.pts if packet.dts is None else packet.dts
    return None if stamp is None or packet.time_base is None else float(stamp * packet.time_base)
