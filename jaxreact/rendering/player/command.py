"""The command `python -m jaxreact.rendering player`."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, UseAppendAction, arg

from jaxreact.errors import UserError
from jaxreact.files import check_folder, replacing
from jaxreact.rendering.options import HeadFiles
from jaxreact.rendering.pictures.out import check_out
from jaxreact.rendering.pictures.reactions import Recording
from jaxreact.rendering.pictures.systems import React, read_systems
from jaxreact.rendering.player.page import player_page


@dataclass(frozen=True)
class Player:
    """A page on which speaker and reactions move and sound: scrub, slow down, change the sample,
    look from the side, follow what they do on traces. Up to six systems stand side by side.

    One HTML file that needs no network and opens from the disk, in any browser of 2023 or later.
    """

    predictions: Annotated[Positional[tuple[Path, ...]], arg(metavar="[PREDICTIONS ...]")]
    """predictions.npz of evaluate.py, or reaction.npz of jaxreact.react; of several systems several
    files, of the same split or video."""
    out: Annotated[Path, arg(metavar="FILE.html|DIR")]
    """The page, or a directory for player.html."""
    run: Annotated[UseAppendAction[tuple[Path, ...]], arg(metavar="RUN")] = ()
    """Run directory of a system that is to react now, to the clip of --data; several times for
    several."""
    samples: int = 10
    """How many reactions each system of --run makes."""
    names: Annotated[tuple[str, ...], arg(metavar="NAME ...")] = ()
    """What to call the systems. Default: after their files or folders."""
    recording: Annotated[Recording, arg(name="")] = field(default_factory=Recording)
    head_files: Annotated[HeadFiles, arg(name="")] = field(default_factory=HeadFiles)

    def write(self, react: React) -> None:
        """Writes the page and prints its path and size; `react` makes the reactions of --run."""
        if self.samples < 1:
            raise UserError(f"--samples {self.samples} is less than 1")
        path = self.out
        if path.suffix.lower() != ".html":
            check_folder(path)
            path = path / "player.html"
        check_out(path, ".html")
        head = self.head_files.load()
        systems = read_systems(
            self.predictions, self.run, self.names, self.recording, self.samples, react
        )
        page = player_page(systems, head)
        with replacing(path) as temporary:
            temporary.write_text(page, encoding="utf-8")
        print(f"{path} ({path.stat().st_size / 1e6:.1f} MB)")
