"""What messages advise is done here, and then works.

One test for each piece of advice about data, predictions and what they are scored against; a new
`UserError` that says what to do belongs here, too.
"""

import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jaxreact.data.contents import load_coeffs, load_emotion
from jaxreact.data.conversations import open_conversations
from jaxreact.data.crops import check_lengths
from jaxreact.data.prepare import PrepareConfig, prepare
from jaxreact.data.react2024.data_set import React2024
from jaxreact.data.react2024.files import read_pairs
from jaxreact.data.split import open_split
from jaxreact.errors import UserError
from jaxreact.evaluation.partial_results import open_partial_results
from jaxreact.face import EMOTIONS
from jaxreact.metrics.baselines import mean_frame, mean_sequence
from jaxreact.metrics.command import Score
from jaxreact.metrics.truth import Truth, TruthFiles, find_truth, split_of
from jaxreact.predictions import Predictions, read_predictions, write_predictions
from tests.data.react2024_files import NOXI, RECOLA, TinyDataSet, write_tiny

EMOTION = np.random.default_rng(0).random((4, 2, 8, 25), np.float32)


def advised(message: str, function: Any, *arguments: Any, **options: Any) -> re.Match[str]:
    """The match of a pattern in the error that a call ends with."""
    with pytest.raises(UserError) as caught:
        function(*arguments, **options)
    assert "\n" not in str(caught.value)
    match = re.search(message, str(caught.value))
    assert match, str(caught.value)
    return match


@pytest.fixture
def data(tmp_path) -> TinyDataSet:
    """A validation split with its matrix."""
    data = write_tiny(tmp_path / "data", "val")
    np.save(data.root / "neighbour_emotion_val.npy", np.eye(4))
    return data


def packed(data: TinyDataSet, out: Path, **options: Any) -> Path:
    prepare(PrepareConfig(data.root, out, **{"workers": 1, **options}))
    return out


def test_pairs_with_missing_files_are_left_out(data, tmp_path):
    data.path("Audio_files", NOXI[0], ".wav").unlink()
    advice = r"leave their pairs out by `python -m jaxreact\.data\.prepare --drop-broken`"
    advised(advice, React2024(data.root).dyads, "val")
    split = open_split(packed(data, tmp_path / "cache", drop_broken=True), "val")
    assert (len(split.dyads), split.neighbours().shape) == (2, (2, 2))
    assert split.data.left_out("val") == 1


def test_pairs_without_pictures_are_taken_out_by_hand(data):
    (data.root / "val" / "Video_files").mkdir()
    advice = "take their rows out of the list, and out of its neighbour matrix"
    advised(advice, React2024(data.root).dyads, "val", ("coeffs", "video"))
    for name in RECOLA:
        film = data.path("Video_files", name, ".mp4")
        film.parent.mkdir(parents=True, exist_ok=True)
        film.touch()
    data.write_list([RECOLA])
    np.save(data.root / "neighbour_emotion_val.npy", np.eye(2))
    split = open_split(data.root, "val", ("coeffs", "video"))
    assert split.neighbours().shape == (2, 2)


@pytest.mark.parametrize("from_cache", [False, True])
def test_short_pairs_are_left_out(data, tmp_path, from_cache):
    for name in NOXI:
        np.save(data.path("3D_FV_files", name, ".npy"), data.coeffs(name, 50))
    source = packed(data, tmp_path / "all") if from_cache else data.root
    whole = open_conversations(source)
    assert whole.left_out("val") == 0
    dyads = whole.dyads("val")
    shortest = int(advised(r"prepare --shortest (\d+)`", check_lengths, dyads, 55)[1])
    split = open_split(packed(data, tmp_path / "cache", drop_broken=True, shortest=shortest), "val")
    assert split.data.left_out("val") == 1
    check_lengths(split.dyads, 55)
    assert (split.clips, split.neighbours().shape) == ((RECOLA[0], RECOLA[1]), (2, 2))
    less = r"--shortest 90: no pair of val is so long; choose less"
    advised(less, packed, data, tmp_path / "none", shortest=90)


def write_sources(data: TinyDataSet) -> None:
    rows = "site,chat_index,clip_index\nRecola,group-2,1\nNoXI,010_2016-03-25_Paris,1\n"
    (data.root / "data_indices.csv").write_text(rows)
    np.save(data.root / "Approprirate_facial_reaction.npy", np.eye(4))


def test_a_matrix_of_another_list_is_built_anew(data):
    np.save(data.root / "neighbour_emotion_val.npy", np.eye(6))
    neighbours = open_split(data.root, "val").neighbours
    advised("use the matrix of the same list$", neighbours)
    write_sources(data)
    advised("or remove it to have it built from Approprirate", neighbours)
    (data.root / "neighbour_emotion_val.npy").unlink()
    assert neighbours().shape == (4, 4)
    (data.root / "data_indices.csv").unlink()
    advised("copy either from the data set", React2024(data.root).neighbours, "val", 4)
    np.save(data.root / "neighbour_emotion_val.npy", np.eye(4))
    assert React2024(data.root).neighbours("val", 4).shape == (4, 4)


def test_a_cache_gets_a_matrix_from_its_root(data, tmp_path):
    matrix = data.root / "neighbour_emotion_val.npy"
    matrix.unlink()
    cache = packed(data, tmp_path / "cache")
    advice = (
        r"put neighbour_emotion_val\.npy into the root and run `python -m jaxreact.data.prepare`"
    )
    advised(advice, open_conversations(cache).neighbours, "val", 4)
    np.save(matrix, np.eye(4))
    packed(data, cache)
    assert open_conversations(cache).neighbours("val", 4).shape == (4, 4)


def test_a_damaged_cache_is_mended_by_packing_again(data, tmp_path):
    cache = packed(data, tmp_path / "cache")
    dyad = open_conversations(cache).dyads("val")[0]
    shard, index = cache / "val/coeffs-00000.arrayrecord", cache / "cache.json"
    content = shard.read_bytes()
    for broken in (content[:-9], content[:2000] + b"?" * 500 + content[2500:]):
        shard.write_bytes(broken)
        source = open_conversations(cache)
        if len(broken) < len(content):
            advised("prepare` again to mend it", source.dyads, "val")
        else:
            advised("prepare` again to mend it", source.coeffs, dyad.speaker)
        packed(data, cache)
        assert len(open_conversations(cache).coeffs(dyad.speaker)) == 60
    (cache / "neighbour_emotion_val.npy").write_bytes(b"")
    advised("run `python.*` again", open_conversations(cache).neighbours, "val", 4)
    packed(data, cache)
    assert open_conversations(cache).neighbours("val", 4).shape == (4, 4)
    for text in ("{", index.read_text().replace("Paris", "Lyon")):
        index.write_text(text)
        if "delete it" in advised("(delete it and )?run `", open_conversations, cache)[0]:
            index.unlink()
        packed(data, cache)
        assert len(open_conversations(cache).dyads("val")) == 4


def test_text_saved_as_utf_8(data):
    names = [name.replace("Paris", "Orléans") for name in NOXI]
    text = f",speaker_path,listener_path\n0,{names[0]},{names[1]}\n"
    path = data.root / "val.csv"
    for encoding in ("latin-1", "utf-16-le"):
        path.write_text(text, encoding)
        advised("save it as UTF-8", read_pairs, data.root, "val")
        path.write_text(path.read_text(encoding), "utf-8")
        assert read_pairs(data.root, "val") == [tuple(names)]


def test_emotion_columns_are_named_as_documented(data):
    path = data.path("Emotion", NOXI[0], ".csv")
    rows = path.read_text().partition("\n")[2]
    page = (Path(__file__).parents[1] / "docs/real_data.md").read_text()
    documented = re.search(r"`(AU1 .*? Contempt)`", page, re.DOTALL)
    assert documented
    assert tuple(documented[1].split()) == EMOTIONS
    for header in (["a"], ["x", *EMOTIONS[:24]], [*EMOTIONS[:23], "x", "y", "z"]):
        path.write_text(",".join(header) + "\n" + rows)
        advised("name them AU1 to Contempt as in docs/real_data.md", load_emotion, path)
        path.write_text(",".join(documented[1].split()) + "\n" + rows)
        assert load_emotion(path).shape == (60, 25)
    path.write_text(",".join([*EMOTIONS, "AU1"]) + "\n" + rows)
    advised("AU1 stands twice; remove one of them", load_emotion, path)


def test_arrays_are_saved_as_plain_ones(data, tmp_path):
    path, table = data.path("3D_FV_files", NOXI[0], ".npy"), data.coeffs(NOXI[0])
    saved: list[Any] = [np.array([{"coeffs": table}]), table.astype(complex), table.astype(str)]
    for array in saved:
        np.save(path, array, allow_pickle=True)
        advised("save its numbers by np.save|of .*; save it again", load_coeffs, path)
        np.save(path, table)
        assert load_coeffs(path).shape == (61, 58)
    with path.open("wb") as file:
        np.savez(file, table)
    advised(r"it is an npz archive\); .* save its numbers by np\.save", load_coeffs, path)
    np.save(path, np.load(path)["arr_0"])
    assert load_coeffs(path).shape == (61, 58)
    one = tmp_path / "p.npz"
    np.savez(one, emotion=EMOTION.astype(object), allow_pickle=True)
    advised(r"save its numbers by np\.savez", read_predictions, one, number=4)
    np.savez(one, emotion=EMOTION)
    assert read_predictions(one, number=4).emotion.shape == EMOTION.shape


def test_predictions_are_read_as_advised(tmp_path):
    torch = pytest.importorskip("torch")
    path, tensor = tmp_path / "p.pt", torch.from_numpy(EMOTION)
    torch.save({"a": tensor, "b": tensor}, path)
    advised("save the predictions by themselves, or as emotion", read_predictions, path, number=4)
    for again in (tensor, {"emotion": tensor, "b": tensor}):
        torch.save(again, path)
        np.testing.assert_array_equal(read_predictions(path, number=4).emotion, EMOTION)
    torch.save(EMOTION, path)
    advised("save its tensors again by themselves", read_predictions, path, number=4)
    np.save(tmp_path / "p.npy", EMOTION.reshape(8, 8, 25))
    advised("say which with --layout", read_predictions, tmp_path / "p.npy", number=4)
    found = read_predictions(tmp_path / "p.npy", number=4, layout="flat-by-clip")
    np.testing.assert_array_equal(found.emotion, EMOTION)


def test_truth_that_lacks_is_given(data, tmp_path):
    path = tmp_path / "p.npz"
    write_predictions(path, Predictions(EMOTION))
    advised("give --data, or --neighbours", Score(path).run)
    np.save(tmp_path / "n.npy", np.eye(4))
    files = TruthFiles(neighbours=tmp_path / "n.npy")

    def truth(files: TruthFiles) -> Truth:
        split = split_of(files)
        number = None if split is None else len(split.clips)
        return find_truth(files, split, path, read_predictions(path, number=number or 4))

    advised("holds no listener; give --listener FILE, or --data", truth, files)
    assert truth(TruthFiles(data=data.root)).listener.shape == (4, 8, 25)
    for name in ("listener", "speaker"):
        np.save(tmp_path / f"{name}.npy", EMOTION[:, 0])
    given = {name: tmp_path / f"{name}.npy" for name in ("listener", "speaker")}
    whole = TruthFiles(neighbours=tmp_path / "n.npy", **given)
    assert truth(whole).speaker.shape == (4, 8, 25)


def test_a_short_training_split_has_another_baseline():
    mean = EMOTION[0, 0]
    advised("use longer training clips or the baseline mean-frame", mean_sequence, mean, 4, 2, 9)
    assert mean_frame(mean, 4, 2, 9).shape == (4, 2, 9, 25)


def test_damaged_parts_of_an_evaluation_are_removed(tmp_path):
    arguments = (tmp_path / "parts", ["a", "b"], 2, [8, 8], False, {"seed": 0})
    parts = open_partial_results(*arguments)
    parts.add([0, 1], EMOTION[:2], np.zeros((2, 2, 8, 58), np.float32))
    part = tmp_path / "parts/000000.npz"
    part.write_bytes(part.read_bytes()[:-400])
    advised("remove it and give the same command again", open_partial_results, *arguments)
    part.unlink()
    assert open_partial_results(*arguments).missing == [0, 1]
    for text in ("{", '{"seed": 1}'):
        (tmp_path / "parts/made_with.json").write_text(text)
        advised("remove .* to start anew", open_partial_results, *arguments)
        shutil.rmtree(tmp_path / "parts")
        assert open_partial_results(*arguments).missing == [0, 1]
