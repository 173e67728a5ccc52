"""What all loaded models have in common."""

from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import jax
import numpy as np
from flax import nnx

from jaxreact.nn.fingerprint import fingerprint
from jaxreact.variables import variables_of

Given = jax.Array | np.ndarray
"""What callers may give; what they get is a `jax.Array`."""

_Same = TypeVar("_Same", bound="Compiled")  # Self cannot be checked at run time


class Compiled:
    """A model whose methods are jitted with its variables as an argument."""

    def __init__(self, model: Any, content: dict[str, Any], directory: str | Path):
        self.config = model.config
        self.content = content
        self.directory = Path(directory)
        self._graph, self._state = nnx.split(model)

    def placed(self: _Same, sharding: jax.sharding.Sharding) -> _Same:
        """The same model with its variables placed so, such as a whole copy on each device."""
        model = nnx.merge(self._graph, jax.device_put(self._state, sharding))
        return type(self)(model, self.content, self.directory)

    def fingerprint(self) -> str:
        """16 hex digits that tell models apart by their configuration and variables."""
        return fingerprint(self.config, variables_of(nnx.merge(self._graph, self._state)))

    def _jit(self, function: Any, **options: Any) -> Any:
        """`function(model, ...)` as a jitted function of the other arguments."""

        def call(state: nnx.State, *args: Any, **kwargs: Any) -> Any:
            return function(nnx.merge(self._graph, state), *args, **kwargs)

        return partial(jax.jit(call, **options), self._state)
