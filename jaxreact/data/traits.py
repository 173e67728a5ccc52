"""Persons' Big Five as systems get them: five scores of 0 to 1, NaN where nobody knows them."""

import hashlib
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from jaxreact.data.conversations import Conversations
from jaxreact.data.layout import Clip, Dyad
from jaxreact.data.mars.personality import BIG_FIVE
from jaxreact.errors import UserError

TRAITS = len(BIG_FIVE)


def traits_of(data: Conversations, clip: Clip) -> Float[np.ndarray, "5"]:
    """A clip's person, five NaN for one of whom the data set says nothing; errors as
    `Conversations.traits`."""
    scores = data.traits(clip)
    return np.full(TRAITS, np.nan, np.float32) if scores is None else scores


def traits_of_listeners(data: Conversations, dyads: Sequence[Dyad]) -> Float[np.ndarray, "dyads 5"]:
    """The listener of each dyad; errors as `Conversations.traits`."""
    rows = [traits_of(data, dyad.listener) for dyad in dyads]
    return np.stack(rows) if rows else np.empty((0, TRAITS), np.float32)


def check_traits(data: Conversations, dyads: Sequence[Dyad], split: str) -> None:
    """Raises `UserError` where no listener of a split has scores to learn from."""
    if np.isnan(traits_of_listeners(data, dyads)).all():
        raise UserError(
            f"{data.path}: no listener of {split} has Big Five scores; give MARS of 2026 with its"
            f" {split}/personality/listener.csv, or a cache packed of it, or train without traits"
        )


def fingerprint_of(traits: Float[np.ndarray, "dyads 5"]) -> str:
    """16 hex digits that tell other scores apart, which a root's own fingerprint does not."""
    return hashlib.sha256(np.ascontiguousarray(traits, np.float32).tobytes()).hexdigest()[:16]
