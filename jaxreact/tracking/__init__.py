"""From a video of a face to the 58-vector: `track_video`, and the frames that go with it."""

from jaxreact.tracking.face_crop import face_frames
from jaxreact.tracking.timeline import GapPolicy
from jaxreact.tracking.track import Track, track_video
from jaxreact.tracking.view import Turn

__all__ = ["GapPolicy", "Track", "Turn", "face_frames", "track_video"]
