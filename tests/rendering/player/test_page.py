"""The player's page as text: what is in it, and what is refused."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from jaxreact.errors import UserError
from jaxreact.face import PITCH, ROLL, YAW, degrees_from_upright
from jaxreact.rendering import load_builtin_head
from jaxreact.rendering.pictures.reactions import Person, Reactions, Recording, read_reactions
from jaxreact.rendering.player.command import Player
from jaxreact.rendering.player.page import player_page
from tests.html.reading import Page
from tests.rendering.files import (
    CLIPS,
    FRAMES,
    feeling,
    moving,
    nobody,
    plate,
    predictions_file,
    reaction_file,
)
from tests.rendering.player.test_packing import unpack

CLIP = "</script><b>&\"'"


def some(clip: str = CLIP, **more) -> Reactions:
    return Reactions(Path("p.npz"), None, clip, moving(3, FRAMES), feeling(3, FRAMES), **more)


def data_of(page: str) -> dict:
    (text,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page)
    return json.loads(text)


def test_the_page_nests_and_needs_nothing_from_outside():
    speaker = Person(moving(FRAMES), feeling(FRAMES))
    sound = (np.zeros(8000, np.float32), 8000)
    text = player_page([("ours", some(speaker=speaker, sound=sound))], plate())
    page = Page(text)
    assert page.needs_nothing_from_outside()
    assert page.text.startswith(f"Reactions to {CLIP}")
    assert len([tag for tag, _ in page.tags if tag == "script"]) == 2
    assert data_of(text)["sound"].startswith("data:audio/mp4;base64,")
    unnamed = [
        attrs.get("id")
        for tag, attrs in page.tags
        if tag in ("button", "select") and "aria-label" not in attrs
    ]
    assert unnamed == ["speed"]  # which stands in its label


def test_the_licence_of_three_goes_with_it():
    page = player_page([("ours", some())], plate())
    assert "The MIT License" in page
    assert "three.js authors" in page
    assert "THE SOFTWARE IS PROVIDED" in page


def test_who_is_there_and_who_is_seen_first():
    listener = Person(emotion=feeling(FRAMES))
    data = data_of(player_page([("ours", some(listener=listener))], plate()))
    people = [(person["kind"], person["name"]) for person in data["people"]]
    samples = [("sample", f"Sample {number}") for number in (1, 2, 3)]
    assert people == [("listener", "Recorded listener"), *samples]
    assert data["people"][0]["coeffs"] is None
    assert data["seats"] == [1, 2]
    speaker = Person(moving(FRAMES))
    data = data_of(player_page([("ours", some(speaker=speaker, listener=listener))], plate()))
    assert data["seats"] == [0, 2]
    alone = Reactions(Path("p.npz"), None, "one", moving(1, FRAMES), None)
    assert data_of(player_page([("ours", alone)], plate()))["seats"] == [0]


def test_several_systems_stand_beside_the_recorded_ones(tmp_path):
    known = some(speaker=Person(moving(FRAMES)), listener=Person(moving(FRAMES, seed=1)))
    fewer = replace(some(), coeffs=moving(2, FRAMES - 1), emotion=None)
    data = data_of(player_page([("ours", known), ("theirs", fewer)], plate()))
    assert data["systems"] == ["ours", "theirs"]
    assert data["frames"] == FRAMES - 1
    named = [(person["system"], person["name"]) for person in data["people"]]
    ours = [(0, f"ours, sample {number}") for number in (1, 2, 3)]
    theirs = [(1, f"theirs, sample {number}") for number in (1, 2)]
    assert named == [(None, "Speaker"), (None, "Recorded listener"), *ours, *theirs]
    assert data["seats"] == [0, 1, 2, 5]


def test_traces_are_of_what_is_known():
    data = data_of(player_page([("ours", some())], plate()))
    shown = [data["channels"][index]["label"] for index in data["traces"]]
    assert shown == ["Smile (AU12)", "Head pitch (° down)", "Valence (-1 to 1)"]
    assert len(data["channels"]) == 25 + 3 + 52
    bare = Reactions(Path("p.npz"), None, "one", moving(1, FRAMES), None)
    data = data_of(player_page([("ours", bare)], plate()))
    assert {channel["from"] for channel in data["channels"]} == {"coeffs", "angles"}
    assert data["channels"][data["traces"][0]]["label"] == "mouthSmileLeft"


def test_head_angles_are_packed_in_degrees_from_upright():
    speaker = moving(FRAMES, seed=5)
    data = data_of(player_page([("ours", some(speaker=Person(speaker)))], plate()))
    packed = data["people"][0]["angles"]
    levels = unpack(packed["levels"]).reshape(FRAMES, 3)
    angles = np.array(packed["low"]) + np.array(packed["step"]) * levels
    for column, values in zip((PITCH, YAW, ROLL), angles.T, strict=True):
        np.testing.assert_allclose(values, degrees_from_upright(speaker, column), atol=1e-3)
    head = [channel for channel in data["channels"] if channel["from"] == "angles"]
    assert [channel["index"] for channel in head] == [0, 1, 2]


@pytest.mark.parametrize("out", ["page.html", "folder", "new/page.html"])
def test_the_command_writes_one_file(tmp_path, out, capsys):
    path = reaction_file(tmp_path / "reaction.npz")
    Player((path,), tmp_path / out).write(nobody)
    page = tmp_path / out
    page = page if page.suffix else page / "player.html"
    assert data_of(page.read_text("utf-8"))["frames"] == FRAMES
    assert capsys.readouterr().out.startswith(f"{page} (")
    assert list(page.parent.glob(".*")) == []


@pytest.mark.parametrize(
    ("out", "clip", "message"),
    [
        ("page.htm/x.html", "0", "is a file"),
        ("page.htm", "0", "is a file"),
        ("page.html", "nobody", "--clip nobody"),
    ],
)
def test_the_command_refuses_and_writes_nothing(tmp_path, out, clip, message):
    (tmp_path / "page.htm").touch()
    path = predictions_file(tmp_path / "p.npz")
    with pytest.raises(UserError, match=message):
        Player((path,), tmp_path / out, recording=Recording(clip)).write(nobody)
    assert {path.name for path in tmp_path.iterdir()} == {"page.htm", "p.npz"}


def test_a_page_of_predictions_has_the_clip_that_was_asked_for(tmp_path):
    reactions = read_reactions(predictions_file(tmp_path / "p.npz"), Recording(CLIPS[1]))
    assert f"<h1>Reactions to {CLIPS[1]}</h1>" in player_page(
        [("ours", reactions)], load_builtin_head()
    )
