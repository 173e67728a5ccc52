"""Codes that are computed once are those of every crop, and are kept for the next training."""

import os
import pickle
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from jaxreact.data.conversations import Conversations, open_conversations
from jaxreact.data.layout import Clip
from jaxreact.data.modality import Modality
from jaxreact.errors import Remark, UserError
from jaxreact.systems.fiber import code_ahead, known_codes
from jaxreact.systems.fiber.code_ahead import codes_ahead, pays, seconds_to_code
from jaxreact.systems.fiber.config import PredictorConfig
from jaxreact.systems.fiber.frozen_parts import FrozenParts
from jaxreact.systems.fiber.known_codes import CodeTable, KnownCodes
from jaxreact.systems.fiber.tokenizer import FaceTokenizer, FaceTokenizerConfig
from jaxreact.systems.fiber.train_predictor import PredictorTraining, _data, inputs
from jaxreact.training.loop import LoopConfig

FACES = (Modality("speaker", "coeffs"), Modality("listener", "coeffs"))
BLOCK = 8


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch) -> Path:
    """The user's cache folder."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "jaxreact" / "codes"


@pytest.fixture(scope="module")
def frozen_parts(frozen_parts: FrozenParts) -> FrozenParts:
    """With a tokenizer that tells faces apart."""
    config = FaceTokenizerConfig(
        n_embd=16, n_head=2, n_layer=1, block_size=BLOCK, input_init_std=5.0, relative_pose=True
    )
    tokenizer = FaceTokenizer(config, rngs=nnx.Rngs(0))
    to_levels = tokenizer.quantize.project_in
    to_levels.kernel = nnx.Param(50 * to_levels.kernel[...])
    return replace(frozen_parts, tokenizer=tokenizer)


@pytest.fixture(scope="module")
def data(conversations) -> Conversations:
    return open_conversations(conversations)


@pytest.fixture(scope="module")
def clips(data) -> list[Clip]:
    return [clip for dyad in data.dyads("train", FACES) for clip in (dyad.speaker, dyad.listener)]


@pytest.fixture
def table(data, clips, frozen_parts: FrozenParts) -> CodeTable:
    return CodeTable(data, clips, frozen_parts.tokenizer, frozen_parts.mean_face)


def forbidden(*_: Any) -> Any:
    raise AssertionError("codes were computed again")


def test_any_crop_has_the_codes_that_the_tokenizer_gives_it(
    table, data, clips, frozen_parts, monkeypatch
):
    """Of several batches, whose last is not full, and of every clip from its first block on."""
    assert table.blocks == 4 * (125 - BLOCK + 1)
    monkeypatch.setattr(known_codes, "TOGETHER", 100)
    known = pickle.loads(pickle.dumps(table.known()))
    assert len({clip.name for clip in clips}) == 4
    for clip in clips:
        for start, frames in ((0, 120), (5, 120), (117, 8), (31, 32)):
            crop = data.coeffs(clip)[start : start + frames] - frozen_parts.mean_face
            expected = frozen_parts.tokenizer.encode(jnp.asarray(crop)[None])[0]
            found = known(clip, start, frames)
            assert found.dtype == np.int32
            np.testing.assert_array_equal(found, expected)
    assert len(np.unique(np.load(table.file))) > 10
    with pytest.raises(ValueError, match="12 frames are not a multiple of 8"):
        known(clips[0], 0, 12)


def test_a_clip_of_two_lengths_counts_with_the_longer(data, clips, frozen_parts):
    """A speaker's clip is as long as its sound, too."""
    shorter = [replace(clip, frames=100) for clip in clips[:1]]
    short_clip = [replace(clip, frames=BLOCK - 1) for clip in clips[1:2]]
    given = (frozen_parts.tokenizer, frozen_parts.mean_face)
    table = CodeTable(data, [*shorter, *short_clip, clips[0]], *given)
    assert table.blocks == 125 - BLOCK + 1
    assert table.known()(shorter[0], 92, BLOCK).shape == (BLOCK,)


def test_codes_are_kept(table, data, clips, frozen_parts, cache, monkeypatch):
    known = table.known()
    assert [known.file] == list(cache.iterdir())
    assert np.load(known.file).dtype == np.uint16
    os.utime(known.file, (1, 1))
    tokenizer, mean = frozen_parts.tokenizer, frozen_parts.mean_face
    with monkeypatch.context() as patch:
        patch.setattr(CodeTable, "_coded", forbidden)
        again = CodeTable(data, [*clips, clips[0]], tokenizer, mean.copy()).known()
    assert again == known
    assert known.file.stat().st_mtime > 1  # it was used
    monkeypatch.setattr(os, "utime", denied)  # it may be somebody else's
    assert table.known() == known


def denied(*_: Any) -> None:
    raise PermissionError(1, "Operation not permitted")


def test_who_has_asked_for_codes_keeps_them(table, clips, frozen_parts):
    """Also where the file is taken away before the first of them is read."""
    known = table.known()
    known.file.unlink()
    assert known(clips[0], 0, BLOCK).shape == (BLOCK,)


def test_whatever_codes_depend_on_names_another_file(table, data, clips, frozen_parts, monkeypatch):
    other = FaceTokenizer(frozen_parts.tokenizer.config, rngs=nnx.Rngs(5))
    mean = frozen_parts.mean_face
    files = {
        table.file,
        CodeTable(data, clips, other, mean).file,
        CodeTable(data, clips, frozen_parts.tokenizer, mean + 1).file,
        CodeTable(data, clips[:1], frozen_parts.tokenizer, mean).file,
    }
    with monkeypatch.context() as patch:
        patch.setattr(jax, "default_backend", lambda: "gpu")
        files.add(CodeTable(data, clips, frozen_parts.tokenizer, mean).file)
    read = type(data).coeffs
    changed = sorted(clip.name for clip in clips)[2]
    monkeypatch.setattr(
        type(data), "coeffs", lambda self, clip: read(self, clip) + (clip.name == changed)
    )
    files.add(CodeTable(data, clips, frozen_parts.tokenizer, mean).file)
    assert len(files) == 6


@pytest.mark.parametrize("damage", ["cut off", "of another shape", "no file of numpy's"])
def test_a_damaged_file_is_written_anew(table, damage):
    whole = np.array(np.load(table.known().file))
    if damage == "cut off":
        table.file.write_bytes(table.file.read_bytes()[:-1])
    elif damage == "of another shape":
        np.save(table.file, whole[:-1])
    else:
        table.file.write_text("codes")
    assert not table.is_kept
    np.testing.assert_array_equal(np.load(table.known().file), whole)


def test_files_used_longest_ago_make_room(table, cache, monkeypatch):
    cache.mkdir(parents=True)
    size = 2 * table.blocks * BLOCK + 128
    for age, name in enumerate(("new", "old", "older")):
        file = cache / f"{name}.npy"
        file.write_bytes(bytes(size))
        os.utime(file, (1000 - age, 1000 - age))
    for name in (".a.npy.killed", ".b.npy.running"):
        (cache / name).mkdir()
        (cache / name / "a.npy").touch()
    os.utime(cache / ".a.npy.killed", (1000, 1000))
    (cache / "today.npy").write_bytes(bytes(9 * size))  # somebody may be about to read it
    monkeypatch.setattr(known_codes, "MAX_BYTES", 12 * size)
    table.known()
    assert {path.name for path in cache.iterdir()} == {
        *(table.file.name, "today.npy", "new.npy", "old.npy", ".b.npy.running")
    }


def test_when_coding_once_pays(monkeypatch):
    config = FaceTokenizerConfig(n_embd=96, n_layer=2)
    monkeypatch.setattr(code_ahead.os, "cpu_count", lambda: 2)
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
    given = (path, FACES, frozen.tokenizer, frozen.mean_face, frames)
    return codes_ahead(*given, wanted=wanted)


def test_what_a_training_decides(conversations, frozen_parts, cache, capsys):
    assert ask(conversations, frozen_parts, frames=2 * 118 * BLOCK - 1) is None
    assert not cache.exists()
    assert ask(conversations, frozen_parts, frames=2 * 118 * BLOCK) is not None
    said = "coding what can be cropped of 4 clips: 472 blocks, about 1 s\n"
    assert capsys.readouterr().err == said
    # Now they are there, and what is there is taken.
    assert ask(conversations, frozen_parts, frames=1) is not None
    assert capsys.readouterr().err == ""
    shutil.rmtree(cache)
    assert ask(conversations, frozen_parts, frames=1, wanted=True) is not None
    assert capsys.readouterr().err == said


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
        monkeypatch.setattr(known_codes, "replacing", full)
    with pytest.warns(Remark, match=rf"cannot be kept there \({reason}\): faces are coded in"):
        assert ask(conversations, frozen_parts) is None
    with pytest.raises(UserError, match="--codes every-step does without"):
        ask(conversations, frozen_parts, wanted=True)


@pytest.mark.parametrize("context", [0, 24])
def test_a_training_reads_codes_of_the_same_crops(conversations, frozen_parts, context):
    """What the predictor is given is the same either way; validation codes its faces itself."""
    model = PredictorConfig(block_size=16, patch_size=4, n_embd=4, n_head=1, n_layer=1)
    config = PredictorTraining(
        data=conversations,
        out=Path("unwritten"),
        tokenizer=Path("unread"),
        audio_context=context,
        model=model,
        loop=LoopConfig(batch_size=2),
    )
    made = []
    for choice in ("once", "every-step"):
        data = _data(replace(config, codes=choice), model, frozen_parts)
        assert set(next(iter(data.validation()))) == {
            *("speaker_coeffs", "listener_coeffs", "speaker_waveform")
        }
        batches = data.training()
        batch = [next(batches) for _ in range(3)][-1]
        batches.close()
        assert ("listener_codes" in batch) == (choice == "once")
        given = (frozen_parts.tokenizer, frozen_parts.audio_encoder, model, context)
        made.append(jax.jit(lambda batch, given=given: inputs(batch, *given))(batch))
    for ours, theirs in zip(*made, strict=True):
        np.testing.assert_array_equal(ours, theirs)
