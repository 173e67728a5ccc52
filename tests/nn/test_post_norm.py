"""torch's transformer layers and LSTM, by torch itself; and where something is dropped."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from jaxreact.nn import attend, post_norm
from jaxreact.nn import dropout as dropout_module
from jaxreact.nn.lstm import LSTM
from jaxreact.nn.post_norm import DecoderLayer, EncoderLayer

WIDTH, HEADS = 8, 2
RNG = np.random.default_rng(0)
X, MEMORY = (RNG.normal(size=(2, n, WIDTH)).astype("f4") for n in (6, 4))


def from_torch(ours: nnx.Module, theirs) -> None:
    """Puts torch's weights into a layer of ours."""
    names = {"linear": "feed_forward.ff_", "norm": "ln_"}
    for name, tensor in theirs.state_dict().items():
        value = tensor.numpy()
        for torch, here in names.items():
            name = name.replace(torch, here)
        name = name.replace("in_proj_", "in_proj.")
        *parts, kind = name.split(".")
        node = ours
        for part in parts:
            node = getattr(node, part)
        if kind == "weight":
            kind = "scale" if value.ndim == 1 else "kernel"
        getattr(node, kind)[...] = jnp.asarray(value.T)


def perturbed(torch, layer):
    """torch's layer with biases and norms that are not those of a beginning."""
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape))
    return layer.eval()


def test_an_encoder_layer_is_torchs():
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    theirs = perturbed(torch, torch.nn.TransformerEncoderLayer(WIDTH, HEADS, 12, batch_first=True))
    ours = EncoderLayer(WIDTH, HEADS, 12, 0.1, rngs=nnx.Rngs(0))
    from_torch(ours, theirs)
    mask = np.array([[True] * 6, [True] * 4 + [False] * 2])
    with torch.no_grad():
        expected = theirs(torch.tensor(X), src_key_padding_mask=torch.tensor(~mask)).numpy()
    x = jnp.asarray(X)
    np.testing.assert_allclose(ours(x, x, jnp.asarray(mask))[mask], expected[mask], atol=1e-5)
    first = ours(x[:, :2], x, jnp.asarray(mask))
    np.testing.assert_allclose(first, expected[:, :2], atol=1e-5)


def test_a_decoder_layer_is_torchs():
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    theirs = perturbed(torch, torch.nn.TransformerDecoderLayer(WIDTH, HEADS, 12, batch_first=True))
    ours = DecoderLayer(WIDTH, HEADS, 12, 0.1, rngs=nnx.Rngs(0))
    from_torch(ours, theirs)
    causal = torch.triu(torch.full((6, 6), -torch.inf), 1)
    with torch.no_grad():
        expected = theirs(torch.tensor(X), torch.tensor(MEMORY), tgt_mask=causal).numpy()
    x, memory = jnp.asarray(X), jnp.asarray(MEMORY)
    np.testing.assert_allclose(ours(x, x, memory), expected, atol=1e-5)
    np.testing.assert_allclose(ours(x[:, -2:], x, memory), expected[:, -2:], atol=1e-5)
    # Room between the past and the last positions, and at the memory's end.
    roomy = jnp.concatenate([x[:, :4], 9 + x[:, :3], x[:, 4:]], axis=1)
    seen = jnp.broadcast_to(jnp.array([True] * 4 + [False] * 3 + [True] * 2), (2, 9))
    memory = jnp.concatenate([memory, 9 + memory], axis=1)
    known = jnp.broadcast_to(jnp.arange(8) < 4, (2, 8))
    last = ours(x[:, -2:], roomy, memory, seen, known)
    np.testing.assert_allclose(last, expected[:, -2:], atol=1e-5)


def test_an_lstm_is_torchs():
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    theirs = torch.nn.LSTM(WIDTH, WIDTH, batch_first=True)
    ours = LSTM(WIDTH, rngs=nnx.Rngs(0))
    for part, mark in ((ours.input, "ih"), (ours.hidden, "hh")):
        assert part.bias is not None
        part.kernel[...] = jnp.asarray(getattr(theirs, f"weight_{mark}_l0").detach().numpy().T)
        part.bias[...] = jnp.asarray(getattr(theirs, f"bias_{mark}_l0").detach().numpy())
    start = torch.tensor(MEMORY[:, 0])[None]
    with torch.no_grad():
        expected = theirs(torch.tensor(X), (start, start))[0].numpy()
    np.testing.assert_allclose(ours(jnp.asarray(X), jnp.asarray(MEMORY[:, 0])), expected, atol=1e-5)


@pytest.mark.parametrize(("kind", "places"), [(EncoderLayer, 4), (DecoderLayer, 6)])
def test_every_dropout_has_a_seed_of_its_own(monkeypatch, kind, places):
    seeds, rates, dropout = [], [], dropout_module.dropout

    def noted(x: jax.Array, rate: float, seed) -> jax.Array:
        seeds.append(tuple(np.asarray(seed)))
        rates.append(rate)
        return dropout(x, rate, seed)

    for module in (attend, post_norm):
        monkeypatch.setattr(module, "dropout", noted)
    layer = kind(WIDTH, HEADS, 12, 0.25, rngs=nnx.Rngs(0))
    x, memory = jnp.asarray(X), jnp.asarray(MEMORY)
    given = (x, x) if kind is EncoderLayer else (x, x, memory)
    layer(*given, seed=jnp.array([1, 2], jnp.uint32))
    assert rates == [0.25] * places
    assert len(set(seeds)) == places
