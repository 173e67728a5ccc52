"""A real browser without a window, driven through the DevTools protocol over a pair of pipes."""

import base64
import fcntl
import json
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any, Self

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--remote-debugging-pipe",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--autoplay-policy=no-user-gesture-required",
    "--mute-audio",
    "--hide-scrollbars",
    "--disable-dev-shm-usage",
)

PATIENCE = 60.0
"""Seconds after which a page or an answer is given up."""


class Browser:
    """One browser with one page; `complaints` are the errors and warnings of its console."""

    def __init__(self, profile: Path, *flags: str) -> None:
        """`flags`: further ones of Chromium's command line."""
        from_here, self._in = os.pipe()
        self._out, to_here = os.pipe()
        # Chromium reads from descriptor 3 and writes to 4, which may be any of these.
        ends = [fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (from_here, to_here)]
        command = f'exec "$0" "$@" 3<&{ends[0]} 4>&{ends[1]}'
        self._process = subprocess.Popen(
            ["bash", "-c", command, str(CHROMIUM), *FLAGS, *flags, f"--user-data-dir={profile}"],
            pass_fds=ends,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for end in (from_here, to_here, *ends):
            os.close(end)
        self._buffer, self._number, self._target = b"", 0, None
        self.complaints: list[str] = []
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        attached = self._call("Target.attachToTarget", targetId=target, flatten=True)
        self._target = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self._call(f"{domain}.enable")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._in)  # at which Chromium ends
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._out)

    def resize(self, width: int, height: int, scale: float = 1.0) -> None:
        """The size of the page in CSS pixels; narrow ones are phones."""
        self._call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=scale,
            mobile=width < 600,
        )

    def open(self, page: Path | str, ready: str = "true") -> None:
        """Opens a file or an address and waits until the JavaScript expression `ready` is true."""
        self._call("Page.navigate", url=page.as_uri() if isinstance(page, Path) else page)
        end = time.monotonic() + PATIENCE
        while not self.run(f"document.readyState === 'complete' && Boolean({ready})"):
            assert time.monotonic() < end, f"{page} is not ready: {self.complaints}"
            time.sleep(0.05)

    def run(self, script: str) -> Any:
        """The value of a JavaScript expression; a promise is waited for."""
        answer = self._call(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def press(self, key: str, text: str = "", shift: bool = False) -> None:
        """Presses and releases a key, such as ArrowLeft; `text` is what it types."""
        event = {"key": key, "modifiers": 8 if shift else 0}
        self._call("Input.dispatchKeyEvent", type="keyDown", text=text, **event)
        self._call("Input.dispatchKeyEvent", type="keyUp", **event)

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Presses the mouse's button at one point and releases it at another, in CSS pixels."""
        points = {"mousePressed": start, "mouseMoved": end, "mouseReleased": end}
        for kind, (x, y) in points.items():
            held = 0 if kind == "mouseReleased" else 1
            event = {"button": "left", "buttons": held, "clickCount": 1}
            self._call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **event)

    def picture(self, whole: bool = False) -> bytes:
        """What is seen as a PNG file; `whole` goes on below the screen."""
        shot = self._call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        return base64.b64decode(shot["data"])

    def _call(self, method: str, **parameters: Any) -> Any:
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._target:
            message["sessionId"] = self._target
        os.write(self._in, json.dumps(message).encode() + b"\0")
        while True:
            found = self._read()
            if found.get("id") == self._number:
                assert "error" not in found, found
                return found["result"]
            self._notice(found)

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            piece = os.read(self._out, 1 << 16)
            assert piece, "the browser has ended"
            self._buffer += piece
        message, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(message)

    def _notice(self, event: dict[str, Any]) -> None:
        """Keeps what the page complains of, and every address that it asks the network for."""
        about = event.get("params", {})
        if event.get("method") == "Runtime.exceptionThrown":
            self.complaints.append(json.dumps(about["exceptionDetails"]))
        elif event.get("method") == "Log.entryAdded":
            self.complaints.append(f"{about['entry']['level']}: {about['entry']['text']}")
        elif event.get("method") == "Runtime.consoleAPICalled":
            words = [str(one.get("value", one.get("description"))) for one in about["args"]]
            self.complaints.append(f"{about['type']}: {' '.join(words)}")
        elif event.get("method") == "Network.requestWillBeSent":
            url = about["request"]["url"]
            if not url.startswith(("file:", "data:", "blob:", "about:")):
                self.complaints.append(f"network: {url}")
