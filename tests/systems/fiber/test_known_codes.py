"""Codes that are computed once are those of every crop."""

import pickle
from dataclasses import replace
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from jaxreact.systems.fiber import known_codes
from jaxreact.systems.fiber.config import PredictorConfig
from jaxreact.systems.fiber.frozen_parts import FrozenParts
from jaxreact.systems.fiber.known_codes import CodeTable
from jaxreact.systems.fiber.tokenizer import FaceTokenizer, FaceTokenizerConfig
from jaxreact.systems.fiber.train_predictor import PredictorTraining, _data, inputs
from jaxreact.training.loop import LoopConfig

BLOCK = 8


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


@pytest.fixture
def table(data, clips, frozen_parts: FrozenParts) -> CodeTable:
    return CodeTable(data, clips, frozen_parts.tokenizer, frozen_parts.mean_face)


def test_any_crop_has_the_codes_that_the_tokenizer_gives_it(
    table, data, clips, frozen_parts, monkeypatch
):
    """Of several batches, whose last is not full, and of every clip from its first block on."""
    assert table.rows == 4 * (125 - BLOCK + 1)
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
    stored = np.load(table.file)
    assert len(np.unique(stored)) > 10
    assert stored.dtype == np.uint16
    with pytest.raises(ValueError, match="12 frames are not a multiple of 8"):
        known(clips[0], 0, 12)


def test_a_clip_of_two_lengths_counts_with_the_longer(data, clips, frozen_parts):
    """A speaker's clip is as long as its sound, too."""
    shorter = [replace(clip, frames=100) for clip in clips[:1]]
    short_clip = [replace(clip, frames=BLOCK - 1) for clip in clips[1:2]]
    given = (frozen_parts.tokenizer, frozen_parts.mean_face)
    table = CodeTable(data, [*shorter, *short_clip, clips[0]], *given)
    assert table.rows == 125 - BLOCK + 1
    assert table.known()(shorter[0], 92, BLOCK).shape == (BLOCK,)


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
