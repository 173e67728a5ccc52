"""A split's pair list -> its dyads, in the order of the neighbour matrices."""

from collections.abc import Callable, Iterable, Sequence

from tqdm import tqdm

from jaxreact.data.layout import FILES, VIDEO, Clip, Dyad
from jaxreact.data.modality import Modality, files_by_role


def pair_up(
    split: str,
    pairs: Sequence[tuple[str, str]],
    modalities: Iterable[str | Modality],
    mirrored: bool,
    measure: Callable[[str, tuple[str, ...]], int],
) -> list[Dyad]:
    """Every row with column 1 as the speaker, then, if `mirrored`, every row with column 2 as the
    speaker (behaviour 55).

    `measure(name, files)` gives the frames that these files of a clip have in common; it is called
    once a clip, with what `files_by_role` asks for in the roles that its person plays.
    """
    files = files_by_role(modalities)
    if files["speaker"] | files["listener"] == {VIDEO}:
        raise ValueError("pictures alone have no length; ask for what they go with, too")
    ordered = [*pairs, *((second, first) for first, second in pairs)] if mirrored else [*pairs]
    needed: dict[str, set[str]] = {name: set() for pair in ordered for name in pair}
    for speaker, listener in ordered:
        needed[speaker] |= files["speaker"]
        needed[listener] |= files["listener"]
    clips: dict[str, Clip] = {}
    for name in tqdm(needed, f"checking {split}", unit="clip", delay=2, disable=None):
        kinds = tuple(kind for kind in FILES if kind in needed[name])
        clips[name] = Clip(split, name, kinds, measure(name, kinds))
    return [Dyad(clips[speaker], clips[listener]) for speaker, listener in ordered]
