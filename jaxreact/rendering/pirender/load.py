"""PIRender's face generator, converted."""

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float, UInt8

from jaxreact import runs
from jaxreact.errors import UserError
from jaxreact.nn.compiled import Compiled, Given
from jaxreact.nn.precision import Precision
from jaxreact.rendering.pirender import generator
from jaxreact.rendering.pirender.config import FaceGeneratorConfig
from jaxreact.rendering.pirender.generator import Pictures, Source

FACE_GENERATOR = runs.Kind("face_generator", FaceGeneratorConfig, generator.FaceGenerator)


class FaceGenerator(Compiled):
    """A portrait and windows of face coefficients -> the face in motion."""

    @cached_property
    def _call(self) -> Any:
        return self._jit(lambda model, image, window: model(image, window))

    @cached_property
    def _source(self) -> Any:
        return jax.jit(lambda state, image: nnx.merge(self._graph, state).source(image))

    @cached_property
    def _prepared(self) -> dict[Precision, nnx.State]:
        return {}

    @cached_property
    def _on_processor(self) -> bool:
        return next(iter(jax.tree.leaves(self._state)[0].devices())).platform == "cpu"

    @cached_property
    def _frames(self) -> Any:
        def frames(state: nnx.State, source: Source, windows: jax.Array) -> jax.Array:
            model = nnx.merge(self._graph, state)
            if not self._on_processor:
                return _to_uint8(model.render(source, windows).fake)
            # A processor's caches hold one picture's features, not those of many.
            return jax.lax.map(
                lambda window: _to_uint8(model.render(source, window[None]).fake[0]), windows
            )

        return jax.jit(frames)

    def __call__(
        self,
        image: Float[Given, "batch height width 3"],
        window: Float[Given, "batch window coefficients"],
    ) -> Pictures:
        """Flow, warped portrait and picture, float32; portraits in [-1, 1], *raw* coefficients.

        Sides are multiples of 32, or ValueError. For a clip, `animate` is faster.
        """
        return self._call(jnp.asarray(image, jnp.float32), jnp.asarray(window, jnp.float32))

    def animate(
        self, portrait: Float[Given, "height width 3"], dtype: Precision = "float32"
    ) -> Callable[[Float[Given, "frames window 58"]], UInt8[Array, "frames height width 3"]]:
        """A function from windows of *raw* coefficients to RGB pictures of the portrait's person.

        What depends on the portrait (in [-1, 1]) alone is computed here, once. `dtype` is what
        convolutions compute in; on NVIDIA's GPUs float32 ones multiply in TF32, as PyTorch's do,
        unless `jax.default_matmul_precision` says otherwise. The function is compiled anew for each
        number of frames.
        """
        if dtype not in self._prepared:
            self._prepared[dtype] = self._jit(self._prepare, static_argnames="dtype")(dtype=dtype)
        state = self._prepared[dtype]
        source = self._source(state, jnp.asarray(portrait, jnp.float32)[None])
        return lambda windows: self._frames(state, source, jnp.asarray(windows, jnp.float32))

    def _prepare(self, model: Any, dtype: Precision) -> nnx.State:
        return nnx.split(model.prepared(dtype, on_processor=self._on_processor))[1]


def _to_uint8(picture: jax.Array) -> jax.Array:
    """[-1, 1] -> 0..255, fractions dropped, as the original does."""
    return ((picture * 0.5 + 0.5) * 255).clip(0, 255).astype(jnp.uint8)


def load_face_generator(directory: str | Path) -> FaceGenerator:
    """PIRender's face generator of a converted directory. Raises UserError if there is none."""
    directory = Path(directory)
    if not (directory / "config.json").exists():
        raise UserError(
            f"{directory}: no face generator here; fetch the challenge baseline's"
            " cur_model_fold.pth (CC BY-NC 4.0) and run"
            f" python convert_weights.py pirender cur_model_fold.pth {directory}"
        )
    return FaceGenerator(*runs.load_model(directory, FACE_GENERATOR), directory)
