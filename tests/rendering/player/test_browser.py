"""The player in a real browser: it is opened from a file, as by its users."""

from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from jaxreact.export.arkit_csv import csv_text
from jaxreact.export.motion import motion_of
from jaxreact.rendering import load_builtin_head, render
from jaxreact.rendering.pictures.reactions import Person, Reactions
from jaxreact.rendering.player.page import player_page
from tests.browser import CHROMIUM, Browser
from tests.rendering.files import feeling, moving

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium here")

FRAMES = 30
SAMPLES = moving(3, FRAMES)
SPEAKER, LISTENER = moving(FRAMES, seed=1), moving(FRAMES, seed=2)
PEOPLE = [SPEAKER, LISTENER, *SAMPLES]
"""In the order of the page."""


def reactions(**recorded) -> Reactions:
    return Reactions(Path("p.npz"), None, "a clip", SAMPLES, feeling(3, FRAMES), **recorded)


@pytest.fixture(scope="module")
def browser(tmp_path_factory) -> Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> Path:
    tone = np.sin(np.arange(16000 * FRAMES // 25) / 5).astype(np.float32)
    known = reactions(
        speaker=Person(SPEAKER, feeling(FRAMES, seed=1)),
        listener=Person(LISTENER, feeling(FRAMES, seed=2)),
        sound=(tone, 16000),
    )
    path = tmp_path_factory.mktemp("page") / "player with a space.html"
    path.write_text(player_page([("ours", known)], load_builtin_head()), encoding="utf-8")
    return path


@pytest.fixture
def player(browser, page) -> Browser:
    """The page, freshly opened on a desktop."""
    browser.complaints.clear()
    browser.resize(1280, 800)
    browser.open(page, "window.player")
    return browser


def positions(player: Browser, side: int) -> np.ndarray:
    flat = player.run(f"Array.from(player.seats[{side}].view.positions)")
    return np.array(flat, np.float32).reshape(-1, 3)


def check_face(player: Browser, side: int, person: np.ndarray, frame: int) -> None:
    """Asserts that a side shows a person at a frame, vertex for vertex."""
    expected = np.asarray(load_builtin_head().vertices(person[frame : frame + 1]))[0]
    np.testing.assert_allclose(positions(player, side), expected, atol=1e-3)


def test_it_opens_from_a_file_with_two_heads_and_nothing_to_complain_of(player):
    check_face(player, 0, SPEAKER, 0)
    check_face(player, 1, SAMPLES[0], 0)
    assert player.run("document.querySelector('#trouble').textContent") == ""
    assert player.run("document.querySelectorAll('.blind').length") == 0
    assert player.complaints == []


def test_every_rule_of_the_head_model_holds(player):
    """Lips that close no further than the jaw is open, and shoulders that stay upright."""
    head = load_builtin_head()
    poses = moving(4, seed=3)
    names = {"mouthClose": 26, "jawOpen": 24}
    poses[0, [names["mouthClose"], names["jawOpen"]]] = 0.9, 0.2
    poses[1, [names["mouthClose"], names["jawOpen"]]] = 0.9, -0.3
    poses[2, 52:55] += [0.4, -0.6, 0.3]
    poses[3, :52] = 0
    for coeffs, expected in zip(poses, np.asarray(head.vertices(poses)), strict=True):
        player.run(f"player.seats[0].view.pose(Float32Array.from({coeffs.tolist()}))")
        np.testing.assert_allclose(positions(player, 0), expected, atol=1e-3)


def test_it_looks_like_the_rendered_videos(player):
    player.run("player.seek(7)")
    player.run("document.querySelectorAll('figcaption').forEach((name) => name.remove())")
    player.run("new Promise((done) => setTimeout(done, 500))")  # the heads fade in
    shot = np.asarray(Image.open(BytesIO(player.picture())).convert("RGB")).astype(int)
    for side, person in enumerate((SPEAKER, SAMPLES[0])):
        box = player.run(
            f"(({{left, top, width, height}}) => [left, top, width, height])"
            f"(document.querySelectorAll('canvas')[{side}].getBoundingClientRect())"
        )
        left, top, width, height = (round(value) for value in box)
        start = left + (width - height) // 2
        seen = shot[top : top + height, start : start + height]
        expected = render(person[7:8], size=height)[0].astype(int)
        assert np.abs(seen - expected).mean() < 2.5
        assert np.percentile(np.abs(seen - expected), 99) < 40


def test_scrubbing_shows_another_frame(player):
    player.run(
        "(() => { const line = document.querySelector('#timeline'); line.value = 21;"
        " line.dispatchEvent(new Event('input')); })()"
    )
    check_face(player, 0, SPEAKER, 21)
    check_face(player, 1, SAMPLES[0], 21)
    assert player.run("document.querySelector('#time').textContent") == "0.84"
    moved = player.run("document.querySelector('.now').getAttribute('transform')")
    assert float(moved.split("(")[1].split()[0]) == pytest.approx(38 + 334 * 21 / 30, abs=0.01)


def test_the_sample_is_switched_by_chip_and_anybody_chosen_on_the_left(player):
    player.run("document.querySelectorAll('.chips input')[2].click()")
    check_face(player, 1, SAMPLES[2], 0)
    assert player.run("document.querySelectorAll('.seat')[1].textContent").endswith("Sample 3")
    drawn = "document.querySelector('.trace .sample .line').getAttribute('d')"
    before = player.run(drawn)
    player.run(
        "(() => { const who = document.querySelector('.seat select'); who.value = 1;"
        " who.dispatchEvent(new Event('change')); })()"
    )
    check_face(player, 0, LISTENER, 0)
    player.run("document.querySelectorAll('.chips input')[0].click()")
    assert player.run(drawn) != before


def test_keys_move_through_time(player):
    frames = {
        "ArrowRight": 1,
        "ArrowRight ArrowRight ArrowLeft": 1,
        "ArrowLeft": 0,
        "End": FRAMES - 1,
        "End ArrowRight": FRAMES - 1,
        "End Shift+ArrowLeft": FRAMES - 1 - 25,
        "Shift+ArrowRight Home": 0,
    }
    for keys, frame in frames.items():
        player.run("player.seek(0)")
        for key in keys.split():
            player.press(key.removeprefix("Shift+"), shift=key.startswith("Shift+"))
        assert player.run("player.frame") == frame, keys
    player.press("ArrowRight")
    check_face(player, 1, SAMPLES[0], 1)


def test_keys_choose_who_is_on_the_right(player):
    player.press("3", "3")
    check_face(player, 1, SAMPLES[2], 0)
    player.press("r", "r")
    check_face(player, 1, LISTENER, 0)
    assert player.run("document.querySelector('.chips input:checked').value") == "1"
    player.press("9", "9")  # there is none
    check_face(player, 1, LISTENER, 0)


def test_it_plays_with_its_sound_and_stops_at_the_end(player):
    player.run("player.clock.audio.addEventListener('playing', () => { window.heard = true; })")
    player.press(" ", " ")
    assert player.run("document.querySelector('#play').getAttribute('aria-label')") == "Pause"
    ended = "new Promise((done) => setInterval(() => player.clock.playing || done(true), 50))"
    assert player.run(ended)
    assert player.run("window.heard") is True
    assert player.run("player.frame") == FRAMES - 1
    assert player.run("document.querySelector('#time').textContent") == "1.16"
    assert player.run("document.querySelector('#play').getAttribute('aria-label')") == "Play"
    check_face(player, 0, SPEAKER, FRAMES - 1)
    assert player.complaints == []


def test_speed_and_sound_are_chosen(player):
    player.press("-", "-")
    assert player.run("[player.clock.speed, player.clock.audio.playbackRate]") == [0.5, 0.5]
    player.press("m", "m")
    assert player.run("player.clock.audio.muted") is True
    assert player.run("document.querySelector('#mute').getAttribute('aria-pressed')") == "true"


def test_heads_are_seen_from_the_side_by_slider_and_by_dragging(player):
    angle = "player.seats[1].view.camera.position.x"
    front = player.picture()
    player.run(
        "(() => { const view = document.querySelector('#turn'); view.value = 60;"
        " view.dispatchEvent(new Event('input')); })()"
    )
    assert player.run(angle) > 5
    assert player.picture() != front
    player.run("document.querySelector('canvas').dispatchEvent(new MouseEvent('dblclick'))")
    assert player.run(angle) == 0
    player.drag((300, 250), (360, 250))
    assert player.run("Number(document.querySelector('#turn').value)") == -30
    assert player.run(angle) < -3


def test_a_click_on_a_trace_leads_to_its_moment(player):
    left, width, top = player.run(
        "(({left, width, top}) => [left, width, top])"
        "(document.querySelector('.trace svg').getBoundingClientRect())"
    )
    middle = (left + width * (38 + 334 / 2) / 380 + 0.5, top + 20)
    player.drag(middle, middle)
    assert player.run("player.frame") == FRAMES // 2


def test_it_is_not_wider_than_the_screen(player):
    for width in (320, 390, 768, 1280):
        player.resize(width, 844)
        content, room = player.run(
            "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
        )
        assert content <= room == width


def test_without_recordings_two_samples_are_seen_in_silence(browser, tmp_path):
    path = tmp_path / "bare.html"
    path.write_text(player_page([("ours", reactions())], load_builtin_head()), encoding="utf-8")
    browser.complaints.clear()
    browser.open(path, "window.player")
    check_face(browser, 0, SAMPLES[0], 0)
    check_face(browser, 1, SAMPLES[1], 0)
    assert browser.run("document.querySelector('#mute')") is None
    browser.press(" ", " ")
    browser.run("new Promise((done) => setInterval(() => player.frame > 3 && done(true), 50))")
    assert browser.complaints == []


def test_several_systems_change_their_samples_together(browser, tmp_path):
    """Of which one has fewer than the other."""
    theirs = moving(2, FRAMES, seed=7)
    known = reactions(speaker=Person(SPEAKER), listener=Person(LISTENER))
    systems = [("ours", known), ("theirs", replace(known, coeffs=theirs, emotion=None))]
    path = tmp_path / "several.html"
    path.write_text(player_page(systems, load_builtin_head()), encoding="utf-8")
    browser.complaints.clear()
    browser.resize(1280, 800)
    browser.open(path, "window.player")
    for side, face in enumerate((SPEAKER, LISTENER, SAMPLES[0], theirs[0])):
        check_face(browser, side, face, 0)
    assert browser.run("document.querySelector('.chips input:checked').parentNode.innerText") == "1"
    browser.press("2", "2")
    for side, face in enumerate((SPEAKER, LISTENER, SAMPLES[1], theirs[1])):
        check_face(browser, side, face, 0)
    browser.run("document.querySelectorAll('.chips input')[2].click()")
    for side, face in enumerate((SPEAKER, LISTENER, SAMPLES[2], theirs[1])):
        check_face(browser, side, face, 0)
    browser.press("r", "r")  # stands there anyway
    check_face(browser, 3, theirs[1], 0)
    lines = [f"document.querySelectorAll('.trace .system-{n} .line').length" for n in (0, 1, 2)]
    assert [browser.run(line) for line in lines] == [3, 1, 0]  # theirs have no emotion
    assert browser.run("document.querySelectorAll('.trace .band').length") == 0
    for width in (390, 1280):
        browser.resize(width, 800)
        sizes = "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
        content, room = browser.run(sizes)
        assert content <= room == width
    assert browser.complaints == []


def test_complaints_would_be_heard(browser, tmp_path):
    path = tmp_path / "broken.html"
    path.write_text("<script>console.warn('beware'); missing()</script>")
    browser.complaints.clear()
    browser.open(path)
    assert "warning: beware" in browser.complaints
    assert any("missing is not defined" in complaint for complaint in browser.complaints)


def test_a_face_is_saved_as_live_link_face_has_it(player):
    """What Python writes of it, but for the 65536 levels that a page has."""
    player.run("player.pick(3)")
    player.run(
        "window.saved = []; HTMLAnchorElement.prototype.click = function () {"
        " saved.push(this.download); }; document.querySelector('#arkit').click()"
    )
    assert player.run("saved") == ["Sample_2.arkit.csv"]
    expected = csv_text(np.arange(FRAMES) / 25, motion_of(SAMPLES[1]).coeffs)
    ours, theirs = (
        [line.split(",") for line in text.splitlines()]
        for text in (player.run("player.liveLink()"), expected)
    )
    assert [line[:2] for line in ours] == [line[:2] for line in theirs]
    made, given = (np.array([row[2:] for row in rows[1:]], float) for rows in (ours, theirs))
    np.testing.assert_allclose(made, given, atol=1e-4)
