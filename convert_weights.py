"""Moves weights between the original's PyTorch files and this project's run directories.

    python convert_weights.py tokenizer face_tokenizer.ckpt runs/tokenizer --mean-face mean_face.npy
    python convert_weights.py predictor react_predictor.ckpt runs/predictor
    python convert_weights.py trans-vae best_checkpoint.pth runs/trans_vae --window 16
    python convert_weights.py wav2vec2 facebook/wav2vec2-base-960h runs/wav2vec2
    python convert_weights.py inception weights-inception-2015-12-05-6726825d.pth runs/inception
    python convert_weights.py emotion-autoencoder checkpoint.pth runs/alignment
    python convert_weights.py faceverse faceverse_simple_v2.npy runs/faceverse.npz
    python convert_weights.py pirender cur_model_fold.pth runs/pirender
    python convert_weights.py belfusion-vae results/vae runs/vae --mean-face mean_face.npy
    python convert_weights.py belfusion results/ldm runs/belfusion --vae runs/vae
    python convert_weights.py learning2listen-vqvae l2_32_smoothSS_er2er_best.pth runs/vqvae
    python convert_weights.py learning2listen delta_v6_er2er_best.pth runs/l2l --vqvae runs/vqvae
    python convert_weights.py to-torch runs/predictor react_predictor.ckpt

Files are not trusted: nothing in them is executed, and every tensor has to fit.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from tyro.conf import Positional, arg, subcommand

from jaxreact.audio_features.conversion import convert_wav2vec2
from jaxreact.commands import run_command
from jaxreact.metrics.alignment.conversion import convert_alignment
from jaxreact.metrics.realism.conversion import convert_inception
from jaxreact.rendering.pirender.conversion import convert_pirender
from jaxreact.systems.belfusion.conversion import convert_belfusion, convert_vae
from jaxreact.systems.fiber.conversion import convert_predictor, convert_tokenizer
from jaxreact.systems.learning2listen.config import AudioKind, CodeLayout, Padding
from jaxreact.systems.learning2listen.config import Mode as ListeningMode
from jaxreact.systems.learning2listen.conversion import Sources, convert_coder, convert_listener
from jaxreact.systems.to_torch import write_torch
from jaxreact.systems.trans_vae.config import Mode
from jaxreact.systems.trans_vae.conversion import convert_trans_vae

Source = Annotated[Positional[Path], arg(metavar="SRC")]
Out = Annotated[Positional[Path], arg(metavar="OUT")]


@dataclass(frozen=True)
class Tokenizer:
    """The original's face tokenizer -> a run directory."""

    src: Source
    """Lightning checkpoint."""
    out: Out
    """Directory to create."""
    config: Path | None = None
    """JSON of the model's sizes in the original's names; default: the released ones."""
    mean_face: Path | None = None
    """The data set's mean_face.npy (58 numbers), needed to turn raw coefficients into codes."""

    def run(self) -> None:
        convert_tokenizer(self.src, self.out, self.config, self.mean_face)


@dataclass(frozen=True)
class Predictor:
    """The original's predictor -> a run directory; the tokenizer and the audio encoder in its file
    -> OUT/tokenizer, OUT/audio_encoder."""

    src: Source
    """Lightning checkpoint."""
    out: Out
    """Directory to create."""
    config: Path | None = None
    """JSON of the model's sizes in the original's names; default: the released ones."""
    tokenizer_config: Path | None = None
    """The same for the tokenizer in the file; it also says how many codes there are."""
    mean_face: Path | None = None
    """The data set's mean_face.npy (58 numbers), for OUT/tokenizer."""

    def run(self) -> None:
        convert_predictor(self.src, self.out, self.config, self.tokenizer_config, self.mean_face)


@dataclass(frozen=True)
class TransVAE:
    """Trans-VAE, the baseline of REACT2023 and REACT2024 -> a run directory."""

    src: Source
    """best_checkpoint.pth of the baseline's train.py, offline or online."""
    out: Out
    """Directory to create."""
    window: int | None = None
    """Frames of an online step, which the file does not say: the baseline trains with 16 and is
    evaluated with 8, the default."""
    mean_face: Path | None = None
    """The data set's mean_face.npy (58 numbers), needed to give raw coefficients."""
    mode: Mode = "corrected"
    """original: frames after the last whole window of an online reaction are zero."""

    def run(self) -> None:
        convert_trans_vae(self.src, self.out, self.window, self.mean_face, self.mode)


@dataclass(frozen=True)
class Wav2vec2:
    """wav2vec2's convolutional encoder -> a run directory."""

    src: Annotated[Positional[str], arg(metavar="SRC")]
    """Hugging Face id, directory (config.json and weights) or weights file."""
    out: Out
    """Directory to create."""

    def run(self) -> None:
        convert_wav2vec2(self.src, self.out)


@dataclass(frozen=True)
class Inception:
    """FID's Inception -> a run directory, for `python -m jaxreact.metrics realism`."""

    src: Source
    """weights-inception-2015-12-05-6726825d.pth of torch-fidelity, or pytorch-fid's pt_inception
    file of the same date."""
    out: Out
    """Directory to create."""

    def run(self) -> None:
        convert_inception(self.src, self.out)


@dataclass(frozen=True)
class EmotionAutoencoder:
    """REACT 2026's alignment network -> a run directory, for `python -m jaxreact.metrics score`."""

    src: Source
    """pretrained_models/post_processor/checkpoint.pth of the challenge."""
    out: Out
    """Directory to create."""

    def run(self) -> None:
        convert_alignment(self.src, self.out)


@dataclass(frozen=True)
class FaceVerse:
    """FaceVerse v2's face model -> a safe npz, a head that pictures are drawn with."""

    src: Source
    """faceverse_simple_v2.npy of FaceVerse."""
    out: Out
    """File to write, .npz."""

    def run(self) -> None:
        from jaxreact.rendering.heads.conversion import (
            convert_faceverse,  # the others need no renderer
        )

        convert_faceverse(self.src, self.out)


@dataclass(frozen=True)
class PIRender:
    """PIRender's face generator -> a run directory, for photo-real pictures. The weights are
    licensed CC BY-NC 4.0 and stay so: not for commercial use."""

    src: Source
    """The challenge baseline's cur_model_fold.pth (58 coefficients), or a checkpoint of PIRender
    (73), of which net_G_ema is taken."""
    out: Out
    """Directory to create."""

    def run(self) -> None:
        convert_pirender(self.src, self.out)


@dataclass(frozen=True)
class BelfusionVAE:
    """BeLFusion's VAE of emotion windows -> a run directory."""

    src: Source
    """Folder of the original's training: config.yaml and checkpoint_N.pth."""
    out: Out
    """Directory to create."""
    mean_face: Path | None = None
    """The data set's mean_face.npy (58 numbers); without it reactions are emotion alone."""

    def run(self) -> None:
        convert_vae(self.src, self.out, self.mean_face)


@dataclass(frozen=True)
class Belfusion:
    """BeLFusion's denoiser -> a run directory; its VAE -> OUT/vae."""

    src: Source
    """Folder of the original's training: config.yaml and checkpoint_N.pth."""
    out: Out
    """Directory to create."""
    vae: Path
    """The same of the VAE that it was trained with, or what `belfusion-vae` made of it."""
    mean_face: Path | None = None
    """The data set's mean_face.npy (58 numbers), for OUT/vae."""

    def run(self) -> None:
        convert_belfusion(self.src, self.out, self.vae, self.mean_face)


@dataclass(frozen=True)
class Learning2ListenVQVAE:
    """Learning2Listen's VQ-VAE of motion -> a run directory. Its JSON and its statistics are looked
    for beside it by the original's names."""

    src: Source
    """.._best.pth of the original's train_vq_transformer.py."""
    out: Out
    """Directory to create."""
    config: Path | None = None
    """JSON of that training; the released sizes where there is none beside SRC either."""
    statistics: Path | None = None
    """.._preprocess_core.npz of that training."""
    conv_padding: Padding = "replicate"
    """What convolutions see beyond the ends. The file does not say: torch 1.4 and older took
    replicate for zeros."""
    code_layout: CodeLayout = "groups"
    """What a code stands for: groups of channels, as in the original, or stretches of time."""

    def run(self) -> None:
        sources = Sources(self.src, self.config, self.statistics)
        convert_coder(sources, self.out, self.conv_padding, self.code_layout)


@dataclass(frozen=True)
class Learning2Listen:
    """Learning2Listen's predictor -> a run directory; its VQ-VAE -> OUT/vqvae. JSON and statistics
    are looked for beside each checkpoint by the original's names."""

    src: Source
    """.._best.pth of the original's train_vq_decoder.py."""
    out: Out
    """Directory to create."""
    vqvae: Path
    """The VQ-VAE that it was trained with: .._best.pth, or what `learning2listen-vqvae` made of
    it."""
    config: Path | None = None
    """JSON of the predictor's training; the released sizes where there is none beside either."""
    statistics: Path | None = None
    """.._preprocess_core.npz of the predictor's training."""
    vqvae_config: Path | None = None
    """The same of a VQ-VAE's checkpoint."""
    vqvae_statistics: Path | None = None
    """The same of a VQ-VAE's checkpoint."""
    conv_padding: Padding = "replicate"
    """As for the VQ-VAE; of its checkpoint too."""
    code_layout: CodeLayout = "groups"
    """As for the VQ-VAE, of its checkpoint."""
    audio: AudioKind = "raw"
    """Where its 128 audio channels come from: raw, given to it, or the power in mel bands."""
    mode: ListeningMode = "original"
    """corrected: hears sound in time, keeps the codes it has drawn, and answers from the first
    frame on."""

    def run(self) -> None:
        convert_listener(
            Sources(self.src, self.config, self.statistics),
            self.out,
            Sources(self.vqvae, self.vqvae_config, self.vqvae_statistics),
            self.conv_padding,
            self.code_layout,
            self.audio,
            self.mode,
        )


@dataclass(frozen=True)
class ToTorch:
    """A run directory of any system, or of the alignment network -> a checkpoint that its original
    loads."""

    run_directory: Annotated[Positional[Path], arg(metavar="RUN")]
    """Directory of a trained or converted model."""
    out: Out
    """Checkpoint to write."""

    def run(self) -> None:
        write_torch(self.run_directory, self.out)


Commands = (
    Annotated[Tokenizer, subcommand("tokenizer")]
    | Annotated[Predictor, subcommand("predictor")]
    | Annotated[TransVAE, subcommand("trans-vae")]
    | Annotated[Wav2vec2, subcommand("wav2vec2")]
    | Annotated[Inception, subcommand("inception")]
    | Annotated[EmotionAutoencoder, subcommand("emotion-autoencoder")]
    | Annotated[FaceVerse, subcommand("faceverse")]
    | Annotated[PIRender, subcommand("pirender")]
    | Annotated[BelfusionVAE, subcommand("belfusion-vae")]
    | Annotated[Belfusion, subcommand("belfusion")]
    | Annotated[Learning2ListenVQVAE, subcommand("learning2listen-vqvae")]
    | Annotated[Learning2Listen, subcommand("learning2listen")]
    | Annotated[ToTorch, subcommand("to-torch")]
)


def main() -> None:
    tyro.cli(Commands, description=__doc__).run()  # pyright: ignore[reportArgumentType, reportCallIssue]


if __name__ == "__main__":
    run_command(main)
