"""Transformer parts that the tokenizer and the predictor share: norm, attention, MLP, block.

Attribute names follow the original's torch modules, so that weight conversion is a readable table.
"""

from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Array, Float

from jaxreact.nn import attend as written_out
from jaxreact.nn import attend_fused
from jaxreact.nn.attend import Mask, heads_mask
from jaxreact.nn.attend_fused import Heads
from jaxreact.nn.attend_kernels import power_of_two
from jaxreact.nn.dropout import Seed, dropout, split
from jaxreact.sharding import cut_by_rows

ALIGNED = 8
"""Half-precision numbers in 16 bytes."""


class LayerNorm(nnx.LayerNorm):
    """Computes in float32 whatever it is given, and gives back that type."""

    def __call__(self, x: jax.Array) -> jax.Array:
        return _normed(self, x)


@jax.jit
def _normed(norm: LayerNorm, x: jax.Array) -> jax.Array:
    """A function of its own: a program holds it once for all norms of the same shape.

    Half-precision numbers are read once for mean and variance instead of twice: the mean of their
    squares less the square of their mean is off by less than they are rounded, unless the mean is
    a hundred times the deviation.
    """
    norm.use_fast_variance = x.dtype == jnp.bfloat16  # of this call's own copy
    return nnx.LayerNorm.__call__(norm, x.astype(jnp.float32)).astype(x.dtype)


def layer_norm(features: int, bias: bool, rngs: nnx.Rngs) -> LayerNorm:
    """The original's layer norm: eps 1e-5, bias optional, statistics in float32 (behaviour 18)."""
    return LayerNorm(features, epsilon=1e-5, use_bias=bias, use_fast_variance=False, rngs=rngs)


class Linear(nnx.Linear):
    """A linear layer that multiplies two matrices, whatever the number of leading axes.

    The gradient of its weights is then one product too; as a sum over several axes, with
    `nnx.Linear` alone, a whole training step takes longer on a CPU (benchmarks/layers.py).
    """

    def __call__(self, inputs: jax.Array) -> jax.Array:
        return linear_of(inputs, self.kernel[...], None if self.bias is None else self.bias[...])


def linear_of(inputs: jax.Array, kernel: jax.Array, bias: jax.Array | None) -> jax.Array:
    """What a linear layer of these weights does, in the type of its weights.

    A GPU multiplies half-precision matrices several times as fast when each of their rows begins at
    a multiple of 16 bytes: there they get columns of zeros, of which nothing is seen outside.
    """
    rows = inputs.astype(kernel.dtype).reshape(-1, inputs.shape[-1])
    outputs = kernel.shape[1]
    more = [-size % ALIGNED for size in kernel.shape]
    if any(more) and kernel.dtype == jnp.bfloat16 and jax.default_backend() == "gpu":
        rows = jnp.pad(rows, [(0, 0), (0, more[0])])
        kernel = jnp.pad(kernel, [(0, more[0]), (0, more[1])])
    rows = jax.lax.dot_general(rows, kernel, (((1,), (0,)), ((), ())))[:, :outputs]
    if bias is not None:
        rows += bias
    return cut_by_rows(rows.reshape(*inputs.shape[:-1], outputs))


def with_ones(x: jax.Array) -> jax.Array:
    """Inputs with a column of ones, for weights `with_bias`."""
    ones = jnp.zeros((_more(x.shape[-1]),), x.dtype).at[0].set(1)
    return jnp.concatenate([x, jnp.broadcast_to(ones, (*x.shape[:-1], len(ones)))], axis=-1)


def with_bias(kernel: jax.Array, bias: jax.Array) -> jax.Array:
    """Weights with the bias as a row, so that the product with inputs `with_ones` has it in it.

    On a GPU this spares a pass over the result, and one over its gradient to sum it up. More rows,
    of zeros, let those of the inputs begin at a multiple of 16 bytes.
    """
    rows = jnp.zeros((_more(len(kernel)), *bias.shape), kernel.dtype).at[0].set(bias)
    return jnp.concatenate([kernel, rows])


def _more(features: int) -> int:
    return 1 + -(features + 1) % ALIGNED


def linear(inputs: int, outputs: int, bias: bool, rngs: nnx.Rngs, std: float) -> Linear:
    """A linear layer with GPT-2's initialisation: normal weights of deviation `std`, zero bias."""
    initializer = nnx.initializers.normal(std)
    return Linear(inputs, outputs, use_bias=bias, kernel_init=initializer, rngs=rngs)


class Embed(nnx.Embed):
    """An embedding that comes in the type of its weights."""

    def __call__(self, inputs: jax.Array) -> jax.Array:
        return super().__call__(inputs).astype(self.embedding.dtype)


def residual_std(config: Any) -> float:
    """Deviation of the weights that write into the residual stream (GPT-2, section 2.3)."""
    return config.init_std / (2 * config.n_layer) ** 0.5


def attend(
    query: Float[Array, "batch queries features"],
    key: Float[Array, "batch keys features"],
    value: Float[Array, "batch keys features"],
    mask: Mask,
    n_head: int,
    rate: float = 0.0,
    seed: Seed = None,
    mixed: bool = False,
    patch: int | None = None,
) -> Float[Array, "batch queries features"]:
    """Multi-head scaled dot-product attention; True in `mask` is attended.

    As `jaxreact.nn.attend.attend` has it, by one kernel where the device can do that.
    """
    batch, queries, features = query.shape
    query, key, value = (
        part.reshape(batch, part.shape[1], n_head, features // n_head)
        for part in (query * (features // n_head) ** -0.5, key, value)
    )
    form = attend_fused.attend if attend_fused.is_usable() else written_out.attend
    output = form(query, key, value, heads_mask(mask, n_head, mixed), patch, rate, seed)
    return output.reshape(batch, queries, features)


Seeds = tuple[Seed, Seed]
"""Of the dropouts of attention: its weights and its output."""

NO_SEEDS: Seeds = (None, None)


class _Attention(nnx.Module):
    """What both kinds do with queries, keys and values.

    Where one kernel attends, the layers before it write heads as wide as the kernel reads them, and
    the layer after it reads them so: their weights are filled up with zeros, which is little,
    instead of all that passes between them.
    """

    MAKERS: ClassVar[dict[str, str]]
    """Layers that make queries, keys and values, and which of these each makes."""

    def __init__(self, config: Any, rngs: nnx.Rngs):
        n = config.n_embd
        self.c_proj = linear(n, n, config.bias, rngs, residual_std(config))
        self.width, self.n_head, self.dropout = n, config.n_head, config.dropout
        self.mixed = getattr(config, "mixed_masks", False)
        self.patch = config.patch_size if getattr(config, "block_causal", False) else None
        self.is_prepared = False

    def prepare(self, training: bool) -> bool:
        """Fills up the weights for the kernel, where one attends."""
        if not attend_fused.is_usable():
            return False
        for name in self.MAKERS:
            layer: Linear = getattr(self, name)
            layer.kernel = nnx.Param(self._making(name))
        self.c_proj.kernel = nnx.Param(self._projecting())
        self.is_prepared = True
        return True

    def parts(self, name: str, x: jax.Array) -> list[Heads]:
        """What a layer makes at once of queries, keys and values; queries are scaled."""
        layer, named = getattr(self, name), self.MAKERS[name]
        if attend_fused.is_usable():
            x = x if layer.bias is None else with_ones(x)
            rows = linear_of(x, self._making(name), None)
        else:
            rows = layer(x)
            rows = rows * self._scales(named).astype(rows.dtype) if "q" in named else rows
        heads = rows.reshape(*x.shape[:2], len(named) * self.n_head, -1)
        return [Heads(heads, part * self.n_head, self.n_head) for part in range(len(named))]

    def output(self, query: Heads, key: Heads, value: Heads, mask: Mask, seeds: Seeds) -> jax.Array:
        how = heads_mask(mask, self.n_head, self.mixed), self.patch, self.dropout, seeds[0]
        if attend_fused.is_usable():
            y = attend_fused.attend(query, key, value, *how)
        else:
            y = written_out.attend(query.taken(), key.taken(), value.taken(), *how)
        bias = None if self.c_proj.bias is None else self.c_proj.bias[...]
        y = y.reshape(*y.shape[:2], -1)
        y = linear_of(y, self._projecting(), bias)
        return dropout(y, self.dropout, seeds[1])

    @property
    def _size(self) -> int:
        """Features of a head."""
        return self.width // self.n_head

    def _scales(self, named: str) -> np.ndarray:
        return np.repeat([self._size**-0.5 if one == "q" else 1.0 for one in named], self.width)

    def _making(self, name: str) -> jax.Array:
        """Weights of a layer that makes heads for the kernel, scales and biases within."""
        layer: Linear = getattr(self, name)
        kernel = layer.kernel[...]
        if self.is_prepared:
            return kernel
        if layer.bias is not None:
            kernel = with_bias(kernel, layer.bias[...])
        return self._widened(kernel * self._scales(self.MAKERS[name]).astype(kernel.dtype), 1)

    def _projecting(self) -> jax.Array:
        """Weights of the layer that reads the heads."""
        kernel = self.c_proj.kernel[...]
        if self.is_prepared or not attend_fused.is_usable():
            return kernel
        return self._widened(kernel, 0)

    def _widened(self, weights: jax.Array, axis: int) -> jax.Array:
        """Weights whose `axis` counts the features of heads, filled up."""
        before, after = weights.shape[:axis], weights.shape[axis + 1 :]
        heads = weights.reshape(*before, -1, self._size, *after)
        rest = [(0, 0)] * heads.ndim
        rest[axis + 1] = (0, power_of_two(self._size) - self._size)
        return jnp.pad(heads, rest).reshape(*before, -1, *after)


class SelfAttention(_Attention):
    """Attention of a sequence to itself, all positions to all unless `block_causal`."""

    MAKERS: ClassVar = {"c_attn": "qkv"}

    def __init__(self, config, *, rngs: nnx.Rngs):
        n = config.n_embd
        self.c_attn = linear(n, 3 * n, config.bias, rngs, config.init_std)
        super().__init__(config, rngs)

    def __call__(
        self, x: jax.Array, mask: Mask = None, seeds: Seeds = NO_SEEDS, last: int | None = None
    ) -> jax.Array:
        """The output of all positions, or of the `last` ones; all positions are attended to."""
        query, key, value = self.parts("c_attn", x)
        query = query if last is None else query.last(last)
        return self.output(query, key, value, mask, seeds)


class CrossAttention(_Attention):
    """Attention of x (queries) to y (keys and values). Masks have y's length.

    A key is attended where both masks allow it. Without a mask for x there is no mask at all, even
    if y has one; without one for y, x's is used (behaviour 15b).
    """

    MAKERS: ClassVar = {"x_c_attn": "q", "y_c_attn": "kv"}

    def __init__(self, config, *, rngs: nnx.Rngs):
        n = config.n_embd
        self.x_c_attn = linear(n, n, config.bias, rngs, config.init_std)
        self.y_c_attn = linear(n, 2 * n, config.bias, rngs, config.init_std)
        super().__init__(config, rngs)

    def __call__(
        self,
        x: jax.Array,
        y: jax.Array,
        mask_x: Mask = None,
        mask_y: Mask = None,
        seeds: Seeds = NO_SEEDS,
    ) -> jax.Array:
        mask = mask_x if mask_x is None or mask_y is None else mask_x & mask_y
        [query] = self.parts("x_c_attn", x)
        key, value = self.parts("y_c_attn", y)
        return self.output(query, key, value, mask, seeds)


def gelu(x: jax.Array) -> jax.Array:
    """The exact GELU (behaviour 18), by erf; `jax.nn.gelu` takes erfc, more work, for tails
    that are zero to seven digits (benchmarks/layers.py). Computed in float32."""
    wide = x.astype(jnp.float32)
    return (0.5 * wide * (1.0 + jax.lax.erf(wide * 0.5**0.5))).astype(x.dtype)


class MLP(nnx.Module):
    """Two linear layers around an exact (erf) GELU, four times as wide inside.

    For inference on a GPU biases are rows of the weights here too: a product that adds a bias has
    the weights of its layer copied out of the stack first. A training step gains nothing by it.
    """

    def __init__(self, config, *, rngs: nnx.Rngs):
        n = config.n_embd
        self.c_fc = linear(n, 4 * n, config.bias, rngs, config.init_std)
        self.c_proj = linear(4 * n, n, config.bias, rngs, residual_std(config))
        self.dropout = config.dropout
        self.is_prepared = False

    def prepare(self, training: bool) -> bool:
        """Puts the biases into the weights."""
        layers = (self.c_fc, self.c_proj)
        if training or not attend_fused.is_usable() or any(one.bias is None for one in layers):
            return False
        for layer in layers:
            assert layer.bias is not None
            layer.kernel = nnx.Param(with_bias(layer.kernel[...], layer.bias[...]))
        self.is_prepared = True
        return True

    def __call__(self, x: jax.Array, seed: Seed = None) -> jax.Array:
        hidden = gelu(self._through(self.c_fc, x))
        return dropout(self._through(self.c_proj, hidden), self.dropout, seed)

    def _through(self, layer: Linear, x: jax.Array) -> jax.Array:
        return linear_of(with_ones(x), layer.kernel[...], None) if self.is_prepared else layer(x)


class Block(nnx.Module):
    """Pre-norm transformer block."""

    def __init__(self, config, *, rngs: nnx.Rngs):
        self.ln_1 = layer_norm(config.n_embd, config.bias, rngs)
        self.attn = SelfAttention(config, rngs=rngs)
        self.ln_2 = layer_norm(config.n_embd, config.bias, rngs)
        self.mlp = MLP(config, rngs=rngs)

    def __call__(self, x: jax.Array, mask: Mask = None, seed: Seed = None) -> jax.Array:
        weights, output, mlp = split(seed, 3)
        x = x + self.attn(self.ln_1(x), mask, (weights, output))
        return x + self.mlp(self.ln_2(x), mlp)
