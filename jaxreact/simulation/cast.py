"""Who meets whom in which split, and what they talk about."""

from dataclasses import dataclass

from jaxreact.simulation.config import SPLITS, SimulateConfig

ROLES = ("Expert_video", "Novice_video")
"""NoXI's names of the two persons; their index is the role everywhere in the simulator."""

_SITE = "NoXI"
_CLIPS_PER_CHAT = 2
_TELLINGS_PER_STORY = 3
"""At least so many clips of a split share a story, if the split has so many."""


@dataclass(frozen=True)
class Session:
    """One recorded clip of two persons: one row of a split's list."""

    split: str
    chat: str
    clip: str
    story: str

    @property
    def key(self) -> tuple[str, str, str]:
        """Site, chat and clip: a row of `data_indices.csv`."""
        return _SITE, self.chat, self.clip

    def path(self, role: int) -> str:
        """`<site>/<chat>/<person>/<clip>`, as the lists spell a clip."""
        return f"{_SITE}/{self.chat}/{ROLES[role]}/{self.clip}"

    def person(self, role: int) -> str:
        """The participant's name, the same in all clips of a chat and in no other chat."""
        return f"{self.chat}/{ROLES[role]}"


def cast(config: SimulateConfig) -> list[Session]:
    """All sessions: train, then val, then test.

    Two persons meet for one chat of up to two clips, and no one appears in two chats: the splits
    are subject-independent. Stories are not shared between splits either, but within a split
    about three to five dyads tell each.
    """
    sessions: list[Session] = []
    chat = 0
    for split, size in zip(SPLITS, config.sizes, strict=True):
        stories = max(1, size // _TELLINGS_PER_STORY)
        for row in range(size):
            clip = row % _CLIPS_PER_CHAT
            chat += clip == 0
            sessions.append(
                Session(
                    split=split,
                    chat=f"{chat:03d}_2016-01-01_Simulated",
                    clip=str(clip + 1),
                    story=f"{split}-{row % stories}",
                )
            )
    return sessions
