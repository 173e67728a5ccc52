"""The head as glTF: read by hand, and by the library that wrote it."""

import json
import struct
import sys
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from jaxreact.errors import UserError
from jaxreact.export.glb import write_glb
from jaxreact.export.motion import motion_of
from jaxreact.face import EXPRESSIONS, INDEX
from jaxreact.rendering import load_builtin_head
from jaxreact.rendering.shade import vertex_normals
from tests.export.faces import TURN, poses, rest
from tests.rendering.files import moving

pygltflib = pytest.importorskip("pygltflib", reason="the extra `export` is not installed")

TYPES = {5121: "u1", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}


class Glb:
    """A file as the specification has it: a head, a chunk of JSON, a chunk of numbers."""

    def __init__(self, path: Path) -> None:
        content = path.read_bytes()
        magic, version, length = struct.unpack_from("<4sII", content)
        assert (magic, version, length) == (b"glTF", 2, len(content))
        size, kind = struct.unpack_from("<I4s", content, 12)
        assert (kind, size % 4) == (b"JSON", 0)
        self.json = json.loads(content[20 : 20 + size])
        binary, kind = struct.unpack_from("<I4s", content, 20 + size)
        assert (kind, 28 + size + binary) == (b"BIN\0", len(content))
        self.binary = content[28 + size :]

    def view(self, index: int) -> bytes:
        view = self.json["bufferViews"][index]
        return self.binary[view.get("byteOffset", 0) :][: view["byteLength"]]

    def array(self, index: int) -> np.ndarray:
        accessor = self.json["accessors"][index]
        kind, width = TYPES[accessor["componentType"]], WIDTHS[accessor["type"]]
        values = np.zeros((accessor["count"], width), kind)
        if "bufferView" in accessor:
            values = np.frombuffer(self.view(accessor["bufferView"]), kind).reshape(-1, width)
        if sparse := accessor.get("sparse"):
            rows = np.frombuffer(
                self.view(sparse["indices"]["bufferView"]),
                TYPES[sparse["indices"]["componentType"]],
            )
            stored = np.frombuffer(self.view(sparse["values"]["bufferView"]), kind)
            values[rows] = stored.reshape(-1, width)
        assert len(values) == accessor["count"]
        if "min" in accessor:
            np.testing.assert_array_equal(values.min(axis=0), np.float32(accessor["min"]))
            np.testing.assert_array_equal(values.max(axis=0), np.float32(accessor["max"]))
        return values

    @property
    def primitive(self) -> dict:
        (mesh,) = self.json["meshes"]
        (primitive,) = mesh["primitives"]
        return primitive

    def attribute(self, name: str) -> np.ndarray:
        return self.array(self.primitive["attributes"][name])

    def curves(self) -> dict[tuple[str, str], np.ndarray]:
        """By node and path."""
        (animation,) = self.json["animations"]
        made = {}
        for channel in animation["channels"]:
            node = self.json["nodes"][channel["target"]["node"]]["name"]
            sampler = animation["samplers"][channel["sampler"]]
            assert sampler.get("interpolation", "LINEAR") == "LINEAR"
            made[node, channel["target"]["path"]] = self.array(sampler["output"])
        return made

    def times(self) -> np.ndarray:
        (animation,) = self.json["animations"]
        (times,) = {sampler["input"] for sampler in animation["samplers"]}
        return self.array(times)[:, 0]


@pytest.fixture(scope="module")
def glb(tmp_path_factory) -> Glb:
    path = tmp_path_factory.mktemp("glb") / "head.glb"
    write_glb(path, poses())
    return Glb(path)


def rotated(points: np.ndarray, quaternion: np.ndarray) -> np.ndarray:
    """By the formula of quaternions (x, y, z, w)."""
    axis, w = quaternion[:3].astype(float), float(quaternion[3])
    crossed = np.cross(axis, points)
    return points + 2 * (w * crossed + np.cross(axis, crossed))


def skinned(glb: Glb, frame: int) -> np.ndarray:
    """Vertices as a program that plays the file computes them, in metres."""
    curves, count = glb.curves(), len(glb.times())
    weights = curves["Face", "weights"].reshape(count, 52)[frame]
    shape = glb.attribute("POSITION").astype(float)
    for weight, target in zip(weights, glb.primitive["targets"], strict=True):
        shape = shape + weight * glb.array(target["POSITION"])
    (skin,) = glb.json["skins"]
    binds = glb.array(skin["inverseBindMatrices"]).reshape(2, 4, 4)
    body = curves["Body", "translation"][frame]
    moved = {}
    for joint, bind in zip(skin["joints"], binds, strict=True):
        name = glb.json["nodes"][joint]["name"]
        local = shape @ bind[:3, :3] + bind[3, :3]
        if name == "Head":
            local = rotated(local, curves["Head", "rotation"][frame])
        moved[name] = local + body
    names = [glb.json["nodes"][joint]["name"] for joint in skin["joints"]]
    joints, share = glb.attribute("JOINTS_0"), glb.attribute("WEIGHTS_0")
    np.testing.assert_allclose(share.sum(axis=1), 1, atol=1e-6)
    stacked = np.stack([moved[name] for name in names])
    picked = stacked[joints, np.arange(len(shape))[:, None]]
    return (share[..., None] * picked).sum(axis=1)


def test_what_is_played_is_what_is_drawn(tmp_path):
    """All vertices, of faces that do everything at once, shoulders too."""
    coeffs = moving(3)
    coeffs[:, INDEX["mouthClose"]] = 0.5
    coeffs[0, INDEX["jawOpen"]], coeffs[1:, INDEX["jawOpen"]] = 0.2, 0.7
    write_glb(tmp_path / "head.glb", motion_of(coeffs))
    glb = Glb(tmp_path / "head.glb")
    drawn = np.asarray(load_builtin_head().vertices(coeffs))
    for frame in range(3):
        expected = (drawn[frame] - [0, 0, 1.84]) * 0.175
        np.testing.assert_allclose(skinned(glb, frame), expected, atol=2e-6)


def test_the_face_looks_forward_and_is_as_large_as_one(glb):
    positions = glb.attribute("POSITION")
    nose = positions[positions[:, 2].argmax()]
    assert abs(nose[0]) < 0.005  # in the middle, and the foremost of all
    eyes = glb.array(glb.primitive["targets"][INDEX["eyeBlinkLeft"]]["POSITION"]).any(axis=1)
    assert positions[eyes, 0].mean() > 0.02  # the left eye, to the left
    assert positions[eyes, 1].mean() > nose[1]
    assert 0.25 < np.ptp(positions[:, 1]) < 0.6
    faces = glb.array(glb.primitive["indices"]).reshape(-1, 3)
    a, b, c = positions[faces].transpose(1, 0, 2)
    outward = np.cross(b - a, c - a)
    forward = positions[faces].mean(axis=1)[:, 2] > 0.04  # of the face
    assert outward[forward].sum(axis=0)[2] > 0  # counter-clockwise from outside


def test_normals_follow_the_targets(glb):
    """With each of some units at 1: as far as rounding and what is left out go."""
    positions, normals = glb.attribute("POSITION"), glb.attribute("NORMAL")
    faces = glb.array(glb.primitive["indices"]).reshape(-1, 3).astype(np.int32)
    np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1, atol=1e-5)
    for name in ("jawOpen", "eyeBlinkLeft"):
        target = glb.primitive["targets"][INDEX[name]]
        moved = (positions + glb.array(target["POSITION"])).astype(np.float64)
        expected = vertex_normals(moved, faces)
        made = normals + glb.array(target["NORMAL"])
        assert np.abs(made - expected).max() < 0.01
        assert np.abs(expected - normals).max() > 0.3


def test_targets_are_named_as_arkit_names_them(glb):
    assert glb.json["meshes"][0]["extras"]["targetNames"] == list(EXPRESSIONS)
    assert len(glb.primitive["targets"]) == 52
    assert glb.json["meshes"][0]["weights"] == [0.0] * 52


def test_the_animation(glb):
    np.testing.assert_allclose(glb.times(), np.arange(51) / 25, atol=1e-6)
    curves = glb.curves()
    assert set(curves) == {("Face", "weights"), ("Head", "rotation"), ("Body", "translation")}
    weights = curves["Face", "weights"].reshape(51, 52)
    assert EXPRESSIONS[weights[0].argmax()] == "eyeBlinkLeft"
    assert weights[25, INDEX["jawOpen"]] == 0.5
    turn = curves["Head", "rotation"][0]
    np.testing.assert_allclose(turn, [0, np.sin(TURN / 2), 0, np.cos(TURN / 2)], atol=1e-6)


def test_colours_are_linear_and_eyes_are_smoother_than_hair(glb):
    head = load_builtin_head()
    colors = glb.attribute("COLOR_0")
    assert (colors[:, 3] == 65535).all()
    np.testing.assert_allclose(colors[:, :3] / 65535, head.colors**2.2, atol=2e-3)
    picture = np.array(Image.open(BytesIO(glb.view(glb.json["images"][0]["bufferView"]))))
    column = np.floor(glb.attribute("TEXCOORD_0")[:, 0] * 256).astype(int)
    roughness = picture[0, column, 1] / 255
    assert roughness[head.gloss > 0.7].max() < 0.35 < 0.6 < roughness[head.gloss < 0.03].min()


def test_the_library_reads_it_again(tmp_path):
    path = tmp_path / "head.glb"
    write_glb(path, motion_of(rest(2)))
    read = pygltflib.GLTF2().load(str(path))
    assert read is not None
    assert [node.name for node in read.nodes] == ["Body", "Head", "Face"]
    assert read.accessors[read.animations[0].samplers[0].input].max == [pytest.approx(0.04)]
    assert len(read.binary_blob()) == read.buffers[0].byteLength


def test_without_the_library_it_says_what_to_install(tmp_path, monkeypatch):
    for name in ("jaxreact.export.gltf_scene", "jaxreact.export.gltf_data"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, "pygltflib", None)
    with pytest.raises(UserError, match=r"pip install -e '\.\[export\]'"):
        write_glb(tmp_path / "head.glb", poses())
    assert list(tmp_path.iterdir()) == []
