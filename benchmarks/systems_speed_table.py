"""What `benchmarks/systems_speed.py` tells of its workers' answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from systems_speed_workload import JOBS, SIZES, encodings

RELEASED = SIZES["released"]
CLOCKS = ("wall", "cpu")

Answers = Sequence[dict[str, Any]]


@dataclass(frozen=True)
class Measured:
    """The answers of a job's processes, in order."""

    ours: Answers
    """The first one compiles, unless it says what that took; a single one does."""
    original: Answers
    ours_at_original: Answers = ()
    """Of the original's training step of Trans-VAE, with its clips."""
    clips: int = RELEASED.clips
    """That the original had there, and their frames."""
    crop: int = RELEASED.crop


def row(name: str, measured: Measured, machine: dict[str, Any]) -> dict[str, Any]:
    """Seconds by both clocks, ratios, memory, and whether both sides computed the same."""
    job, (factor, note) = JOBS[name], _extrapolated(name, measured.clips, measured.crop)
    ours, original = _steady(measured.ours), _seconds(measured.original)
    whole = {clock: seconds * factor for clock, seconds in original.items()}
    found: dict[str, Any] = {"what": job.what}
    for clock in CLOCKS:
        found[clock] = {
            "ours": _short(ours[clock]),
            "original": _short(whole[clock]),
            "times_faster": round(whole[clock] / ours[clock], 2),
        }
    found |= {
        "wanted_times_faster": job.wanted,
        "ours_compiling": _compiling(measured.ours),
        "peak_memory_gib": {"ours": _peak(measured.ours), "original": _peak(measured.original)},
    }
    if note:
        found["extrapolated"] = note
        found["original_measured"] = {clock: _short(original[clock]) for clock in CLOCKS}
    if measured.ours_at_original:
        same = _steady(measured.ours_at_original)
        found["ours_with_the_clips_of_the_original"] = {
            **{clock: _short(same[clock]) for clock in CLOCKS},
            "times_faster": {c: round(original[c] / same[c], 2) for c in CLOCKS},
            "peak_memory_gib": _peak(measured.ours_at_original),
        }
    passes = {"ours": max(1, len(measured.ours) - 1), "original": len(measured.original)}
    agreed = agreement(measured.ours[0]["result"], measured.original[0]["result"])
    return {**found, "passes": passes, "agreement": agreed, **machine}


def _extrapolated(name: str, clips: int, crop: int) -> tuple[float, str]:
    """What the original's seconds are multiplied by, and why."""
    if name == "trans-vae":
        return RELEASED.samples, "the original made one of the ten reactions; its seconds times 10"
    if name == "trans-vae-step":
        factor = RELEASED.clips * encodings(RELEASED.crop) / (clips * encodings(crop))
        return factor, (
            f"the original's clips were {clips} of {crop} frames, since {RELEASED.clips} of"
            f" {RELEASED.crop} need more than 50 GiB; its seconds times {factor:.4g}, as many times"
            " as frames are encoded; its memory as measured"
        )
    return 1, ""


def _seconds(answers: Answers) -> dict[str, float]:
    """The least by each clock."""
    return {clock: min(each["seconds"]["pass"][clock] for each in answers) for clock in CLOCKS}


def _steady(answers: Answers) -> dict[str, float]:
    """Of the passes that compile nothing."""
    return _seconds(answers[1:] or answers)


def _compiling(answers: Answers) -> dict[str, float]:
    """As the first pass says, or how much longer it took than the fastest other one."""
    apart = answers[0]["seconds"].get("compiling")
    if apart is None:
        first, later = _seconds(answers[:1]), _seconds(answers[1:])
        apart = {clock: first[clock] - later[clock] for clock in CLOCKS}
    return {clock: round(apart[clock], 1) for clock in CLOCKS}


def _peak(answers: Answers) -> float:
    return round(answers[-1]["peak_gib"], 2)


def _short(seconds: float) -> float:
    """Three digits."""
    return float(f"{seconds:.3g}") if seconds < 100 else round(seconds)


def agreement(ours: dict[str, Any], original: dict[str, Any]) -> dict[str, Any]:
    """That both had the same weights and inputs, told by what they made of them."""
    found: dict[str, Any] = {}
    for name, theirs in original.items():
        mine = ours[name]
        if theirs is None:
            found[name] = "not compared: each side draws its own; weights and windows are the same"
        elif name == "loss":
            found[name] = {"ours": mine, "original": theirs}
        elif name == "codes":
            found["codes_equal"] = bool(np.array_equal(mine, theirs))
        else:
            off = np.abs(np.subtract(np.ravel(mine), np.ravel(theirs))).max()
            found[f"{name}_off_by_at_most"] = float(f"{off:.2g}")
            found[f"{name}_deviation"] = float(f"{np.std(theirs):.2g}")
    return found
