import pickle

import numpy as np
import pytest

from jaxreact.data.cache import ArrayCache
from jaxreact.data.crops import random_start
from jaxreact.data.layout import Clip, Dyad
from jaxreact.data.modality import Modality
from jaxreact.data.pipeline import PIPELINE, evaluation_items, training_batches
from jaxreact.data.react2024.data_set import React2024
from jaxreact.errors import UserError
from jaxreact.media.sound import read_audio
from tests.data.react2024_files import MEAN_FACE, TinyDataSet, write_tiny


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> TinyDataSet:
    return write_tiny(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def dyads(data):
    return React2024(data.root).dyads("train")


FACES = (Modality("speaker", "coeffs"), Modality("listener", "coeffs"))
SPEAKER = FACES[:1]


def everything(sound_frames: int | None = None) -> tuple[Modality, ...]:
    """What the two stages of FIBER are trained on, together."""
    sound = Modality("speaker", "waveform", frames=sound_frames)
    return (*FACES, Modality("listener", "emotion"), sound)


def batches(data, dyads, **changes):
    options = {"frames": 16, "batch_size": 2, "seed": 0, "epochs": 1, "modalities": everything()}
    options |= changes
    source = React2024(data.root)
    return training_batches(source, dyads, source.mean_face(), **options)


def origin(data, coeffs):
    """Whose clip and which first frame a stretch of mean-subtracted coefficients is."""
    value = float(coeffs[0, 0]) + MEAN_FACE[0]
    return data.names[int(value) - 1], round((value % 1) * 1024)


def test_shapes_and_types(data, dyads):
    batch = next(batches(data, dyads, modalities=everything(10)))
    shapes = {name: array.shape for name, array in batch.items()}
    assert shapes == {
        "speaker_coeffs": (2, 16, 58),
        "listener_coeffs": (2, 16, 58),
        "listener_emotion": (2, 16, 25),
        "speaker_waveform": (2, 6400),
    }
    assert {array.dtype for array in batch.values()} == {np.dtype(np.float32)}


def test_everything_of_an_item_is_the_same_stretch_of_one_dyad(data, dyads):
    pairs = {(dyad.speaker.name, dyad.listener.name): dyad for dyad in dyads}
    for batch in batches(data, dyads, modalities=everything(10), seed=3):
        for item in range(2):
            speaker, start = origin(data, batch["speaker_coeffs"][item])
            listener, listener_start = origin(data, batch["listener_coeffs"][item])
            dyad = pairs[speaker, listener]
            assert listener_start == start
            np.testing.assert_array_equal(
                batch["speaker_coeffs"][item], data.coeffs(speaker)[start : start + 16] - MEAN_FACE
            )
            np.testing.assert_allclose(
                batch["listener_emotion"][item],
                data.emotion(listener)[start : start + 16],
                atol=1e-6,
            )
            sound = data.path("Audio_files", dyad.speaker.name, ".wav")
            np.testing.assert_array_equal(
                batch["speaker_waveform"][item], read_audio(sound, start / 25, 0.4)
            )


def test_the_crops_of_a_seed_stay_the_same(data, dyads):
    """Runs that were interrupted go on with the batches that they would have had. Where these
    numbers have to change, `PIPELINE` is raised."""
    stream = batches(data, dyads, batch_size=1, seed=3, epochs=2)
    origins = [origin(data, batch["speaker_coeffs"][0]) for batch in stream]
    crops = [(data.number(name), start) for name, start in origins]
    assert crops == [(4, 8), (3, 8), (1, 33), (2, 21), (2, 36), (3, 29), (4, 31), (1, 6)]
    assert PIPELINE == 1


def test_random_start_covers_both_ends():
    rng = np.random.default_rng(0)
    starts = {random_start(20, 16, rng) for _ in range(200)}
    assert starts == {0, 1, 2, 3}
    assert random_start(16, 16, rng) == 0
    assert random_start(17, 16, rng) == 0


def test_an_epoch_shows_every_dyad_once_and_each_epoch_another_order(data, dyads):
    def order(seed, epochs):
        stream = batches(data, dyads, batch_size=1, seed=seed, epochs=epochs, modalities=SPEAKER)
        return [origin(data, batch["speaker_coeffs"][0]) for batch in stream]

    two = order(0, 2)
    assert [sorted(name for name, _ in half) for half in (two[:4], two[4:])] == [
        sorted(data.names)
    ] * 2
    assert two == order(0, 2)
    assert two != order(1, 2)
    assert two[:4] != two[4:]


@pytest.mark.parametrize("crop", ["random", "start"])
def test_a_coin_decides_who_speaks(data, dyads, crop):
    """Each time anew, as often as not; what is read is one dyad or the other, whole."""
    first, second = dyads[:2], dyads[2:]
    options = {"batch_size": 1, "epochs": 40, "modalities": FACES, "crop": crop}
    names = {(dyad.speaker.name, dyad.listener.name): dyad for dyad in dyads}
    seen = []
    for batch in batches(data, first, **options, exchanged=second):
        (speaker, start), (listener, _) = (
            origin(data, batch[f"{role}_coeffs"][0]) for role in ("speaker", "listener")
        )
        assert crop == "random" or start == 0
        seen.append(names[speaker, listener])
    assert len(seen) == 80
    turned = [dyad in second for dyad in seen]
    assert 20 < sum(turned) < 60
    assert turned[:2] != turned[2:4] or turned[4:6] != turned[6:8]
    for epoch in range(40):  # each conversation once
        pair = [{dyad.speaker.name, dyad.listener.name} for dyad in seen[2 * epoch :][:2]]
        assert pair[0] | pair[1] == {name for dyad in dyads for name in (dyad.speaker.name,)}


def test_validation_starts_at_zero_in_order_and_keeps_the_remainder(data, dyads):
    stream = batches(
        data, dyads[:3], crop="start", shuffle=False, drop_remainder=False, modalities=SPEAKER
    )
    got = [origin(data, item) for batch in stream for item in batch["speaker_coeffs"]]
    assert got == [(dyad.speaker.name, 0) for dyad in dyads[:3]]


def test_validation_windows_reach_from_the_beginning_to_the_end(data, dyads):
    options = {"crop": "start", "shuffle": False, "drop_remainder": False, "epochs": 1}
    stream = batches(data, dyads[:2], **options, windows=3, frames=20, modalities=SPEAKER)
    got = [origin(data, item) for batch in stream for item in batch["speaker_coeffs"]]
    spare = [dyad.frames - 20 for dyad in dyads[:2]]
    assert min(spare) > 2
    assert got == [
        (dyad.speaker.name, place * most // 2)
        for place in range(3)
        for dyad, most in zip(dyads[:2], spare, strict=True)
    ]


def test_sound_is_padded_where_the_file_ends_early(data, dyads):
    short = [Dyad(dyads[0].speaker, dyads[0].listener)]
    item = next(iter(evaluation_items(React2024(data.root), short, 60, modalities=everything())))
    samples = int(44100 * 2.4) * 16000 // 44100
    assert item["speaker_waveform"].shape == (60 * 640,)
    assert np.abs(item["speaker_waveform"][samples - 200 : samples]).max() > 0.1
    beyond = next(batches(data, short, batch_size=1, frames=60, modalities=everything(70)))
    assert beyond["speaker_waveform"].shape == (1, 70 * 640)
    assert not beyond["speaker_waveform"][0, samples + 1 :].any()


@pytest.mark.parametrize(
    ("processes", "workers"),
    [(1, 0), (2, 0), (4, 0), (1, 2), *(pytest.param(n, 2, marks=pytest.mark.slow) for n in (2, 4))],
)
def test_processes_and_workers_share_one_stream(data, dyads, processes, workers):
    """Rows of all processes, put together, are a single process's batches."""
    options = {"batch_size": 4, "epochs": 3, "modalities": everything(4)}
    alone = list(batches(data, dyads, **options))
    shards = [
        list(batches(data, dyads, **options, workers=workers, shard=(index, processes)))
        for index in range(processes)
    ]
    assert [len(shard) for shard in shards] == [len(alone)] * processes == [3] * processes
    for whole, *parts in zip(alone, *shards, strict=True):
        for name, value in whole.items():
            together = np.concatenate([part[name] for part in parts])
            np.testing.assert_array_equal(together, value)


@pytest.mark.parametrize(
    ("shard", "workers"),
    [((0, 1), 0), ((3, 4), 0), pytest.param((1, 2), 2, marks=pytest.mark.slow)],
)
def test_a_saved_position_continues_with_the_very_next_batch(data, dyads, shard, workers):
    options = {"batch_size": 4, "epochs": None, "modalities": SPEAKER}
    stream = batches(data, dyads, **options, shard=shard, workers=workers)
    for _ in range(3):
        next(stream)
    state = stream.get_state()
    expected = [next(stream)["speaker_coeffs"] for _ in range(3)]
    again = batches(data, dyads, **options, shard=shard, workers=workers)
    again.set_state(state)
    for value in expected:
        np.testing.assert_array_equal(next(again)["speaker_coeffs"], value)


def test_a_batch_that_is_not_whole_for_all_processes_is_dropped_for_all(data, dyads):
    """Fifteen rows are seven batches of two; process 0 alone could begin an eighth."""
    options = {"epochs": 5, "modalities": SPEAKER}
    streams = [batches(data, dyads[:3], **options, shard=(index, 2)) for index in range(2)]
    assert [len(list(stream)) for stream in streams] == [7, 7]


def test_what_cannot_be_shared_between_processes(data, dyads):
    with pytest.raises(UserError, match="batch of 3 cannot be shared equally between 2 processes"):
        batches(data, dyads, batch_size=3, shard=(0, 2))
    with pytest.raises(ValueError, match="let each read all"):
        batches(data, dyads, shard=(0, 2), drop_remainder=False)


def test_errors_name_what_to_change(data, dyads):
    with pytest.raises(UserError, match=r"shorter than the 61 frames .*010_2016-03-25_Paris"):
        batches(data, dyads, frames=61)
    with pytest.raises(UserError, match="batch of 5"):
        batches(data, dyads, batch_size=5)
    with pytest.raises(UserError, match="no conversation"):
        batches(data, [])
    with pytest.raises(UserError, match="shorter than the 736"):
        evaluation_items(React2024(data.root), dyads, 736, modalities=SPEAKER)


def test_evaluation_items_in_order(data, dyads):
    source = React2024(data.root)
    wanted = (*everything(), Modality("speaker", "emotion"))
    items = evaluation_items(source, dyads, 32, modalities=wanted)
    assert len(items) == 4
    for item, dyad in zip(items, dyads, strict=True):
        np.testing.assert_array_equal(item["speaker_coeffs"], data.coeffs(dyad.speaker.name)[:32])
        np.testing.assert_allclose(
            item["speaker_emotion"], data.emotion(dyad.speaker.name)[:32], atol=1e-6
        )
        assert item["listener_emotion"].shape == (32, 25)
    mean = source.mean_face()
    centred = evaluation_items(source, dyads, 32, mean_face=mean, modalities=SPEAKER)[0]
    np.testing.assert_array_equal(centred["speaker_coeffs"], items[0]["speaker_coeffs"] - MEAN_FACE)


def test_cache_keeps_the_most_recent_within_its_limit():
    cache = ArrayCache(limit=2 * 8 * 10)
    reads = []

    def load(name):
        reads.append(name)
        return np.zeros(10)

    for name in "abacab":
        cache.get(name, lambda name=name: load(name))
    assert reads == ["a", "b", "c", "b"]
    assert cache.nbytes == 160
    cache.get("large", lambda: np.zeros(100))
    assert cache.nbytes == 160
    with pytest.raises(ValueError, match="read-only"):
        cache.get("a", lambda: np.zeros(10))[0] = 1
    assert pickle.loads(pickle.dumps(cache)).nbytes == 0


def test_dyads_are_picklable(dyads):
    assert pickle.loads(pickle.dumps(dyads)) == dyads
    assert isinstance(dyads[0].speaker, Clip)
