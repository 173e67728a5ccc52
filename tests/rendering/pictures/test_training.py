"""Pictures of a training, from faces as a stage shows them."""

import numpy as np

from jaxreact.face import INDEX
from jaxreact.rendering.pictures.training import draw_faces

MEAN = np.zeros(58, np.float32)
MEAN[52], MEAN[57] = np.pi, 1.8  # upright, in front of the camera


def faces() -> dict:
    rng = np.random.default_rng(0)

    def some(samples: int) -> tuple[np.ndarray, np.ndarray]:
        coeffs = 0.1 * np.abs(rng.normal(size=(samples, 20, 58))).astype(np.float32)
        coeffs[..., 52:] = 0
        return coeffs, rng.normal(size=(samples, 20, 25)).astype(np.float32)

    # jit gives dictionaries back in alphabetical order
    return {"generated": some(3), "ground truth": some(1), "reconstruction": some(1)}


def test_rows_are_truth_reconstruction_generated():
    shown = draw_faces(MEAN, faces(), "step 1")
    assert set(shown) == {"traces", "heads"}
    changed = faces()
    changed["ground truth"][0][..., INDEX["jawOpen"]] = 0.9
    difference = np.abs(draw_faces(MEAN, changed, "step 1")["heads"].astype(int) - shown["heads"])
    height = len(difference) // 3
    assert difference[: height - 10].any()
    assert not difference[height + 30 :].any()


def test_the_mean_face_is_added():
    plain = draw_faces(MEAN, faces(), "step 1")
    moved = draw_faces(MEAN + 0.3 * (np.arange(58) == INDEX["jawOpen"]), faces(), "step 1")
    for name in plain:
        assert (plain[name] != moved[name]).any()


def test_unknown_emotion_and_no_reactions():
    given = faces()
    given["ground truth"] = (given["ground truth"][0], None)
    del given["generated"]
    shown = draw_faces(MEAN, given, "step 1")
    assert len(shown["heads"]) < len(draw_faces(MEAN, faces(), "step 1")["heads"])
