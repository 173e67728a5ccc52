"""Everybody's predictions come out as ours, or one line says what is wrong with them."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jaxreact.errors import Remark, UserError
from jaxreact.predictions import Predictions, read_predictions, write_predictions
from jaxreact.predictions.original_order import reorder_as_original

NAMES = ("NoXI/chat/Expert_video/1", "NoXI/chat/Novice_video/1", "RECOLA/group-1/P25/2")
SHAPE = (3, 2, 8, 25)
EMOTION = np.random.default_rng(0).random(SHAPE, np.float32)
FLAT = (6, 8, 25)


@pytest.fixture
def predictions() -> Predictions:
    rng = np.random.default_rng(1)
    return Predictions(
        emotion=EMOTION,
        coeffs=rng.random((3, 2, 8, 58), np.float32),
        listener=rng.random((3, 8, 25), np.float32),
        speaker=rng.random((3, 8, 25), np.float32),
        clips=NAMES,
        made_with='{"seed": 0}',
    )


def read(path: Path, **options: Any) -> tuple[np.ndarray, str]:
    """The emotion, and the one line that says how it was read."""
    lines: list[str] = []
    found = read_predictions(path, clips=NAMES, report=lines.append, **options)
    assert len(lines) == 1
    assert "\n" not in lines[0]
    return found.emotion, lines[0]


def refused(path: Path, words: str, **options: Any) -> None:
    with pytest.raises(UserError, match=re.escape(words)) as caught:
        read_predictions(path, clips=options.pop("clips", NAMES), **options)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_ours_there_and_back(tmp_path, predictions):
    path = tmp_path / "new" / "predictions.npz"
    write_predictions(path, predictions)
    found = read_predictions(path, clips=NAMES)
    for name, value in vars(predictions).items():
        np.testing.assert_array_equal(getattr(found, name), value)
    assert isinstance(found.emotion, np.memmap)
    assert isinstance(found.coeffs, np.memmap)
    with np.load(path, allow_pickle=False) as file:
        assert set(file.files) == {*vars(predictions)}
        assert file["clips"].tolist() == list(NAMES)


def test_emotion_alone_suffices(tmp_path):
    np.savez(tmp_path / "p.npz", emotion=EMOTION, note=np.zeros(3))
    emotion, line = read(tmp_path / "p.npz")
    np.testing.assert_array_equal(emotion, EMOTION)
    assert line.endswith("read as clips-samples: 3 clips, 2 samples each, 8 frames")


def test_other_numbers_become_float32(tmp_path):
    np.save(tmp_path / "p.npy", EMOTION.astype(np.float64))
    emotion, _ = read(tmp_path / "p.npy")
    assert emotion.dtype == np.float32
    np.testing.assert_array_equal(emotion, EMOTION)
    np.save(tmp_path / "p.npy", EMOTION.astype(complex))
    refused(tmp_path / "p.npy", "complex128 instead of numbers")


def test_layouts_of_npy_files(tmp_path):
    path = tmp_path / "p.npy"
    by_sample = EMOTION.swapaxes(0, 1)
    for array, layout in (
        (EMOTION, None),
        (by_sample, None),
        (EMOTION.reshape(FLAT), "flat-by-clip"),
        (by_sample.reshape(FLAT), "flat-by-sample"),
    ):
        np.save(path, array)
        emotion, line = read(path, layout=layout)
        np.testing.assert_array_equal(emotion, EMOTION)
        assert np.shares_memory(emotion, emotion.base) or emotion.base is None
        assert str(array.shape) in line
    refused(path, "say which with --layout")


def test_frames_are_cut_where_asked(tmp_path):
    np.save(tmp_path / "p.npy", EMOTION)
    emotion, line = read(tmp_path / "p.npy", frames=5)
    np.testing.assert_array_equal(emotion, EMOTION[:, :, :5])
    assert line.endswith("5 frames")
    refused(tmp_path / "p.npy", "8 frames, fewer than the 9 wanted", frames=9)


def test_clips_of_another_number_or_order(tmp_path, predictions):
    path = tmp_path / "p.npz"
    write_predictions(path, predictions)
    refused(path, "shape (3, 2, 8, 25) does not fit as clips-samples", clips=[*NAMES, "x"])
    refused(path, "clip 0 is NoXI/chat/Expert_video/1, in the data set it is", clips=NAMES[::-1])
    np.savez(path, emotion=EMOTION)
    refused(path, "shape (3, 2, 8, 25) does not fit: the data set needs (4,", clips=[*NAMES, "x"])


def test_values_that_are_not_finite_are_named(tmp_path):
    broken = EMOTION.copy()
    broken[1, 0, 6, 24] = np.nan
    broken[2, 0, 0, 0] = np.inf
    np.save(tmp_path / "p.npy", broken)
    words = "emotion: nan in clip 1, sample 0, frame 6, channel 24; every value must be finite"
    refused(tmp_path / "p.npy", words)
    named = re.escape("clip 1 (NoXI/chat/Novice_video/1), sample 0, frame 6")
    with pytest.raises(UserError, match=named):
        Predictions(broken, clips=NAMES)
    listener = np.zeros((3, 8, 25), np.float32)
    listener[2, 7, 0] = -np.inf
    with pytest.raises(UserError, match="listener: -inf in clip 2, frame 7, channel 0"):
        Predictions(EMOTION, listener=listener)


def test_channels_and_axes(tmp_path):
    path = tmp_path / "p.npy"
    np.save(path, np.zeros((3, 2, 8, 58)))
    refused(path, "58 channels are face coefficients")
    np.save(path, EMOTION[..., :24])
    refused(path, "shape (3, 2, 8, 24); expected 25 channels")
    np.save(path, EMOTION[0, 0])
    refused(path, "shape (8, 25); expected 25 channels in the last axis, frames before it")
    np.savez(tmp_path / "p.npz", emotion=EMOTION, listener=np.zeros((3, 7, 25)))
    refused(tmp_path / "p.npz", "listener: shape (3, 7, 25) does not fit emotion of shape (3, 2, 8")


def test_files_that_cannot_be_used(tmp_path, predictions):
    path = tmp_path / "p.npz"
    refused(path, "no such file")
    path.write_bytes(b"PK nonsense")
    refused(path, "damaged, or no file of plain arrays")
    path.write_bytes(b"a,b\n1,2\n")
    refused(path, "not a readable checkpoint: it is neither a PyTorch file nor safetensors")
    path.write_bytes(b"")
    refused(path, "the file is empty")
    np.savez(path, emotion=np.array([{"a": 1}], object), allow_pickle=True)
    refused(path, "damaged, or no npz file of plain arrays")
    np.savez(path, faces=EMOTION)
    refused(path, "holds faces but no array emotion")
    write_predictions(path, predictions)
    path.write_bytes(path.read_bytes()[:5000])
    refused(path, "damaged, or no file of plain arrays")
    np.save(tmp_path / "p.npy", EMOTION)
    (tmp_path / "p.npy").write_bytes((tmp_path / "p.npy").read_bytes()[:-4])
    refused(tmp_path / "p.npy", "cut off")


def test_what_makes_no_sense_is_said_and_read(tmp_path):
    path = tmp_path / "p.npz"
    np.savez(path, emotion=100 * EMOTION, coeffs=np.zeros((3, 2, 8, 58)))
    with pytest.warns(Remark) as said:
        emotion, _ = read(path)
    np.testing.assert_array_equal(emotion, 100 * EMOTION)
    percent, upside_down = (str(each.message) for each in said)
    assert percent == f"{path}: emotion up to 100, channels end at 1; is it percent?"
    assert "is the mean face subtracted from coeffs?" in upside_down


# PyTorch files


def save(path: Path, content: Any, **options: Any) -> Path:
    torch = pytest.importorskip("torch")

    def tensors(value: Any) -> Any:
        if isinstance(value, np.ndarray):
            return torch.from_numpy(np.ascontiguousarray(value))
        if isinstance(value, dict):
            return {name: tensors(inner) for name, inner in value.items()}
        return [tensors(inner) for inner in value] if isinstance(value, list) else value

    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(tensors(content), path, **options)
    return path


PASSES = [EMOTION[:, sample] for sample in range(2)]

TORCH_FILES = {
    "a tensor": EMOTION,
    "passes first": EMOTION.swapaxes(0, 1),
    "a list of passes": PASSES,
    "a list of passes with an axis of samples": [one[:, None] for one in PASSES],
    "a list of batches": [EMOTION[:2], EMOTION[2:]],
    "passes of batches": [[one[:2], one[2:]] for one in PASSES],
    "a list of clips": list(EMOTION),
    "by name of the clip": {name: EMOTION[row] for row, name in enumerate(NAMES)},
    "a dictionary": {"listener_gt": EMOTION[:, 0], "prediction": EMOTION},
    "an unnamed one": {"mine": EMOTION, "coeffs": np.zeros((3, 2, 8, 58)), "epoch": 3},
}


@pytest.mark.parametrize("name", TORCH_FILES)
@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_what_people_save_with_torch(tmp_path, name, zipped):
    options = {"_use_new_zipfile_serialization": zipped}
    path = save(tmp_path / "p.pt", TORCH_FILES[name], **options)
    np.testing.assert_array_equal(read(path)[0], EMOTION)


def test_half_precision(tmp_path):
    torch = pytest.importorskip("torch")
    half = torch.from_numpy(EMOTION).bfloat16()
    torch.save(half, tmp_path / "p.pt")
    np.testing.assert_array_equal(read(tmp_path / "p.pt")[0], half.float().numpy())


def test_torch_files_that_are_no_predictions(tmp_path):
    path = tmp_path / "p.pt"
    refused(save(path, {"a": EMOTION, "b": EMOTION}), "a dictionary of a, b; save the pred")
    refused(save(path, [EMOTION[..., :8, :], EMOTION[..., :7, :]]), "arrays of different shapes")
    refused(save(path, "hello"), "holds a str, not predictions")
    refused(save(path, []), "holds a list, not predictions")
    refused(save(path, EMOTION[..., :3]), "shape (3, 2, 8, 3); expected 25 channels")
    torch = pytest.importorskip("torch")
    torch.save(EMOTION, path)  # a numpy array, which torch pickles
    refused(path, "refused: it names numpy")
    refused(path, "If you trust the file, save its tensors again")


def test_one_batch_of_every_pass_in_a_row_is_ambiguous(tmp_path):
    batches = [one[rows] for one in PASSES for rows in (slice(0, 2), slice(2, 3))]
    path = save(tmp_path / "p.pt", batches)
    refused(path, "flat-by-clip or as flat-by-sample")
    np.testing.assert_array_equal(read(path, layout="flat-by-sample")[0], EMOTION)


def test_the_originals_file_is_never_read_silently(tmp_path):
    path = save(tmp_path / "listener_pred_emotion.pt", reorder_as_original(EMOTION))
    refused(path, "the original program's file, whose rows mix the reactions to several clips")
    right, line = read(path, original_order="undo")
    np.testing.assert_array_equal(right, EMOTION)
    assert "the original's order undone" in line
    kept, line = read(path, original_order="keep")
    np.testing.assert_array_equal(kept, reorder_as_original(EMOTION))
    assert "in the original's order, which mixes clips" in line
    np.testing.assert_array_equal(read(tmp_path, original_order="undo")[0], EMOTION)


def test_right_predictions_are_mixed_as_the_original_would(tmp_path, predictions):
    write_predictions(tmp_path / "p.npz", predictions)
    lines = []
    mixed = read_predictions(tmp_path / "p.npz", original_order="mix", report=lines.append)
    np.testing.assert_array_equal(mixed.emotion, reorder_as_original(predictions.emotion))
    np.testing.assert_array_equal(mixed.coeffs, reorder_as_original(predictions.coeffs))
    np.testing.assert_array_equal(mixed.listener, predictions.listener)
    assert "mixed as by the original" in lines[0]
    path = save(tmp_path / "listener_pred_emotion.pt", reorder_as_original(EMOTION))
    refused(path, "the original program's file", original_order="mix")


def test_there_is_no_original_order_to_undo(tmp_path, predictions):
    write_predictions(tmp_path / "p.npz", predictions)
    refused(tmp_path / "p.npz", "--original-order undo: the file's", original_order="undo")
    path = save(tmp_path / "p.pt", EMOTION.swapaxes(0, 1))
    refused(path, "--original-order undo: the file's", original_order="undo")


def test_a_folder_with_a_file_a_reaction(tmp_path):
    many = np.random.default_rng(2).random((3, 12, 8, 25), np.float32)  # result-10 after result-9
    for name, reactions in zip(NAMES, many, strict=True):
        for number, reaction in enumerate(reactions):
            save(tmp_path / name / f"result-{number}.pth", reaction)
    np.testing.assert_array_equal(read(tmp_path)[0], many)
    (tmp_path / NAMES[1] / "result-11.pth").unlink()
    refused(tmp_path, "reactions of different shapes")
    refused(tmp_path, "no result-0.pth here", clips=[*NAMES, "x"])
    with pytest.raises(UserError, match="can be read only beside its data set"):
        read_predictions(tmp_path)
