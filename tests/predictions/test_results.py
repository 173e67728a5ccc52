"""`results.pt` of REACT 2026: what is read, and what is told in one line."""

from typing import Any

import ml_dtypes
import numpy as np
import pytest

from jaxreact.errors import Remark, UserError
from jaxreact.predictions import holds_results, read_results
from jaxreact.predictions.whole import write_whole
from tests.metrics.ragged.by_hand import clips, targets
from tests.predictions.test_whole import made

torch = pytest.importorskip("torch")

PRED = clips(24, 31)
GT = [np.stack(each) for each in targets((24, 24), (31, 31, 31))]


def tensors(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return torch.from_numpy(value)
    if isinstance(value, dict):
        return {name: tensors(each) for name, each in value.items()}
    return [tensors(each) for each in value] if isinstance(value, list) else value


def saved(path, zipped=True, **entries):
    torch.save(
        tensors({"GT": GT, "PRED": PRED, **entries}), path, _use_new_zipfile_serialization=zipped
    )
    return path


def check(results, predictions=PRED, recorded=GT):
    for found, expected in zip(results.predictions, predictions, strict=True):
        assert found.dtype == np.float32
        np.testing.assert_array_equal(found, expected)
    for found, expected in zip(results.targets, recorded, strict=True):
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_lists_of_tensors(tmp_path, zipped):
    path = saved(tmp_path / "results.pt", zipped)
    assert holds_results(path)
    check(read_results(path))


def test_tensors_of_an_archive_are_mapped(tmp_path):
    results = read_results(saved(tmp_path / "results.pt"))
    path = tmp_path / "results.pt"
    content = bytearray(path.read_bytes())
    where = content.find(PRED[1].tobytes())
    with path.open("r+b") as file:
        file.seek(where)
        file.write(np.float32(7).tobytes())
    assert results.predictions[1][0, 0, 0] == 7
    with pytest.raises(UserError, match=r"results.pt: .*CRC"):  # and what is damaged is noticed
        read_results(path)


def test_views_half_precision_and_targets_of_their_own_lengths(tmp_path):
    whole = torch.from_numpy(np.concatenate(PRED, axis=1))
    views = [whole[:, :24], whole[:, 24:]]
    own = [[*GT[0]], [GT[1][0], GT[1][1][:20]]]
    check(read_results(saved(tmp_path / "results.pt", PRED=views, GT=own)), recorded=own)
    half = [torch.from_numpy(clip).bfloat16() for clip in PRED]
    check(
        read_results(saved(tmp_path / "half.pt", PRED=half)),
        [clip.astype(ml_dtypes.bfloat16).astype(np.float32) for clip in PRED],
    )


def test_tuples_do_as_well(tmp_path):
    path = tmp_path / "results.pt"
    recorded = tuple(tuple(tensors([*each])) for each in GT)
    torch.save({"GT": recorded, "PRED": tuple(tensors(PRED))}, path)
    check(read_results(path))


def test_npz_files_without_pickles(tmp_path):
    numbered = {f"GT_{n}": each for n, each in enumerate(GT)}
    numbered |= {f"PRED_{n}": each for n, each in enumerate(PRED)}
    np.savez(tmp_path / "ragged.npz", **numbered)  # pyright: ignore[reportArgumentType]
    assert holds_results(tmp_path / "ragged.npz")
    check(read_results(tmp_path / "ragged.npz"))
    np.savez(tmp_path / "even.npz", GT=np.stack([GT[0]] * 3), PRED=np.stack([PRED[0]] * 3))
    check(read_results(tmp_path / "even.npz"), [PRED[0]] * 3, [GT[0]] * 3)
    del numbered["GT_0"]
    np.savez(tmp_path / "gap.npz", **numbered)  # pyright: ignore[reportArgumentType]
    with pytest.raises(UserError, match=r"gap.npz: holds no GT_0, but GT_1"):
        read_results(tmp_path / "gap.npz")


def test_eeg_is_read_over(tmp_path):
    path = saved(tmp_path / "results.pt", GT_EEG=[GT[0]], EEG_MASK=[GT[0]])
    with pytest.warns(Remark, match=r"results.pt: GT_EEG, EEG_MASK: EEG is not scored"):
        check(read_results(path))


def test_whole_clips_whose_faces_are_upside_down_are_said(tmp_path, recwarn):
    predictions = made()
    assert predictions.coeffs is not None
    for clip in predictions.coeffs:
        clip[..., 52] = np.pi
    write_whole(tmp_path / "p.npz", predictions)
    read_results(tmp_path / "p.npz")
    assert not recwarn
    for clip in predictions.coeffs:
        clip[..., 52] = 0.0
    write_whole(tmp_path / "p.npz", predictions)
    with pytest.warns(Remark, match=r"p\.npz: faces are upside down.*is the mean face subtracted"):
        read_results(tmp_path / "p.npz")


def test_other_files_are_none(tmp_path):
    np.savez(tmp_path / "p.npz", emotion=PRED[0])
    np.save(tmp_path / "p.npy", PRED[0])
    torch.save({"prediction": tensors(PRED[0])}, tmp_path / "p.pt")
    torch.save(tensors(PRED), tmp_path / "list.pt")
    (tmp_path / "text.pt").write_text("hello")
    names = ("p.npz", "p.npy", "p.pt", "list.pt", "text.pt", "missing.pt", ".")
    assert [holds_results(tmp_path / name) for name in names] == [False] * len(names)


BROKEN = PRED[1].copy()
BROKEN[2, 5, 16] = np.inf

REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "counts": ({"GT": GT[:1]}, "GT has 1 clips, PRED 2; both need the same"),
    "samples": ({"PRED": [PRED[0], PRED[1][:2]]}, "PRED[1]: 2 samples, PRED[0] has 3; every"),
    "channels": ({"PRED": [PRED[0][..., :24], PRED[1]]}, "PRED[0]: shape (3, 24, 24); expected"),
    "channels of GT": ({"GT": [GT[0], GT[1][..., :24]]}, "GT[1]: shape (3, 31, 24); expected"),
    "not finite": ({"PRED": [PRED[0], BROKEN]}, "PRED[1]: not finite in sample 2, frame 5, chan"),
    "no frame": ({"PRED": [PRED[0][:, :0], PRED[1]]}, "PRED[0]: shape (3, 0, 25); expected"),
    "no target": ({"GT": [GT[0], []]}, "GT[1]: an empty list; every clip needs a target"),
    "empty": ({"PRED": []}, "PRED: an empty list; nothing was predicted"),
    "no list": ({"PRED": PRED[0]}, "PRED: shape (3, 24, 25) instead of a list with a tensor"),
    "a dictionary": ({"GT": {"a": GT[0]}}, "GT: dict instead of a list with a tensor"),
    "no tensor": ({"PRED": [PRED[0], "x"]}, "PRED[1]: a str instead of a tensor"),
    "complex": ({"PRED": [PRED[0] * 1j, PRED[1]]}, "PRED[0]: complex64 instead of numbers"),
    "expanded": (
        {"PRED": [PRED[0], torch.zeros(1, 1, 25).expand(3, 10**7, 25)]},
        "PRED[1]: tensors expanded to over 100 times the file; save what they are made from",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_used_is_named(tmp_path, name):
    entries, reason = REFUSED[name]
    path = saved(tmp_path / "results.pt", **entries)
    with pytest.raises(UserError) as error:
        read_results(path)
    assert str(error.value).startswith(f"{path}: {reason}")
    assert "\n" not in str(error.value)


def test_one_of_both_is_not_enough(tmp_path):
    torch.save({"PRED": tensors(PRED)}, tmp_path / "results.pt")
    assert holds_results(tmp_path / "results.pt")
    with pytest.raises(UserError, match=r"results.pt: holds no GT; give a file with GT and PRED"):
        read_results(tmp_path / "results.pt")


def test_nothing_is_executed(tmp_path):
    torch.save({"GT": GT, "PRED": PRED}, tmp_path / "results.pt")  # numpy arrays, which are code
    with pytest.raises(UserError, match=r"refused: it names numpy.*nothing was executed"):
        read_results(tmp_path / "results.pt")
