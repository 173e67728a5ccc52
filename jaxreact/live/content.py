"""What the server gives out besides reactions."""

from pathlib import Path

from jaxreact.face import FPS
from jaxreact.html.page import page
from jaxreact.live.sample import sample
from jaxreact.live.server import Content, as_json
from jaxreact.rendering import HeadModel
from jaxreact.rendering.player.contents import head_contents
from jaxreact.rendering.player.packing import pack_sequence

SOUND = "/sample.m4a"


def content(head: HeadModel, vision: Path | None) -> Content:
    """The page, the head that it draws, the sample conversation, and MediaPipe's files."""
    speaker = sample()
    return Content(
        page=page("live/page/live.html.j2", {"title": "A listener"}),
        head=as_json(head_contents(head)),
        sample={
            "fps": FPS,
            "frames": len(speaker.coeffs),
            "coeffs": pack_sequence(speaker.coeffs),
            "sound": SOUND,
        },
        vision=vision,
        files={SOUND: (speaker.sound, "audio/mp4")},
    )
