"""The handful of numbers at the head of a page: names, values and notes."""

from collections.abc import Mapping
from typing import Any


def facts_of_run(content: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """What metrics.json says of how it was scored."""
    facts = [("Mode", str(content["mode"]), "of scoring")]
    if "realism" in content:
        facts.append(_realism(content["realism"]))
    if "seed" in content:
        facts.append(("Seed", str(content["seed"]), ""))
    versions = {name: str(value) for name, value in content.get("versions", {}).items()}
    ours = versions.pop("jaxreact", "unknown")
    others = ", ".join(f"{name} {value}" for name, value in versions.items())
    return [*facts, ("jaxreact", ours, others)]


def _realism(realism: Mapping[str, Any]) -> tuple[str, str, str]:
    """FRRea, and what it was measured on."""
    kind = "photo-real" if realism["photoreal"] else "drawn, and so were the recorded ones"
    what = f"{realism['pictures']} pictures a side, {kind}; protocol {realism['protocol']}."
    return "FRRea ↓", f"{realism['FRRea']:.4g}", " ".join([what, *realism["notes"]])
