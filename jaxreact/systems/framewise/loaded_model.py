"""A trained frame-wise listener."""

from functools import cached_property
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float, Int

from jaxreact import runs
from jaxreact.nn.compiled import Compiled, Given
from jaxreact.systems.framewise.departures import Mood, depart, first_mood
from jaxreact.systems.framewise.kinds import FRAMEWISE
from jaxreact.systems.framewise.model import Expected, Framewise


class LoadedFramewise(Compiled):
    """The model's methods, compiled."""

    @cached_property
    def mean_face(self) -> np.ndarray:
        """(58,) float32: raw coefficients minus the model's."""
        return runs.mean_face(self.content, self.directory)

    @cached_property
    def _expect(self) -> Any:
        return self._jit(lambda model, *given: model(*given))

    @cached_property
    def _first(self) -> Any:
        return self._jit(lambda model, keys: first_mood(model.statistics.residuals, keys))

    @cached_property
    def _depart(self) -> Any:
        def call(model: Framewise, *given: Any) -> Any:
            return depart(model.config, model.statistics.residuals, *given)

        return self._jit(call)

    def expect(
        self,
        coeffs: Float[Given, "batch time 58"],
        sound: Float[Given, "batch time 32"],
        present: Bool[Given, "batch time"],
    ) -> Expected:
        """As the model's `__call__`; a program is compiled for each length."""
        return self._expect(*map(jnp.asarray, (coeffs, sound, present)))

    def first(self, keys: jax.Array) -> Mood:
        """As `departures.first_mood`."""
        return self._first(keys)

    def depart(
        self,
        mood: Mood,
        expected: Expected,
        keys: jax.Array,
        begin: Int[Given, "streams"],
        temperature: Float[Given, "streams"],
        micro_motion: Float[Given, "streams"],
    ) -> tuple[Mood, jax.Array, jax.Array]:
        """As `departures.depart`."""
        given = map(jnp.asarray, (begin, temperature, micro_motion))
        return self._depart(mood, expected, keys, *given)


def load_framewise(directory: str | Path) -> LoadedFramewise:
    """The model of a run directory. Raises UserError if there is none."""
    return LoadedFramewise(*runs.load_model(directory, FRAMEWISE), directory)
