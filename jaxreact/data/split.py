"""A split of a data set, as what scores or shows it sees it."""

from collections.abc import Sequence
from dataclasses import dataclass

from jaxreact.data.conversations import Conversations
from jaxreact.data.layout import Dyad


@dataclass(frozen=True)
class Split:
    """The ordered pairs of a data set's split."""

    data: Conversations
    name: str
    dyads: list[Dyad]

    @property
    def clips(self) -> tuple[str, ...]:
        """The speakers' clip names, which tell the rows of predictions apart."""
        return tuple(dyad.speaker.name for dyad in self.dyads)


def conversations(clips: Sequence[str]) -> list[str]:
    """The conversation of every clip `<site>/<chat>/<person>/<clip>`: `<site>/<chat>`."""
    return [name.rsplit("/", 2)[0] for name in clips]
