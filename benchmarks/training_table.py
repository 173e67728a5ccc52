"""What `benchmarks/training.py` tells of its workers' answers."""

from dataclasses import dataclass
from typing import Any, Literal

from training_workload import BATCH, STEPS

Answers = list[dict[str, Any]]
"""Of one process, in order."""

GPU_STEPS = 20
"""Steps of a kind in a pass; the device is waited for after the last one."""


@dataclass(frozen=True)
class Way:
    """One way of making steps."""

    side: Literal["ours", "original"]
    rows: int
    options: str = ""
    """Options of our training command."""

    @property
    def name(self) -> str:
        return " ".join(filter(None, (self.side, f"batch {self.rows}", self.options)))


def row(stage: str, way: Way, turns: list[Answers], on_gpu: bool) -> dict[str, Any]:
    """Seconds and memory of a step."""
    warm = 1 if way.side == "ours" or on_gpu else 0
    steady = [answer for turn in turns for answer in turn[warm:]]
    found: dict[str, Any] = {}
    for clock in ("wall", "cpu"):
        fastest = [min(each["seconds"][kind][clock] for each in steady) for kind in STEPS[stage]]
        found[f"{clock}_s"] = round(sum(fastest) / len(fastest), 4)
    if way.side == "ours":
        extra = [
            sum(turn[0]["seconds"][kind]["wall"] - found["wall_s"] for kind in STEPS[stage])
            for turn in turns
        ]
        found["compiling_s"] = round(min(extra) * (GPU_STEPS if on_gpu else 1), 1)
    found["peak_gib"] = round(max(turn[-1]["peak_gib"] for turn in turns), 2)
    if on_gpu:
        last = turns[-1][-1]["result"]
        found["device_gib"] = round(last["device_gib"], 2)
        if way.side == "ours":
            found["teraflops_a_step"] = round(last["operations"] / 1e12, 3)
        if last.get("peak_flops"):
            rate = last["operations"] / found["wall_s"]
            found["model_flop_utilisation"] = round(rate / last["peak_flops"], 3)
    return found


def compare(answers: dict[str, dict[Way, list[Answers]]], on_gpu: bool) -> dict[str, Any]:
    """Each stage's rows; ours at the original's batch size also as multiples of it."""
    table: dict[str, Any] = {}
    memory = "device_gib" if on_gpu else "peak_gib"
    for stage, given in answers.items():
        rows = {way: row(stage, way, turns, on_gpu) for way, turns in given.items() if turns}
        original = next((found for way, found in rows.items() if way.side == "original"), None)
        for way, found in rows.items():
            if original and way.side == "ours" and way.rows == BATCH[stage]:
                for clock in ("wall", "cpu"):
                    faster = original[f"{clock}_s"] / found[f"{clock}_s"]
                    found[f"times_faster_{clock}"] = round(faster, 2)
                found["share_of_memory"] = round(found[memory] / original[memory], 2)
        table[stage] = {way.name: found for way, found in rows.items()}
    return table


def losses(answers: dict[str, dict[Way, list[Answers]]]) -> dict[str, Any]:
    """That both had the same weights and batches: the first loss, without dropout and masks."""
    return {
        stage: {
            way.name: turns[0][0]["result"]["loss"]
            for way, turns in given.items()
            if turns and way.rows == BATCH[stage]
        }
        for stage, given in answers.items()
    }
