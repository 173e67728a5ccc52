"""A small data set in the MARS layout, made by hand."""

from pathlib import Path

import numpy as np
import soundfile

RATE = 16000


class MarsFiles:
    """Writes clips below `root`; what they hold follows from their names."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def clip(
        self,
        split: str,
        role: str,
        session: str,
        name: str,
        frames: int,
        seconds: float | None = None,
    ) -> None:
        """A clip of so many frames, 30 a second, and of as much sound."""
        rng = np.random.default_rng(len(role) * 1000 + len(name) + int(session[7:]) * 10)
        coeffs = np.cumsum(rng.normal(0, 0.01, (frames, 1, 58)), axis=0).astype(np.float32)
        coeffs[..., :52] = np.abs(coeffs[..., :52])
        coeffs[..., 52] += 3.19
        coeffs[..., 57] += 1.84
        emotion = np.zeros((frames, 25), np.float32)
        emotion[:, :15] = rng.integers(0, 2, (frames, 15))
        emotion[:, 15:17] = rng.uniform(-1, 1, (frames, 2))
        emotion[:, 17:] = 1 / 8
        np.save(self.path(split, "coefficients", role, session, name, ".npy"), coeffs)
        np.save(self.path(split, "facial-attributes", role, session, name, ".npy"), emotion)
        samples = round(frames / 30 * RATE)
        sound = rng.uniform(-0.5, 0.5, samples)
        soundfile.write(self.path(split, "audio", role, session, name, ".wav"), sound, RATE)

    def pair(
        self, split: str, session: str, name: str, frames: int, listener: int | None = None
    ) -> None:
        """Both clips of a pair, the listener's perhaps of another length."""
        self.clip(split, "speaker", session, name, frames)
        self.clip(split, "listener", session, name, listener or frames)

    def path(
        self, split: str, folder: str, role: str, session: str, name: str, suffix: str
    ) -> Path:
        path = self.root / split / folder / role / session / f"{name}{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def mean_face(self) -> None:
        face = np.zeros(58, np.float32)
        face[[52, 57]] = 3.19, 1.84
        np.save(self.root / "mean_face.npy", face)


def small(root: Path) -> MarsFiles:
    """Two sessions of training, the second with two pairs, and one of validation, with litter."""
    files = MarsFiles(root)
    files.pair("train", "session10", "a", 90)
    files.pair("train", "session2", "bb", 120, 119)
    files.pair("train", "session2", "ccc", 60)
    files.pair("val", "session2", "dddd", 75)
    files.mean_face()
    for folder in ("coefficients", "facial-attributes"):
        beside = files.path("train", folder, "speaker", "session2", "bb", ".npy")
        (beside.parent / "._bb.npy").write_bytes(b"\0\5\26\7")
        (beside.parents[2] / ".DS_Store").write_bytes(b"Bud1")
    (root / "train" / "__MACOSX" / "coefficients").mkdir(parents=True)
    (root / "train" / "__MACOSX" / "coefficients" / "x.npy").write_bytes(b"x")
    return files
