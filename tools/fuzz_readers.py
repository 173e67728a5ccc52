"""What `fuzz.py` calls, and whole files of each kind to begin with, which it makes itself."""

import json
import zipfile
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from jaxreact import runs
from jaxreact.data.contents import count_frames, load_coeffs, load_emotion, mean_face
from jaxreact.data.layout import AUDIO, COEFFS, EMOTION
from jaxreact.data.mars.eeg import EegTables
from jaxreact.data.mars.personality import personality
from jaxreact.data.packed_index import INDEX, read_index
from jaxreact.data.prepare import PrepareConfig, prepare
from jaxreact.data.react2024.files import read_pairs
from jaxreact.data.react2024.neighbours import build_neighbours
from jaxreact.evaluation.partial_results import open_partial_results
from jaxreact.evaluation.report.clip_table import read_clip_table
from jaxreact.export.arkit_csv import csv_text
from jaxreact.face import EXPRESSIONS
from jaxreact.files import write_json
from jaxreact.media.image import read_image
from jaxreact.media.sound import read_audio
from jaxreact.media.video_reader import steady
from jaxreact.media.video_writer import write_video
from jaxreact.metrics import NAMES
from jaxreact.metrics.truth import read_array
from jaxreact.predictions import (
    Predictions,
    holds_results,
    read_predictions,
    read_results,
    write_predictions,
)
from jaxreact.predictions.whole import WholePredictions, read_whole, write_whole
from jaxreact.rendering.heads.conversion import convert_faceverse
from jaxreact.rendering.heads.faceverse_file import load_faceverse
from jaxreact.rendering.heads.reference import read_reference
from jaxreact.rendering.pictures.reactions import Recording, read_reactions
from jaxreact.simulation import SimulateConfig, simulate
from jaxreact.systems.fiber.conversion import read_mean_face
from jaxreact.systems.fiber.kinds import TOKENIZER
from jaxreact.systems.fiber.tokenizer import FaceTokenizerConfig
from jaxreact.torch_files.torch_file import read_content, read_state_dict
from jaxreact.tracking.live_link import track_live_link
from jaxreact.training.monitor.record import read_record

SAMPLES, FRAMES = 3, 16
LENGTHS = (FRAMES, FRAMES)
CLIPS = ("NoXI/a/Expert_video/1", "NoXI/a/Novice_video/1")


@dataclass(frozen=True)
class Reader:
    """A reader of one kind of file."""

    read: Callable[[Path], Any]
    """Called with the changed file."""
    seeds: tuple[str, ...]
    """Whole files below the folder of `make_seeds`, by pattern."""
    name: str
    """What the changed file is called; a `/` puts it into a folder."""


def _table(path: Path) -> None:
    count_frames(EMOTION, path)
    load_emotion(path, quietly=True)


def _coeffs(path: Path) -> None:
    count_frames(COEFFS, path)
    load_coeffs(path)


def _sound(path: Path) -> None:
    count_frames(AUDIO, path)


def _indices(path: Path) -> None:
    build_neighbours(path.parent, "val")


def _parts(path: Path) -> None:
    open_partial_results(path.parent, CLIPS, SAMPLES, LENGTHS, False, {"seed": 0})


def _whole(path: Path) -> None:
    if holds_results(path):
        read_whole(path).targets  # noqa: B018 (made when it is asked for)
        read_reactions(path, Recording())


def _results(path: Path) -> None:
    holds_results(path)
    read_results(path)


def _faceverse(path: Path) -> None:
    convert_faceverse(path, path.with_name("converted.npz"))
    path.with_name("converted.npz").unlink()


READERS = {
    "npy": Reader(_coeffs, ("data/val/3D_FV_files/**/*.npy", "arrays/*.npy"), "1.npy"),
    "mean face": Reader(
        lambda path: mean_face(path.parent), ("data/mean_face.npy",), "mean_face.npy"
    ),
    "emotion csv": Reader(_table, ("data/val/Emotion/**/*.csv", "tables/*.csv"), "1.csv"),
    "pair list": Reader(
        lambda path: read_pairs(path.parent, "val"), ("data/val.csv", "lists/*.csv"), "val.csv"
    ),
    "indices": Reader(_indices, ("data/data_indices.csv",), "data_indices.csv"),
    "cache index": Reader(lambda path: read_index(path.parent), ("cache/cache.json",), INDEX),
    "predictions": Reader(
        lambda path: read_predictions(path, number=2), ("predictions/*",), "predictions.npz"
    ),
    "results": Reader(_results, ("results/*",), "results.npz"),
    "whole clips": Reader(_whole, ("whole/predictions.npz",), "predictions.npz"),
    "persons": Reader(
        lambda path: personality(path.parents[2], "val"),
        ("mars/val/personality/listener.csv",),
        "val/personality/listener.csv",
    ),
    "eeg": Reader(
        lambda path: EegTables(path.parents[4], "val").of("session0/speaker/a"),
        ("mars/val/eeg_processed/**/*.csv",),
        "val/eeg_processed/speaker/session0/a.csv",
    ),
    "reactions": Reader(
        lambda path: read_reactions(path, Recording()), ("predictions/*.npz",), "predictions.npz"
    ),
    "truth": Reader(
        lambda path: read_array(path, "listener"), ("predictions/*.np?", "arrays/*"), "listener.npz"
    ),
    "parts": Reader(_parts, ("parts/*.npz",), "parts/000000.npz"),
    "parts' record": Reader(_parts, ("parts/*.json",), "parts/made_with.json"),
    "clip table": Reader(read_clip_table, ("clip_scores.csv",), "clip_scores.csv"),
    "config": Reader(
        lambda path: runs.read_config(path.parent, TOKENIZER), ("run/config.json",), "config.json"
    ),
    "events": Reader(
        lambda path: read_record(path.parents[1]),
        ("run/tensorboard/*",),
        "run/tensorboard/events.out.tfevents.1.host",
    ),
    "live link": Reader(track_live_link, ("take.csv",), "take.csv"),
    "wav header": Reader(_sound, ("data/val/Audio_files/**/*.wav",), "1.wav"),
    "sound": Reader(read_audio, ("data/val/Audio_files/**/*.wav", "film.mp4"), "1.wav"),
    "video": Reader(lambda path: deque(steady(path, 12), 0), ("film.mp4",), "film.mp4"),
    "image": Reader(read_image, ("picture.*",), "picture.png"),
    "torch": Reader(read_content, ("torch/*",), "x.pt"),
    "state dict": Reader(read_state_dict, ("torch/*",), "x.ckpt"),
    "mean face option": Reader(read_mean_face, ("data/mean_face.npy",), "mean_face.npy"),
    "reference": Reader(read_reference, ("data/reference_full.npy",), "reference_full.npy"),
    "faceverse": Reader(_faceverse, ("faceverse.npy",), "faceverse.npy"),
    "converted faceverse": Reader(load_faceverse, ("faceverse.npz",), "faceverse.npz"),
}


def prepare_folder(seeds: Path, folder: Path) -> None:
    """Puts what some readers need beside the changed file into the folder that holds it."""
    (folder / "val").mkdir(parents=True, exist_ok=True)
    for name in ("Approprirate_facial_reaction.npy", "val.csv"):
        (folder / name).write_bytes((seeds / "data" / name).read_bytes())
    for name in ("parts/made_with.json", "parts/000000.npz", "run/config.json"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes((seeds / name).read_bytes())


def make_seeds(folder: Path) -> None:
    """Writes small whole files of every kind below `folder`."""
    simulate(SimulateConfig(folder / "data", split=(1, 1, 1), seconds=2.0, workers=1))
    prepare(PrepareConfig(folder / "data", folder / "cache", workers=1))
    rng = np.random.default_rng(0)
    emotion = rng.random((2, SAMPLES, FRAMES, 25), np.float32)
    arrays = {"emotion": emotion, "coeffs": rng.random((2, SAMPLES, FRAMES, 58), np.float32)}
    _predictions(folder / "predictions", arrays)
    (folder / "whole").mkdir()
    rows, suits = list(emotion[:, 0]), np.eye(2) > 0
    whole = WholePredictions(list(emotion), list(arrays["coeffs"]), rows, rows, suits, 30.0, CLIPS)
    write_whole(folder / "whole/predictions.npz", whole)
    mars = SimulateConfig(folder / "mars", split=(1, 1, 1), seconds=2.0, layout="mars", workers=1)
    simulate(mars)
    _others(folder, emotion)
    (folder / "results").mkdir()
    clips = {f"{name}_{clip}": each for name in ("GT", "PRED") for clip, each in enumerate(emotion)}
    np.savez(folder / "results/results.npz", **clips)  # pyright: ignore[reportArgumentType]
    parts = open_partial_results(folder / "parts", CLIPS, SAMPLES, LENGTHS, False, {"seed": 0})
    parts.add([0, 1], arrays["emotion"], arrays["coeffs"])
    write_json(folder / "run/config.json", {"kind": TOKENIZER.name})
    runs.write_config(folder / "run", TOKENIZER, FaceTokenizerConfig(), training={}, mean_face=[0])
    _events(folder / "run/tensorboard")
    frames = rng.integers(0, 255, (12, 32, 32, 3), np.uint8)
    write_video(folder / "film.mp4", frames, audio=(np.sin(np.arange(8000) / 9), 16000))
    _torch(folder / "torch", emotion)
    _heads(folder)
    (folder / "take.csv").write_text(csv_text(np.arange(FRAMES) / 25, arrays["coeffs"][0, 0]))


def _predictions(folder: Path, arrays: dict[str, Any]) -> None:
    truth = dict.fromkeys(("listener", "speaker"), arrays["emotion"][:, 0])
    write_predictions(folder / "ours.npz", Predictions(**arrays, **truth, clips=CLIPS))
    np.savez_compressed(folder / "compressed.npz", **arrays)
    np.save(folder / "plain.npy", arrays["emotion"].astype(">f8"))


def _others(folder: Path, emotion: np.ndarray) -> None:
    for name in ("arrays", "tables", "lists"):
        (folder / name).mkdir()
    np.save(folder / "arrays/fortran.npy", np.asfortranarray(np.zeros((20, 58))))
    np.save(folder / "arrays/structured.npy", np.zeros(5, [("a", "f4"), ("b", "O")]))
    np.save(folder / "arrays/complex.npy", np.zeros((3, 58), complex))
    released = next((folder / "data/val/Emotion").rglob("*.csv")).read_text()
    (folder / "tables/excel.csv").write_text(released.replace(",", ";").replace(".", ","))
    (folder / "tables/unicode.csv").write_text(released.replace(",", "\t"), "utf-16")
    (folder / "tables/bare.csv").write_text(released.partition("\n")[2])
    pairs = (folder / "data/val.csv").read_text()
    (folder / "lists/unicode.csv").write_text(pairs.replace(",", "\t"), "utf-16")
    rows = [f"{clip},{',' * (len(NAMES) - 1)}" for clip in CLIPS]
    (folder / "clip_scores.csv").write_text("\n".join([",".join(["clip", *NAMES]), *rows]))


def _events(folder: Path) -> None:
    from tensorboardX import SummaryWriter

    with SummaryWriter(str(folder)) as writer:
        for step in range(5):
            writer.add_scalar("training/loss", 1.0 / (step + 1), step)
        writer.add_text("started", json.dumps({"total": 5}))


def _torch(folder: Path, emotion: np.ndarray) -> None:
    folder.mkdir()
    save_file({"w": emotion, "b": emotion[0]}, folder / "x.safetensors")
    try:
        import torch
    except ImportError:
        print("torch is not installed: of its formats only safetensors is tried")
        return
    content = {"state_dict": {"w": torch.from_numpy(emotion)}, "epoch": 3}
    lists = {name: [*torch.from_numpy(emotion)] for name in ("GT", "PRED")}
    torch.save(lists, folder.parent / "results/results.pt")
    torch.save(content, folder / "zip.pt")
    torch.save(content, folder / "legacy.pt", _use_new_zipfile_serialization=False)
    with (
        zipfile.ZipFile(folder / "zip.pt") as old,
        zipfile.ZipFile(folder / "deflated.pt", "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            new.writestr(name, old.read(name))


def _heads(folder: Path) -> None:
    """A made-up FaceVerse of four vertices, as its authors' file and as ours, and a picture."""
    from PIL import Image

    rng = np.random.default_rng(1)
    content = {
        "meanshape": rng.random(12, np.float32),
        "idBase": rng.random((12, 150), np.float32),
        "exBase": rng.random((12, 52), np.float32),
        "meantex": rng.random(12, np.float32),
        "texBase": rng.random((12, 251), np.float32),
        "tri": np.array([[0, 1, 2], [1, 2, 3]]),
        "keypoints": np.zeros(66, int),
        "exp_name_list": list(EXPRESSIONS),
    }
    np.save(folder / "faceverse.npy", np.array(content, object), allow_pickle=True)
    convert_faceverse(folder / "faceverse.npy", folder / "faceverse.npz")
    for name in ("picture.png", "picture.jpg"):
        Image.fromarray(rng.integers(0, 255, (24, 24, 3), np.uint8)).save(folder / name)
