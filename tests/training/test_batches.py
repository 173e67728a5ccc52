"""What a stage trains on, of clips that have lengths of their own."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jaxreact.data.modality import Modality
from jaxreact.errors import Remark, UserError
from jaxreact.training.batches import Data, read_data
from tests.data.mars_files import small

FACE = (Modality("speaker", "coeffs"),)
PAIR = (Modality("speaker", "emotion"), Modality("listener", "emotion"))


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    """Pairs of 75, 99 and 50 frames, 25 a second, and one of 63 to validate by."""
    return small(tmp_path_factory.mktemp("lengths") / "mars").root


def read(root: Path, modalities: Any, frames: int, batch_size: int = 1) -> Data:
    return read_data(
        root,
        np.zeros(58, np.float32),
        modalities=modalities,
        frames=frames,
        trained_frames=frames,
        batch_size=batch_size,
        seed=0,
        workers=0,
    )


@pytest.mark.parametrize(("modalities", "people"), [(PAIR, 1), (FACE, 2)])
def test_shorter_pairs_are_left_out_and_counted(root, modalities, people):
    with pytest.warns(Remark, match=r"mars, train: 1 of 3 pairs are shorter than a crop of 60 fr"):
        data = read(root, modalities, 60)
    assert data.steps_per_epoch == 2 * people
    assert len(list(data.everything())) == 2 * people
    assert len(list(data.validation())) == people


def test_context_before_a_crop_counts(root):
    heard = (Modality("speaker", "emotion", before=2), Modality("listener", "emotion"))
    with pytest.warns(Remark, match="1 of 3 pairs are shorter than a crop of 62 frames"):
        data = read(root, heard, 60)
    assert data.steps_per_epoch == 2


def test_where_all_fit_nothing_is_said(root, recwarn):
    assert read(root, PAIR, 48).steps_per_epoch == 3
    assert not [each for each in recwarn if issubclass(each.category, Remark)]


def test_where_none_fits_it_is_an_error(root):
    match = r"mars, train: none of the 3 pairs is as long as a crop of 120 frames \(4.8 s\)"
    with pytest.raises(UserError, match=match):
        read(root, PAIR, 120)
