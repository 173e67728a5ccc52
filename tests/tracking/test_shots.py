"""Cuts between scenes."""

import numpy as np

from jaxreact.tracking.shots import Shots
from tests.clips import CARPHONE, decode, hopper, resized


def _numbers(pictures: list[np.ndarray]) -> list[int]:
    shots = Shots()
    return [shots.number(picture) for picture in pictures]


def test_a_real_scene_is_one_shot_at_any_rate():
    frames, _ = decode(CARPHONE)
    for step in (1, 3, 6):
        assert set(_numbers(frames[::step])) == {0}


def test_a_cut_begins_another_and_a_cut_back_goes_on_with_the_first():
    frames, _ = decode(CARPHONE)
    other = resized(hopper(), 176, 144)
    mirrored = [frame[:, ::-1] for frame in frames]
    pictures = [*frames[:3], other, other, mirrored[3], frames[60], other]
    assert _numbers(pictures) == [0, 0, 0, 1, 1, 2, 0, 1]


def test_light_is_no_cut():
    frames, _ = decode(CARPHONE)
    dark = [(frame * factor).astype(np.uint8) for frame in frames[:2] for factor in (1.0, 0.3)]
    assert set(_numbers(dark)) == {0}
