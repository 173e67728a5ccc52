"""What `python -m jaxreact.react` can be asked for."""

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro

from jaxreact.errors import UserError, check_seed
from jaxreact.files import check_folder
from jaxreact.nn.precision import Precision
from jaxreact.rendering.options import HeadFiles
from jaxreact.systems.online import Online
from jaxreact.systems.sampling import Sampling
from jaxreact.systems.system import MOST_SAMPLES
from jaxreact.tracking.timeline import GapPolicy
from jaxreact.tracking.view import Turn


@dataclass(frozen=True)
class Config:
    """Generates a listener's reaction to a video of a talking face, or to a recording of
    ARKit's face tracking with its sound.

    Writes `reaction.mp4` (speaker, up to 4 listeners, the speaker's sound) and `reaction.npz` (raw
    coefficients (samples, frames, 58), emotion (samples, frames, 25), the speaker's raw
    coefficients (frames, 58) and whether each of its frames was tracked) into `--out`.
    """

    video: Annotated[tyro.conf.Positional[Path | None], tyro.conf.arg(metavar="[VIDEO]")] = None
    """A video with sound that shows one talking face; any size and frame rate."""
    out: Path = tyro.MISSING
    """Directory for the results; made if it does not exist."""
    run: Path | None = None
    """Run directory of a trained or converted system."""
    arkit: Annotated[Path | None, tyro.conf.arg(metavar="FILE.csv")] = None
    """Instead of a video: the speaker's face as a phone has tracked it, the csv of a take of Live
    Link Face."""
    audio: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None
    """With --arkit: a file with the speaker's sound (wav, mp4, ...), which begins with the take;
    its .mov is one."""
    emotion: Path | None = None
    """The speaker's emotion, 25 frames a second, as csv files of the data set hold it: for a system
    that needs it, since no video shows it."""
    tokenizer: Path | None = None
    """With --predictor, of a run that was made before runs held their tokenizer: its directory."""
    predictor: Path | None = None
    """FIBER's run directory; the same as --run."""
    samples: int = 1
    """How many different reactions."""
    seed: int = 0
    """Fixes the reactions."""
    sampling: Annotated[Sampling, tyro.conf.arg(name="")] = field(default_factory=Sampling)
    online: Annotated[Online, tyro.conf.arg(name="")] = field(default_factory=Online)
    traits: Annotated[
        tuple[float, float, float, float, float] | None, tyro.conf.arg(metavar="E A C N O")
    ] = None
    """Who listens, of a system that was trained with listeners' traits: extraversion,
    agreeableness, conscientiousness, neuroticism and openness, each 0 to 1. By default somebody of
    whom nothing is known."""
    precision: Precision = "tensorfloat32"
    """What the system's products are computed in; the speaker's codes are decided in float32
    anyway. tensorfloat32 is float32 where a device has no such thing."""
    size: int = 256
    """Side of each picture in pixels."""
    seconds: float = math.inf
    """Use at most so much of the video's beginning (s). More than ten minutes are answered as a
    stream, with --causal or without."""
    max_gap: float = 0.5
    """A face lost for at most so long (s) is bridged by interpolation."""
    on_gap: GapPolicy = "error"
    """What to do with longer gaps: stop with an error, or hold the last face."""
    turn: Turn = "auto"
    """Degrees by which the pictures are turned clockwise for the face to be upright; auto finds
    out, 0 leaves them."""
    calibrate: bool = False
    """Give the speaker the data set's mean face by shifting all coefficients by a constant. It
    removes what the tracker and the camera add, but also a smile that lasts the whole clip."""
    model: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None
    """Another face_landmarker.task for MediaPipe."""
    heads: Annotated[HeadFiles, tyro.conf.arg(name="")] = field(default_factory=HeadFiles)
    pirender: Annotated[Path | None, tyro.conf.arg(metavar="DIR")] = None
    """PIRender's face generator, converted by convert_weights.py pirender: makes photo-real
    listeners of --portrait."""
    portrait: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None
    """With --pirender: a picture, or a video whose first picture is taken, of the listener's face,
    which fills the middle of it."""

    @property
    def seen(self) -> Path:
        """The file that shows the speaker's face."""
        seen = self.video if self.arkit is None else self.arkit
        assert seen is not None  # `check`
        return seen

    @property
    def heard(self) -> Path:
        """The file that has the speaker's sound."""
        return self.seen if self.audio is None else self.audio


def check(config: Config) -> None:
    """Refuses what would fail only after minutes of work."""
    for name in ("samples", "size", "seconds"):
        if not getattr(config, name) > 0:
            raise UserError(f"--{name} must be more than 0")
    if (config.video is None) == (config.arkit is None):
        raise UserError("give a video, or --arkit FILE.csv with --audio FILE, to react to")
    if (config.arkit is None) != (config.audio is None):
        raise UserError("--arkit and --audio belong together: the speaker's face, and the sound")
    if config.arkit is not None and (config.turn != "auto" or config.model is not None):
        raise UserError("--turn and --model are for a video; leave them out with --arkit")
    if (config.run is None) == (config.predictor is None):
        raise UserError("give --run, or --predictor with --tokenizer for runs that lack it")
    if config.run is not None and config.tokenizer is not None:
        raise UserError("--tokenizer belongs to --predictor; a --run holds its own")
    if config.size % 2:
        raise UserError(f"--size {config.size} is odd; video needs an even number of pixels")
    if (config.pirender is None) != (config.portrait is None):
        raise UserError("--pirender and --portrait belong together: the network, and whose face")
    if config.samples > MOST_SAMPLES:
        raise UserError(f"--samples {config.samples} is more than {MOST_SAMPLES}")
    if config.traits is not None and not all(0 <= score <= 1 for score in config.traits):
        given = " ".join(f"{score:g}" for score in config.traits)
        raise UserError(f"--traits {given}: five scores, each 0 to 1")
    check_folder(config.out)
    check_seed(config.seed)
