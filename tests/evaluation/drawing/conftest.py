"""A scene with recorded faces, and studios with and without a face generator."""

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from jaxreact.evaluation.drawing.choice import Take
from jaxreact.evaluation.drawing.options import FilmOptions
from jaxreact.evaluation.drawing.studio import Person, Scene, Studio, open_studio
from tests.rendering.files import moving

FRAMES = 6
SIZE = 64


@pytest.fixture
def take(tmp_path) -> Take:
    return Take(0, tmp_path / "val" / "only_submit_video", "b1_ind1")


@pytest.fixture
def scene(tmp_path) -> Scene:
    """Both persons are recorded: a folder of 80 x 64 frames each, waves whose colours move."""

    def person(name: str, seed: int) -> Person:
        folder = tmp_path / "Video_files" / name
        folder.mkdir(parents=True)
        rows, columns = np.mgrid[:64, :80]
        for number in range(1, FRAMES + 1):
            wave = np.sin(columns / 30 + rows / 25 * seed + number / 2)
            picture = np.stack([wave, -wave, np.cos(rows / 30 + number / 2)], axis=2)
            Image.fromarray((127 + 120 * picture).astype(np.uint8)).save(folder / f"{number}.png")
        return Person(name, moving(FRAMES, seed=seed), folder)

    return Scene(person("speaker", 1), person("listener", 2), moving(FRAMES, seed=3))


@pytest.fixture
def unseen(scene) -> Scene:
    """The same persons without recordings."""
    speaker, listener = (Person(p.name, p.coeffs, None) for p in (scene.speaker, scene.listener))
    return Scene(speaker, listener, scene.reaction)


@pytest.fixture
def studio(pirender) -> Callable[..., Studio]:
    """`studio(photoreal=True, **options)`."""

    def make(photoreal: bool = False, **options) -> Studio:
        generator = pirender if photoreal else None
        return open_studio(FilmOptions(size=SIZE, pirender=generator, **options))

    return make
