"""EEG: one row a second, cells that were not measured, and a tar instead of files."""

import io
import tarfile

import numpy as np
import pytest

from jaxreact.data.mars.eeg import CHANNELS, EegTables
from jaxreact.errors import UserError

NAME = "session3/listener/a"
BELOW = "listener/session3/a.csv"


def table(*rows):
    return "\n".join([",".join(("TimeStamp", *CHANNELS)), *rows]) + "\n"


TWO_SECONDS = table(
    "0," + ",".join(["800", "810", "", "nan"] + ["1.5"] * 10),
    "1," + ",".join(["900", "x", "500", "500"] + ["2.5"] * 10),
)


def write(root, text=TWO_SECONDS):
    path = root / "val" / "eeg_processed" / BELOW
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8-sig")


def write_tar(root, prefix, text=TWO_SECONDS):
    (root / "val").mkdir()
    with tarfile.open(root / "val" / "eeg_processed.tar.gz", "w:gz") as tar:
        content = text.encode("utf-8-sig")
        member = tarfile.TarInfo(f"{prefix}{BELOW}")
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))


def check(eeg):
    assert eeg.values.shape == (2, 14)
    np.testing.assert_allclose(eeg.values[0], [0.8, 0.81, 0, 0] + [1.5] * 10, rtol=1e-6)
    assert eeg.measured[:, :4].tolist() == [[True, True, False, False], [True, False, True, True]]
    at = eeg.at(100, 30)
    np.testing.assert_allclose(at.values[[0, 29, 30, 99], 4], [1.5, 1.5, 2.5, 2.5])
    assert at.measured.shape == (100, 14)


def test_a_table_a_clip(tmp_path):
    write(tmp_path)
    tables = EegTables(tmp_path, "val")
    check(tables.of(NAME))
    assert tables.of("session3/speaker/a") is None


@pytest.mark.parametrize("prefix", ["", "./", "eeg_processed/", "./eeg_processed/"])
def test_a_tar_of_all(tmp_path, prefix):
    write_tar(tmp_path, prefix)
    check(EegTables(tmp_path, "val").of(NAME))


def test_an_empty_table_measured_nothing(tmp_path):
    write(tmp_path, table())
    eeg = EegTables(tmp_path, "val").of(NAME)
    assert eeg is not None
    assert eeg.values.shape == (0, 14)
    assert not eeg.at(3, 30).measured.any()


def test_a_channel_that_lacks_is_named(tmp_path):
    write(tmp_path, "TP9,AF7\n1,2\n")
    with pytest.raises(UserError, match=r"session3/a\.csv: no column AF8, TP10, Delta_TP9"):
        EegTables(tmp_path, "val").of(NAME)


def test_a_tar_that_is_none_is_named(tmp_path):
    (tmp_path / "val").mkdir()
    (tmp_path / "val" / "eeg_processed.tar.gz").write_bytes(b"no tar")
    with pytest.raises(UserError, match=r"eeg_processed\.tar\.gz: not a gzipped tar of tables"):
        EegTables(tmp_path, "val")
