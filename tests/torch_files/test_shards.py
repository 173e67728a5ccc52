"""Weights in several files: all of them, from beside their index and nowhere else."""

import json

import numpy as np
import pytest
from safetensors.numpy import save_file

from jaxreact.errors import UserError
from jaxreact.torch_files.weights import read_weights

FILES = ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors")
PLACES = {"a": FILES[0], "module.b": FILES[1], "c": FILES[1]}


def write_index(directory, content):
    directory.mkdir(exist_ok=True)
    for name in FILES:
        held = [key for key, place in PLACES.items() if place == name]
        save_file({key: np.full(2, ord(key[-1]), np.float16) for key in held}, directory / name)
    path = directory / "model.safetensors.index.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_all_parts_are_read_as_one(tmp_path):
    index = write_index(tmp_path / "model", {"metadata": {}, "weight_map": PLACES})
    with pytest.warns() as caught:
        weights = read_weights(index)
    assert {name: x.tolist() for name, x in weights.items()} == {
        name: [ord(name)] * 2 for name in "abc"
    }
    assert [str(warning.message) for warning in caught] == [
        f"{index}: module. taken off 1 of 3 names",
        f"{index}: tensors converted to float32: 3 of float16",
    ]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", "not a readable JSON file"),
        ("[" * 100_000, "not a readable JSON file"),
        ("[1]", "not a mapping"),
        ({"metadata": {}}, "no weight_map of names to files"),
        ({"weight_map": [1]}, "no weight_map of names to files"),
        ({"weight_map": {}}, "no weight_map of names to files"),
        ({"weight_map": {**PLACES, "d": 3}}, "d in its weight_map: no name of a file"),
        (
            {"weight_map": {**PLACES, "d": "x.safetensors"}},
            "names x.safetensors, which is not besi",
        ),
        ({"weight_map": {**PLACES, "d": FILES[0]}}, "lacks 1 tensor that should be in it: d"),
        ({"weight_map": {**PLACES, "a": FILES[1]}}, "lacks 1 tensor that should be in it: a"),
    ],
)
def test_an_index_that_is_wrong(tmp_path, content, reason):
    index = write_index(tmp_path / "model", content)
    with pytest.raises(UserError, match=reason) as caught:
        read_weights(index)
    assert str(caught.value).startswith(f"{index}: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "name", ["../out.safetensors", "{}/out.safetensors", "..", "", "sub/../../x", "..\\x", "a\0b"]
)
def test_nothing_is_read_outside_the_directory(tmp_path, monkeypatch, name):
    """Not even where the tensors would be there, nor any part before the whole index is checked."""
    save_file({"d": np.zeros(2, np.float32)}, tmp_path / "out.safetensors")
    places = {**PLACES, "d": name.format(tmp_path)}
    index = write_index(tmp_path / "model", {"weight_map": places})

    def read(path):
        raise AssertionError(f"{path} was read")

    monkeypatch.setattr("jaxreact.torch_files.shards.read_state_dict", read)
    with pytest.raises(UserError, match="which is no file beside it") as caught:
        read_weights(index)
    assert "\n" not in str(caught.value)


def test_a_tensor_in_two_files(tmp_path):
    index = write_index(tmp_path / "model", {"weight_map": PLACES})
    save_file({key: np.zeros(2, np.float32) for key in ("a", "c")}, index.parent / FILES[0])
    with pytest.raises(UserError, match=rf"c in {FILES[1]} and in another file too"):
        read_weights(index)


def test_one_part_alone_says_what_to_give(tmp_path):
    index = write_index(tmp_path / "model", {"weight_map": PLACES})
    with pytest.raises(UserError, match=r"one of 2 files .* give model\.safetensors\.index\.json"):
        read_weights(index.parent / FILES[0])
    whole = tmp_path / "model-00001-of-00001.safetensors"
    save_file({"a": np.zeros(2, np.float32)}, whole)
    assert list(read_weights(whole)) == ["a"]


def test_shards_of_pytorchs_own_format(tmp_path):
    torch = pytest.importorskip("torch")
    places = {"a": "pytorch_model-00001-of-00002.bin", "b": "pytorch_model-00002-of-00002.bin"}
    for key, place in places.items():
        torch.save({key: torch.full((2,), ord(key))}, tmp_path / place)
    index = tmp_path / "pytorch_model.bin.index.json"
    index.write_text(json.dumps({"weight_map": places}))
    assert {name: x.tolist() for name, x in read_weights(index).items()} == {
        name: [ord(name)] * 2 for name in "ab"
    }
