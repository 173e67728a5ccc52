"""Queues that are bounded, and an end that comes after everything else."""

import asyncio
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from jaxreact.live.limits import Limits, Meter
from jaxreact.live.listeners import WAITING, Choices, Listener
from jaxreact.live.session import KEPT, Session
from jaxreact.streaming.outputs import Reaction


def listener(fed: list[dict[str, Any]]) -> Listener:
    """One whose stream notes what it is fed."""
    made = Listener(Choices(8), lambda _: None, lambda: None)
    stream: Any = SimpleNamespace(
        feed=lambda **piece: fed.append(piece),
        finish=lambda: fed.append({"end": True}),
        take=list,
        is_due=False,
    )
    made._stream = stream
    return made


def test_what_waits_too_long_is_pushed_out_and_counted():
    fed: list[dict[str, Any]] = []
    one = listener(fed)
    for number in range(WAITING + 7):
        one.give(time=number)
    one._take()
    assert one.lost == 7
    assert [piece["time"] for piece in fed] == list(range(7, WAITING + 7))


def test_an_end_that_comes_while_others_are_answered_waits_for_its_turn():
    fed: list[dict[str, Any]] = []
    one = listener(fed)
    one.give(time=0)
    one._take()
    one.finish()
    one._hand_out()
    assert not one.ended  # the stream's last step is still to be made
    one._take()
    one._hand_out()
    assert one.ended
    assert fed == [{"time": 0}, {"end": True}]


@pytest.mark.wrong_arguments  # no socket
def test_a_client_that_reads_slowly_loses_the_oldest():
    async def slow() -> Session:
        parts: Any = None
        session = Session(parts, parts, Meter(Limits()), None)
        for time in range(KEPT + 5):
            session._add([Reaction(time, None, np.zeros(25))])
        return session

    session = asyncio.run(slow())
    assert session._lost == 5
    assert [each.time for each in session._made] == list(range(5, KEPT + 5))
