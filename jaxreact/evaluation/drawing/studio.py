"""The faces of a scene, whatever is there to draw them with."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8

from jaxreact.data.recorded import recorded_frames
from jaxreact.evaluation.drawing.options import FilmOptions
from jaxreact.rendering import Backend, HeadModel, choose_backend, render_frames
from jaxreact.rendering.pirender.load import FaceGenerator, load_face_generator
from jaxreact.rendering.pirender.photoreal import check_generator, photoreal_frames
from jaxreact.rendering.pirender.portrait import framed, read_portrait

Frames = Iterator[UInt8[np.ndarray, "size size 3"]]


@dataclass(frozen=True, eq=False)
class Person:
    """One recorded person: raw coefficients, and the recording of the face where there is one."""

    name: str
    coeffs: Float[np.ndarray, "time 58"]
    video: Path | None


@dataclass(frozen=True, eq=False)
class Scene:
    """Who is in a picture: both recorded persons, and the raw coefficients of a reaction."""

    speaker: Person
    listener: Person
    reaction: Float[np.ndarray, "time 58"]


@dataclass(frozen=True, eq=False)
class Studio:
    """A head model, and PIRender's face generator where it has been given."""

    options: FilmOptions
    head: HeadModel
    generator: FaceGenerator | None
    _said: set[str] = field(default_factory=set)

    def describe(self) -> str:
        """What draws, in a line."""
        backends = [choose_backend(self.options.backend, "flat"), self._smooth]
        head = "built-in head" if self.options.head is None else str(self.options.head)
        return f"drawing: {head}, mesh by {backends[0]}, portraits by {backends[1]}"

    @property
    def _smooth(self) -> Backend:
        """Portraits are drawn by what can, also where the mesh is wanted from another backend."""
        return choose_backend("auto", "smooth")

    def identity(self) -> dict[str, Any]:
        """What pictures depend on besides their persons, in plain JSON data."""
        options = self.options
        return {
            "size": options.size,
            "backend": choose_backend(options.backend, "flat"),
            "head": _digest(options.head),
            "reference": _digest(options.reference),
            "pirender": None if self.generator is None else self.generator.fingerprint(),
            "precision": options.pirender_precision,
        }

    def recorded(self, person: Person) -> Frames:
        """A person's recorded face, framed as the models see it, or drawn where there is none."""
        if person.video is None:
            return self.portrait(person.coeffs)
        frames = recorded_frames(person.video, len(person.coeffs))
        return (framed(frame, self.options.size) for frame in frames)

    def mesh(self, coeffs: Float[np.ndarray, "time 58"]) -> Frames:
        """The original's flat-shaded mesh."""
        options = self.options
        return render_frames(coeffs, self.head, options.size, "flat", options.backend)

    def portrait(self, coeffs: Float[np.ndarray, "time 58"]) -> Frames:
        """The head in colour."""
        return render_frames(coeffs, self.head, self.options.size, backend=self._smooth)

    def is_photoreal(self, scene: Scene) -> bool:
        """Whether `face` is a photograph's person."""
        return self.generator is not None and scene.listener.video is not None

    def face(
        self, scene: Scene, only: Sequence[int] | None = None, original_windows: bool = False
    ) -> Frames:
        """The reaction on the listener's own face: made from the first recorded frame by the face
        generator, 224 pixels a side; without either, drawn with the head.

        `only`: these frames alone, in this order. `original_windows`: see `photoreal.windows`.
        """
        if self.generator is None or scene.listener.video is None:
            return self.portrait(scene.reaction if only is None else scene.reaction[list(only)])
        still = read_portrait(next(iter(recorded_frames(scene.listener.video, 1))))
        return photoreal_frames(
            self.generator,
            still,
            scene.reaction,
            only=only,
            batch=self.options.pirender_batch,
            dtype=self.options.pirender_precision,
            original_windows=original_windows,
        )

    def remarks(self, scene: Scene) -> list[str]:
        """Which panels of a scene are stand-ins, and how to get the real ones; each once a run."""
        remarks = []
        if None in (scene.speaker.video, scene.listener.video):
            remarks.append(
                "recorded faces: drawn with the head model; the data set's pictures (Video_files, "
                "MARS's video-face-crop; a cache has none) are not there"
            )
        if self.generator is None:
            remarks.append(
                "photo-real face: drawn with the head model; get PIRender's cur_model_fold.pth "
                "from the challenge's baseline (CC BY-NC 4.0), convert it by `python "
                "convert_weights.py pirender cur_model_fold.pth runs/pirender` and give "
                "--pirender runs/pirender"
            )
        elif scene.listener.video is None:
            remarks.append(
                "photo-real face: drawn with the head model; PIRender starts from the listener's "
                "first recorded frame, which is not there"
            )
        if self.options.head is None:
            remarks.append(
                "mesh: of the built-in head; for the original's, convert FaceVerse's "
                "faceverse_simple_v2.npy by `python convert_weights.py faceverse` and give --head"
            )
        new = [remark for remark in remarks if remark not in self._said]
        self._said.update(new)
        return new


def open_studio(options: FilmOptions) -> Studio:
    """Loads what `options` name. Raises `UserError` for files that cannot be used."""
    choose_backend(options.backend, "flat")
    generator = None
    if options.pirender is not None:
        generator = load_face_generator(options.pirender)
        check_generator(generator)
    return Studio(options, options.load(), generator)


def _digest(path: Path | None) -> str | None:
    """What tells a file from another, or None for none."""
    if path is None:
        return None
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]
