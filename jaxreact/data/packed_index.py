"""`cache.json`: what a packed data set holds. It is written last: a cache with one is whole.

The fingerprint is a digest of everything else in it, which names the digest of every shard: two
caches with the same one hold the same data, and an index that was tampered with is noticed.
"""

import hashlib
import json
from dataclasses import MISSING, asdict, dataclass, fields
from pathlib import Path
from typing import Any

from jaxreact.data.layout import AUDIO, COEFFS, EMOTION, REACT2024, RELEASES
from jaxreact.data.shards import Part
from jaxreact.errors import UserError, reading
from jaxreact.files import read_json, replacing

FORMAT = 1
"""Raised whenever the files of a cache change their meaning."""
INDEX = "cache.json"
SHARD_SUFFIX = ".arrayrecord"
AGAIN = "`python -m jaxreact.data.prepare`"
_NO_INDEX = "not the index of a cache"
_LATER = ("pictures", "release", "traits", "left_out")
"""What caches may lack."""


@dataclass(frozen=True)
class PackedClip:
    """A clip's lengths in frames, 25 a second, modality by modality, and the multiplier of its
    sound."""

    name: str
    coeffs: int
    emotion: int
    audio: int
    scale: float

    def frames(self, modality: str) -> int:
        """Length of one modality."""
        return {COEFFS: self.coeffs, EMOTION: self.emotion, AUDIO: self.audio}[modality]


@dataclass(frozen=True)
class PackedSplit:
    """A split: its pairs in the list's order, and its clips in the order of their records."""

    pairs: list[tuple[str, str]]
    clips: list[PackedClip]
    shards: dict[str, list[Part]]
    """The shards of each modality, in order; those of pictures where they are packed."""
    neighbours: Part | None


@dataclass(frozen=True)
class PackedIndex:
    """Everything but the numbers themselves."""

    mean_face: list[float]
    clips_per_shard: int
    splits: dict[str, PackedSplit]
    pictures: int | None = None
    """Side in pixels of packed pictures; None where none are."""
    release: str = REACT2024.name
    """Which data set was packed; one of `layout.RELEASES`."""
    traits: dict[str, dict[str, list[float]]] | None = None
    """Of splits, the Big Five of clips by name, 0 to 1; None where nothing is known of anybody."""
    left_out: dict[str, int] | None = None
    """Of splits, how many pairs were not packed; None where all were."""

    def content(self) -> dict[str, Any]:
        """As JSON holds it, without the fingerprint; without what stands at its default, so that
        caches of a time before there was anything else stay what they were."""
        content = {"format": FORMAT, **json.loads(json.dumps(asdict(self)))}
        usual = {field.name: field.default for field in fields(self)}
        return {name: value for name, value in content.items() if value != usual.get(name, MISSING)}

    def fingerprint(self) -> str:
        """16 hex digits of a digest of the content."""
        return _digest(self.content())


def _digest(content: dict[str, Any]) -> str:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def write_index(root: Path, index: PackedIndex) -> None:
    """Writes `root/cache.json`."""
    text = json.dumps({"fingerprint": index.fingerprint(), **index.content()}, indent=1)
    with replacing(root / INDEX) as temporary:
        temporary.write_text(text + "\n")


def read_index(root: Path) -> PackedIndex:
    """Reads `root/cache.json`.

    Raises `UserError` for one that is no index, of another format, or changed since it was written.
    """
    path = root / INDEX
    content = read_json(path, _NO_INDEX, f"run {AGAIN} again")
    with reading(path, _NO_INDEX, f"run {AGAIN} again"):
        fingerprint, number = content.pop("fingerprint"), content.pop("format")
    if number != FORMAT:
        raise UserError(
            f"{path}: format {number}, and this version of jaxreact reads format {FORMAT}; run "
            f"{AGAIN} again, into a new folder"
        )
    if _digest({"format": number, **content}) != fingerprint:
        raise UserError(f"{path}: damaged or edited; delete it and run {AGAIN} again")
    if content.get("release", REACT2024.name) not in RELEASES:
        raise UserError(
            f"{path}: of {content['release']}, which this version of jaxreact cannot read"
        )
    with reading(path, _NO_INDEX, f"run {AGAIN} again"):
        return PackedIndex(
            content["mean_face"],
            content["clips_per_shard"],
            {name: _split(value) for name, value in content["splits"].items()},
            **{name: content[name] for name in _LATER if name in content},
        )


def _split(value: dict[str, Any]) -> PackedSplit:
    matrix = value["neighbours"]
    return PackedSplit(
        pairs=[(speaker, listener) for speaker, listener in value["pairs"]],
        clips=[PackedClip(**clip) for clip in value["clips"]],
        shards={kind: [Part(**part) for part in parts] for kind, parts in value["shards"].items()},
        neighbours=None if matrix is None else Part(**matrix),
    )
