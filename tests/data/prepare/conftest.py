"""A data set of four pairs, in order until a test spoils it."""

import pytest

from tests.data.react2024_files import TinyDataSet, write_tiny


@pytest.fixture
def data(tmp_path) -> TinyDataSet:
    return write_tiny(tmp_path / "data")
