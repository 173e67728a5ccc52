"""Names that wrappers around a model have left in the keys of its weights.

    _orig_mod.             torch.compile
    module.                DataParallel, DistributedDataParallel, AveragedModel
    _forward_module.       Lightning Fabric and DeepSpeed
    _fsdp_wrapped_module., _checkpoint_wrapped_module.    FSDP, activation checkpointing

They stand anywhere in a key: around the whole model, around a part of it, one in another. Beside
the model there may be copies of it: its average over training (`ema.`, `model_ema.`, `swa_model.`).
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Set
from dataclasses import dataclass

from jaxreact.errors import UserError
from jaxreact.torch_files.names import listed, shown

WRAPPERS = (
    *("_orig_mod", "module", "_forward_module"),
    *("_fsdp_wrapped_module", "_checkpoint_wrapped_module"),
)
AVERAGE = frozenset({"ema", "swa", "average", "averaged"})
"""Words in the name of a part of a key, or of an entry of a file, that holds an average of the
weights over training."""

LIVE = "online_model"
"""What ema-pytorch calls the weights that it averages; they stand beside `ema_model`."""

_COUNTS = ("n_averaged", "num_updates", "decay", "initted", "step")
"""What averages keep beside their copy: how they are counted, not weights."""

_BARE = "model."
"""Lightning's name for the model, which averages leave out."""


@dataclass(frozen=True)
class Unwrapped:
    """`names`: the model's own name of each key that is taken -> the file's. `remarks`: what was
    done, in a line each, for the user."""

    names: Mapping[str, str]
    remarks: tuple[str, ...] = ()


def unwrap(keys: Collection[str], source: object, own: Set[str] = frozenset()) -> Unwrapped:
    """Which key of a file is which of the model's.

    Wrappers' names come off, except those among `own`, which the model itself uses as parts of its
    names. Where both the model and its average over training are there, the model is taken; an
    average alone is. Raises UserError, naming `source`, where two keys become one.
    """
    wrappers = [name for name in WRAPPERS if name not in own]
    taken_off: Counter[str] = Counter()
    counters = _counters(keys, own)
    plain: dict[str, str] = {}
    for key in keys:
        if key in counters:
            continue
        parts = key.split(".")
        kept = [part for part in parts[:-1] if part not in wrappers] + parts[-1:]
        taken_off.update({part for part in parts[:-1] if part in wrappers})
        _place(plain, ".".join(kept), key, source)
    remarks = []
    if taken_off:
        count = sum(name != key for name, key in plain.items())
        marks = " and ".join(f"{name}." for name in wrappers if name in taken_off)
        remarks.append(f"{marks} taken off {count} of {len(keys)} names")
    if counters:
        remarks.append(f"counts of an average over training left out: {listed(sorted(counters))}")
    chosen, remark = _choose_copy(plain, source, own)
    return Unwrapped(chosen, (*remarks, *remark))


def is_average(name: str) -> bool:
    """Whether something of this name is an average of weights over training."""
    return not AVERAGE.isdisjoint(name.lower().split("_"))


def _counters(keys: Collection[str], own: Set[str]) -> set[str]:
    """Keys of counts that stand beside a wrapped or averaged copy, or in it."""
    parts = [key.split(".") for key in keys]
    places: set[tuple[str, ...]] = set()
    for names in parts:
        for place, name in enumerate(names[:-1]):
            if name not in own and (name == "module" or is_average(name)):
                places |= {tuple(names[:place]), tuple(names[: place + 1])}
    return {
        key
        for key, names in zip(keys, parts, strict=True)
        if names[-1] in _COUNTS and tuple(names[:-1]) in places
    }


def _place(names: dict[str, str], name: str, key: str, source: object) -> None:
    if name in names:
        raise UserError(
            f"{source}: {shown(name)} is in it twice, as {shown(names[name])} and {shown(key)};"
            " save the state_dict of the model alone"
        )
    names[name] = key


def _choose_copy(
    names: Mapping[str, str], source: object, own: Set[str]
) -> tuple[dict[str, str], list[str]]:
    """The model's own weights, or else its average's; and what to say of it."""
    chosen: dict[str, str] = {}
    copies: dict[str, dict[str, str]] = {LIVE: {}, "average": {}}
    marks: set[str] = set()
    for name, key in names.items():
        parts = name.split(".")
        found = {p for p in parts[:-1] if p not in own and (is_average(p) or p == LIVE)}
        marks |= found
        copy = copies[LIVE if LIVE in found else "average"] if found else chosen
        _place(copy, ".".join(part for part in parts if part not in found), key, source)
    if not marks:
        return chosen, []
    taken = []
    for kind, copy in copies.items():
        if copy and not _bare(chosen) & _bare(copy):
            chosen |= copy
            taken.append(kind)
    what = f"{listed(sorted(f'{mark}.' for mark in marks))}"
    if "average" in taken:
        return chosen, [f"only an average of the weights over training is in it and taken: {what}"]
    where = f" from {LIVE}." if taken else ""
    return chosen, [f"the weights themselves are taken{where}, other copies of them left: {what}"]


def _bare(names: Iterable[str]) -> set[str]:
    """Names by which the model and a copy of it are compared: some copies drop the dots."""
    return {name.removeprefix(_BARE).replace(".", "") for name in names}
