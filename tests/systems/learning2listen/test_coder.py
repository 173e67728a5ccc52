"""The VQ-VAE of motion gives the original's numbers, stage by stage."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from jaxreact.systems.learning2listen.coder import MotionCoder
from jaxreact.systems.learning2listen.config import MotionCoderConfig
from jaxreact.systems.learning2listen.losses import coder_loss
from jaxreact.systems.learning2listen.tables import coder_table
from jaxreact.training.codebook import code_share, codebook_use
from tests.systems.learning2listen.models import FULL_CODER, coder, golden, same, torch_tensors


def transformer_stages(layers: Any, x: jax.Array, name: str) -> tuple[jax.Array, dict[str, Any]]:
    """Two blocks by hand, under the original's names of what comes out where."""
    first, second = layers[0], layers[1]
    found = {"0.fn.fn.to_qkv": first.attn.to_qkv(first.ln_1(x))}
    found["0"] = x + first.attn(first.ln_1(x))
    found["1"] = x = first(x)
    found["3"] = x = second(x)
    return x, {f"{name}.net.{key}": value for key, value in found.items()}


def convolution_stages(stages: Any, x: jax.Array, name: str) -> tuple[jax.Array, dict[str, Any]]:
    """Outputs of each stage (batch, channels, time), before steps are repeated."""
    found = {f"{name}.0.0": stages[0].conv(x)}
    for number, stage in enumerate(stages):
        whole = stage(x, False)[0]
        before = stage.batch_norm(jax.nn.leaky_relu(stage.conv(x), 0.2))
        found[f"{name}.{number}"] = before if "expander" in name else whole
        x = whole
    return x, {key: value.swapaxes(1, 2) for key, value in found.items()}


@nnx.jit
def stages(model: MotionCoder, motion: jax.Array) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for half, squeeze in (("encoder", "squasher"), ("decoder", "expander")):
        part = getattr(model, half)
        x = motion if half == "encoder" else found["quantised"]
        x, some = convolution_stages(getattr(part, squeeze), x, f"{half}.{squeeze}")
        found |= some
        x = found[f"{half}.{half}_linear_embedding"] = getattr(part, f"{half}_linear_embedding")(x)
        x = found[f"{half}.{half}_pos_embedding"] = getattr(part, f"{half}_pos_embedding")(x)
        layers = getattr(part, f"{half}_transformer")
        x, some = transformer_stages(layers, x, f"{half}.{half}_transformer")
        found |= some
        if half == "encoder":
            found["latent"] = x
            found["rows"] = model.quantize.rows(x).reshape(-1, x.shape[-1])
            quantized = model.quantize(x)
            found |= {"quantised": quantized.latent, "quant_loss": quantized.auxiliary_loss}
        else:
            found["reconstruction"] = part.cross_smooth_layer(x)
    return found


def test_stages():
    found = stages(coder(), jnp.asarray(golden("vq_small")["x"]))
    expected = golden("vq_small")
    known = [name for name in expected if name.startswith("stage.")]
    assert len(known) > 15
    for name in known:
        same(found[name.removeprefix("stage.")], "vq_small", name)
    for name in ("latent", "rows", "quantised", "quant_loss", "reconstruction"):
        same(found[name], "vq_small", name)


@nnx.jit
def whole(model: MotionCoder, motion: jax.Array, codes: jax.Array) -> dict[str, Any]:
    """Everything that the goldens know of windows, under its names there."""
    made, trained = model(motion), model(motion, train=True)
    latent, width = model.encoder(motion)[0], model.config.hidden_size
    rows = model.quantize.rows(latent).reshape(-1, width)
    apart = jnp.sum((rows[:, None] - model.quantize.embedding[...]) ** 2, axis=-1)
    best, second = jnp.sort(apart, axis=-1)[:, :2].T
    share = code_share(made.quantized.codes, model.config.n_embed)
    loss, _ = coder_loss(model, motion, train=False)
    return {
        "latent": latent,
        "rows": rows,
        "distances": apart,
        "margin": second - best,
        "codes": made.quantized.codes,
        "encoded": model.encode(motion),
        "quantised": made.quantized.latent,
        "quant_loss": made.quantized.auxiliary_loss,
        "perplexity": codebook_use(share)["codebook/perplexity"],
        "reconstruction": made.motion,
        "loss_eval": loss,
        "decoded_from_codes": model.decode(made.quantized.codes),
        "zero_codes": model.of_stillness()[None],
        "shifted_codes": jnp.roll(made.quantized.codes, -1, axis=1),
        "decoded_from_shifted": model.decode(codes),
        "reconstruction_train_mode": trained.motion,
        "quant_loss_train_mode": trained.quantized.auxiliary_loss,
        "norms": trained.norms,
    }


SMALL_58 = "vq_small_58_time"
VARIANTS = {
    "vq_small": {},
    "vq_small_time": {"code_layout": "time"},
    SMALL_58: {"code_layout": "time", "in_dim": 58},
    "vq_small_b1": {},
    "vq_full": {},
}


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.slow] * (name not in ("vq_small", SMALL_58)))
        for name in VARIANTS
    ],
)
def test_there_and_back_in_both_layouts(name):
    """Every array of the files, whatever is in them."""
    g = golden(name)
    model = coder(FULL_CODER) if name == "vq_full" else coder(**VARIANTS[name])
    found = whole(model, jnp.asarray(g["x"]), jnp.asarray(g["shifted_codes"]))
    np.testing.assert_array_equal(found["encoded"], g["codes"])
    for key in [key for key in g if key != "x" and "." not in key]:
        if "codes" in key and "decoded" not in key:
            np.testing.assert_array_equal(found[key], g[key], err_msg=key)
        elif key in ("distances", "margin"):
            np.testing.assert_allclose(found[key], g[key], rtol=1e-4, atol=1e-4, err_msg=key)
        else:
            rough = ("train_mode" in key) + (name == "vq_full")
            same(found[key], name, key, (2e-5, 5e-5, 1e-4)[rough])
    norms = torch_tensors(found["norms"], coder_table(model.config))
    for key in [key for key in g if key.startswith("after_train_forward.")]:
        ours = norms[key.removeprefix("after_train_forward.")]
        assert ours.dtype == g[key].dtype
        np.testing.assert_allclose(ours, g[key], rtol=0, atol=2e-6, err_msg=key)


def test_the_last_patch_alone():
    """Which is computed without what only the other frames need."""
    codes = jnp.asarray(np.random.default_rng(0).integers(0, 24, (3, 4)))
    last, all_ = nnx.jit(lambda model, x: (model.decode_last(x), model.decode(x)))(coder(), codes)
    assert last.shape == (3, 8, 56)
    np.testing.assert_allclose(last, all_[:, -8:], rtol=0, atol=1e-5)


def test_convolutions_that_see_nothing_beyond_the_ends():
    g, model = golden("zero_padding_small"), coder(conv_padding="zeros")
    made, latent = nnx.jit(lambda model, x: (model(x), model.encoder(x)[0]))(
        model, jnp.asarray(g["x"])
    )
    same(latent, "zero_padding_small", "latent")
    np.testing.assert_array_equal(made.quantized.codes, g["codes"])
    same(made.motion, "zero_padding_small", "reconstruction", 2e-5)
    same(made.quantized.auxiliary_loss, "zero_padding_small", "quant_loss")
    edge = made.motion - golden("vq_small")["reconstruction"]
    assert np.abs(edge).max() > 0.1


@pytest.mark.parametrize("layout", ["groups", "time"])
def test_rows_go_there_and_back(layout):
    book = coder(code_layout=layout).quantize
    latent = jnp.arange(2 * 4 * 16.0).reshape(2, 4, 16)
    rows = book.rows(latent)
    np.testing.assert_array_equal(book.from_rows(rows), latent)
    touched = (np.asarray(rows.at[0, 1].set(-1.0)) < 0).nonzero()
    changed = np.asarray(book.from_rows(rows.at[0, 1].set(-1.0)))[0] < 0
    assert len(touched[0]) == 16
    if layout == "time":  # a code is a step, of all channels
        assert changed[1].all()
        assert not changed[[0, 2, 3]].any()
    else:  # a code is a quarter of the channels, at all steps
        assert changed[:, 4:8].all()
        assert not changed[:, [*range(4), *range(8, 16)]].any()


def test_gradients_pass_straight_through_and_reach_the_codebook():
    graph, state = nnx.split(coder().quantize)
    latent = jnp.asarray(golden("vq_small")["latent"])

    @jax.jit
    def gradients(state: Any, latent: jax.Array) -> Any:
        def of(state: Any, latent: jax.Array, loss: bool) -> jax.Array:
            quantized = nnx.merge(graph, state)(latent)
            return quantized.auxiliary_loss if loss else jnp.sum(3 * quantized.latent)

        return jax.grad(of, 1)(state, latent, False), jax.grad(of, (0, 1))(state, latent, True)

    through, (book, z) = gradients(state, latent)
    np.testing.assert_allclose(through, 3.0)
    error = golden("vq_small")["quantised"] - latent
    np.testing.assert_allclose(z, -0.25 * 2 * error / latent.size, rtol=0, atol=1e-6)
    used = np.unique(golden("vq_small")["codes"])
    moved = np.abs(np.asarray(book["embedding"][...])).max(1) > 0
    np.testing.assert_array_equal(np.flatnonzero(moved), used)


def test_groups_of_channels():
    for channels, sizes in ((56, (50, 3, 3)), (58, (52, 3, 3)), (83, (52, 3, 3, 25))):
        groups = MotionCoderConfig(in_dim=channels).groups
        assert [len(range(channels)[group]) for group in groups] == list(sizes)
        assert (groups[0].start, groups[-1].stop) == (0, channels)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"in_dim": 57}, "in_dim 57 is not one of 56, 58, 83"),
        ({"hidden_size": 20}, "hidden_size 20 is not a multiple of num_attention_heads 8"),
        ({"hidden_size": 6, "num_attention_heads": 2}, "hidden_size 6 is not a multiple of 4"),
        ({"n_embed": 0}, "n_embed 0 is not 1 or more"),
        ({"code_layout": "both"}, "code_layout 'both' is not one of groups, time"),
        ({"conv_padding": "mirror"}, "conv_padding 'mirror' is not one of replicate, zeros"),
    ],
)
@pytest.mark.wrong_arguments
def test_configurations_that_cannot_be(change, words):
    with pytest.raises(ValueError, match=words):
        MotionCoderConfig(**change)
