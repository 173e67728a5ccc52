"""The glTF in programs of others: Khronos' validator, and three.js in a browser."""

import base64
import functools
import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from jaxreact.export.glb import write_glb
from jaxreact.face import EXPRESSIONS
from jaxreact.rendering import load_builtin_head
from tests.browser import CHROMIUM, Browser
from tests.export.faces import NOD, TURN, poses
from tests.npm_packages import fetched

pytest.importorskip("pygltflib", reason="the extra `export` is not installed")
pytestmark = pytest.mark.slow

VALIDATOR = "gltf-validator@2.0.0-dev.3.10"
VALIDATOR_SHA512 = (
    "odJ4k0tRkGXiDGn78yDBg+fBbAIvBnXxh3RwAta0emSxGtyagFE8B4xELB1oYe3S5RD8Ci3uZAsZaascH2LAEQ=="
)
THREE = "three@0.187.0"
THREE_SHA512 = (
    "Qiu7R+Cmh8CstZsY1uJOSWnVlfo7ZtNLV7mF8Jltk3LB3AtDu9cRZlcnRKkAk8Y4z6KKw35z7Y7Urd7jWY8etA=="
)

CHECK = """
const validator = require("./package/index.js");
const content = new Uint8Array(require("fs").readFileSync(process.argv[2]));
validator.validateBytes(content).then((report) => console.log(JSON.stringify(report)));
"""


@pytest.fixture(scope="module")
def glb(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("glb") / "head.glb"
    write_glb(path, poses())
    return path


def test_khronos_validator_has_nothing_to_say(glb, tmp_path):
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not there to run the validator")
    fetched(VALIDATOR, VALIDATOR_SHA512, tmp_path)
    (tmp_path / "check.js").write_text(CHECK)
    command = [node, "check.js", str(glb)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    report = json.loads(done.stdout)
    assert report["issues"]["messages"] == []
    assert report["info"]["hasMorphTargets"]
    assert report["info"]["animationCount"] == 1


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def page(glb, tmp_path_factory) -> Iterator[Browser]:
    """The file in three.js; a server is needed since modules are not loaded from files."""
    if CHROMIUM is None:
        pytest.skip("no chromium here")
    folder = tmp_path_factory.mktemp("page")
    fetched(THREE, THREE_SHA512, folder).rename(folder / "three")
    shutil.copy(glb, folder / "head.glb")
    shutil.copy(Path(__file__).with_name("page.html"), folder / "index.html")
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with Browser(tmp_path_factory.mktemp("profile")) as browser:
        browser.open(f"http://127.0.0.1:{server.server_port}/", "window.shown")
        yield browser
    server.shutdown()
    server.server_close()


TIMES = (0.5, 1.2, 1.9)
"""Seconds in the middle of each pose."""


def shown(page: Browser, time: float, vertex: int = 0) -> dict[str, Any]:
    return page.run(f"shown({time}, {vertex})")


def test_it_loads_without_complaints(page):
    shown(page, 0)
    assert [words for words in page.complaints if not words.startswith("network: ")] == []


def test_weights_at_three_times(page):
    made = [shown(page, time)["weights"] for time in TIMES]
    assert list(made[0]) == list(EXPRESSIONS)
    moved = [{name: w for name, w in weights.items() if w} for weights in made]
    eyes = dict.fromkeys(("eyeLookUpLeft", "eyeLookUpRight"), 0.5)
    eyes |= dict.fromkeys(("eyeLookInLeft", "eyeLookOutRight"), 0.5)
    assert moved == [{"eyeBlinkLeft": 1}, {"jawOpen": 0.5}, eyes]


def test_the_heads_quaternion(page):
    turn, nod = (shown(page, time)["quaternion"] for time in TIMES[:2])
    np.testing.assert_allclose(turn, [0, np.sin(TURN / 2), 0, np.cos(TURN / 2)], atol=1e-6)
    np.testing.assert_allclose(nod, [np.sin(NOD / 2), 0, 0, np.cos(NOD / 2)], atol=1e-6)


@pytest.mark.parametrize("vertex", [0, 3000, 7000, 10322])
def test_vertices_are_where_the_renderer_has_them(page, vertex):
    frames = [round(25 * time) for time in TIMES]
    coeffs = poses().coeffs[frames].astype(np.float32)
    expected = (np.asarray(load_builtin_head().vertices(coeffs))[:, vertex] - [0, 0, 1.84]) * 0.175
    made = [shown(page, frame / 25, vertex)["place"] for frame in frames]
    np.testing.assert_allclose(made, expected, atol=1e-5)


def picture(page: Browser, time: float) -> np.ndarray:
    encoded = shown(page, time)["picture"].partition(",")[2]
    return np.array(Image.open(BytesIO(base64.b64decode(encoded))).convert("RGB")).astype(int)


def test_the_picture_shows_a_lit_face_that_moves(page):
    turned, bowed = (picture(page, time) for time in TIMES[:2])
    assert (turned[:20, :20] == [0x40, 0x60, 0xFF]).all()  # the background
    red, green, blue = turned[150:250, 150:250].reshape(-1, 3).mean(axis=0)
    assert red > green > blue > 60  # skin
    assert np.abs(bowed - turned).mean() > 5
