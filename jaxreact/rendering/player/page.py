"""The page itself: one HTML file with its scripts, the head, the coefficients and the sound."""

import json
from html import escape
from typing import Any

from jaxreact.face import FPS
from jaxreact.html.page import asset, document
from jaxreact.rendering import HeadModel
from jaxreact.rendering.pictures.reactions import Reactions
from jaxreact.rendering.player.contents import contents

PACKAGE = "jaxreact.rendering.player"
SCRIPTS = ("head.js", "view.js", "trace.js", "player.js")
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
    seats = "".join(_seat(side, data) for side in range(len(data["seats"])))
    charts = "".join(_chart(data["channels"], number) for number in range(len(data["traces"])))
    main = (
        f'<noscript><p class="status warn">The heads need JavaScript.</p></noscript>'
        f'<p id="trouble" class="status warn" role="alert"></p>'
        f'<section class="stage" aria-label="Faces">{seats}</section>'
        f"{_controls(reactions, data)}{_chips(data['people'])}{_legend(data['people'])}"
        f'<section class="charts" aria-label="Traces">{charts}</section>{_keys()}'
        f'<script type="application/json" id="data">{_json(data)}</script>'
    )
    header = (
        f"<h1>Reactions to {escape(reactions.clip)}</h1>"
        f'<p class="quiet">{len(reactions.coeffs)} samples of {reactions.frames / FPS:.3g} s</p>'
    )
    return document(
        f"Reactions to {reactions.clip}",
        header,
        main,
        style=asset(PACKAGE, "player.css"),
        script=_script(),
    )


def _script() -> str:
    """three.js with its licence, then ours."""
    licence = asset(PACKAGE, "assets/LICENSE").strip()
    three = asset(PACKAGE, "assets/three.min.js")
    ours = "\n".join(asset(PACKAGE, name) for name in SCRIPTS)
    return f'/* three.js\n\n{licence}\n*/\n{three}\n(() => {{\n"use strict";\n{ours}}})();\n'


def _json(data: dict[str, Any]) -> str:
    """JSON that cannot end the script element it stands in."""
    return json.dumps(data, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


def _seat(side: int, data: dict[str, Any]) -> str:
    """A canvas and who is on it; who is on the last is chosen below, on another here."""
    last = side == len(data["seats"]) - 1
    label = "<b></b>" if last and side else _choice(data["people"])
    return (
        '<figure class="seat"><canvas role="img"></canvas>'
        '<p class="blind-note">This browser draws no WebGL.</p>'
        f"<figcaption>{label}</figcaption></figure>"
    )


def _choice(people: list[dict[str, Any]]) -> str:
    options = "".join(
        f'<option value="{index}">{person["name"]}</option>'
        for index, person in enumerate(people)
        if person["coeffs"]
    )
    return f'<select aria-label="Who is on the left">{options}</select>'


def _controls(reactions: Reactions, data: dict[str, Any]) -> str:
    seconds = reactions.frames / FPS
    speeds = "".join(
        f'<option value="{speed}"{" selected" if speed == 1 else ""}>{speed:g}×</option>'
        for speed in SPEEDS
    )
    mute = (
        '<button id="mute" type="button" aria-label="Mute" aria-pressed="false">'
        '<svg viewBox="0 0 24 24" aria-hidden="true"><path class="horn" d="M4 9v6h4l5 4V5L8 9z"/>'
        '<path class="waves" d="M16 8.5a5 5 0 0 1 0 7M18.5 6a8.5 8.5 0 0 1 0 12"/>'
        '<path class="cross" d="M16 9.5l5 5M21 9.5l-5 5"/></svg></button>'
        if data["sound"]
        else ""
    )
    return (
        '<section class="controls" aria-label="Playing">'
        '<button id="play" type="button" aria-label="Play"><svg viewBox="0 0 24 24"'
        ' aria-hidden="true"><path class="start" d="M8 5.5v13l11-6.5z"/>'
        '<path class="stop" d="M7 5.5h3.4v13H7zM13.6 5.5H17v13h-3.4z"/></svg></button>'
        f'<input id="timeline" type="range" min="0" max="{reactions.frames - 1}" step="1"'
        ' value="0" aria-label="Frame">'
        f'<p class="clock"><b><span id="time">0.00</span> s</b> of {seconds:.2f}'
        '<small>frame <span id="frame">0</span></small></p>'
        f'{mute}<label class="pace"><span>Speed</span> <select id="speed">{speeds}</select></label>'
        '<label class="round">View <input id="turn" type="range" min="-180" max="180" step="1"'
        ' value="0" aria-label="Degrees around the heads"></label></section>'
    )


def _chips(people: list[dict[str, Any]]) -> str:
    """Who is on the right: the samples by number, and the recorded listener."""
    chips = "".join(
        f'<label class="{person["kind"]}"><input type="radio" name="reaction" value="{index}">'
        f"<span>{person['name'].removeprefix('Sample ')}</span></label>"
        for index, person in sorted(enumerate(people), key=lambda item: item[1]["kind"] != "sample")
        if person["coeffs"] and person["kind"] in ("sample", "listener")
    )
    return f'<fieldset class="chips"><legend>Reaction</legend>{chips}</fieldset>'


def _legend(people: list[dict[str, Any]]) -> str:
    kinds = {person["kind"] for person in people}
    several = sum(person["kind"] == "sample" for person in people) > 1
    area = "; area: all samples" if several else ""
    names = {
        "speaker": "speaker",
        "listener": "listener, recorded",
        "sample": f"reaction that is shown{area}",
    }
    keys = "".join(
        f'<span class="key {kind}">{name}</span>' for kind, name in names.items() if kind in kinds
    )
    return f'<p class="legend">{keys}</p>'


def _chart(channels: list[dict[str, Any]], number: int) -> str:
    groups: dict[str, list[str]] = {}
    for index, channel in enumerate(channels):
        option = f'<option value="{index}">{escape(channel["label"])}</option>'
        groups.setdefault(channel["group"], []).append(option)
    options = "".join(
        f'<optgroup label="{name}">{"".join(group)}</optgroup>' for name, group in groups.items()
    )
    return (
        f'<figure class="chart trace"><figcaption><select aria-label="Trace {number + 1}">{options}'
        '</select></figcaption><svg viewBox="0 0 380 150" role="img"></svg></figure>'
    )


def _keys() -> str:
    rows = "".join(f"<dt>{key}</dt><dd>{what}</dd>" for key, what in KEYS)
    return (
        f'<details class="keys"><summary>Keys</summary><dl>{rows}</dl>'
        '<p class="quiet">Drag a face to look at it from the side; a double click turns it back. '
        "A click on a trace leads to its moment.</p></details>"
    )
