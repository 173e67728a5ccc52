"""The command `python -m jaxreact.metrics realism`."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tqdm import tqdm
from tyro.conf import Positional, arg

from jaxreact.errors import UserError
from jaxreact.files import write_json
from jaxreact.metrics.realism.frechet import FeatureStatistics, frechet_distance
from jaxreact.metrics.realism.frrea import image_statistics, size_notes
from jaxreact.metrics.realism.pictures import PictureFiles, find_pictures

if TYPE_CHECKING:
    from jaxreact.metrics.realism.load import Inception


@dataclass(frozen=True)
class Realism:
    """FRRea: how far generated pictures are from real ones (Fréchet inception distance).

    Each side is a folder of images (png, jpg), a folder of videos, or one video; folders inside are
    read too. 0 for equal sets, lower is better.
    """

    generated: Annotated[Positional[Path], arg(metavar="GENERATED")]
    """Images or videos of generated faces."""
    real: Annotated[Positional[Path], arg(metavar="REAL")]
    """Images or videos of real ones, framed alike."""
    inception: Path = Path("runs/inception")
    """FID's Inception, converted by convert_weights.py inception."""
    every: int = 1
    """Take pictures 0, N, 2 N, ... of each video, and of each folder of images; the challenge takes
    every 30th."""
    every_real: int | None = None
    """The same for REAL alone. Default: as --every."""
    antialias: bool = False
    """Resize as torchmetrics does since 1.8. Default: as before, and as TensorFlow 1 did."""
    batch_size: int = 16
    """Pictures at once; says how much memory is used, not what comes out."""
    json: Path | None = None
    """Also write everything to this file."""

    def run(self) -> None:
        """Prints the distance and the numbers of pictures, and writes --json."""
        from jaxreact.metrics.realism.load import load_inception

        if self.batch_size < 1:
            raise UserError(f"--batch-size {self.batch_size} is less than 1")
        every_real = self.every if self.every_real is None else self.every_real
        sides = {
            "generated": find_pictures(self.generated, self.every),
            "real": find_pictures(self.real, every_real),
        }
        network = load_inception(self.inception, antialias=self.antialias)
        statistics = {
            name: _statistics(name, files, network, self.batch_size)
            for name, files in sides.items()
        }
        value = frechet_distance(statistics["generated"], statistics["real"])
        counts = {name: side.count for name, side in statistics.items()}
        notes = size_notes(statistics.values())
        print(f"FRRea {value:.4f}")
        for name, files in sides.items():
            print(f"{name}: {counts[name]} pictures of {files.path}")
        print("\n".join([f"resized {_resize(self.antialias)}", *notes]))
        if self.json is not None:
            content = {
                "FRRea": value,
                "pictures": counts,
                "generated": str(self.generated),
                "real": str(self.real),
                "every": {name: files.every for name, files in sides.items()},
                "antialias": self.antialias,
                "notes": notes,
            }
            write_json(self.json, content)


def _statistics(
    name: str, files: PictureFiles, network: "Inception", batch_size: int
) -> FeatureStatistics:
    with tqdm(files, name, total=files.count(), unit="picture", disable=None) as bar:
        statistics = image_statistics(bar, network, batch_size)
    if statistics.count < 2:
        raise UserError(f"{files.path}: 1 picture; FRRea needs at least 2 on each side")
    return statistics


def _resize(antialias: bool) -> str:
    return "as torchmetrics since 1.8" if antialias else "as TensorFlow 1, torchmetrics before 1.8"
