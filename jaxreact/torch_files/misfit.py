"""Why the tensors of a file do not fill a model: the cause in one line, not all that follows."""

from dataclasses import dataclass, field

from jaxreact.errors import NotFiniteError, UserError
from jaxreact.torch_files.names import counted, shown

_MOST = 3
"""Names in a message."""


@dataclass
class Misfit:
    """What did not fit, each with what is wrong about it; `fitted` counts what did."""

    missing: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    shapes: list[str] = field(default_factory=list)
    types: list[str] = field(default_factory=list)
    constants: list[str] = field(default_factory=list)
    values: list[str] = field(default_factory=list)
    fitted: int = 0

    def refuse(self, source: object, model: str, prefix: str = "") -> None:
        """Raises UserError where anything does not fit: counts, at most three names with `prefix`
        before them, and the cause. NotFiniteError where it is values alone."""
        clauses = (
            (self.missing, f"lacks {{}} of {model}"),
            (self.unknown, f"has {{}} that {model} does not know"),
            (self.shapes, "has {} of another shape"),
            (self.types, "has {} of another type"),
            (self.constants, "has {} that contradict{s} the configuration"),
            (self.values, "has {} with values that float32 cannot hold"),
        )
        found = [(sorted(names), text) for names, text in clauses if names]
        if not found:
            return
        each = max(1, _MOST // len(found))
        parts = []
        for place, (names, text) in enumerate(found):
            said = text.format(counted(len(names), "tensor"), s="" if len(names) > 1 else "s")
            if place < _MOST:
                first = "first " if len(names) > each else ""
                said += f", {first}{', '.join(shown(prefix + name, 200) for name in names[:each])}"
            parts.append(said)
        kind = NotFiniteError if len(found) == 1 and self.values else UserError
        raise kind(f"{source}: {'; '.join(parts)}: {self._cause()}")

    def _cause(self) -> str:
        if (self.missing or self.unknown) and not self.fitted and not self.shapes:
            return "this is another model"
        if self.shapes or self.constants:
            return "its sizes are not those of the configuration, or it is another model"
        if self.missing and self.unknown:
            return "this is another model, or one of another configuration"
        if self.missing:
            return "it is not whole, or of another configuration"
        if self.unknown:
            return "it is more than this model, or of another configuration"
        if self.types:
            return f"save {'them' if len(self.types) > 1 else 'it'} as float32"
        return "its training has failed, or the file is damaged"
