"""How the tests prepare a data set."""

from pathlib import Path

from jaxreact.data.prepare import PrepareConfig, prepare
from tests.data.react2024_files import TinyDataSet


def run(data: TinyDataSet, out: Path | None, **options) -> None:
    prepare(PrepareConfig(data.root, out, **{"workers": 1, **options}))
