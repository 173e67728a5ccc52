"""The command `python -m jaxreact.rendering player`."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from jaxreact.files import replacing
from jaxreact.rendering.options import HeadFiles
from jaxreact.rendering.pictures.out import check_folder, check_out
from jaxreact.rendering.pictures.reactions import Recording, read_reactions
from jaxreact.rendering.player.page import player_page


@dataclass(frozen=True)
class Player:
    """A page on which speaker and reactions move and sound: scrub, slow down, change the sample,
    look from the side, follow what they do on traces.

    One HTML file that needs no network and opens from the disk, in any browser of 2023 or later.
    """

    predictions: Annotated[Positional[Path], arg(metavar="PREDICTIONS")]
    """predictions.npz of evaluate.py, or reaction.npz of jaxreact.react."""
    out: Annotated[Path, arg(metavar="FILE.html|DIR")]
    """The page, or a directory for player.html."""
    recording: Annotated[Recording, arg(name="")] = field(default_factory=Recording)
    head_files: Annotated[HeadFiles, arg(name="")] = field(default_factory=HeadFiles)

    def run(self) -> None:
        """Writes the page and prints its path and size."""
        path = self.out
        if path.suffix.lower() != ".html":
            check_folder(path)
            path = path / "player.html"
        check_out(path, ".html")
        head = self.head_files.load()
        page = player_page(read_reactions(self.predictions, self.recording), head)
        with replacing(path) as temporary:
            temporary.write_text(page, encoding="utf-8")
        print(f"{path} ({path.stat().st_size / 1e6:.1f} MB)")
