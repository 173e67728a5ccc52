"""The whole simulation: sessions to files, in several processes, all or nothing."""

import json
import os
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from jaxtyping import Float
from tqdm import tqdm

from jaxreact.errors import UserError
from jaxreact.face import FPS
from jaxreact.files import read_json, replacing
from jaxreact.processes import in_processes
from jaxreact.simulation import mars
from jaxreact.simulation.appropriate import appropriate, behaviour
from jaxreact.simulation.cast import ROLES, Session, cast
from jaxreact.simulation.config import SimulateConfig
from jaxreact.simulation.conversation import Performance, perform
from jaxreact.simulation.files import write_clip, write_faces, write_lists, write_neighbours
from jaxreact.simulation.frames import require_renderer, write_frames
from jaxreact.simulation.person import draw_person
from jaxreact.simulation.seeding import stream
from jaxreact.simulation.story import draw_story, tell

_RECORD = "simulation.json"
_SESSIONS_PER_PROCESS = 3
"""Fewer would cost more to start a process for than they take."""


@dataclass(frozen=True)
class _Summary:
    """What the data set's own files need to know of a session, both roles."""

    behaviours: Float[np.ndarray, "2 bins 5"]
    frames: int
    total: Float[np.ndarray, "58"]
    squares: Float[np.ndarray, "58"]


def _write_session(session: Session, config: SimulateConfig, root: Path) -> _Summary:
    if config.layout == "mars":
        return _summary(mars.write_session(session, config, root))
    story = draw_story(config.seed, session.story, config.frames / FPS)
    name = f"{session.chat}/{session.clip}"
    telling = tell(story, stream(config.seed, "telling", name))
    performances = []
    for role in range(len(ROLES)):
        person = draw_person(config.seed, session.person(role))
        performance = perform(config.seed, name, telling, role, person, config.frames)
        write_clip(root, session.split, session.path(role), performance)
        if config.picture_size is not None:
            folder = root / session.split / "Video_files" / session.path(role)
            write_frames(folder, performance.coeffs, config.picture_size)
        performances.append(performance)
    return _summary(performances)


def _summary(performances: list[Performance]) -> _Summary:
    both = np.concatenate([each.coeffs.astype(np.float64) for each in performances])
    behaviours = np.stack([behaviour(performance) for performance in performances])
    return _Summary(behaviours, len(both), both.sum(axis=0), (both**2).sum(axis=0))


def _workers(config: SimulateConfig, sessions: int) -> int:
    most = -(-sessions // _SESSIONS_PER_PROCESS)
    return min(config.workers or os.cpu_count() or 1, most)


def _write_all(config: SimulateConfig, root: Path) -> None:
    sessions = cast(config)
    write = partial(_write_session, config=config, root=root)
    bar = tqdm(total=len(sessions), desc="conversations", unit="dyad", disable=None)
    summaries = []
    # Closed at once on Ctrl-C, lest the workers go on in a folder that is being removed.
    with (
        bar,
        closing(in_processes(write, sessions, _workers(config, len(sessions)))) as written,
    ):
        for summary in written:
            summaries.append(summary)
            bar.update()
    if config.layout == "mars":
        mars.write_persons(root, sessions, config)
        mars.write_litter(root)
    else:
        write_lists(root, sessions)
        tracks = np.stack([summary.behaviours for summary in summaries], axis=1)
        write_neighbours(root, appropriate(tracks.reshape(-1, *tracks.shape[2:])))
    train = [
        summary
        for summary, session in zip(summaries, sessions, strict=True)
        if session.split == "train"
    ]
    count = sum(summary.frames for summary in train)
    mean = np.sum([summary.total for summary in train], axis=0) / count
    square = np.sum([summary.squares for summary in train], axis=0) / count
    write_faces(root, mean, np.sqrt(np.maximum(square - mean**2, 0)))
    (root / _RECORD).write_text(json.dumps(config.identity, indent=2) + "\n")


def _already_there(config: SimulateConfig) -> bool:
    """Whether `config.out` holds this very simulation; raises `UserError` if anything else."""
    out = config.out
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return False
    try:
        recorded = read_json(out / _RECORD, "no record of a simulation")
    except UserError:
        raise UserError(
            f"{out}: not empty, and no simulation; choose a new folder for --out"
        ) from None
    if recorded != config.identity:
        raise UserError(
            f"{out}: holds another simulation ({_RECORD} differs); choose a new folder for --out, "
            "or delete that one"
        )
    return True


def simulate(config: SimulateConfig) -> None:
    """Writes the data set `config` asks for to `config.out`.

    The folder appears complete or not at all. If it already holds the same simulation, it is kept
    and a line says so. Raises `UserError` if it holds anything else, cannot be written, or if
    frames are asked for and cannot be drawn. With more than one worker, a script that calls this
    needs the usual `if __name__ == "__main__"` guard, because processes are spawned.
    """
    if _already_there(config):
        print(f"{config.out}: holds this simulation already; kept as it is")
        return
    if config.picture_size is not None:
        require_renderer()
    try:
        with replacing(config.out) as temporary:
            temporary.mkdir()
            _write_all(config, temporary)
    except OSError as error:
        raise UserError(f"{config.out}: cannot be written ({error})") from error
    train, val, test = config.sizes
    about = "about " if config.layout == "mars" else ""
    counts = f"{train} train, {val} val and {test} test dyads"
    print(f"{config.out}: {counts} of {about}{config.seconds:g} s")
