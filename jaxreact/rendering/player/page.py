"""The page itself: one HTML file with its scripts, the head, the coefficients and the sound."""

import json
import math
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from jaxreact.face import FPS
from jaxreact.html.page import page
from jaxreact.rendering import HeadModel
from jaxreact.rendering.pictures.reactions import Reactions
from jaxreact.rendering.player.contents import contents

IN_A_ROW = 4
SPEEDS = (0.25, 0.5, 1, 1.5, 2)

_OF_ONE = (
    ("1 … 9 0", "a sample on the right"),
    ("r", "the recorded listener on the right"),
)
_OF_SEVERAL = (("1 … 9 0", "a sample of every system"),)


def _keys(several: bool) -> tuple[tuple[str, str], ...]:
    """Keys of the keyboard, and what they do."""
    return (
        ("Space", "play, pause"),
        ("← →", "a frame back, on; with Shift a second"),
        ("Home End", "first, last frame"),
        *(_OF_SEVERAL if several else _OF_ONE),
        ("+ −", "faster, slower"),
        ("m", "sound off, on"),
    )


def player_page(systems: Sequence[tuple[str, Reactions]], head: HeadModel) -> str:
    """The whole page as HTML. It needs nothing from outside and opens from a file.

    `systems` are names and reactions of one or more, to the same clip.
    """
    data = contents(systems, head)
    people = list(enumerate(data["people"]))
    faces = [(index, person) for index, person in people if person["coeffs"]]
    several = len(systems) > 1
    chips = [(index, person) for index, person in faces if person["system"] is not None]
    if several:  # a chip stands for that sample of every system
        most = max(range(len(systems)), key=lambda n: len(systems[n][1].coeffs))
        chips = [(index, person) for index, person in chips if person["system"] == most]
    numbered = [(index, person["kind"], number) for number, (index, person) in enumerate(chips, 1)]
    listeners = [
        (index, person["kind"], person["name"])
        for index, person in faces
        if person["kind"] == "listener" and not several
    ]
    channels = groupby(enumerate(data["channels"]), lambda item: item[1]["group"])
    values = {
        "title": f"Reactions to {systems[0][1].clip}",
        "frames": data["frames"],
        "seconds": data["frames"] / FPS,
        "faces": faces,
        "samples": len(numbered),
        "systems": data["systems"] if several else [],
        "chips": [*numbered, *listeners],
        "kinds": {person["kind"] for _, person in people},
        "seats": data["seats"],
        "columns": columns_of(len(data["seats"])),
        "traces": data["traces"],
        "groups": [(group, list(members)) for group, members in channels],
        "sound": data["sound"] is not None,
        "speeds": SPEEDS,
        "keys": _keys(several),
        "data": _json(data),
    }
    return page("rendering/player/page.html.j2", values)


def columns_of(seats: int) -> int:
    """Faces in a row: up to four in one, more in two rows."""
    return seats if seats <= IN_A_ROW else math.ceil(seats / 2)


def _json(data: dict[str, Any]) -> str:
    """JSON that cannot end the script element it stands in."""
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c")
