"""What `evaluate.py` is asked for."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import tyro

from jaxreact import metrics
from jaxreact.errors import UserError, check_seed
from jaxreact.evaluation.drawing.choice import Choice
from jaxreact.evaluation.drawing.options import CHOICE, FilmOptions
from jaxreact.files import check_file, check_folder
from jaxreact.nn.precision import Precision
from jaxreact.predictions import Layout, OriginalOrder
from jaxreact.predictions.original_files import check_torch
from jaxreact.systems.online import Online
from jaxreact.systems.sampling import Sampling
from jaxreact.systems.system import MOST_SAMPLES


@dataclass(frozen=True)
class Evaluation:
    """Generates reactions to a split, exports them, and scores them beside naive baselines.

    Writes `predictions.npz`, `metrics.json`, `clip_scores.csv` and `report.html` into `--out`,
    with --render also pictures, and prints the table. Give --run, or --baseline, or --predictions.
    A run that was interrupted is gone on with by the same command.
    """

    data: Path
    """Root of a data set, of REACT2024 or MARS, or a cache made by jaxreact.data.prepare."""
    out: Path
    """Directory for the results; files of an earlier evaluation there are replaced."""
    split: Literal["train", "val", "test"] = "val"
    run: Path | None = None
    """Run directory of a trained or converted system."""
    tokenizer: Path | None = None
    """With --predictor, of a run that was made before runs held their tokenizer: its directory."""
    predictor: Path | None = None
    """FIBER's run directory; the same as --run."""
    baseline: metrics.Baseline | None = None
    """Score this naive baseline instead of a model."""
    predictions: Path | None = None
    """Score somebody's predictions instead of a model: an npz, npy or PyTorch file of emotion in
    any of the orders of --layout, or a folder with CLIP/result-0.pth and so on."""
    layout: Layout | None = None
    """Order of the axes in --predictions, where their sizes do not tell it."""
    original_order: OriginalOrder | None = None
    """The original program mixes clips. Of its own file in --predictions "undo" puts each reaction
    with its clip, "keep" scores the rows as the original did; "mix" mixes any other's likewise."""
    samples: int = 10
    """Reactions to each clip."""
    frames: int | None = None
    """Frames of each clip, from its first (25 a second); shorter clips shorten all. By default 736,
    and all there are of --predictions; of MARS by default every clip whole, at its own rate."""
    mode: Literal["corrected", "original", "react2026"] = "corrected"
    """How to score; "original" is what the original program prints for the same predictions, and
    "react2026" are REACT 2026's rules, for the whole clips of MARS."""
    period: int = metrics.PERIOD
    """Seams are looked for after every so many frames: the blocks in which a system reacts."""
    seed: int = 0
    """Fixes the sampled reactions and the random baseline."""
    sampling: Annotated[Sampling, tyro.conf.arg(name="")] = field(default_factory=Sampling)
    online: Annotated[Online, tyro.conf.arg(name="")] = field(default_factory=Online)
    precision: Precision = "tensorfloat32"
    """What the system's products are computed in; the speaker's codes are decided in float32
    anyway. tensorfloat32 is float32 where a device has no such thing."""
    binarize: bool = False
    """Round the action units of a system that has this option (BeLFusion, as it was submitted)."""
    batch: int | None = None
    """Clips to generate at once, all devices together; changes speed and memory alone. By default
    1 for a CPU, 8 for each GPU or TPU."""
    render: Annotated[Choice | None, CHOICE] = None
    """Also draw the first sample of clips: speaker, recorded listener, mesh and face beside each
    other, with the speaker's sound. The first N clips (without N: 4), all of them, the four of a
    submission, or pictures for FRRea ("fid", of the clips that the original takes)."""
    drawing: Annotated[FilmOptions, tyro.conf.arg(name="")] = field(default_factory=FilmOptions)
    profile: Path | None = None
    """Trace the generation of a few batches into this folder (docs/speed.md says how to look at
    it)."""
    export_original: Path | None = None
    """Also write the original's files listener_pred_emotion.pt, listener_pred_3dmm.pt,
    listener_gt.pt, speaker_gt.pt and metrics.txt, below this directory. Needs torch."""
    alignment: Path | None = None
    """With --mode react2026, the challenge's network for targets that are not as long as their
    reactions, converted by convert_weights.py emotion-autoencoder."""
    export_results: Path | None = None
    """Of MARS: also write this file as REACT 2026's programs save their results.pt, ten targets to
    a clip. Those of other lengths than the reactions keep theirs, unless --alignment makes them
    anew as the challenge does. Needs torch."""

    @property
    def model(self) -> Path | None:
        """The run directory to evaluate, under whichever name it was given."""
        return self.predictor if self.run is None else self.run


def check(config: Evaluation) -> None:
    """Raises `UserError` for options that contradict each other, whatever the data."""
    check_folder(config.out)
    check_seed(config.seed)
    model = config.model
    sources = [model is not None, config.baseline is not None, config.predictions is not None]
    if sum(sources) != 1 or (config.tokenizer is not None and config.predictor is None):
        raise UserError(
            "give --run (or --predictor, with --tokenizer where its run does not hold it), or"
            " --baseline, or --predictions; nothing else"
        )
    if config.run is not None and config.predictor is not None:
        raise UserError("--run and --predictor name the same; give one of them")
    for name, least in (("samples", 1), ("frames", 2), ("batch", 1)):
        value = getattr(config, name)
        if value is not None and value < least:
            raise UserError(f"--{name} {value} is less than {least}")
    if config.samples > MOST_SAMPLES:
        raise UserError(f"--samples {config.samples} is more than {MOST_SAMPLES}")
    metrics.check_period(config.period)
    if config.render is not None and config.baseline is not None:
        raise UserError("--render needs coefficients; baselines are emotion alone")
    if config.online != Online() and model is None:
        raise UserError("--causal and --step are for a --run")
    if config.sampling != Sampling() and model is None:
        options = "--temperature, --top-k, --top-p and --vocabulary"
        raise UserError(f"{options} are for a --run")
    if config.binarize and model is None:
        raise UserError("--binarize is for a --run that has it")
    if config.predictions is None and (config.layout or config.original_order):
        raise UserError("--layout and --original-order are for --predictions")
    if config.export_results is not None:
        check_file(config.export_results, "--export-results")
    if config.export_original is not None:
        check_folder(config.export_original, "--export-original")
    for option in ("export_original", "export_results"):
        if getattr(config, option) is not None:
            check_torch(f"--{option.replace('_', '-')}")
