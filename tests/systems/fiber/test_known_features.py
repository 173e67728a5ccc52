"""Features of a clip that are computed once are those that generation hears."""

import pickle
from dataclasses import replace
from pathlib import Path

import jax
import numpy as np
import pytest
from flax import nnx

from jaxreact.audio_features.batches import audio_features
from jaxreact.audio_features.load import Encoder
from jaxreact.audio_features.wav2vec2 import AudioEncoder
from jaxreact.data.conversations import Conversations
from jaxreact.data.layout import Clip
from jaxreact.errors import UserError
from jaxreact.systems.fiber.config import PredictorConfig
from jaxreact.systems.fiber.frozen_parts import FrozenParts
from jaxreact.systems.fiber.known_features import FeatureTable
from jaxreact.systems.fiber.train_predictor import PredictorTraining, _data, inputs
from jaxreact.training.loop import LoopConfig
from tests.systems.fiber.modalities import HEARD

MODEL = PredictorConfig(block_size=16, patch_size=4, n_embd=4, n_head=1, n_layer=1)


@pytest.fixture(scope="module")
def clips(data) -> list[Clip]:
    """Speakers."""
    return [dyad.speaker for dyad in data.dyads("train", HEARD)][:2]


@pytest.fixture
def encoder(frozen_parts: FrozenParts) -> AudioEncoder:
    return frozen_parts.audio_encoder


def heard(data: Conversations, clip: Clip, encoder: AudioEncoder) -> np.ndarray:
    """What generation hears in a clip, two steps a frame."""
    waveform = data.waveform(clip, 0, clip.frames)
    whole = audio_features(Encoder(encoder, {}, "here"), waveform, clip.frames)
    return np.pad(whole[0], ((1, 0), (0, 0)))


def test_any_stretch_has_the_features_that_generation_hears(data, clips, encoder):
    table = FeatureTable(data, [*clips, clips[0]], encoder)
    known = pickle.loads(pickle.dumps(table.known()))
    assert np.load(table.file).shape == (2 * 2 * 125, 512)
    for clip in clips:
        expected = heard(data, clip, encoder)
        for start, frames in ((0, 125), (31, 16), (109, 16)):
            found = known(clip, start, frames)
            assert found.dtype == np.float16
            part = expected[2 * start : 2 * (start + frames)]
            np.testing.assert_allclose(found, part, rtol=1e-3, atol=1e-6)
    assert np.abs(heard(data, clips[0], encoder) - heard(data, clips[1], encoder)).max() > 0.1


def test_another_encoder_or_sound_names_another_file(data, clips, encoder, monkeypatch):
    other = AudioEncoder(encoder.config, rngs=nnx.Rngs(5))
    files = {FeatureTable(data, clips, one).file for one in (encoder, other)}
    read = type(data).waveform
    monkeypatch.setattr(
        type(data), "waveform", lambda self, clip, *of: read(self, clip, *of) + (clip == clips[0])
    )
    files.add(FeatureTable(data, clips, encoder).file)
    assert len(files) == 3


def training(conversations: Path, **options: object) -> PredictorTraining:
    made = PredictorTraining(
        data=conversations,
        out=Path("unwritten"),
        tokenizer=Path("unread"),
        codes="every-step",
        audio="clip",
        model=MODEL,
        loop=LoopConfig(batch_size=2),
    )
    return replace(made, **options)


def test_a_training_is_given_the_features_of_its_crops(
    data, conversations, frozen_parts, encoder, monkeypatch
):
    """In both splits, and of the very frames whose faces stand beside them; no sound is heard in
    a step any more."""
    batches = {}
    for audio in ("clip", "crop"):
        read = _data(training(conversations, audio=audio), MODEL, frozen_parts)
        training_split = read.training()
        batches[audio] = [next(training_split), next(iter(read.validation()))]
        training_split.close()
    for split, batch, sound in zip(("train", "val"), *batches.values(), strict=True):
        np.testing.assert_array_equal(batch["speaker_coeffs"], sound["speaker_coeffs"])
        assert set(batch) == {"speaker_coeffs", "listener_coeffs", "speaker_features"}
        clips = {dyad.speaker for dyad in data.dyads(split, HEARD)}
        for row, coeffs in enumerate(batch["speaker_coeffs"]):
            clip, start = place_of(coeffs + frozen_parts.mean_face, data, clips)
            expected = heard(data, clip, encoder)[2 * start : 2 * (start + MODEL.block_size)]
            np.testing.assert_allclose(
                batch["speaker_features"][row], expected, rtol=1e-3, atol=1e-6
            )

    def deaf(*_: object) -> jax.Array:
        raise AssertionError("heard again")

    monkeypatch.setattr("jaxreact.systems.fiber.train_predictor.encode_waveforms", deaf)
    batch = jax.tree.map(jax.numpy.asarray, batches["clip"][0])
    features = inputs(batch, frozen_parts.tokenizer, encoder, MODEL)[0]
    assert features.dtype == np.float32
    np.testing.assert_array_equal(features, batch["speaker_features"])


def place_of(coeffs: np.ndarray, data: Conversations, clips: set[Clip]) -> tuple[Clip, int]:
    """Which clip a crop is of, and its first frame there."""
    for clip in clips:
        whole = data.coeffs(clip)
        for start in range(clip.frames - len(coeffs) + 1):
            if np.allclose(whole[start : start + len(coeffs)], coeffs, atol=1e-6):
                return clip, start
    raise AssertionError("no such crop")


def test_what_is_wrong_with_the_data_shows_before_anything_is_heard(
    conversations, frozen_parts, monkeypatch
):
    def hear(*_: object) -> None:
        raise AssertionError("heard in vain")

    monkeypatch.setattr("jaxreact.systems.fiber.train_predictor.features_ahead", hear)
    config = training(conversations, loop=LoopConfig(batch_size=100))
    with pytest.raises(UserError, match="4 dyads are fewer than the batch of 100"):
        _data(config, MODEL, frozen_parts)


def test_context_of_what_is_heard_as_a_whole(conversations, frozen_parts):
    with pytest.raises(UserError, match="--audio-context 5 is for --audio crop"):
        _data(training(conversations, audio_context=5), MODEL, frozen_parts)
