"""Files that libraries answer in unheard-of ways: each is one line that names the file."""

import json
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jaxreact import runs
from jaxreact.data.contents import load_coeffs, mean_face
from jaxreact.errors import UserError
from jaxreact.evaluation.partial_results import open_partial_results
from jaxreact.files import read_json
from jaxreact.metrics.truth import read_array
from jaxreact.predictions import read_predictions
from jaxreact.rendering.pictures.reactions import Recording, read_reactions
from jaxreact.systems.fiber.kinds import TOKENIZER
from jaxreact.systems.fiber.tokenizer import FaceTokenizerConfig
from jaxreact.training.monitor.record import read_record

EMOTION = np.random.default_rng(0).random((2, 3, 8, 25), np.float32)


def one_line(path: Path, function: Callable, *arguments: object, **options: object) -> str:
    with pytest.raises(UserError) as caught:
        function(*arguments, **options)
    text = str(caught.value)
    assert text.startswith(str(path))
    assert "\n" not in text
    return text


def npy(header: str) -> bytes:
    """An npy file with any header and a few numbers."""
    text = header.encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + bytes(640)


HEADERS = {
    "a bracket that stays open": "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 58",
    "no type of numpy's": "{'descr': '<f3', 'fortran_order': False, 'shape': (1, 58), }",
    "more than any memory": "{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999, 2), }",
    "more than any integer": "{'descr': '<f8', 'fortran_order': False, 'shape': ("
    + "9" * 30
    + ",), }",
    "objects": "{'descr': '|O', 'fortran_order': False, 'shape': (1, 58), }",
    "a structure": "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (58,), }",
    "complex numbers": "{'descr': '<c8', 'fortran_order': False, 'shape': (1, 58), }",
    "text": "{'descr': '<U1', 'fortran_order': False, 'shape': (1, 58), }",
    "nested": "[" * 3000,
    "no axes": "{'descr': '<f4', 'fortran_order': False, 'shape': (), }",
}


@pytest.mark.parametrize("case", HEADERS)
def test_headers_of_npy_files(tmp_path, case):
    path = tmp_path / "mean_face.npy"
    path.write_bytes(npy(HEADERS[case]))
    one_line(path, load_coeffs, path)
    one_line(path, mean_face, tmp_path)
    one_line(path, read_predictions, path, number=2)
    if case != "no axes":
        one_line(path, read_array, path, "listener")


def test_the_other_order_of_bytes_and_of_axes(tmp_path):
    table = np.random.default_rng(0).random((5, 58))
    for other in (table.astype(">f8"), np.asfortranarray(table), table.astype("<f2")):
        np.save(tmp_path / "x.npy", other)
        np.testing.assert_array_equal(load_coeffs(tmp_path / "x.npy"), other.astype(np.float32))


def test_numbers_beyond_float32_are_not_finite(tmp_path, recwarn):
    table = np.zeros((5, 58))
    table[3, 1] = 1e300
    np.save(tmp_path / "x.npy", table)
    assert "first in frame 3" in one_line(tmp_path / "x.npy", load_coeffs, tmp_path / "x.npy")
    np.save(tmp_path / "x.npy", np.full(EMOTION.shape, 1e300))
    one_line(tmp_path / "x.npy", read_predictions, tmp_path / "x.npy", number=2)
    assert len(recwarn) == 0


def compressed(path: Path) -> bytes:
    np.savez_compressed(path, emotion=EMOTION, coeffs=np.zeros((2, 3, 8, 58)))
    return path.read_bytes()


def with_flag(content: bytes, flag: int) -> bytes:
    """With a flag set in every header of the archive: 1 is "encrypted"."""
    changed = bytearray(content)
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = content.find(mark)
        while at >= 0:
            changed[at + place] |= flag
            at = content.find(mark, at + 4)
    return bytes(changed)


def with_method(content: bytes, method: int) -> bytes:
    changed = bytearray(content)
    for mark, place in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        at = content.find(mark)
        while at >= 0:
            changed[at + place] = method
            at = content.find(mark, at + 4)
    return bytes(changed)


ARCHIVES = {
    "bytes that do not decompress": lambda content: content[:80] + b"\xff" * 90 + content[170:],
    "encrypted": lambda content: with_flag(content, 1),
    "compressed in no known way": lambda content: with_method(content, 97),
    "cut off": lambda content: content[: len(content) // 2],
}


@pytest.mark.parametrize("case", ARCHIVES)
def test_archives(tmp_path, case):
    path = tmp_path / "000000.npz"
    path.write_bytes(ARCHIVES[case](compressed(path)))
    one_line(path, read_predictions, path, number=2)
    one_line(path, read_array, path, "listener")
    one_line(path, read_reactions, path, Recording())
    (tmp_path / "made_with.json").write_text("{}")
    one_line(path, open_partial_results, tmp_path, ("a", "b"), 3, [8, 8], False, {})


def test_arrays_of_an_archive_that_are_none_of_ours(tmp_path):
    path = tmp_path / "p.npz"
    cases: tuple[dict[str, Any], ...] = (
        {"clips": np.array("one")},
        {"clips": np.zeros((2, 2))},
        {"clips": np.array([b"\xff", b"\xfe"])},
        {"listener": np.zeros(3)},
        {"speaker": np.array("text")},
        {"coeffs": np.zeros((), complex)},
    )
    for others in cases:
        np.savez(path, emotion=EMOTION, **others)
        one_line(path, read_predictions, path, number=2)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("emotion.npy", npy(HEADERS["more than any memory"]))
    one_line(path, read_predictions, path, number=2)


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a": ' * 100_000, "{", "\udcff", "9" * 5000])
def test_json(tmp_path, text):
    path = tmp_path / "config.json"
    path.write_text(text, errors="surrogateescape")
    one_line(path, read_json, path, "cannot be read")
    one_line(path, runs.read_config, tmp_path, TOKENIZER)
    one_line(path, read_record, tmp_path)


def test_json_of_an_editor_on_windows(tmp_path):
    (tmp_path / "x.json").write_text('{"a": "é"}', "utf-8-sig")
    assert read_json(tmp_path / "x.json", "cannot be read") == {"a": "é"}


@pytest.mark.parametrize(
    ("field", "value"),
    [("n_embd", "64"), ("n_embd", 64.5), ("n_head", 0), ("n_head", None), ("dropout", True)],
)
def test_values_of_a_configuration(tmp_path, field, value):
    runs.write_config(tmp_path, TOKENIZER, FaceTokenizerConfig())
    path = tmp_path / "config.json"
    content = json.loads(path.read_text())
    content["model"][field] = value
    path.write_text(json.dumps(content))
    one_line(path, runs.read_config, tmp_path, TOKENIZER)


def test_a_mean_face_of_a_run_that_is_none(tmp_path):
    for values in ([1, 2], "text", [["a"] * 58]):
        one_line(tmp_path, runs.mean_face, {"mean_face": values}, tmp_path)


def test_event_files_that_hold_nothing(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "tensorboard").mkdir()
    (tmp_path / "tensorboard/events.out.tfevents.1.x").write_bytes(b"\xff" * 100)
    one_line(tmp_path / "tensorboard", read_record, tmp_path)
