"""A system's reactions to every clip of a split: in batches over clips and samples, on all devices,
and so that an interrupted run goes on where it stopped."""

import dataclasses
import shutil
import sys
import warnings
from collections import deque
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np
from tqdm import tqdm

from jaxreact.data.conversations import Conversations
from jaxreact.data.crops import check_lengths
from jaxreact.data.layout import Dyad
from jaxreact.data.modality import Kind, Modality
from jaxreact.data.split import clip_names
from jaxreact.data.traits import fingerprint_of, traits_of_listeners
from jaxreact.devices import one_ahead
from jaxreact.errors import Remark, UserError
from jaxreact.evaluation.joined import Joined
from jaxreact.evaluation.partial_results import PartialResults, made_with_text, open_partial_results
from jaxreact.evaluation.stretches import Stretch, StretchReader, stretches
from jaxreact.nn.precision import Precision
from jaxreact.predictions.npz import map_npz
from jaxreact.predictions.whole import beside
from jaxreact.profiling import Profile
from jaxreact.sharding import DeviceMesh, make_device_mesh
from jaxreact.systems.online import Online
from jaxreact.systems.sampling import Sampling, options_of
from jaxreact.systems.system import Reactions, Speaker, System, faces

Item = dict[str, np.ndarray]
Rows = np.ndarray | Sequence[np.ndarray]

PER_DEVICE = {"cpu": 1}
"""Clips that a device generates at once where `--batch` does not say: on a CPU the samples of one
clip fill it; elsewhere `_PER_ACCELERATOR`."""

_PER_ACCELERATOR = 8
_BATCHES_AHEAD = 2


@dataclass(frozen=True)
class Generation:
    """What is generated: so many samples of so many frames, drawn by a seed."""

    split: str
    frames: int
    """Of each clip, from its first; or of the stretches that `whole` clips are cut into."""
    samples: int
    seed: int
    sampling: Sampling
    precision: Precision = "tensorfloat32"
    """What the system computes in, noted beside its reactions."""
    binarize: bool = False
    """Of a system that has this option: action units are rounded."""
    online: Online = Online()  # noqa: RUF009 (frozen)
    """Whether it answers as a stream does; the system advances so already. Then whole clips are
    not cut."""
    whole: bool = False
    """Each clip in its own length, and in its own frame rate."""


def predict(
    system: System,
    data: Conversations,
    dyads: Sequence[Dyad],
    request: Generation,
    out: Path,
    truth: tuple[Rows, Rows],
    batch: int | None = None,
    profile: Path | None = None,
) -> Path:
    """Writes `OUT/predictions.npz`: reactions to every dyad's speaker, with the truth beside them.

    `truth` is the emotion of listeners and speakers (N, T, 25), or of whole clips that of each at
    the release's own rate: reactions are as long as their speakers then. Of a run that was
    interrupted, what is finished is not made again; nor are all predictions that were made with the
    same models, data and options. A clip's reactions depend on the seed and its place in the split,
    not on `batch` (clips at once, all devices together), on the devices or on interruptions. A few
    batches are traced into the folder `profile`. Raises
    `UserError` where parts of another run are in the way, or the disk has no room.
    """
    path = out / "predictions.npz"
    made_with = _made_with(system, data, dyads, request)
    whole, count = request.whole, len(dyads)
    lengths = [len(rows) for rows in truth[1]] if whole else [request.frames] * count
    wanted = (clip_names(dyads), request.samples, lengths, whole, made_with)
    parts = PartialResults(out / "parts", *wanted)
    if _holds(path, made_with):
        print(f"{path}: made with the same models, data and options; not made again")
        parts.remove()
        return path
    parts = open_partial_results(parts.folder, *wanted)
    _check_room(out, parts)
    if len(parts.missing) < count:
        done = count - len(parts.missing)
        print(f"{parts.folder}: {done} of {count} clips are finished; going on")
    try:
        _fill(parts, system, data, dyads, request, batch, profile)
    except KeyboardInterrupt:
        done = count - len(parts.missing)
        print(f"\n{parts.folder}: {done} clips are kept; the same command goes on", file=sys.stderr)
        raise
    of_whole: dict[str, np.ndarray] = {}
    if whole:
        suits = data.neighbours(request.split, count) > 0
        of_whole = beside(suits, data.release.rate)
    parts.finish(path, {"listener": truth[0], "speaker": truth[1]}, **of_whole)
    return path


def default_batch(mesh: DeviceMesh) -> int:
    """Clips at once, all devices together, where nothing else is wanted."""
    return mesh.devices * PER_DEVICE.get(jax.default_backend(), _PER_ACCELERATOR)


def _made_with(
    system: System, data: Conversations, dyads: Sequence[Dyad], request: Generation
) -> dict[str, Any]:
    """What the reactions depend on, in plain JSON data. A `Remark` says where nothing is known of
    listeners whose traits the system would take."""
    traits = {}
    if takes_traits(system):
        known = traits_of_listeners(data, dyads)
        traits = {"traits": fingerprint_of(known)}
        if lacking := int(np.isnan(known).any(axis=1).sum()):
            doubt = (
                f"{lacking} of {len(dyads)} listeners have no Big Five scores; they are answered as"
                " people of whom nothing is known"
            )
            warnings.warn(f"{data.path}: {request.split}: {doubt}", Remark, stacklevel=3)
    return {
        **system.fingerprint(),
        "settings": dict(system.settings),
        **traits,
        "data": data.fingerprint(),
        **dataclasses.asdict(request),
        "jax": jax.__version__,
        "platform": jax.default_backend(),
    }


def _holds(path: Path, made_with: dict[str, Any]) -> bool:
    """Whether `path` holds whole predictions made so."""
    try:
        return str(map_npz(path).get("made_with")) == made_with_text(made_with)
    except UserError:
        return False  # whatever is wrong with that file, it is about to be replaced


def _check_room(out: Path, parts: PartialResults) -> None:
    need, free = parts.bytes_missing, shutil.disk_usage(parts.folder).free
    if need > free:
        raise UserError(
            f"{out}: generation needs {need / 1e9:.1f} GB, the disk has {free / 1e9:.1f} GB free; "
            "make room, or choose another --out or fewer --samples"
        )


def _fill(
    parts: PartialResults,
    system: System,
    data: Conversations,
    dyads: Sequence[Dyad],
    request: Generation,
    batch: int | None,
    profile: Path | None,
) -> None:
    """Makes the missing parts: while one batch is computed, the next is read, the last written."""
    mesh = make_device_mesh()
    size = _batch_size(mesh, batch, len(dyads))
    if not request.whole:
        check_lengths(dyads, request.frames)
    frames = [dyad.speaker.frames if request.whole else request.frames for dyad in dyads]
    longest = None if request.whole and request.online.causal else request.frames
    todo = stretches(frames, parts.missing, longest)
    batches = [todo[first : first + size] for first in range(0, len(todo), size)]
    reader = StretchReader(data, dyads, needed(system))
    react = reactor(system, request, size, mesh)
    done = len(dyads) - len(parts.missing)
    trace = Profile(profile, len(batches), "generate")
    joined = Joined(parts, frames, data.release.rate)

    def read(some: list[Stretch]) -> list[Item]:
        return reader.read(some, system.frame_multiple, longest or 0)

    def begin(number: int, some: list[Stretch], inputs: list[Item]) -> Reactions:
        with trace.step(number):
            reactions = react([(each.clip, each.number) for each in some], inputs)
        trace.after(number, (reactions.emotion, reactions.coeffs))
        return reactions

    with (
        trace,
        closing(_read_ahead(batches, read)) as ahead,
        tqdm(total=len(dyads), initial=done, desc="generating", unit="clip", disable=None) as bar,
    ):
        begun = ((some, begin(n, some, inputs)) for n, (some, inputs) in enumerate(ahead, 1))
        for some, reactions in one_ahead(begun):
            bar.update(
                joined.add(some, np.asarray(reactions.emotion), np.asarray(reactions.coeffs))
            )


FIELDS: Mapping[str, Kind] = {
    "coeffs": "coeffs",
    "audio": "waveform",
    "emotion": "emotion",
    "video": "video",
}
"""What a system may need -> the field of `Speaker`, and the kind of what is read for it."""

_TRAITS = Modality("listener", "traits")


def needed(system: System) -> tuple[Modality, ...]:
    """What is read of each conversation for a system: of the speaker, and, of a system that takes
    them, the recorded listener's traits."""
    kinds: list[Kind] = [FIELDS[need] for need in sorted(system.needs)]
    side = system.picture_side
    size = None if side is None else (side, side)
    traits = (_TRAITS,) if takes_traits(system) else ()
    return (
        *(Modality("speaker", kind, size=size if kind == "video" else None) for kind in kinds),
        *traits,
    )


def takes_traits(system: System) -> bool:
    """Whether a system answers as a listener of these traits."""
    return _TRAITS.kind in system.options


def reactor(
    system: System, request: Generation, size: int, mesh: DeviceMesh
) -> Callable[[list[tuple[int, int]], list[Item]], Reactions]:
    """The function from some stretches, by the numbers of their clips and their own within these,
    and their items, to reactions to `size` of them, on all devices. It raises `UserError` where the
    system gives no coefficients.

    All batches have one size, so that everything is compiled once: the last is filled up by its
    last item.
    """
    if mesh.devices > 1:
        system = system.placed(mesh)
    options = options_of(request.sampling, system.options, system.name)
    options |= request.online.options
    if request.binarize:
        options["binarize"] = True

    def react(some: list[tuple[int, int]], items: list[Item]) -> Reactions:
        full = [*items, *items[-1:] * (size - len(items))]
        numbers = np.asarray([*some, *some[-1:] * (size - len(some))])
        inputs = {
            modality.kind: np.stack([item[modality.key] for item in full])
            for modality in needed(system)
        }
        listener = {"traits": inputs.pop("traits")} if takes_traits(system) else {}
        keys = _keys(request.seed, numbers)
        speaker = Speaker(**inputs)
        reactions = system.react(speaker, request.samples, key=keys, **listener, **options)
        faces(system, reactions)
        return reactions

    return react


def _batch_size(mesh: DeviceMesh, batch: int | None, clips: int) -> int:
    """A multiple of the devices, not more than the clips need."""
    size = min(batch or default_batch(mesh), clips)
    return -(-size // mesh.devices) * mesh.devices


def _keys(seed: int, numbers: np.ndarray) -> jax.Array:
    """A key for each stretch by the numbers of its clip and its own, with which `react` answers it
    alone."""
    key, fold = jax.random.key(seed), jax.random.fold_in
    return jax.vmap(lambda pair: fold(fold(key, pair[0]), pair[1]))(numbers)


def _read_ahead(
    batches: Sequence[list[Stretch]], read: Callable[[list[Stretch]], list[Item]]
) -> Generator[tuple[list[Stretch], list[Item]], None, None]:
    """Each batch with what `read` gives for it, read in a thread some batches ahead.

    Close it: left to the garbage collector, it would wait for its thread wherever that happens to
    run, perhaps under a lock that the thread waits for.
    """
    waiting: deque[tuple[list[Stretch], Future[list[Item]]]] = deque()
    with ThreadPoolExecutor(1, "reading") as pool:
        try:
            for batch in batches:
                waiting.append((batch, pool.submit(read, batch)))
                if len(waiting) > _BATCHES_AHEAD:
                    some, future = waiting.popleft()
                    yield some, future.result()
            while waiting:
                some, future = waiting.popleft()
                yield some, future.result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
