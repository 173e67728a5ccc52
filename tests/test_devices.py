"""Devices are kept at work."""

from collections.abc import Iterator

from jaxreact.devices import one_ahead


def test_each_is_given_when_the_next_has_begun():
    begun: list[int] = []

    def begin() -> Iterator[int]:
        for number in range(3):
            begun.append(number)
            yield number

    seen = [(one, list(begun)) for one in one_ahead(begin())]
    assert seen == [(0, [0, 1]), (1, [0, 1, 2]), (2, [0, 1, 2])]
    assert list(one_ahead(())) == []
