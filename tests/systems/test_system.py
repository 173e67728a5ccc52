"""What every system has in common: its inputs, and loading one by its run directory."""

import json
from pathlib import Path

import numpy as np
import pytest

import jaxreact
from jaxreact import Speaker
from jaxreact.errors import UserError
from jaxreact.systems.system import Codebook, OnlineSystem, System, load_codebook

COEFFS = np.zeros((2, 32, 58), np.float32)


class Emotional:
    """Enough of a system to ask what it needs."""

    name = "emotional"
    needs = frozenset({"emotion", "audio"})


@pytest.mark.wrong_arguments
def test_parts_of_a_speaker_fit_each_other():
    assert Speaker(coeffs=COEFFS, waveform=np.zeros((2, 100), np.float32)).batch == 2
    with pytest.raises(ValueError, match="different numbers of speakers"):
        Speaker(coeffs=COEFFS, waveform=np.zeros((3, 100), np.float32))
    with pytest.raises(ValueError, match="different lengths"):
        Speaker(coeffs=COEFFS, emotion=np.zeros((2, 31, 25), np.float32))


@pytest.mark.wrong_arguments
def test_what_is_missing_is_named():
    speaker = Speaker(coeffs=COEFFS)
    with pytest.raises(ValueError, match="emotional needs the speaker's waveform, emotion"):
        speaker.need(Emotional())  # pyright: ignore[reportArgumentType]
    Speaker(waveform=np.zeros((1, 9)), emotion=np.zeros((1, 32, 25))).need(Emotional())  # pyright: ignore


def test_directories_that_hold_no_system(tmp_path):
    with pytest.raises(UserError, match=r"no config\.json here; give the directory of a trained"):
        jaxreact.load(tmp_path)
    for kind, words in {
        "audio_encoder": "a audio_encoder is no system",
        "../x": "no system",
    }.items():
        (tmp_path / "config.json").write_text(json.dumps({"kind": kind}))
        with pytest.raises(UserError, match=words):
            jaxreact.load(tmp_path)


def test_fiber_is_an_online_system_with_codes(fiber_run: Path):
    system = jaxreact.load(fiber_run)
    assert isinstance(system, System)
    assert isinstance(system, OnlineSystem)
    assert isinstance(system.codebook, Codebook)
    assert (system.name, system.needs) == ("fiber", {"coeffs", "audio"})
    assert load_codebook(fiber_run).codebook_size == system.codebook.codebook_size
    assert load_codebook(fiber_run / "tokenizer").codebook_size == system.codebook.codebook_size
