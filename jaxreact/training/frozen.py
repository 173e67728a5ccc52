"""Models that a stage uses and does not train."""

import shutil
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jaxreact import runs
from jaxreact.nn.fingerprint import fingerprint
from jaxreact.variables import state_of, variables_of


@dataclass(frozen=True)
class Frozen:
    """One of them, and what else `config.json` of its run directory says."""

    kind: runs.Kind
    model: Any
    extra: Mapping[str, Any] = field(default_factory=dict)


class FrozenModels(ABC):
    """All that a stage uses; a recipe takes what the methods give."""

    @property
    @abstractmethod
    def parts(self) -> Mapping[str, Frozen]:
        """By name, which is that of a run directory inside the stage's own."""

    def variables(self) -> dict[str, Any]:
        """The models' variables, as programs take them."""
        return {name: state_of(part.model) for name, part in self.parts.items()}

    def fingerprints(self) -> dict[str, str]:
        """What tells each from others, as config.json of the stage's run has it."""
        models = {name: part.model for name, part in self.parts.items()}
        return {
            name: fingerprint(model.config, variables_of(model)) for name, model in models.items()
        }

    def write(self, out: Path) -> None:
        """Puts all into a run directory, so that it holds all that its system needs."""
        for name, part in self.parts.items():
            shutil.rmtree(out / name, ignore_errors=True)  # of a start that came no further
            variables = variables_of(part.model)
            runs.save_model(out / name, part.kind, part.model.config, variables, **part.extra)
