"""Attention in one kernel where several devices share a batch."""

import pytest

from tests.own_process import printed


@pytest.fixture(scope="module")
def found() -> dict:
    """What `eight_devices.py` prints."""
    return printed("tests.nn.eight_devices", devices=8)


@pytest.mark.parametrize("case", ["16", "16, two samples each", "16, nothing more"])
def test_each_device_attends_to_its_own_rows(found, case):
    """Which entries are dropped does not depend on the devices; nothing is sent."""
    of_16 = found[case]
    assert of_16.pop("difference") < 1e-5
    assert of_16 == {"devices": 8, "kernels": True, "of_a_device": [2], "exchanged": []}


def test_a_batch_that_cannot_be_cut_evenly_is_written_out(found):
    of_12 = found["12"]
    assert not of_12["kernels"]
    assert of_12["difference"] < 1e-5
