"""What a page of a conversation has to know, ready for JSON."""

import base64
import math
from collections.abc import Sequence
from dataclasses import replace
from io import BytesIO
from typing import Any

import numpy as np

from jaxreact.curves import ANGLES, EMOTION, UNITS, Curve
from jaxreact.face import (
    EXPRESSIONS,
    FPS,
    INDEX,
    NEUTRAL_ROTATION,
    NEUTRAL_TRANSLATION,
    PITCH,
    ROLL,
    ROTATION,
    YAW,
    degrees_from_upright,
)
from jaxreact.media.live_link_format import VALUES as LIVE_LINK
from jaxreact.media.video_writer import write_sound
from jaxreact.rendering import HeadModel, portrait_zoom, shade
from jaxreact.rendering.camera import CAMERA_DISTANCE, FOCAL, SIZE
from jaxreact.rendering.pictures.reactions import Person, Reactions
from jaxreact.rendering.player.packing import pack_head, pack_sequence

LIGHTS = ("KEY", "FILL", "RIM", "SPARK", "KEY_COLOR", "FILL_COLOR", "RIM_COLOR")
LIGHTS += ("SKY", "GROUND", "WRAP")
"""The lights of `shade`, which the page's shader calls the same."""


def contents(systems: Sequence[tuple[str, Reactions]], head: HeadModel) -> dict[str, Any]:
    """Everything that the page's scripts read, as data for JSON.

    `systems` are names and reactions of one or more, to the same clip; the shortest says how long.
    """
    frames = min(reactions.frames for _, reactions in systems)
    systems = [(name, _cut(reactions, frames)) for name, reactions in systems]
    first = systems[0][1]
    people = _people(systems)
    felt = any(person["emotion"] for person in people)
    groups = _groups(felt)
    curves = [curve for members in groups.values() for curve in members]
    shown = ("AU12", "pitch", "valence") if felt else ("mouthSmileLeft", "pitch", "jawOpen")
    by_name = EMOTION | ANGLES | UNITS
    return {
        "fps": FPS,
        "frames": frames,
        "names": EXPRESSIONS,
        "liveLink": LIVE_LINK,
        "systems": [name for name, _ in systems],
        "people": people,
        "seats": _seats(people, len(systems)),
        "channels": [_curve(group, each) for group, members in groups.items() for each in members],
        "traces": [curves.index(by_name[name]) for name in shown],
        **head_contents(head),
        "sound": _sound(first),
    }


def head_contents(head: HeadModel) -> dict[str, Any]:
    """What `head.js` and `view.js` need: the head, its camera and its light."""
    return {
        "head": _head(head),
        "camera": _camera(head),
        "light": {name: getattr(shade, name).tolist() for name in LIGHTS},
    }


def _cut(reactions: Reactions, frames: int) -> Reactions:
    """The first so many frames."""

    def first(person: Person) -> Person:
        coeffs, emotion = person.coeffs, person.emotion
        return Person(
            None if coeffs is None else coeffs[:frames],
            None if emotion is None else emotion[:frames],
        )

    emotion = reactions.emotion
    return replace(
        reactions,
        coeffs=reactions.coeffs[:, :frames],
        emotion=None if emotion is None else emotion[:, :frames],
        speaker=first(reactions.speaker),
        listener=first(reactions.listener),
    )


def _people(systems: Sequence[tuple[str, Reactions]]) -> list[dict[str, Any]]:
    """The recorded ones as the first system has them, then the samples of each system."""
    recorded = systems[0][1]
    everybody: list[tuple[str, int | None, str, Person]] = [
        ("speaker", None, "Speaker", recorded.speaker),
        ("listener", None, "Recorded listener", recorded.listener),
    ]
    for number, (name, reactions) in enumerate(systems):
        emotion = reactions.emotion
        for n, coeffs in enumerate(reactions.coeffs):
            title = f"Sample {n + 1}" if len(systems) == 1 else f"{name}, sample {n + 1}"
            person = Person(coeffs, None if emotion is None else emotion[n])
            everybody.append(("sample", number, title, person))
    return [
        {
            "kind": kind,
            "system": system,
            "name": name,
            "coeffs": _packed(person.coeffs),
            "angles": _packed(_angles(person.coeffs)),
            "emotion": _packed(person.emotion),
        }
        for kind, system, name, person in everybody
        if person.coeffs is not None or person.emotion is not None
    ]


def _packed(sequence: np.ndarray | None) -> dict[str, Any] | None:
    return None if sequence is None else pack_sequence(sequence)


def _angles(coeffs: np.ndarray | None) -> np.ndarray | None:
    """Head angles (frames, 3) in degrees from upright."""
    if coeffs is None:
        return None
    return np.stack([degrees_from_upright(coeffs, column) for column in (PITCH, YAW, ROLL)], axis=1)


def _seats(people: list[dict[str, Any]], systems: int) -> list[int]:
    """Who is seen at first, by index.

    Of one system: the speaker and the first sample, else two samples. Of several: the recorded ones
    and each system's first sample.
    """
    faces = [index for index, person in enumerate(people) if person["coeffs"]]
    samples = [index for index in faces if people[index]["kind"] == "sample"]
    if systems > 1:
        firsts = {people[index]["system"]: index for index in reversed(samples)}
        recorded = [index for index in faces if index not in samples]
        return [*recorded, *(firsts[system] for system in range(systems))]
    if people[faces[0]]["kind"] == "speaker":
        return [faces[0], samples[0]]
    return samples[:2]


def _groups(felt: bool) -> dict[str, list[Curve]]:
    """What a trace can show, by group."""
    emotion = {"Emotion": list(EMOTION.values())} if felt else {}
    return emotion | {"Head": list(ANGLES.values()), "Face units": list(UNITS.values())}


def _curve(group: str, curve: Curve) -> dict[str, Any]:
    """Its label and group, and where its values stand in what they are read from."""
    (column,) = curve.columns
    return {
        "label": curve.label,
        "group": group,
        "from": curve.source,
        "index": column - ROTATION.start if curve.source == "angles" else column,
        "range": curve.range,
    }


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
