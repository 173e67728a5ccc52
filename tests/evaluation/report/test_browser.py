"""The report in a real browser, as wide as a phone."""

import html
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from jaxreact.evaluation.report import write_evaluation_report
from tests.evaluation.report.results import evaluate, some_predictions

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


def width_of(page: Path, width: int) -> tuple[int, int]:
    """Width of the page's content and of the room for it, in a frame of `width` pixels."""
    frame = page.with_name("frame.html")
    # Chromium's own window cannot be as narrow as a phone; a frame can.
    frame.write_text(
        f'<body><iframe width={width} height=800 srcdoc="{html.escape(page.read_text())}"></iframe>'
        "<script>const frame = document.querySelector('iframe'); frame.onload = () => {"
        "const root = frame.contentDocument.documentElement;"
        "document.title = `${root.scrollWidth} of ${root.clientWidth}`}</script>"
    )
    command = [str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]
    done = subprocess.run([*command, frame.as_uri()], capture_output=True, text=True, timeout=120)
    (widths,) = re.findall(r"<title>(\d+) of (\d+)</title>", done.stdout)
    return int(widths[0]), int(widths[1])


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="no chromium here")
@pytest.mark.parametrize("width", [320, 360, 1280])
def test_the_page_is_not_wider_than_the_screen(tmp_path, width):
    names = tuple(f"NoXI/{n}{'_a_very_long_name' * 8}/Expert_video/1" for n in range(4))
    scores = evaluate(tmp_path, some_predictions(names=names))
    path = write_evaluation_report(tmp_path, clip_scores=scores)
    content, room = width_of(path, width)
    assert width - 20 <= room <= width
    assert content <= room
    # A page that is too wide would be seen.
    path.write_text(path.read_text().replace("<main>", '<main><p style="width: 2000px">wide</p>'))
    assert width_of(path, width)[0] > 1900
