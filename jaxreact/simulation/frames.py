"""Frame folders: every coefficient step drawn with the built-in head."""

from pathlib import Path

import av
import numpy as np
from jaxtyping import Float

from jaxreact.errors import UserError


def require_renderer() -> None:
    """Raises `UserError` if frames cannot be drawn here, before hours of work depend on it."""
    try:
        from jaxreact.rendering import render_frames  # noqa: F401
    except ImportError as error:
        raise UserError(f"--pictures needs the renderer ({error}); leave it out") from None


def write_frames(folder: Path, coeffs: Float[np.ndarray, "time 58"], size: int) -> None:
    """Writes `folder/1.png` ... `folder/<time>.png`, `size` x `size`, from raw coefficients."""
    from jaxreact.rendering import render_frames  # most simulations never need it

    folder.mkdir(parents=True)
    for number, picture in enumerate(render_frames(coeffs, size=size), start=1):
        encoder = av.CodecContext.create("png", "w")
        encoder.width = encoder.height = size
        encoder.pix_fmt = "rgb24"
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
        packets = [*encoder.encode(frame), *encoder.encode(None)]
        (folder / f"{number}.png").write_bytes(b"".join(bytes(packet) for packet in packets))
