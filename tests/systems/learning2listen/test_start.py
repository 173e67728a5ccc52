"""New models start as the original's do."""

import numpy as np
import pytest

from jaxreact import runs
from jaxreact.systems.learning2listen.kinds import CODER, LISTENER
from jaxreact.systems.learning2listen.tables import table_of
from jaxreact.variables import variables_of
from tests.systems.learning2listen.models import FULL_CODER, FULL_LISTENER, golden, torch_tensors


@pytest.mark.slow
def test_every_tensor_is_drawn_as_the_originals():
    """By its mean, deviation and largest value, as far as so many draws can tell."""
    ours: dict[str, np.ndarray] = {}
    for kind, config in ((CODER, FULL_CODER), (LISTENER, FULL_LISTENER)):
        model = runs.new_model(kind, config, 0)
        ours |= torch_tensors(variables_of(model), table_of(kind, config))
    known = golden("init_statistics")
    compared = 0
    for name, (mean, std, largest) in zip(known["names"], known["mean_std_absmax"], strict=True):
        name = str(name).removeprefix("vq.").removeprefix("predictor.")
        x = ours[name].astype(np.float64)
        if std < 1e-6:
            np.testing.assert_allclose(x, mean, rtol=0, atol=1e-6, err_msg=name)
            continue
        compared += 1
        spread = 6 * std / x.size**0.5
        assert abs(x.mean() - mean) < 2 * spread, name
        assert abs(x.std() - std) < spread, name
        uniform = largest < 2 * std
        assert abs(np.abs(x).max() / largest - 1) < (0.12 if uniform else 0.5), name
        if uniform:  # no tails
            assert np.abs(x).max() <= 1.8 * x.std() + spread, name
    assert compared > 100
