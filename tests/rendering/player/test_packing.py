import base64
import zlib

import numpy as np
import pytest

from jaxreact.face import INDEX
from jaxreact.rendering import HeadModel, load_builtin_head
from jaxreact.rendering.player.packing import PRECISION, pack, pack_head, pack_sequence
from tests.rendering.files import moving, plate

FACEVERSE = 28632
"""Vertices of FaceVerse v2."""


def unpack(packed: dict[str, str]) -> np.ndarray:
    return np.frombuffer(zlib.decompress(base64.b64decode(packed["data"])), packed["type"])


def units_of(packed: dict) -> np.ndarray:
    """The units (52, vertices, 3) of a packed head."""
    gaps, deltas = unpack(packed["unitGap"]), unpack(packed["unitDelta"]).reshape(-1, 3)
    units = np.zeros((52, len(unpack(packed["neutral"])) // 3, 3))
    starts = packed["unitStart"]
    for unit, step in enumerate(packed["unitStep"]):
        part = slice(starts[unit], starts[unit + 1])
        units[unit, np.cumsum(gaps[part], dtype=int)] = deltas[part] * step
    return units


def test_arrays_come_back():
    values = np.arange(12, dtype=np.int16).reshape(3, 4)[:, ::-1]
    np.testing.assert_array_equal(unpack(pack(values)).reshape(3, 4), values)


def test_sequences_keep_to_a_65536th_of_their_range():
    values = moving(50)
    values[:, 3] = 0.25
    packed = pack_sequence(values)
    levels = unpack(packed["levels"]).reshape(values.shape)
    unpacked = np.array(packed["low"]) + np.array(packed["step"]) * levels
    np.testing.assert_allclose(unpacked, values, atol=1e-5)
    assert packed["step"][3] == 0


@pytest.mark.parametrize(
    "head", [load_builtin_head(), plate(tongueOut=0)], ids=["builtin", "plate"]
)
def test_units_keep_to_half_a_step(head: HeadModel):
    packed = pack_head(head)
    np.testing.assert_array_equal(unpack(packed["neutral"]), head.neutral.ravel())
    np.testing.assert_array_equal(unpack(packed["faces"]), head.faces.ravel())
    np.testing.assert_allclose(units_of(packed), head.units, atol=0.5001 * PRECISION)


def test_large_movements_fit_16_bits():
    head = plate()
    head.units[INDEX["jawOpen"]] *= -50
    packed = pack_head(head)
    assert packed["unitStep"][INDEX["jawOpen"]] == pytest.approx(5 / 32767)
    np.testing.assert_allclose(units_of(packed), head.units, atol=1e-4)


@pytest.mark.slow
def test_a_head_as_large_as_faceverse_is_small_enough_for_a_page():
    """Units as dense as can be: every vertex takes part in every one, if only a little."""
    random = np.random.default_rng(0)
    neutral = random.uniform(-0.5, 0.5, (FACEVERSE, 3)).astype(np.float32)
    centres = neutral[random.integers(0, FACEVERSE, 52)]
    distance = np.linalg.norm(neutral - centres[:, None], axis=-1)
    bump = 0.1 * np.exp(-((distance / 0.2) ** 2)) + 0.002
    units = bump[..., None] * random.normal(size=(52, 1, 3))
    faces = random.integers(0, FACEVERSE, (56698, 3))
    ones = np.ones(FACEVERSE, np.float32)
    head = HeadModel(neutral, units.astype(np.float32), faces, neutral + 0.5, ones, ones, ones[:3])
    packed = pack_head(head)
    size = sum(len(value["data"]) for value in packed.values() if isinstance(value, dict))
    assert size < 12e6
    print(f"{size / 1e6:.1f} MB")
