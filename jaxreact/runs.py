"""A run directory: what training and conversion write and every command reads.

    config.json   kind, format, model (its configuration), and what else the kind needs
    model/        an Orbax checkpoint of the model's variables (training: the best ones)

A predictor's directory also holds its `tokenizer/` and its `audio_encoder/`, run directories of
their own. A tokenizer's config.json holds `mean_face`, the 58 numbers that raw coefficients exceed
the model's by.
"""

import dataclasses
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_type_hints

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from jaxreact.checkpoints import Checkpoints
from jaxreact.errors import UserError, reading
from jaxreact.face import COEFFS
from jaxreact.files import building, check_new, read_json, replacing
from jaxreact.nn.quantizers import Statistics
from jaxreact.sharding import host
from jaxreact.torch_files.sizes import LAYERS
from jaxreact.variables import Variables, joined, one_by_one

FORMAT = 1

_MAPPINGS = ("origin", "parts", "stage", "training")
"""What config.json may say beside the model's configuration that is looked into."""


@dataclass(frozen=True)
class Kind:
    """A kind of model that a run directory can hold; each stands beside the model it describes."""

    name: str
    """As config.json has it."""
    config: type
    """A frozen dataclass."""
    module: Callable[..., nnx.Module]
    """(config, rngs=...) -> the model."""
    renamed: Mapping[str, str] = field(default_factory=dict)
    """Former names of the configuration's fields, as older runs have them, and today's."""


class _OneKey(nnx.Rngs):
    """Always gives the same key, where only shapes matter.

    Rngs counts its draws, and each count is traced: six seconds for a model of the released size.
    """

    _key: jax.Array

    def __init__(self):
        object.__setattr__(self, "_key", jax.random.key(0))  # nothing that NNX should know of

    def params(self) -> jax.Array:
        return self._key


def abstract_model(kind: Kind, config: Any) -> tuple[nnx.GraphDef, nnx.State]:
    """Graph definition and abstract variables of the model that `config` describes.

    Every variable is a parameter or a quantiser's statistic; anything else would be lost by
    training, which carries these two.
    """
    model = nnx.eval_shape(lambda: kind.module(config, rngs=_OneKey()))
    graph, state = nnx.split(model)
    _, _, rest = nnx.split_state(state, nnx.Param, Statistics, ...)
    if jax.tree.leaves(rest):
        raise TypeError(f"{kind.name}: variables other than parameters and statistics: {rest}")
    return graph, state


def abstract_variables(kind: Kind, config: Any) -> Variables:
    """The shapes of the variables that files of such a model hold."""
    return jax.eval_shape(one_by_one, nnx.to_pure_dict(abstract_model(kind, config)[1]))


def new_model(kind: Kind, config: Any, seed: int) -> Any:
    """A model that nothing is trained of yet, on the host."""
    with jax.default_device(host()):
        return kind.module(config, rngs=nnx.Rngs(seed))


def build(kind: Kind, config: Any, variables: Variables) -> Any:
    """The model that `config` describes, holding `variables`."""
    graph, state = abstract_model(kind, config)
    on_host = jax.tree.map(np.asarray, variables)  # where nothing is compiled to join layers
    together = joined(on_host, nnx.to_pure_dict(state), np.stack)
    nnx.replace_by_pure_dict(state, jax.tree.map(jnp.asarray, together))
    return nnx.merge(graph, state)


def write_config(directory: str | Path, kind: Kind, config: Any, **extra: Any) -> None:
    """Writes `config.json` of a run directory."""
    content = {"kind": kind.name, "format": FORMAT, "model": dataclasses.asdict(config), **extra}
    with replacing(Path(directory) / "config.json") as path:
        path.write_text(json.dumps(content, indent=1) + "\n")


def kind_name(directory: str | Path) -> str:
    """The name of the kind of model that a run directory holds; UserError where it is none."""
    path, content = _read_json(directory, "model")
    kind = content.get("kind")
    if not isinstance(kind, str):
        raise UserError(f"{path}: kind is {kind!r}, not the name of one")
    return kind


def read_config(directory: str | Path, kind: Kind) -> tuple[Any, dict[str, Any]]:
    """Model configuration and whole content of a run directory's `config.json`.

    Raises UserError where the directory is none, or holds another kind of model.
    """
    path, content = _read_json(directory, kind.name)
    if content.get("kind") != kind.name:
        raise UserError(f"{path}: kind is {content.get('kind')!r}, expected {kind.name!r}")
    if content.get("format") != FORMAT:
        raise UserError(f"{path}: format is {content.get('format')}, this version reads {FORMAT}")
    return make_config(kind, content.get("model"), path), content


def _read_json(directory: str | Path, expected: str) -> tuple[Path, dict[str, Any]]:
    path = Path(directory) / "config.json"
    if not path.exists() and not Path(directory).is_file():
        raise UserError(
            f"{directory}: no config.json here; give the directory of a trained or converted"
            f" {expected}"
        )
    content = read_json(path, "cannot be read")
    content = content if isinstance(content, dict) else {}
    for name in _MAPPINGS:
        if not isinstance(content.get(name, {}), dict):
            raise UserError(f"{path}: {name} is no mapping; copy it again")
    return path, content


def make_config(kind: Kind, fields: Any, source: str | Path) -> Any:
    """The configuration that a mapping read from `source` describes; UserError if it is none."""
    known = {field.name for field in dataclasses.fields(kind.config)}
    if not isinstance(fields, dict):
        raise UserError(f"{source}: the {kind.name}'s configuration is not a mapping")
    fields = {kind.renamed.get(name, name): value for name, value in fields.items()}
    if unknown := sorted(set(fields) - known):
        raise UserError(f"{source}: unknown keys for a {kind.name}: {', '.join(unknown)}")
    # JSON has no tuples.
    fields = {k: tuple(value) if isinstance(value, list) else value for k, value in fields.items()}
    _check_types(kind, fields, source)
    with reading(source, f"describes no {kind.name}"):
        return kind.config(**fields)


def _check_types(kind: Kind, fields: dict[str, Any], source: str | Path) -> None:
    """Raises UserError for a value of another type than a field's, where that is a plain one."""
    hints = get_type_hints(kind.config)
    for name, value in fields.items():
        wanted = hints[name]
        given = float if wanted is float and type(value) is int else type(value)
        if wanted in (bool, int, float, str) and given is not wanted:
            raise UserError(f"{source}: {name} is {value!r}, not of type {wanted.__name__}")


def save_model(
    directory: str | Path, kind: Kind, config: Any, variables: Variables, **extra: Any
) -> None:
    """Writes a whole run directory beside `directory`, then renames it.

    `extra` goes into config.json and must be JSON. Raises UserError if `directory` exists and is
    not empty.
    """
    check_new(directory)
    with building(directory) as target:
        with Checkpoints(target / "model", alone=True) as checkpoints:
            checkpoints.save(0, variables)
        write_config(target, kind, config, **extra)


def load_variables(directory: str | Path, kind: Kind, config: Any) -> Variables:
    """The variables saved in a run directory."""
    if not (Path(directory) / "model").is_dir():
        raise UserError(f"{directory}: no model/ here; has training saved a checkpoint yet?")
    with Checkpoints(Path(directory) / "model", read_only=True, alone=True) as checkpoints:
        _check_layers(Path(directory), config, checkpoints.arrays())
        return checkpoints.restore(abstract_variables(kind, config))[0]


def _check_layers(directory: Path, config: Any, arrays: int | None) -> None:
    """Raises UserError for more layers than arrays: a damaged config.json would be believed for
    hours, so long does it take to build a million of them."""
    for name in sorted(LAYERS & vars(config).keys()):
        if arrays is not None and getattr(config, name) > arrays:
            raise UserError(
                f"{directory / 'config.json'}: {name} is {getattr(config, name)}, and model/ holds"
                f" only {arrays} arrays; copy the run again"
            )


def load_model(directory: str | Path, kind: Kind, **overrides: Any) -> tuple[Any, dict[str, Any]]:
    """Model and content of config.json of a run directory.

    `overrides` replace fields of the model's configuration (behaviour, not sizes).
    """
    config, content = read_config(directory, kind)
    config = dataclasses.replace(config, **overrides)
    return build(kind, config, load_variables(directory, kind, config)), content


def mean_face(content: dict[str, Any], source: str | Path) -> np.ndarray:
    """The mean face (58,) in a model's config.json; UserError if it names none."""
    values = content.get("mean_face")
    if values is None:
        raise UserError(
            f"{source}: this model was converted without a mean face; convert it again with"
            " --mean-face mean_face.npy"
        )
    with reading(source, "its mean_face is not 58 numbers"):
        return np.asarray(values, np.float32).reshape(COEFFS)
