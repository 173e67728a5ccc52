"""Draws what `--render` asks for."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float

from jaxreact.data.conversations import Conversations
from jaxreact.data.layout import Clip, Dyad
from jaxreact.evaluation.drawing.choice import Choice, absent, choose
from jaxreact.evaluation.drawing.fid_pictures import Realism, frames_of, make_fid_pictures, realism
from jaxreact.evaluation.drawing.films import make_film
from jaxreact.evaluation.drawing.studio import Person, Scene, Studio
from jaxreact.face import FPS

_NO_INCEPTION = (
    "FRRea: not computed; convert FID's network (convert_weights.py inception) and give --inception"
)


def draw(
    choice: Choice,
    studio: Studio,
    out: Path,
    data: Conversations,
    split: str,
    dyads: Sequence[Dyad],
    reaction_of: Callable[[int], Float[np.ndarray, "time 58"]],
) -> Realism | None:
    """Draws a reaction to each of the chosen clips; with "fid" returns FRRea where it can be had.

    `reaction_of` has the raw coefficients of a row of `dyads`, 25 frames a second. Prints the
    files, and once what is drawn in place of something better. What is there already from the same
    predictions is not drawn again.
    """
    clips = [dyad.speaker.name for dyad in dyads]
    takes = choose(choice, clips, out, split)
    print(studio.describe())
    if choice == "submit" and (missing := absent(clips)):
        print(f"clips of a submission that are not in split {split}: {', '.join(missing)}")
    for number, take in enumerate(takes):
        dyad, reaction = dyads[take.row], np.asarray(reaction_of(take.row))
        frames = len(reaction)
        speaker, listener = (_person(data, c, frames) for c in (dyad.speaker, dyad.listener))
        scene = Scene(speaker, listener, reaction)
        print("".join(f"{remark}\n" for remark in studio.remarks(scene)), end="")
        if choice == "fid":
            numbers = frames_of(number, frames, studio.options.fid_protocol)
            is_new, path = make_fid_pictures(studio, scene, take, numbers), take.file("", ".json")
        else:
            sound = data.sound(dyad.speaker, frames / FPS)
            is_new = make_film(studio, scene, take, sound, alone=choice == "submit")
            path = take.file("", ".mp4")
        print(path if is_new else f"{path}: made of the same already")
    if choice != "fid":
        return None
    if studio.options.inception is None:
        print(_NO_INCEPTION)
        return None
    return realism(takes, studio.options.inception, studio.options.fid_protocol)


def _person(data: Conversations, clip: Clip, frames: int) -> Person:
    """Who is shown for so many frames; a recording that ends before stands in its last one."""
    coeffs = data.coeffs(clip)[:frames]
    filled = np.pad(coeffs, ((0, frames - len(coeffs)), (0, 0)), mode="edge")
    return Person(clip.name, filled, data.video(clip))
