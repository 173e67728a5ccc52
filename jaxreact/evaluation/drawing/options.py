"""What `--render` draws, and what with."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, get_args

from tyro.conf import arg
from tyro.constructors import PrimitiveConstructorSpec

from jaxreact.errors import UserError
from jaxreact.evaluation.drawing.choice import Choice, Named
from jaxreact.rendering.camera import SIZE
from jaxreact.rendering.options import Drawing

Protocol = Literal["corrected", "original"]

DEFAULT_CLIPS = 4
"""How many clips a bare `--render` draws."""


def parse_choice(words: list[str]) -> Choice | None:
    """What follows `--render` on a command line. Raises ValueError for anything else."""
    if not words:
        return DEFAULT_CLIPS
    if len(words) == 1 and words[0] in get_args(Named):
        return words[0]  # pyright: ignore[reportReturnType]
    if len(words) == 1 and words[0].isdecimal():
        return int(words[0])
    raise ValueError(f"{' '.join(words)!r}; expected a number, submit, fid or all")


CHOICE = PrimitiveConstructorSpec(
    nargs="*",
    metavar="[N|submit|fid|all]",
    instance_from_str=parse_choice,
    is_instance=lambda value: value is None or isinstance(value, (int, str)),
    str_from_instance=lambda value: [str(value)],
)
"""How tyro reads a `Choice`."""


@dataclass(frozen=True)
class FilmOptions(Drawing):
    """Whose heads, and what else `--render` takes."""

    size: int = SIZE
    """Side of each face in pixels, an even number."""
    pirender: Annotated[Path | None, arg(metavar="DIR")] = None
    """PIRender's face generator, converted by convert_weights.py pirender, for photo-real faces."""
    pirender_batch: int = 16
    """Photo-real frames that are computed at a time."""
    pirender_precision: Literal["float32", "bfloat16"] = "float32"
    """What the face generator's convolutions compute in; bfloat16 is for accelerators."""
    images: bool = False
    """With --render submit: also every frame of mesh and face as PNG, in the original's folders."""
    inception: Annotated[Path | None, arg(metavar="DIR")] = None
    """With --render fid: FID's network, converted by convert_weights.py inception, for FRRea."""
    fid_protocol: Protocol = "corrected"
    """With --render fid: "original" takes every 30th of the first 5000 frames, shows recorded ones
    uncropped and lets the face generator see five frames at a time, as the original does."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.size % 2:
            raise UserError(f"--size {self.size} is odd; video needs an even number of pixels")
        if self.pirender_batch < 1:
            raise UserError(f"--pirender-batch {self.pirender_batch} is less than 1")
