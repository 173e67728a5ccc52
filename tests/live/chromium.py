"""The browser of `tests.browser` at a server's page; its camera and microphone are files."""

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.browser import Browser

DEVICES = ("--use-fake-device-for-media-stream",)
ALLOWED = ("--use-fake-ui-for-media-stream",)
"""Answers every question for a permission with yes."""
DENIED = ("--deny-permission-prompts",)


def devices(pictures: Path, sound: Path) -> tuple[str, ...]:
    """Flags for a camera that shows an mjpeg or y4m file, and a microphone that hears a WAV file,
    both again and again."""
    return (
        *DEVICES,
        f"--use-file-for-fake-video-capture={pictures}",
        f"--use-file-for-fake-audio-capture={sound}",
    )


class LiveBrowser(Browser):
    """A browser whose page talks to one server.

    `hosts` are those that the page or one of its workers has asked for anything; addresses of its
    own server are no complaint.
    """

    def __init__(self, profile: Path, *flags: str) -> None:
        self.hosts: set[str] = set()
        super().__init__(profile, *flags)
        self._call(
            "Target.setAutoAttach", autoAttach=True, waitForDebuggerOnStart=False, flatten=True
        )

    def wait(self, condition: str, seconds: float = 30.0) -> Any:
        """The value of a JavaScript expression as soon as it is true; fails after so long."""
        end = time.monotonic() + seconds
        while not (value := self.run(condition)):
            said = self.run("document.querySelector('.messages')?.innerText")
            assert time.monotonic() < end, f"not {condition}; {said!r}; {self.complaints}"
            time.sleep(0.1)
        return value

    def click(self, selector: str) -> None:
        """A click as of a person, which lets a page play sound."""
        box = self.run(
            f"(() => {{ const element = document.querySelector({json.dumps(selector)});"
            " element.scrollIntoView({block: 'center'});"
            " const box = element.getBoundingClientRect();"
            " return [box.x + box.width / 2, box.y + box.height / 2]; })()"
        )
        self.drag(box, box)

    def give_file(self, selector: str, path: Path) -> None:
        """Chooses a file in an input."""
        root = self._call("DOM.getDocument")["root"]["nodeId"]
        node = self._call("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self._call("DOM.setFileInputFiles", nodeId=node, files=[str(path)])

    def prefer(self, **features: str) -> None:
        """What media queries are told, such as prefers_color_scheme="dark"."""
        given = [
            {"name": name.replace("_", "-"), "value": value} for name, value in features.items()
        ]
        self._call("Emulation.setEmulatedMedia", features=given)

    @contextmanager
    def before_loading(self, script: str) -> Iterator[None]:
        """Meanwhile every page runs this first."""
        name = "Page.addScriptToEvaluateOnNewDocument"
        number = self._call(name, source=script)["identifier"]
        yield
        self._call("Page.removeScriptToEvaluateOnNewDocument", identifier=number)

    @contextmanager
    def in_background(self) -> Iterator[None]:
        """Meanwhile another tab is in front of the page."""
        own, self._target = self._target, None
        other = self._call("Target.createTarget", url="about:blank")["targetId"]
        self._call("Target.activateTarget", targetId=other)
        self._target = own
        yield
        self._target = None
        self._call("Target.closeTarget", targetId=other)
        self._target = own
        self._call("Page.bringToFront")

    def download_to(self, folder: Path) -> None:
        """Downloads go there without a question."""
        self._call("Page.setDownloadBehavior", behavior="allow", downloadPath=str(folder))

    def _notice(self, event: dict[str, Any]) -> None:
        if event.get("method") == "Target.attachedToTarget":
            # Its answer is of no interest: a number that no call waits for.
            session = event["params"]["sessionId"]
            message = {"id": 1 << 30, "method": "Network.enable", "sessionId": session}
            os.write(self._in, json.dumps(message).encode() + b"\0")
        if event.get("method") == "Network.webSocketCreated":
            self.hosts.add(urlsplit(event["params"]["url"]).netloc)
        if event.get("method") != "Network.requestWillBeSent":
            super()._notice(event)
            return
        address = urlsplit(event["params"]["request"]["url"])
        if address.netloc and address.scheme in ("http", "https", "ws", "wss"):
            self.hosts.add(address.netloc)
