"""What all loaded models have in common."""

from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from jaxreact.nn.compiling import compiler_options
from jaxreact.nn.fingerprint import fingerprint
from jaxreact.nn.precision import Precision, computed_in, products_in
from jaxreact.sharding import over
from jaxreact.variables import variables_of

Given = jax.Array | np.ndarray
"""What callers may give; what they get is a `jax.Array`."""

_Same = TypeVar("_Same", bound="Compiled")  # Self cannot be checked at run time


class Compiled:
    """A model whose methods are jitted with its variables as an argument."""

    def __init__(
        self,
        model: Any,
        content: dict[str, Any],
        directory: str | Path,
        precision: Precision = "tensorfloat32",
    ):
        self.config = model.config
        self.content = content
        self.directory = Path(directory)
        self.precision: Precision = precision
        self._graph, self._state = nnx.split(model)

    def placed(self: _Same, sharding: jax.sharding.Sharding) -> _Same:
        """The same model with its variables placed so, such as a whole copy on each device."""
        model = nnx.merge(self._graph, jax.device_put(self._state, sharding))
        return type(self)(model, self.content, self.directory, self.precision)

    def in_precision(self: _Same, precision: Precision) -> _Same:
        """The same model computing so."""
        model = nnx.merge(self._graph, self._state)
        return type(self)(model, self.content, self.directory, precision)

    def fingerprint(self) -> str:
        """16 hex digits that tell models apart by their configuration and variables."""
        return fingerprint(self.config, variables_of(nnx.merge(self._graph, self._state)))

    def _jit(self, function: Any, precision: Precision | None = None, **options: Any) -> Any:
        """`function(model, ...)` as a jitted function of the other arguments.

        It computes in `precision`, if not the model's own; what it gives is float32.
        """
        used = self.precision if precision is None else precision
        place = next((leaf.sharding for leaf in jax.tree.leaves(self._state)), None)

        def call(state: nnx.State, *args: Any, **kwargs: Any) -> Any:
            model = nnx.merge(self._graph, computed_in(state, used))
            with products_in(used), over(place):
                return jax.tree.map(_wide, function(model, *args, **kwargs))

        return partial(jax.jit(call, compiler_options=compiler_options(), **options), self._state)


def _wide(x: jax.Array) -> jax.Array:
    return x.astype(jnp.float32) if x.dtype == jnp.bfloat16 else x
