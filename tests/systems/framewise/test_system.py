"""The frame-wise listener as users have it: whole clips, streams, options."""

from dataclasses import replace
from pathlib import Path

import jax
import numpy as np
import pytest

import jaxreact
from jaxreact import Speaker, runs
from jaxreact.errors import UserError
from jaxreact.systems.framewise.kinds import FRAMEWISE
from jaxreact.systems.framewise.system import FramewiseSystem
from jaxreact.systems.system import OnlineSystem, System, load_codebook
from jaxreact.variables import variables_of
from tests.systems.framewise.models import small_model

RNG = np.random.default_rng(0)
KEY = jax.random.key(3)


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    model = small_model()
    out = tmp_path_factory.mktemp("framewise") / "run"
    mean = np.linspace(0, 0.5, 58).tolist()
    runs.save_model(out, FRAMEWISE, model.config, variables_of(model), mean_face=mean)
    return out


@pytest.fixture(scope="module")
def system(run) -> FramewiseSystem:
    return jaxreact.load(run)  # pyright: ignore[reportReturnType]


def speaker(frames: int = 32, batch: int = 2) -> Speaker:
    return Speaker(
        coeffs=RNG.normal(0.3, 0.2, (batch, frames, 58)).astype(np.float32),
        waveform=RNG.normal(0, 0.1, (batch, frames * 640)).astype(np.float32),
    )


def part(whole: Speaker, begin: int, end: int) -> Speaker:
    assert whole.coeffs is not None
    assert whole.waveform is not None
    return Speaker(
        coeffs=whole.coeffs[:, begin:end], waveform=whole.waveform[:, begin * 640 : end * 640]
    )


def test_it_is_an_online_system_without_codes(run, system):
    assert isinstance(system, System)
    assert isinstance(system, OnlineSystem)
    assert (system.name, system.needs) == ("framewise", {"coeffs", "audio"})
    with pytest.raises(UserError, match="no codes"):
        load_codebook(run)


@pytest.mark.parametrize("step", [1, 8])
def test_a_stream_is_the_whole_clip(system, step):
    system, given = replace(system, step=step), speaker()
    whole = system.react(given, 3, key=KEY)
    state, made = system.start(2, 3, key=KEY), []
    for begin in range(0, 32, step):
        state, reactions = system.advance(state, part(given, begin, begin + step))
        made.append(reactions)
    for name, close in (("coeffs", 2e-5), ("emotion", 2e-5)):
        streamed = np.concatenate([getattr(each, name) for each in made], axis=2)
        np.testing.assert_allclose(streamed, getattr(whole, name), rtol=0, atol=close)


def test_nothing_is_heard_or_seen_before_its_time(system):
    given = speaker()
    assert given.coeffs is not None
    assert given.waveform is not None
    later = Speaker(coeffs=np.array(given.coeffs), waveform=np.array(given.waveform))
    later.coeffs[:, 20:] += 1  # pyright: ignore
    later.waveform[:, 20 * 640 :] *= 5  # pyright: ignore
    one, other = (system.react(each, 2, key=KEY).coeffs for each in (given, later))
    np.testing.assert_array_equal(one[:, :, :20], other[:, :, :20])  # pyright: ignore
    assert np.abs(one - other)[:, :, 20].max() > 0  # pyright: ignore


def test_speakers_are_answered_as_if_each_were_alone(system):
    given, keys = speaker(), jax.random.split(KEY, 2)
    together = system.react(given, 2, key=keys)
    alone = Speaker(coeffs=given.coeffs[1:], waveform=given.waveform[1:])  # pyright: ignore
    single = system.react(alone, 2, key=keys[1:])
    np.testing.assert_allclose(single.coeffs[0], together.coeffs[1], atol=1e-5)  # pyright: ignore
    fewer = system.react(given, 1, key=keys)
    np.testing.assert_allclose(fewer.coeffs[:, 0], together.coeffs[:, 0], atol=1e-6)  # pyright: ignore


def test_options(system):
    given = speaker()
    still = system.react(given, 2, key=KEY, temperature=0.0, micro_motion=0.0)
    np.testing.assert_array_equal(still.coeffs[:, 0], still.coeffs[:, 1])  # pyright: ignore
    lively = system.react(given, 2, key=KEY)
    assert np.abs(lively.coeffs[:, 0] - lively.coeffs[:, 1]).max() > 0.05  # pyright: ignore
    with pytest.raises(ValueError, match="temperature -1 is not 0 or more"):
        system.react(given, 1, key=KEY, temperature=-1)
    with pytest.raises(ValueError, match="key= is needed"):
        system.react(given, 1)


def test_what_does_not_fit(system):
    state = system.start(2, key=KEY)
    with pytest.raises(ValueError, match="a step is 8 frames and 5120 samples"):
        system.advance(state, part(speaker(), 0, 7))
    with pytest.raises(ValueError, match="no frames"):
        system.react(speaker(0), key=KEY)
    with pytest.raises(ValueError, match="framewise needs the speaker's waveform"):
        system.react(Speaker(coeffs=np.zeros((1, 8, 58), np.float32)), key=KEY)


def test_sound_that_ends_early_is_continued_by_silence(system):
    given = speaker()
    short = Speaker(coeffs=given.coeffs, waveform=given.waveform[:, : 20 * 640])  # pyright: ignore
    silent = np.array(given.waveform)
    silent[:, 20 * 640 :] = 0
    same = system.react(Speaker(coeffs=given.coeffs, waveform=silent), 1, key=KEY)
    np.testing.assert_array_equal(system.react(short, 1, key=KEY).coeffs, same.coeffs)
