"""The page itself: one HTML file with its scripts, the head, the coefficients and the sound."""

import json
from itertools import groupby
from typing import Any

from jaxreact.face import FPS
from jaxreact.html.page import page
from jaxreact.rendering import HeadModel
from jaxreact.rendering.pictures.reactions import Reactions
from jaxreact.rendering.player.contents import contents

SPEEDS = (0.25, 0.5, 1, 1.5, 2)

KEYS = (
    ("Space", "play, pause"),
    ("← →", "a frame back, on; with Shift a second"),
    ("Home End", "first, last frame"),
    ("1 … 9 0", "a sample on the right"),
    ("r", "the recorded listener on the right"),
    ("+ −", "faster, slower"),
    ("m", "sound off, on"),
)


def player_page(reactions: Reactions, head: HeadModel) -> str:
    """The whole page as HTML. It needs nothing from outside and opens from a file."""
    data = contents(reactions, head)
    people = list(enumerate(data["people"]))
    faces = [(index, person) for index, person in people if person["coeffs"]]
    samples = [(index, person) for index, person in faces if person["kind"] == "sample"]
    listeners = [(index, person) for index, person in faces if person["kind"] == "listener"]
    channels = groupby(enumerate(data["channels"]), lambda item: item[1]["group"])
    values = {
        "title": f"Reactions to {reactions.clip}",
        "frames": reactions.frames,
        "seconds": reactions.frames / FPS,
        "faces": faces,
        "samples": samples,
        "listeners": listeners,
        "kinds": {person["kind"] for _, person in people},
        "seats": data["seats"],
        "traces": data["traces"],
        "groups": [(group, list(members)) for group, members in channels],
        "sound": data["sound"] is not None,
        "speeds": SPEEDS,
        "keys": KEYS,
        "data": _json(data),
    }
    return page("rendering/player/page.html.j2", values)


def _json(data: dict[str, Any]) -> str:
    """JSON that cannot end the script element it stands in."""
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c")
