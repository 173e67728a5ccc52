"""What `benchmarks/systems.py` trains, and the rows of its table."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from jaxreact.systems.fiber.config import PredictorConfig
from jaxreact.systems.fiber.tokenizer import FaceTokenizerConfig
from jaxreact.systems.fiber.train_predictor import PredictorTraining
from jaxreact.systems.fiber.train_tokenizer import TokenizerTraining


@dataclass(frozen=True)
class Stage:
    """One training: `python -m jaxreact.train NAME PRESET --out FOLDER ...`."""

    name: str
    folder: str
    options: tuple[str, ...] = ()
    first: tuple[str, str] | None = None
    """Of a second stage: the option that takes the first one's run, and its folder."""

    def arguments(self, preset: str, data: Path, world: Path) -> list[str]:
        """The command's words after `jaxreact.train`."""
        words = [self.name, preset, "--data", str(data), "--out", str(world / self.folder)]
        if self.first is not None:
            option, folder = self.first
            words += [option, str(world / folder)]
        return [*words, *self.options]


def _fields(config: object, names: dict[str, str]) -> Iterator[str]:
    """Options that give fields the values that they have in `config`."""
    for name, option in names.items():
        value = getattr(config, name)
        if isinstance(value, bool):
            head, _, tail = option.rpartition(".")
            yield f"--{head}.{'' if value else 'no-'}{tail}"
        else:
            yield f"--{option}"
            yield str(value)


def _original_recipe(training: type, model: object, own: tuple[str, ...], of: tuple[str, ...]):
    """Options that take what a recipe departs in back to the original's, at the preset's sizes."""
    plain = {f.name: f.default for f in training.__dataclass_fields__.values()}
    words = [word for name in own for word in (f"--{name.replace('_', '-')}", str(plain[name]))]
    return (*words, *_fields(model, {name: f"model.{name.replace('_', '-')}" for name in of}))


TOKENIZER_AS_ORIGINAL = (
    *_original_recipe(
        TokenizerTraining,
        FaceTokenizerConfig(),
        ("emotion_weight", "rotation_weight"),
        ("input_init_std", "relative_pose"),
    ),
    *("--loop.optimizer.final-share", "1"),
)
PREDICTOR_AS_ORIGINAL = (
    *_original_recipe(
        PredictorTraining,
        PredictorConfig(),
        ("audio", "validation_windows"),
        ("gate_init", "init_std", "temperature", "block_causal"),
    ),
    *("--loop.optimizer.final-share", "1"),
)

STAGES = (
    Stage("fiber/tokenizer", "fiber_original/tokenizer", TOKENIZER_AS_ORIGINAL),
    Stage(
        "fiber/predictor",
        "fiber_original/predictor",
        PREDICTOR_AS_ORIGINAL,
        ("--tokenizer", "fiber_original/tokenizer"),
    ),
    Stage("fiber/tokenizer", "fiber/tokenizer"),
    Stage("fiber/predictor", "fiber/predictor", (), ("--tokenizer", "fiber/tokenizer")),
    Stage("trans-vae", "trans_vae"),
    Stage("belfusion/vae", "belfusion/vae"),
    Stage(
        "belfusion/denoiser",
        "belfusion/k1",
        ("--samples", "1"),
        ("--first", "belfusion/vae"),
    ),
    Stage(
        "belfusion/denoiser",
        "belfusion/k10",
        ("--samples", "10"),
        ("--first", "belfusion/vae"),
    ),
    Stage("learning2listen/vqvae", "learning2listen/vqvae"),
    Stage(
        "learning2listen/predictor",
        "learning2listen/predictor",
        (),
        ("--first", "learning2listen/vqvae"),
    ),
    Stage("framewise", "framewise"),
)
"""In their order: a first stage before its second."""


@dataclass(frozen=True)
class Row:
    """A row of the table: a system that is generated and scored."""

    label: str
    run: str
    """Folder of its run directory."""
    options: tuple[str, ...] = ()
    """Of evaluate.py."""
    stages: tuple[str, ...] = ()
    """Folders of all its stages, whose training it needed."""

    @property
    def folder(self) -> str:
        """Where its evaluation goes."""
        words = [self.run.replace("/", "_"), *(option.strip("-") for option in self.options)]
        return f"evaluations/{'_'.join(words)}"


def _belfusion(k: str, binarize: bool) -> Row:
    label = f"BeLFusion (k = {k[1:]}){', binarised AUs' if binarize else ''}"
    stages = ("belfusion/vae", f"belfusion/{k}")
    return Row(label, f"belfusion/{k}", ("--binarize",) if binarize else (), stages)


def _fiber(label: str, folder: str) -> Row:
    return Row(label, f"{folder}/predictor", (), (f"{folder}/tokenizer", f"{folder}/predictor"))


ROWS = (
    Row("Trans-VAE, online", "trans_vae", (), ("trans_vae",)),
    *(_belfusion(k, binarize) for k in ("k1", "k10") for binarize in (False, True)),
    Row(
        "Learning2Listen",
        "learning2listen/predictor",
        (),
        ("learning2listen/vqvae", "learning2listen/predictor"),
    ),
    _fiber("FIBER, the original's recipe", "fiber_original"),
    _fiber("FIBER, ours", "fiber"),
    Row("Frame-wise, ours", "framewise", (), ("framewise",)),
)

NAIVE = {
    "gt": "Ground truth",
    "mime": "Mime",
    "random": "Random",
    "mean-sequence": "Mean sequence",
    "mean-frame": "Mean frame",
}
"""Naive baselines' names in metrics.json, and in the table."""

PUBLISHED = {
    "Ground truth": (8.35, 0.0, 0.2117, 0.0635, 0.0, 48.42),
    "Mime": (0.37, 84.78, 0.2117, 0.0635, 0.2483, 43.50),
    "Random": (0.05, 228.33, 0.1666, 0.0833, 0.1666, 46.27),
    "Trans-VAE, online": (0.07, 90.31, 0.0064, 0.0012, 0.0009, 44.65),
    "BeLFusion (k = 10), binarised AUs": (0.12, 94.09, 0.0379, 0.0248, 0.0397, 49.0),
    "FIBER, the original's recipe": (0.26, 86.73, 0.1160, 0.0346, 0.1162, 46.96),
}
"""FRC, FRD, FRDvs, FRVar, FRDiv, FRSyn of REACT2024's validation split, as in FaceAIS_REACT24's
README (the columns of the copied rows are doubtful there: Mime's FRDiv would be 0)."""

SCORES = ("FRC", "FRD", "FRDvs", "FRVar", "FRDiv", "FRSyn")
