"""The page in a real browser, with a server behind it and a camera that shows a man who talks."""

import csv
import json
import time
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest

from jaxreact.export.arkit_csv import csv_text
from jaxreact.export.motion import motion_of
from jaxreact.face import COEFF_NAMES, EMOTIONS
from jaxreact.tracking.live_link import track_live_link
from tests.browser import CHROMIUM
from tests.live.chromium import ALLOWED, DENIED, DEVICES, LiveBrowser, devices
from tests.live.serving import LiveServer
from tests.rendering.files import moving
from tests.streaming.systems import framewise

pytestmark = [
    pytest.mark.slow,
    pytest.mark.paced,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium here"),
]

STATE = "document.querySelector('#state').innerText"
NOTICES = "document.querySelector('#notices').innerText"
LOADING = 120.0
"""Seconds that MediaPipe may take on a machine without a graphics card."""


@pytest.fixture(scope="module")
def browser(tmp_path_factory, face_pictures, talk) -> Iterator[LiveBrowser]:
    flags = (*ALLOWED, *devices(face_pictures, talk))
    with LiveBrowser(tmp_path_factory.mktemp("profile"), *flags) as browser:
        yield browser


@pytest.fixture
def page(browser, live_server) -> Iterator[LiveBrowser]:
    """The page, freshly opened on a desktop."""
    browser.complaints.clear()
    browser.hosts.clear()
    browser.resize(1280, 800)
    browser.open(live_server.url, "window.live")
    yield browser
    browser.open("about:blank")  # gives its place back


def positions(page: LiveBrowser) -> np.ndarray:
    return np.array(page.run("Array.from(live.stage.listener.positions)"), np.float32)


def check_that_the_listener_moves(page: LiveBrowser, seconds: float = 60.0) -> None:
    """Reactions come, and move the head by more than it sways by itself."""
    page.run("live.listener.strength.idle = 0, 0")
    page.wait("live.listener.shown && live.listener.share > 0.9", seconds)
    before = positions(page)
    end = time.monotonic() + seconds
    while np.abs(positions(page) - before).max() < 0.01:
        assert time.monotonic() < end, "the head stands still"


def serious(page: LiveBrowser) -> list[str]:
    """Complaints but for what is only logged."""
    return [words for words in page.complaints if not words.startswith(("debug", "verbose"))]


def play_sample(page: LiveBrowser) -> None:
    page.click('[value="sample"]')
    page.click("#start")
    page.wait(f"{STATE} === 'The listener reacts to the conversation.'")


def test_it_loads_without_complaints_from_its_own_server_alone(page, live_server):
    assert page.run(STATE) == "Ready."
    assert page.complaints == []
    assert {f"http://{host}" for host in page.hosts} == {live_server.url}


def test_the_camera_is_tracked_and_answered_and_recorded(page, live_server, tmp_path):
    page.download_to(tmp_path)
    page.click("#start")
    page.wait(f"{STATE} === 'The listener reacts to you.'")
    page.wait("live.traces.jaw.lines.speaker.length > 20", LOADING)
    jaw = page.run("live.traces.jaw.lines.speaker.map((point) => point[1])")
    assert np.ptp(jaw) > 0.05  # he talks
    pitch = page.run("live.traces.nod.lines.speaker.map((point) => point[1])")
    assert np.abs(pitch).max() < 45  # degrees
    check_that_the_listener_moves(page)
    assert "No face" not in page.run(NOTICES)
    page.click("#record")
    time.sleep(4)
    page.click("#record")
    page.click("#data")
    files = wait_for_files(tmp_path, ".webm", ".csv")
    check_film(files[".webm"])
    check_table(files[".csv"])
    page.click("#start")
    page.wait(f"{STATE} === 'Stopped.'")
    assert serious(page) == []
    # Of the worker, of WebAssembly and of the stream as well.
    assert {f"http://{host}" for host in page.hosts} == {live_server.url}


def wait_for_files(folder: Path, *suffixes: str) -> dict[str, Path]:
    end = time.monotonic() + 20
    while True:
        files = {path.suffix: path for path in folder.iterdir() if path.stat().st_size}
        if set(suffixes) <= files.keys():
            return files
        assert time.monotonic() < end, files
        time.sleep(0.1)


def check_film(path: Path) -> None:
    with av.open(str(path)) as film:
        assert {stream.type for stream in film.streams} == {"video", "audio"}
        picture = next(film.decode(video=0)).to_ndarray(format="rgb24")
    left, right = picture[:, :600], picture[:, -600:]
    assert left.std() > 10  # neither side is of one colour
    assert right.std() > 10
    with av.open(str(path)) as film:
        sound = np.concatenate([frame.to_ndarray() for frame in film.decode(audio=0)], axis=1)
    assert np.abs(sound).max() > 0.01


def check_table(path: Path) -> None:
    with path.open(newline="") as file:
        header, *rows = csv.reader(file)
    assert header == ["time", *COEFF_NAMES, *EMOTIONS]
    times = [float(row[0]) for row in rows]
    np.testing.assert_allclose(np.diff(times), 0.04, atol=2e-3)
    assert np.isfinite(np.array(rows, float)).all()


def test_a_video_file_is_played_tracked_and_answered(page, film):
    page.give_file("#file", film)
    page.click("#start")
    page.wait(f"{STATE} === 'The listener reacts to the video.'", LOADING)
    page.wait("live.listener.shown")
    page.wait("live.traces.jaw.lines.speaker.length")
    page.wait(f"{STATE} === 'The video is over.'")
    assert serious(page) == []


NO_FACE = "No face is seen: one face should look into the camera"
NO_SOUND = "The microphone gives no sound: is it switched off, or is another one meant?"
SILENT_FILM = "The video is silent: the listener hears nothing."


def delays(page: LiveBrowser, notices: dict[str, str]) -> list[float]:
    """Seconds at which notices first appear after the moments of JavaScript expressions."""
    page.run(f"""(async () => {{
        const {{ now }} = await import('/static/clock.js');
        const awaited = {json.dumps(list(notices))};
        const moments = [{", ".join(f"() => {moment}" for moment in notices.values())}];
        window.delays = awaited.map(() => null);
        const look = () => {{
            awaited.forEach((words, i) => {{
                if ({NOTICES}.includes(words)) window.delays[i] ??= now() - moments[i]();
            }});
            if (window.delays.includes(null)) requestAnimationFrame(look);
        }};
        look();
    }})()""")
    return page.wait("!window.delays.includes(null) && window.delays", LOADING)


def test_an_empty_silent_room_is_told_so_until_somebody_comes(
    tmp_path_factory, live_server, somebody_comes
):
    flags = (*ALLOWED, *devices(*somebody_comes))
    with LiveBrowser(tmp_path_factory.mktemp("profile"), *flags) as page:
        page.resize(1280, 800)
        page.open(live_server.url, "window.live")
        page.click("#start")
        page.wait(f"{STATE} === 'The listener reacts to you.'")
        moments = {NO_FACE: "live.seen", NO_SOUND: "live.source.ear.audible"}
        unseen, unheard = delays(page, moments)
        assert 2 <= unseen < 4  # looked at twice a second, by a page that has much to draw
        assert 3 <= unheard < 5
        page.wait(f"!{NOTICES}.includes('No face') && live.traces.jaw.lines.speaker.length")
        page.wait(f"!{NOTICES}.includes('no sound')")
        assert serious(page) == []


def test_a_silent_film_without_a_face_is_told_so(page, empty_film):
    page.give_file("#file", empty_film)
    page.click("#start")
    page.wait(f"{STATE} === 'The listener reacts to the video.'", LOADING)
    moments = {NO_FACE: "live.seen", SILENT_FILM: "live.source.ear.audible"}
    unseen, unheard = delays(page, moments)
    assert 2 <= unseen < 4
    assert 3 <= unheard < 5
    page.wait(f"{STATE} === 'The video is over.'")
    assert page.run(NOTICES) == ""


def test_another_file_is_explained(page, tmp_path):
    path = tmp_path / "no film.mp4"
    path.write_text("words")
    page.give_file("#file", path)
    page.click("#start")
    page.wait(f"{NOTICES}.startsWith('The browser cannot play no film.mp4')")


def test_the_sample_conversation_plays_on_two_heads(page):
    play_sample(page)
    check_that_the_listener_moves(page)
    page.wait("live.traces.smile.lines.speaker.length > 25")
    assert page.run("new Set(live.stage.speaker.positions).size") > 1000
    sent, late = page.run("[live.stream.dropped.sounds, live.listener.skipped]")
    assert (sent, late) == (0, 0)


def test_a_choice_opens_a_new_stream(page):
    play_sample(page)
    page.wait("live.listener.shown", 60)
    page.run(
        "(() => { const step = document.querySelector('#step'); step.value = '1';"
        " step.dispatchEvent(new Event('change', {bubbles: true})); return 0; })()"
    )
    page.wait("live.hello.step === 1")
    page.wait("live.listener.shown", 60)


def test_strength_changes_what_is_drawn(page):
    made = page.run("""(async () => {
        const { Listener } = await import('/static/listener.js');
        const names = live.info.expressions;
        const row = new Float32Array(83);
        row[52] = Math.PI + 0.2; row[57] = 1.84;
        row[names.indexOf('mouthSmileLeft')] = 0.4;
        row[names.indexOf('eyeLookUpLeft')] = 0.8;
        const rows = new Float32Array(83 * 100);
        for (let i = 0; i < 100; i++) rows.set(row, 83 * i);
        const shown = (strength) => {
            const listener = new Listener(names);
            Object.assign(listener.strength, strength);
            listener.take(10, rows, 10);
            for (let t = 10; t < 13; t += 0.02) listener.advance(t, 0.02, true);
            const { coeffs } = listener;
            return [coeffs[52] - Math.PI, coeffs[names.indexOf('mouthSmileLeft')],
                    coeffs[names.indexOf('eyeLookUpLeft')]];
        };
        return [shown({}), ...[2, 0].map((n) => shown({nods: n, smiles: n, gaze: n}))];
    })()""")
    np.testing.assert_allclose(made, [[0.2, 0.4, 0.8], [0.4, 0.8, 1], [0, 0, 0]], atol=1e-3)


def test_a_tab_in_the_background_keeps_little_and_comes_back(page):
    waiting, late, rest = page.run("""(async () => {
        const { Listener } = await import('/static/listener.js');
        const listener = new Listener(live.info.expressions);
        const rows = new Float32Array(83).fill(0.5);
        for (let i = 0; i < 3000; i++) listener.take(0.04 * i, rows, 0.04 * i + 0.1);
        const waiting = listener.rows.length;
        listener.advance(120, 120, true);
        const late = 120 - listener.shown;
        for (let t = 120; t < 130; t += 0.02) listener.advance(t, 0.02, true);
        return [waiting, late, listener.coeffs[52] - Math.PI];
    })()""")
    assert waiting == 250
    assert 0 < late < 0.3
    assert abs(rest) < 1e-3  # the face at rest, as nothing came any more


def test_the_stream_goes_on_in_the_background(page):
    play_sample(page)
    page.wait("live.listener.shown", 60)
    with page.in_background():
        page.wait("document.hidden")
        sounds = """(() => { window.sounds = 0; const { stream } = live; const send = stream.send;
            stream.send = function (message, kind) {
                window.sounds += kind === 'sound';
                return send.call(stream, message, kind);
            }; return live.table.length; })()"""
        before = page.run(sounds)
        time.sleep(4)
        assert page.run("sounds") == pytest.approx(100, abs=15)  # 25 a second: no fewer, no flood
        assert page.run("live.table.length") > before + 50
        assert page.run("live.stream.socket.bufferedAmount") == 0
    page.wait("!document.hidden && live.listener.shown")
    check_that_the_listener_moves(page)


def test_sound_of_other_rates_is_resampled(page):
    for rate, frequency, height in ((48000, 440, 1), (44100, 3000, 1), (48000, 9500, 0)):
        samples = page.run(f"""(async () => {{
            const {{ Resampler }} = await import('/static/resampler.js');
            const resampler = new Resampler({rate}, 16000);
            const made = [];
            for (let i = 0; i < {rate}; i += 128) {{
                const quantum = Float32Array.from({{length: 128}},
                    (_, k) => Math.sin(2 * Math.PI * {frequency} * (i + k) / {rate}));
                made.push(...resampler.push(quantum));
            }}
            return made;
        }})()""")
        expected = height * np.sin(2 * np.pi * frequency * np.arange(len(samples)) / 16000)
        assert len(samples) == pytest.approx(16000, abs=50)
        np.testing.assert_allclose(samples[200:-200], expected[200:-200], atol=1e-3)


def test_a_reload_begins_anew(page, live_server):
    play_sample(page)
    page.wait("live.listener.shown", 60)
    page.open(live_server.url, "window.live")
    play_sample(page)
    check_that_the_listener_moves(page)
    assert serious(page) == []


def test_a_server_that_comes_back_is_found_again(page, live_server):
    play_sample(page)
    page.wait("live.listener.shown", 60)
    live_server.stop()
    page.wait(f"{STATE} === 'Not connected.'")
    assert "tries again by itself" in page.run(NOTICES)
    live_server.start()
    page.wait(f"{STATE} === 'The listener reacts to the conversation.'", 60)
    assert page.run(NOTICES) == ""
    check_that_the_listener_moves(page)


def test_a_page_waits_for_a_server_that_does_not_answer_yet(page, live_server):
    late = """(() => {
        const real = fetch;
        const due = performance.now() + 1000;
        window.fetch = (...request) => performance.now() < due
            ? Promise.reject(new TypeError('Failed to fetch')) : real(...request);
    })()"""
    with page.before_loading(late):
        page.open(live_server.url, f"{STATE}.startsWith('The server does not answer')")
        page.wait(f"{STATE} === 'Ready.'")


def test_a_page_needs_its_token_in_the_address(browser):
    token = "a token of some length"
    server = LiveServer(framewise(), page=True, token=token)
    server.start()
    try:
        browser.open(server.url, f"{STATE}.includes('?token=')")
        browser.open(f"{server.url}?token={token.replace(' ', '%20')}", "window.live")
        play_sample(browser)
        browser.wait("live.listener.shown", 60)
    finally:
        browser.open("about:blank")
        server.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_needs_not_be_scrolled_sideways(page, scheme):
    page.resize(360, 740, 2)
    page.prefer(prefers_color_scheme=scheme)
    play_sample(page)
    page.wait("live.listener.shown", 60)
    assert page.run("document.documentElement.scrollWidth") == 360
    page.prefer(prefers_color_scheme="light")


def test_whoever_wants_no_motion_gets_none(page):
    page.prefer(prefers_reduced_motion="reduce")
    page.wait("live.listener.share < 0.01")
    time.sleep(0.5)
    before = positions(page)
    time.sleep(1)
    np.testing.assert_array_equal(positions(page), before)
    page.prefer(prefers_reduced_motion="no-preference")
    time.sleep(1)
    assert np.abs(positions(page) - before).max() > 1e-5


def test_everything_is_reached_and_named_by_the_keyboard(page):
    unnamed = page.run("""[...document.querySelectorAll('button, input, select')]
        .filter((e) => !e.hidden && !(e.labels?.length || e.innerText.trim() || e.ariaLabel))
        .map((e) => e.outerHTML)""")
    assert unnamed == []
    for _ in range(20):
        page.press("Tab")
        if page.run("document.activeElement.id") == "start":
            break
    assert page.run("document.activeElement.id") == "start"
    assert page.run("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def refused(tmp_path_factory, live_server: LiveServer, *flags: str) -> str:
    with LiveBrowser(tmp_path_factory.mktemp("profile"), *flags) as browser:
        browser.open(live_server.url, "window.live")
        browser.click("#start")
        words = browser.wait(NOTICES)
        assert browser.run(STATE) == "Stopped."
        assert serious(browser) == []
    return words


def test_a_denied_camera_is_explained(tmp_path_factory, live_server):
    words = refused(tmp_path_factory, live_server, *DEVICES, *DENIED)
    assert words.startswith("The browser may not use the camera and the microphone.")


def test_a_missing_camera_is_explained(tmp_path_factory, live_server):
    words = refused(tmp_path_factory, live_server, *ALLOWED)
    assert words.startswith("No camera and no microphone was found.")


def test_without_mediapipe_pictures_go_to_the_server_until_time_is_over(browser, small_server):
    browser.complaints.clear()
    browser.resize(1280, 800)
    browser.open(small_server.url, "window.live")
    browser.click('[value="camera"]')
    browser.click("#start")
    browser.wait(f"{NOTICES}.includes('pictures of you go to the server')")
    check_that_the_listener_moves(browser)
    browser.wait(f"{NOTICES}.includes('time is over')")
    assert browser.run(STATE) == "Stopped."
    assert serious(browser) == []


def test_taken_places_are_explained(browser, tmp_path_factory, small_server):
    browser.open(small_server.url, "window.live")
    play_sample(browser)
    with LiveBrowser(tmp_path_factory.mktemp("profile")) as second:
        second.open(small_server.url, "window.live")
        second.click('[value="sample"]')
        second.click("#start")
        second.wait(f"{NOTICES}.includes('All places at the server are taken')")
        browser.click("#start")  # who leaves makes room
        second.wait(f"{STATE} === 'The listener reacts to the conversation.'")


def test_the_face_as_live_link_face_has_it(page, tmp_path):
    """A click gives a file that is read again; of any rows it is what Python writes."""
    page.download_to(tmp_path)
    play_sample(page)
    page.wait("live.table.length > 30", 60)
    page.click("#arkit")
    read = track_live_link(wait_for_files(tmp_path, ".csv")[".csv"])
    assert len(read.coeffs) > 25
    rows = moving(30)
    rows[:5, 3], rows[5:9, 4], rows[9, 52] = -0.1, 1.2, 9.7  # beyond what the format has
    times = np.cumsum(np.full(30, 0.04)) + 1234.5
    times[10:] += 0.48  # a hole
    made = page.run(f"""(async () => {{
        const {{ Table }} = await import('/static/table.js');
        const table = new Table(live.info);
        const rows = {rows.tolist()}, times = {times.tolist()};
        rows.forEach((row, i) => table.add(times[i], new Float32Array([...row, ...Array(25)])));
        return table.liveLink();
    }})()""")
    expected = csv_text(times - times[0], motion_of(rows).coeffs)
    assert made.splitlines()[0] == expected.splitlines()[0]
    made, expected = (
        [line.split(",") for line in text.splitlines()[1:]] for text in (made, expected)
    )
    assert [line[:2] for line in made] == [line[:2] for line in expected]
    numbers = [np.array([line[2:] for line in lines], float) for lines in (made, expected)]
    np.testing.assert_allclose(*numbers, atol=2e-10)
    assert serious(page) == []
