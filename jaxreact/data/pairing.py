"""A split's pair list -> its dyads, in the order of the neighbour matrices."""

from collections.abc import Callable, Iterable, Sequence

from tqdm import tqdm

from jaxreact.data.layout import AUDIO, MODALITIES, Clip, Dyad


def pair_up(
    split: str,
    pairs: Sequence[tuple[str, str]],
    modalities: Iterable[str],
    mirrored: bool,
    measure: Callable[[str, tuple[str, ...]], int],
) -> list[Dyad]:
    """Every row with column 1 as the speaker, then, if `mirrored`, every row with column 2 as the
    speaker (behaviour 55).

    `measure(name, modalities)` gives the frames that these modalities of a clip have in common; it
    is called once a clip. Sound is needed of speakers only.
    """
    wanted = tuple(dict.fromkeys(modalities))
    if unknown := set(wanted) - set(MODALITIES):
        raise ValueError(f"unknown modalities {sorted(unknown)}; choose from {MODALITIES}")
    ordered = [*pairs, *((second, first) for first, second in pairs)] if mirrored else [*pairs]
    heard = {speaker for speaker, _ in ordered}
    clips: dict[str, Clip] = {}
    names = list(dict.fromkeys(name for pair in ordered for name in pair))
    for name in tqdm(names, f"checking {split}", unit="clip", delay=2, disable=None):
        needed = tuple(kind for kind in wanted if kind != AUDIO or name in heard)
        clips[name] = Clip(split, name, needed, measure(name, needed))
    return [Dyad(clips[speaker], clips[listener]) for speaker, listener in ordered]
