"""Who listens, as an address chooses it."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from jaxreact.live.messages import BadMessage
from jaxreact.live.session import choices_of

pytestmark = pytest.mark.wrong_arguments


def listeners(*options: str) -> Any:
    return SimpleNamespace(steps=(8,), system=SimpleNamespace(options={*options}))


def test_an_address_says_who_listens():
    query = {"traits": "0.9,0.5,0.5,0.1,1"}
    options = choices_of(query, listeners("traits")).options
    np.testing.assert_allclose(options["traits"], [0.9, 0.5, 0.5, 0.1, 1])
    assert dict(choices_of(query, listeners("temperature")).options) == {}
    assert dict(choices_of({}, listeners("traits")).options) == {}


@pytest.mark.parametrize("traits", ["", "lively", "0.5,,0.5"])
def test_what_are_no_numbers_is_said(traits):
    with pytest.raises(BadMessage, match="a choice is no number"):
        choices_of({"traits": traits}, listeners("traits"))
