"""The diffusion's tables and time features are the original's; sampling follows its noise."""

import jax.numpy as jnp
import numpy as np
import pytest

from jaxreact.nn.diffusion import cosine_schedule, ddim, noised, time_features
from tests.systems.belfusion.weights import golden


@pytest.mark.parametrize("steps", [10, 50])
def test_tables(steps):
    schedule = cosine_schedule(steps)
    for name in ("betas", "alphas_cumprod", "alphas_cumprod_prev"):
        table = getattr(schedule, name)
        assert table.dtype == np.float64
        expected = golden("diffusion_tables")[f"cosine{steps}.{name}"]
        np.testing.assert_allclose(table, expected, rtol=1e-12, atol=0)


def test_no_steps_are_refused():
    with pytest.raises(ValueError, match="0 steps"):
        cosine_schedule(0)


@pytest.mark.parametrize(("width", "steps"), [(64, range(10)), (7, (0, 3, 9))])
def test_time_features(width, steps):
    features = time_features(jnp.asarray(list(steps)), width)
    expected = golden("diffusion_tables")[f"time_features_{width}"]
    np.testing.assert_allclose(features, expected, rtol=0, atol=1e-6)


def test_a_network_that_knows_the_start_finds_it():
    schedule = cosine_schedule(10)
    start, noise = jnp.linspace(-0.9, 0.9, 6)[None], jnp.ones((1, 6))
    found = ddim(lambda x, step: start, noise, schedule)
    np.testing.assert_allclose(found, start, rtol=0, atol=1e-6)
    clipped = ddim(lambda x, step: 2 * start, noise, schedule)
    assert float(jnp.abs(clipped).max()) <= 1


def test_noise_takes_the_starts_place():
    schedule = cosine_schedule(10)
    start, noise = jnp.ones((10, 2, 3)), jnp.zeros((10, 2, 3))
    left = noised(start, jnp.arange(10), noise, schedule)[:, 0, 0]
    assert (jnp.diff(left) < 0).all()
    assert left[0] > 0.98
    assert left[-1] < 0.05
