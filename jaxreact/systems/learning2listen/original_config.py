"""The original's JSON configurations, and the files that lie beside its checkpoints."""

import dataclasses
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jaxreact import runs
from jaxreact.errors import UserError
from jaxreact.systems.learning2listen.config import (
    CODES,
    DECA,
    MEL,
    POSITIONS,
    SPEAKER_FRAMES,
    STAGES,
    WINDOW,
    ListenerPredictorConfig,
    MotionCoderConfig,
)
from jaxreact.systems.learning2listen.kinds import CODER, LISTENER
from jaxreact.torch_files.json_file import read_mapping
from jaxreact.torch_files.names import shown

STATISTICS = "_preprocess_core.npz"
"""How names of the original's statistics end, where those of its checkpoints end in _best.pth."""

_BEST = re.compile(r"_best(_legacy)?$")


def config_of(checkpoint: Path, given: Path | None) -> Path | None:
    """The configuration that is given, or lies beside a checkpoint, with its name."""
    beside = _stem(checkpoint, keep_best=True, suffix=".json")
    return given if given is not None else beside if beside.is_file() else None


def statistics_of(checkpoint: Path, given: Path | None) -> Path:
    """The statistics that are given, or lie beside a checkpoint. Raises UserError where there are
    none."""
    beside = statistics_beside(checkpoint)
    if given is None and not beside.is_file():
        raise UserError(
            f"{beside}: no such file; give the training's ..{STATISTICS} by --statistics"
        )
    return beside if given is None else given


def statistics_beside(checkpoint: Path) -> Path:
    """Where the original looks for the statistics of a checkpoint."""
    return _stem(checkpoint, keep_best=False, suffix=STATISTICS)


def _stem(checkpoint: Path, keep_best: bool, suffix: str) -> Path:
    stem = checkpoint.stem
    return checkpoint.with_name((stem if keep_best else _BEST.sub("", stem)) + suffix)


def read_config(kind: runs.Kind, path: Path | None, **known: Any) -> Any:
    """The configuration that the original's JSON describes; `None` is the released one.

    `known` are fields that it does not name. Keys about training are passed over. Raises UserError
    where the file cannot be read, lacks a size, or describes what the original's code cannot be.
    """
    fields = _SIZES[kind.name](_Mapping(read_mapping(path), str(path))) if path else {}
    fields |= known
    source = "the released sizes" if path is None else path
    return runs.make_config(kind, fields, source)


@dataclasses.dataclass(frozen=True)
class _Mapping:
    """An object in a JSON file, which knows where it is."""

    values: dict[str, Any]
    path: str
    inside: tuple[str, ...] = ()

    def of(self, name: str) -> "_Mapping":
        """The object under a name."""
        found = self.values.get(name)
        if not isinstance(found, dict):
            raise UserError(f"{self.path}: lacks {self._full(name)}; give the training's own file")
        return _Mapping(found, self.path, (*self.inside, name))

    def size(self, name: str) -> int:
        """The whole number under a name."""
        found = self.values.get(name)
        if type(found) is not int or found < 1:
            raise UserError(
                f"{self.path}: {self._full(name)} is {shown(repr(found))}, not a whole number of 1"
                " or more"
            )
        return found

    def fixed(self, name: str, value: int, why: str) -> None:
        """Raises UserError where a number is not what it has to be."""
        if self.size(name) != value:
            raise UserError(
                f"{self.path}: {self._full(name)} is {self.size(name)}, {value} expected: {why}"
            )

    def _full(self, name: str) -> str:
        return ".".join((*self.inside, name))


_CONSTANT = "the original's code knows no other"


def _coder_sizes(given: _Mapping) -> dict[str, Any]:
    sizes, quantizer = given.of("transformer_config"), given.of("VQuantizer")
    sizes.fixed("sequence_length", WINDOW, _CONSTANT)
    sizes.fixed("quant_sequence_length", CODES, _CONSTANT)
    sizes.fixed("quant_factor", STAGES, _CONSTANT)
    quantizer.fixed("zquant_dim", sizes.size("hidden_size"), "codes are as wide as the network")
    names = ("in_dim", "hidden_size", "num_hidden_layers", "num_attention_heads")
    fields = {name: sizes.size(name) for name in (*names, "intermediate_size")}
    return {**fields, "n_embed": quantizer.size("n_embed")}


def _listener_sizes(given: _Mapping) -> dict[str, Any]:
    model = given.of("fact_model")
    fusion, past = model.of("cross_modal_model"), model.of("listener_past_transformer_config")
    speaker, whole = model.of("speaker_full_transformer_config"), fusion.of("transformer")
    width, codes = whole.size("hidden_size"), past.size("in_dim")
    fusion.of("output_layer").fixed("out_dim", codes, "as many as the listener's codes")
    for part in (past, speaker):
        part.fixed("hidden_size", width, "one width serves all parts")
    fusion.fixed("in_dim", width, "one width serves all parts")
    past.fixed("num_hidden_layers", 1, "the layer is never run")
    past.fixed("sequence_length", CODES, _CONSTANT)
    fusion.fixed("sequence_length", POSITIONS, _CONSTANT)
    fusion.fixed("max_mask_len", CODES, _CONSTANT)
    return {
        "n_embed": codes,
        "hidden_size": width,
        "num_hidden_layers": whole.size("num_hidden_layers"),
        "num_attention_heads": whole.size("num_attention_heads"),
        "intermediate_size": whole.size("intermediate_size"),
        "speaker_heads": speaker.size("num_attention_heads"),
        "speaker_intermediate_size": speaker.size("intermediate_size"),
        "past_heads": past.size("num_attention_heads"),
        "past_intermediate_size": past.size("intermediate_size"),
    }


_SIZES = {CODER.name: _coder_sizes, LISTENER.name: _listener_sizes}

_PIPELINE = "er2er"
"""What the original is told of its inputs: expression and rotation to the same."""
VQVAE_JSON = "vqgan/configs/l2_32_smoothSS.json"
"""Where the original has the VQ-VAE's JSON, seen from the predictor's scripts."""


def original_json(config: Any, content: Mapping[str, Any], checkpoint: Path) -> dict[str, Any]:
    """The JSON that the original builds the same model from.

    `content` is what config.json of the run says beside the model. What the original's files do not
    say, such as the layout of codes, is not in it.
    """
    training = content.get("training", {})
    is_coder = isinstance(config, MotionCoderConfig)
    common = {
        "pipeline": _PIPELINE,
        "tag": _tag(checkpoint),
        "segment_tag": "",
        "learning_rate": 2.0 if is_coder else 0.01,
        "warmup_steps": 100_000,
        "model_path": "models/",
        "num_epochs": training.get("epochs", 5_000_000 if is_coder else 500_000),
        "batch_size": training.get("batch_size", 32),
        "log_step": 100,
        "data": {"local": True, "basedir": "../" if is_coder else "./", "speaker": "conan"},
    }
    return common | (_coder_json(config) if is_coder else _listener_json(config))


def _tag(checkpoint: Path) -> str:
    """What the original's name of a checkpoint begins with: TAG er2er _best.pth."""
    stem = _BEST.sub("", checkpoint.stem)
    return stem.removesuffix(_PIPELINE) if stem.endswith(_PIPELINE) else f"{stem}_"


def _coder_json(config: MotionCoderConfig) -> dict[str, Any]:
    sizes = {
        "in_dim": config.in_dim,
        "hidden_size": config.hidden_size,
        "num_hidden_layers": config.num_hidden_layers,
        "num_attention_heads": config.num_attention_heads,
        "intermediate_size": config.intermediate_size,
        "quant_sequence_length": CODES,
        "sequence_length": WINDOW,
        "quant_factor": STAGES,
    }
    quantizer = {"n_embed": config.n_embed, "zquant_dim": config.hidden_size}
    return {"who": "listener", "transformer_config": sizes, "VQuantizer": quantizer}


def _listener_json(config: ListenerPredictorConfig) -> dict[str, Any]:
    width = config.hidden_size
    fusion = {
        "use_conv": False,
        "in_dim": width,
        "transformer": {
            "hidden_size": width,
            "num_hidden_layers": config.num_hidden_layers,
            "num_attention_heads": config.num_attention_heads,
            "intermediate_size": config.intermediate_size,
        },
        "output_layer": {"out_dim": config.n_embed},
        "sequence_length": POSITIONS,
        "max_mask_len": CODES,
    }
    past = {
        "use_conv": False,
        "hidden_size": width,
        "in_dim": config.n_embed,
        "num_hidden_layers": 1,
        "num_attention_heads": config.past_heads,
        "intermediate_size": config.past_intermediate_size,
        "sequence_length": CODES,
    }
    speaker = {
        "use_continuous": "v6",
        "use_conv": False,
        "hidden_size": width,
        "in_dim": width,
        "num_hidden_layers": 1,
        "num_attention_heads": config.speaker_heads,
        "intermediate_size": config.speaker_intermediate_size,
        "sequence_length": SPEAKER_FRAMES,
    }
    return {
        "l_vqconfig": VQVAE_JSON,
        "loss_config": {"loss_aug": "normal", "loss_type": "on_logit", "weight": 0.0},
        "patch": False,
        "fact_model": {
            "cross_modal_model": fusion,
            "listener_past_transformer_config": past,
            "speaker_full_transformer_config": speaker,
        },
    }


def unlike_the_original(config: Any) -> list[str]:
    """What the original's code would have to be changed in to run a model, in words."""
    if isinstance(config, MotionCoderConfig):
        known = {
            f"losses and files of {DECA} channels, here {config.in_dim}": config.in_dim == DECA,
            "codes of groups of channels, here of time": config.code_layout == "groups",
        }
    else:
        known = {
            f"motion of {DECA} channels, here {config.motion_dim}": config.motion_dim == DECA,
            f"audio of {MEL}, here {(config.audio_dim, config.audio_rate)}": (
                (config.audio_dim, config.audio_rate) == MEL
            ),
        }
    known["convolutions that see the end again, here nothing"] = config.conv_padding == "replicate"
    return [words for words, same in known.items() if not same]
