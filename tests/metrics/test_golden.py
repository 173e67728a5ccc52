"""Mode `original` against what the original program computed."""

from pathlib import Path

import numpy as np
import pytest

from jaxreact import metrics
from jaxreact.metrics.frsyn import lagged_correlation
from tests.golden import recipe

GOLDEN = Path(__file__).parents[1] / "golden"
CASES = ["metrics_tiny", "metrics_tiny120", "metrics_n12"]


def load(case):
    with np.load(GOLDEN / f"{case}.npz") as file:
        golden = dict(file)
    if case == "metrics_n12":
        return golden, recipe.metric_case("n12", 12, 10, 736, 0.25)
    names = ("pred", "listener_gt", "speaker_gt", "neighbours")
    return golden, tuple(golden[name] for name in names)


@pytest.mark.parametrize("case", CASES)
def test_original_mode_is_what_the_original_prints(case):
    golden, arrays = load(case)
    scores = metrics.evaluate(*arrays, mode="original")
    assert list(scores)[:6] == ["FRC", "FRD", "FRDvs", "FRVar", "FRDiv", "FRSyn"]
    for name in ("FRC", "FRD"):
        assert scores[name] == pytest.approx(float(golden[f"{name}_mp"]), rel=1e-6)
    for name in ("FRDvs", "FRVar", "FRDiv"):  # the original's float32
        assert scores[name] == pytest.approx(float(golden[name]), rel=1e-5)
    assert scores["FRSyn"] == pytest.approx(float(golden["TLCC_mp"]), rel=1e-6)


@pytest.mark.parametrize("case", CASES[:2])
def test_corrected_mode_is_the_originals_serial_variant_where_all_is_defined(case):
    golden, (predictions, listener, speaker, neighbours) = load(case)
    frc, frd = float(golden["FRC_nonmp"]), float(golden["FRD_nonmp"])
    assert metrics.frc(predictions, listener, neighbours) == pytest.approx(frc, rel=1e-6)
    assert metrics.frd(predictions, listener, neighbours) == pytest.approx(frd, rel=1e-6)
    if case == "metrics_tiny120":
        expected = float(golden["TLCC_nonmp"])
        assert metrics.frsyn(predictions, speaker) == pytest.approx(expected, rel=1e-6)


def test_column_that_is_half_constant():
    golden, (predictions, _, _, _) = load("metrics_tiny120")
    speaker = golden["speaker_gt_half_const"]
    expected = float(golden["TLCC_mp_half_const"])
    assert metrics.frsyn(predictions, speaker, "original") == pytest.approx(expected, rel=1e-6)
    assert metrics.frsyn(predictions, speaker) < expected


def test_course_of_the_lagged_correlation():
    golden, (predictions, _, speaker, _) = load("metrics_tiny120")
    course = lagged_correlation(predictions[0], speaker[0]).mean(axis=-1)
    np.testing.assert_allclose(course.max(axis=-1), golden["tlcc0_peak"], rtol=1e-6)
    np.testing.assert_allclose(course[:, 49], golden["tlcc0_center"], rtol=1e-5)
    np.testing.assert_array_equal(49 - course.argmax(axis=-1), golden["tlcc0_offset"])


def test_order_of_the_original():
    with np.load(GOLDEN / "test_order.npz") as file:
        provenance = file["provenance"]
    clips, passes = provenance.shape
    correct = np.arange(clips)[:, None] + 100 * np.arange(passes)
    np.testing.assert_array_equal(metrics.reorder_as_original(correct), provenance)
