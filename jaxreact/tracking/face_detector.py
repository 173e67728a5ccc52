"""MediaPipe's face detector, the one within the landmarker's model: one picture -> all faces."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from jaxreact.tracking.box import Box
from jaxreact.tracking.face_models import (
    as_image,
    create,
    import_mediapipe,
    model_file,
    model_part,
    quiet_native_log,
)


@dataclass(frozen=True)
class Face:
    """A face found in a picture.

    score: how sure the detector is, in [0.5, 1].
    roll: how far it leans clockwise in the picture, in degrees within [-180, 180]: where the mouth
        is, seen from the eyes. 0 also for most faces that hang upside down, in which the detector
        takes the brow for a mouth.
    """

    box: Box
    score: float
    roll: float


class FaceDetector:
    """Finds the faces of single pictures, in any order; 1.1 ms a picture, whatever its size.

    It sees the whole picture in 128 x 128 pixels: a face, brow to chin, that fills an eighth of the
    longer side is found, one of a tenth now and then, one of a fourteenth never.
    """

    def __init__(self, mediapipe: Any, detector: Any) -> None:
        self._mediapipe = mediapipe
        self._detector = detector

    def faces(self, rgb: UInt8[np.ndarray, "height width 3"]) -> list[Face]:
        """All faces of an RGB picture, the largest first."""
        height, width = rgb.shape[:2]
        found = self._detector.detect(as_image(self._mediapipe, rgb)).detections
        faces = [_face(detection, width, height) for detection in found]
        return sorted(faces, key=lambda face: -face.box.side)


def _face(detection: Any, width: int, height: int) -> Face:
    box = detection.bounding_box
    centre = box.origin_x + box.width / 2, box.origin_y + box.height / 2
    right_eye, left_eye, _, mouth = (
        np.array([point.x * width, point.y * height]) for point in detection.keypoints[:4]
    )
    right, down = mouth - (right_eye + left_eye) / 2
    roll = math.degrees(math.atan2(-right, down))
    return Face(Box(*centre, max(box.width, 1)), detection.categories[0].score, roll)


@contextmanager
def open_face_detector(model: Path | None = None) -> Iterator[FaceDetector]:
    """Loads the detector of a `face_landmarker.task` (None: the installed one) on the CPU.

    Raises `UserError` as `open_landmarker` does.
    """
    path = model_file(model)
    mediapipe, vision, base_options = import_mediapipe()
    options = vision.FaceDetectorOptions(
        base_options=base_options(
            model_asset_buffer=model_part(path, "face_detector.tflite"),
            delegate=base_options.Delegate.CPU,
        ),
        running_mode=vision.RunningMode.IMAGE,
    )
    with create(path, lambda: vision.FaceDetector.create_from_options(options)) as detector:
        with quiet_native_log():  # the first picture makes it talk
            detector.detect(as_image(mediapipe, np.zeros((128, 128, 3), np.uint8)))
        yield FaceDetector(mediapipe, detector)
