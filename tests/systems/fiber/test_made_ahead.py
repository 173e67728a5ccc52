"""What a training computes of its clips before it begins, and what it says of it."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import pytest

from jaxreact.data.conversations import open_conversations
from jaxreact.errors import Remark, UserError
from jaxreact.systems.fiber import kept_table, made_ahead
from jaxreact.systems.fiber.frozen_parts import FrozenParts
from jaxreact.systems.fiber.known_codes import KnownCodes
from jaxreact.systems.fiber.made_ahead import codes_ahead, features_ahead, pays, seconds_to_code
from jaxreact.systems.fiber.tokenizer import FaceTokenizerConfig
from tests.systems.fiber.modalities import FACES, HEARD

BLOCK = 8
BLOCKS = 125 - BLOCK + 1
"""Of a clip."""


def test_when_coding_once_pays(monkeypatch):
    config = FaceTokenizerConfig(n_embd=96, n_layer=2)
    monkeypatch.setattr(made_ahead.os, "cpu_count", lambda: 2)
    assert pays(1000, 64_000, config)
    assert not pays(1000, 63_999, config)
    # The released size: REACT2024's training split, 3188 clips of 750 frames, for 1000 epochs.
    blocks, frames = 3188 * 719, 1000 * 3188 * 544
    released = FaceTokenizerConfig()
    assert seconds_to_code(blocks, released) == pytest.approx(22_429, rel=0.01)
    assert not pays(blocks, frames, released)
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    assert seconds_to_code(blocks, released) == pytest.approx(45, rel=0.01)
    assert pays(blocks, frames, released)


def ask(
    path: Path, frozen: FrozenParts, frames: int = 1 << 30, *, wanted: bool = False
) -> KnownCodes | None:
    given = (path, FACES, frozen.tokenizer, frozen.mean_face, 8, frames)
    return codes_ahead(*given, wanted=wanted)


def test_what_a_training_decides(conversations, frozen_parts, cache, capsys):
    """About codes."""
    assert frozen_parts.tokenizer.config.block_size == BLOCK
    assert ask(conversations, frozen_parts, frames=2 * BLOCKS * BLOCK - 1) is None
    assert not cache.exists()
    assert ask(conversations, frozen_parts, frames=2 * BLOCKS * BLOCK) is not None
    said = f"coding what can be cropped of 4 clips: {4 * BLOCKS} blocks, about 1 s\n"
    assert capsys.readouterr().err == said
    # Now they are there, and what is there is taken.
    assert ask(conversations, frozen_parts, frames=1) is not None
    assert capsys.readouterr().err == ""
    shutil.rmtree(cache)
    assert ask(conversations, frozen_parts, frames=1, wanted=True) is not None
    assert capsys.readouterr().err == said


def test_speakers_of_both_splits_are_heard(conversations, frozen_parts, cache, capsys):
    known = features_ahead(conversations, HEARD, frozen_parts.audio_encoder, 8)
    data = open_conversations(conversations)
    for split in ("train", "val"):
        for dyad in data.dyads(split, modalities=HEARD):
            assert known(dyad.speaker, 0, 125).shape == (250, 512)
    said = f"hearing 6 whole clips: 2 MB in {cache / 'features'}\n"
    assert capsys.readouterr().err == said
    assert features_ahead(conversations, HEARD, frozen_parts.audio_encoder, 8) == known
    assert capsys.readouterr().err == ""


def test_clips_too_short_for_a_crop_are_not_heard(conversations, frozen_parts, monkeypatch, capsys):
    """An empty one can't be: data whose clips have lengths of their own may have such."""
    kind = type(open_conversations(conversations))
    read = kind.dyads

    def dyads(self: Any, split: str, **options: Any) -> list[Any]:
        found = list(read(self, split, **options))
        empty = replace(found[0], speaker=replace(found[0].speaker, frames=0))
        return [empty, *found[1:]] if split == "train" else found

    monkeypatch.setattr(kind, "dyads", dyads)
    features_ahead(conversations, HEARD, frozen_parts.audio_encoder, 8)
    assert "hearing 5 whole clips" in capsys.readouterr().err


def others(monkeypatch, *agreed: bool) -> None:
    """As a process that is not the first sees it, when all agree so, one time after the other."""
    monkeypatch.setattr(made_ahead, "is_first", lambda: False)
    answers = iter(agreed)
    monkeypatch.setattr(made_ahead, "all_of_them", lambda value: next(answers) and value)


def test_other_processes_find_what_the_first_has_written(
    conversations, frozen_parts, monkeypatch, capsys
):
    asked = (conversations, HEARD, frozen_parts.audio_encoder, 8)
    known = features_ahead(*asked)
    capsys.readouterr()
    others(monkeypatch, True, True)
    assert features_ahead(*asked) == known
    assert capsys.readouterr().err == ""


def test_all_do_without_what_one_cannot_keep(conversations, frozen_parts, monkeypatch):
    asked = (conversations, HEARD, frozen_parts.audio_encoder, 8)
    without = "features cannot be kept by another process, and --audio crop does without"
    others(monkeypatch, True, False)
    with pytest.raises(UserError, match=without):
        features_ahead(*asked)
    monkeypatch.setattr(made_ahead, "_kept", forbidden)  # the first one's failure is enough
    others(monkeypatch, False, False)
    with pytest.raises(UserError, match=without):
        features_ahead(*asked)


def forbidden(*_: Any) -> Any:
    raise AssertionError("it was computed in vain")


@pytest.mark.parametrize("reason", ["No space left on device", "Not a directory"])
def test_a_folder_that_cannot_be_written(
    conversations, frozen_parts, monkeypatch, tmp_path, reason
):
    def full(*_: Any) -> Any:
        raise OSError(28, reason)

    if reason == "Not a directory":
        (tmp_path / "file").touch()
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    else:
        monkeypatch.setattr(kept_table, "replacing", full)
    unkept = rf"cannot be kept there \({reason}\); XDG_CACHE_HOME names another cache folder"
    with pytest.warns(Remark, match=rf"codes {unkept}: until then faces are coded in every step"):
        assert ask(conversations, frozen_parts) is None
    with pytest.raises(UserError, match=rf"features {unkept}, and --audio crop does without"):
        features_ahead(conversations, HEARD, frozen_parts.audio_encoder, 8)
    with pytest.raises(UserError, match="--codes every-step does without"):
        ask(conversations, frozen_parts, wanted=True)
