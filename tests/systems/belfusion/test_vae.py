"""The VAE of emotion windows gives the original's numbers, stage by stage."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from jaxreact import runs
from jaxreact.systems.belfusion.config import EmotionVAEConfig
from jaxreact.systems.belfusion.kinds import VAE
from jaxreact.systems.belfusion.latent_space import decode, encode
from jaxreact.systems.belfusion.train_vae import statistics_of
from jaxreact.systems.belfusion.vae import EmotionVAE
from tests.golden.belfusion import recipe
from tests.systems.belfusion.weights import golden, same, vae


@pytest.fixture(scope="module")
def model() -> EmotionVAE:
    return vae()


def test_stages(model):
    x = jnp.asarray(golden("vae_small")["x"])
    windows = model.windows(x)
    same(model.hidden(windows), "vae_small", "hidden_all")
    same(model.hidden(x[:, 5:10]), "vae_small", "hidden_one")
    decoded = model.decode(jnp.asarray(golden("vae_small")["z"]))
    same(decoded, "vae_small", "decoded")
    same(model.coeffs_of(decoded), "vae_small", "decoded_coeffs")
    same(model.decode(model.hidden(windows)), "vae_small", "decoded_hidden")


def test_a_clip_is_reconstructed_from_its_means(model):
    made = model(jnp.asarray(golden("vae_small")["x"]))
    same(made.mean, "vae_small", "mean")
    same(made.log_variance, "vae_small", "log_variance")
    same(made.emotion, "vae_small", "prediction")
    same(made.coeffs, "vae_small", "coeffs")


def test_statistics_are_those_of_all_windows_of_both_roles(model):
    given = golden("vae_small")
    clips = [given[f"statistics_{role}.{i}"] for role in ("speaker", "listener") for i in (0, 1)]
    hidden = np.concatenate([model.hidden(model.windows(jnp.asarray(x))) for x in clips])
    np.testing.assert_allclose(hidden.min(0), model.statistics.min[...], rtol=0, atol=1e-5)
    np.testing.assert_allclose(hidden.max(0), model.statistics.max[...], rtol=0, atol=1e-5)
    np.testing.assert_allclose(hidden.var(0, ddof=1), model.statistics.var[...], rtol=0, atol=1e-5)


@pytest.mark.parametrize("preprocessing", ["normalize", "standardize", "none"])
def test_the_latent_space_goes_there_and_back(model, preprocessing):
    windows = model.windows(jnp.asarray(golden("vae_small")["x"]))
    latents = encode(model, windows, preprocessing)
    same(decode(model, latents, preprocessing), "vae_small", "decoded_hidden")
    known = jnp.concatenate(
        [
            jnp.asarray(golden("vae_small")[f"statistics_{role}.{i}"])
            for role in ("speaker", "listener")
            for i in (0, 1)
        ]
    )
    latents = np.asarray(encode(model, model.windows(known), preprocessing))
    if preprocessing == "normalize":
        np.testing.assert_allclose(latents.min(0), -1, rtol=0, atol=1e-5)
        np.testing.assert_allclose(latents.max(0), 1, rtol=0, atol=1e-5)
    if preprocessing == "standardize":
        np.testing.assert_allclose(latents.mean(0), 0, rtol=0, atol=1e-5)
        np.testing.assert_allclose(latents.std(0, ddof=1), 1, rtol=0, atol=1e-5)


@pytest.mark.parametrize("preprocessing", ["normalize", "standardize"])
def test_a_dimension_that_never_changes_divides_by_nothing(preprocessing):
    model = vae()
    known = model.statistics
    known.max[...] = known.max[...].at[3].set(known.min[...][3])
    known.var[...] = known.var[...].at[3].set(0)
    latents = encode(model, model.windows(jnp.asarray(golden("vae_small")["x"])), preprocessing)
    assert np.isfinite(latents).all()
    assert np.isfinite(decode(model, latents, preprocessing)).all()


def test_clips_that_are_no_whole_windows_are_refused(model):
    for frames in (0, 7):
        with pytest.raises(ValueError, match=f"{frames} frames are not whole windows of 5"):
            model(jnp.zeros((1, frames, 25)))


def test_a_new_model_starts_as_torchs_layers_do():
    model = runs.new_model(VAE, EmotionVAEConfig(), 0)
    for layer, bound in ((model.x_rnn.input, 128**-0.5), (model.coeff_hidden, 25**-0.5)):
        for weights in (layer.kernel[...], layer.bias[...]):
            assert 0.9 * bound < jnp.abs(weights).max() <= bound
    sizes = [leaf.size for leaf in jax.tree.leaves(nnx.state(model, nnx.Param))]
    assert sum(sizes) == 242_579


@pytest.mark.slow
def test_the_released_size():
    model = vae(EmotionVAEConfig(), "vae_released")
    made = model(jnp.asarray(recipe.emotion("released.vae", 1, 750)))
    hidden = model.hidden(model.windows(jnp.asarray(recipe.emotion("released.vae", 1, 750))))
    same(hidden, "vae_released", "hidden_all")
    same(made.mean, "vae_released", "mean")
    same(made.log_variance, "vae_released", "log_variance")
    same(made.emotion, "vae_released", "prediction", 2e-5)
    same(made.coeffs[:, ::5], "vae_released", "coeffs_every5", 2e-5)
    clips = [recipe.emotion(f"statistics.{role}0", 4, 750) for role in "sl"]
    states = np.concatenate([model.hidden(model.windows(jnp.asarray(x))) for x in clips])
    for name, value in statistics_of(states)["statistics"].items():
        same(value, "vae_released", f"statistics.{name}", 2e-5)
