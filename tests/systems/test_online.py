"""Options of commands that let a system answer as a stream does."""

import dataclasses

import numpy as np
import pytest

from jaxreact.errors import UserError
from jaxreact.systems.online import Online, part
from jaxreact.systems.system import OnlineSystem, Speaker
from tests.streaming.systems import belfusion, fiber, framewise


def test_without_options_nothing_changes():
    assert Online().prepared(fiber(), "run") is fiber()
    assert Online().options == {}


def test_a_step_of_ones_own():
    system = Online(True, 4).prepared(fiber(), "run")
    assert isinstance(system, OnlineSystem)
    assert (system.step, system.lead) == (4, 4)
    assert Online(True).options == {"causal": True}
    assert Online(True).prepared(belfusion(), "run") is belfusion()


@pytest.mark.parametrize(
    ("options", "system", "words"),
    [
        ((False, 4), fiber, "--step is for --causal"),
        (
            (True, 3),
            fiber,
            "run: a step of 3 frames; patches of 8 and blocks of 8 allow 1, 2, 4",
        ),
        ((True, 0), framewise, "run: a step of 0 frames; 1 or more are possible"),
        ((True, 6), belfusion, "run: a step of 6 frames; belfusion has 5 only"),
    ],
)
def test_what_a_system_cannot(options, system, words):
    with pytest.raises(UserError, match=words):
        Online(*options).prepared(system(), "run")


def test_a_system_that_answers_whole_clips():
    deaf = dataclasses.replace(framewise(), options=frozenset({"temperature"}))
    with pytest.raises(UserError, match="run answers whole clips only; leave --causal out"):
        Online(True).prepared(deaf, "run")


@pytest.mark.parametrize(
    ("begin", "rows", "heard"),
    [
        (0, [0, 1, 2], [1, 2, 3]),
        (-2, [0, 0, 0], [0, 0, 1]),
        (-5, [0, 0, 0], [0, 0, 0]),
        (2, [2, 3, 3], [3, 4, 0]),
        (7, [3, 3, 3], [0, 0, 0]),
    ],
)
def test_parts_go_on_before_and_after(begin, rows, heard):
    coeffs = np.repeat(np.arange(4.0)[None, :, None], 58, axis=2)
    sound = np.repeat(np.arange(1.0, 5.0), 640)[None]
    made = part(Speaker(coeffs, sound), begin, 3)
    assert made.coeffs is not None
    assert made.waveform is not None
    np.testing.assert_array_equal(made.coeffs[0, :, 0], rows)
    np.testing.assert_array_equal(made.waveform[0].reshape(3, 640)[:, 0], heard)
    assert made.waveform.shape == (1, 3 * 640)
