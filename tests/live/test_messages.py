"""Messages of the wire: what is packed is unpacked, and nothing else."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jaxreact.live import messages
from jaxreact.live.messages import BadMessage, Kind, unpack

RNG = np.random.default_rng(0)


def test_every_kind_comes_back():
    sound = RNG.normal(size=7).astype(np.float32)
    assert np.array_equal(unpack(messages.pack_sound(1.5, sound)).sound, sound)  # pyright: ignore[reportArgumentType]
    for kind, width in ((Kind.FACES, 58), (Kind.TRACKED, 68)):
        times, rows = np.array([0.1, 0.3]), RNG.normal(size=(2, width)).astype(np.float32)
        found = unpack(messages.pack_rows(kind, times, rows))
        assert found.kind is kind
        assert np.array_equal(found.times, times)  # pyright: ignore[reportArgumentType]
        assert np.array_equal(found.rows, rows)  # pyright: ignore[reportArgumentType]
    rows = RNG.normal(size=(3, 83)).astype(np.float32)
    found = unpack(messages.pack_reactions(2.25, rows))
    assert found.time == 2.25
    assert np.array_equal(found.rows, rows)  # pyright: ignore[reportArgumentType]
    assert unpack(messages.pack_json(Kind.HELLO, {"a": 1})).json == {"a": 1}
    assert unpack(messages.pack_picture(3.0, b"jpeg")).data == b"jpeg"
    assert unpack(messages.pack_end()).kind is Kind.END


def test_the_bytes_are_those_of_the_documentation():
    """Other programs are written by it."""
    assert messages.pack_sound(0.5, np.ones(1, np.float32)).hex() == (
        "6a72" "01" "01" "01000000" "000000000000e03f" "0000803f"
    )  # fmt: skip


@given(st.binary(max_size=64))
def test_whatever_comes_is_a_message_or_is_refused(data):
    try:
        unpack(data)
    except BadMessage:
        return
    assert data[:3] == b"jr\x01"


@given(st.integers(0, 255), st.integers(0, 2**32 - 1), st.binary(max_size=40))
def test_counts_that_lie_are_refused(kind, count, payload):
    head = messages._HEADER.pack(b"jr", 1, kind, count, 0.0)
    try:
        found = unpack(head + payload)
    except BadMessage:
        return
    sizes = {Kind.SOUND: 4, Kind.FACES: 240, Kind.TRACKED: 280, Kind.REACTIONS: 332}
    assert len(payload) == count * sizes.get(found.kind, 1)


@pytest.mark.parametrize("data", [b"", b"jr\x01\x01", messages.pack_end() + b"x"])
def test_what_is_cut_or_too_long_is_refused(data):
    with pytest.raises(BadMessage):
        unpack(data)
