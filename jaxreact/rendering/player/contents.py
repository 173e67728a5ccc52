"""What a page of a conversation has to know, ready for JSON."""

import base64
import math
from io import BytesIO
from typing import Any

from jaxreact.face import (
    CAMERA_DISTANCE,
    EMOTIONS,
    EXPRESSIONS,
    FPS,
    INDEX,
    NEUTRAL_ROTATION,
    NEUTRAL_TRANSLATION,
    PITCH,
    ROLL,
    YAW,
)
from jaxreact.media.video_writer import write_sound
from jaxreact.rendering import HeadModel, portrait_zoom, shade
from jaxreact.rendering.camera import FOCAL, SIZE
from jaxreact.rendering.pictures.reactions import Person, Reactions
from jaxreact.rendering.player.packing import pack_head, pack_sequence

ACTION_UNITS = {
    "AU1": "inner brow raised",
    "AU2": "outer brow raised",
    "AU4": "brow lowered",
    "AU6": "cheeks raised",
    "AU7": "lids tightened",
    "AU9": "nose wrinkled",
    "AU10": "upper lip raised",
    "AU12": "smile",
    "AU14": "dimples",
    "AU15": "lip corners down",
    "AU17": "chin raised",
    "AU23": "lips tightened",
    "AU24": "lips pressed",
    "AU25": "lips apart",
    "AU26": "jaw dropped",
}
"""What the action units of the emotion are."""

LIGHTS = ("KEY", "FILL", "RIM", "SPARK", "KEY_COLOR", "FILL_COLOR", "RIM_COLOR")
LIGHTS += ("SKY", "GROUND", "WRAP")
"""The lights of `shade`, which the page's shader calls the same."""

_ANGLES = (
    ("Head pitch, down is positive (°)", PITCH, NEUTRAL_ROTATION[0]),
    ("Head yaw, to the person's left (°)", YAW, NEUTRAL_ROTATION[1]),
    ("Head roll, to the person's right (°)", ROLL, NEUTRAL_ROTATION[2]),
)


def contents(reactions: Reactions, head: HeadModel) -> dict[str, Any]:
    """Everything that the page's scripts read, as data for JSON."""
    people = _people(reactions)
    felt = any(person["emotion"] for person in people)
    channels = _channels(felt)
    labels = [channel["label"] for channel in channels]
    first = ["AU12 (smile)", _ANGLES[0][0], "valence"]
    if not felt:
        first = ["mouthSmileLeft", _ANGLES[0][0], "jawOpen"]
    return {
        "fps": FPS,
        "frames": reactions.frames,
        "people": people,
        "seats": _seats(people),
        "channels": channels,
        "traces": [labels.index(label) for label in first],
        "head": _head(head),
        "camera": _camera(head),
        "light": {name: getattr(shade, name).tolist() for name in LIGHTS},
        "sound": _sound(reactions),
    }


def _people(reactions: Reactions) -> list[dict[str, Any]]:
    emotion = reactions.emotion
    samples = [
        ("sample", f"Sample {index + 1}", Person(one, None if emotion is None else emotion[index]))
        for index, one in enumerate(reactions.coeffs)
    ]
    everybody = [
        ("speaker", "Speaker", reactions.speaker),
        ("listener", "Recorded listener", reactions.listener),
        *samples,
    ]
    return [
        {
            "kind": kind,
            "name": name,
            "coeffs": None if person.coeffs is None else pack_sequence(person.coeffs),
            "emotion": None if person.emotion is None else pack_sequence(person.emotion),
        }
        for kind, name, person in everybody
        if person.coeffs is not None or person.emotion is not None
    ]


def _seats(people: list[dict[str, Any]]) -> list[int]:
    """Who is seen at first, by index: the speaker and the first sample, else two samples."""
    faces = [index for index, person in enumerate(people) if person["coeffs"]]
    samples = [index for index in faces if people[index]["kind"] == "sample"]
    if people[faces[0]]["kind"] == "speaker":
        return [faces[0], samples[0]]
    return samples[:2]


def _channels(felt: bool) -> list[dict[str, Any]]:
    """What a trace can show: its label and group, and where its values stand."""
    emotion = [
        {
            "label": f"{name} ({ACTION_UNITS[name]})" if name in ACTION_UNITS else name,
            "group": "Emotion",
            "from": "emotion",
            "index": index,
            "range": [-0.5, 0.5] if name in ("valence", "arousal") else [0, 1],
        }
        for index, name in enumerate(EMOTIONS)
    ]
    pose = [
        {
            "label": label,
            "group": "Head",
            "from": "coeffs",
            "index": index,
            "degrees": True,
            "zero": zero,
            "range": [-10, 10],
        }
        for label, index, zero in _ANGLES
    ]
    units = [
        {"label": name, "group": "Face units", "from": "coeffs", "index": index, "range": [0, 0.4]}
        for index, name in enumerate(EXPRESSIONS)
    ]
    return [*(emotion if felt else []), *pose, *units]


def _head(head: HeadModel) -> dict[str, Any]:
    return pack_head(head) | {
        "upright": NEUTRAL_ROTATION,
        "mouthClose": INDEX["mouthClose"],
        "jawOpen": INDEX["jawOpen"],
    }


def _camera(head: HeadModel) -> dict[str, float]:
    """The vertical angle of view of the videos, and how far the head is from the origin."""
    half = SIZE / 2 / (FOCAL * portrait_zoom(head))
    middle = (float(head.neutral[:, 2].min()) + float(head.neutral[:, 2].max())) / 2
    return {
        "degrees": math.degrees(2 * math.atan(half)),
        "distance": CAMERA_DISTANCE,
        "middle": NEUTRAL_TRANSLATION[2] - middle,
    }


def _sound(reactions: Reactions) -> str | None:
    """The speaker's sound as a data address, AAC in an mp4."""
    if reactions.sound is None:
        return None
    file = BytesIO()
    write_sound(file, reactions.sound)
    return f"data:audio/mp4;base64,{base64.b64encode(file.getvalue()).decode()}"
