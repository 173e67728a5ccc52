"""Files that would be a results.pt but for their names: what is said of them."""

import numpy as np
import pytest

from jaxreact.errors import UserError
from jaxreact.predictions import holds_results, read_predictions
from tests.metrics.ragged.by_hand import clips
from tests.predictions.test_results import tensors

torch = pytest.importorskip("torch")

CLIPS = clips(9, 12)
RENAME = "it has gt and Pred, a file of results GT and PRED; name them so"
INSIDE = "GT and PRED stand inside its entry results; save that by itself"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"gt": CLIPS, "Pred": CLIPS}, RENAME),
        ({"gt": [CLIPS[0]] * 2, "Pred": [CLIPS[0]] * 2}, RENAME),
        ({"results": {"GT": CLIPS, "PRED": CLIPS}}, INSIDE),
    ],
)
def test_said_with_what_to_do(tmp_path, content, words):
    path = tmp_path / "results.pt"
    torch.save(tensors(content), path)
    assert not holds_results(path)
    with pytest.raises(UserError) as error:
        read_predictions(path)
    assert str(error.value) == f"{path}: {words}"


def test_said_of_an_npz_file(tmp_path):
    path = tmp_path / "results.npz"
    np.savez(path, gt_0=CLIPS[0], pred_0=CLIPS[0])
    with pytest.raises(UserError, match=r"it has gt_0 and pred_0, a file of results GT_0 and PRED"):
        read_predictions(path)
    np.savez(path, gt=np.stack([CLIPS[0]] * 2), pred=np.stack([CLIPS[0]] * 2))
    with pytest.raises(UserError, match=r"it has gt and pred, a file of results GT and PRED; name"):
        read_predictions(path)


def test_predictions_beside_the_truth_are_read_as_ever(tmp_path):
    path, emotion = tmp_path / "p.pt", np.stack([CLIPS[0]] * 2)
    torch.save(tensors({"gt": emotion[:, 0], "pred": emotion}), path)
    np.testing.assert_array_equal(read_predictions(path).emotion, emotion)
    torch.save(tensors({"pred": emotion, "run": {"GT": 1, "PRED": 2}}), path)
    np.testing.assert_array_equal(read_predictions(path).emotion, emotion)
