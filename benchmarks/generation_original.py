"""The original's half of `benchmarks/generation.py`: a worker that generates when told to.

    python benchmarks/generation_original.py ORIGINAL CHECKPOINT [DEVICE]

Builds the released-size models of a checkout of the original repository with random weights, saves
them as the checkpoint that its training would leave, and then answers each line on stdin by one
pass: tokenise, audio features, generate, decode. Only the original's `model/` is imported, and
einops, which it needs; its loop over windows, which stands inside a Lightning module together with
rendering, is written anew here, sampling without the original's loop over positions. DEVICE is
torch's name of one, `cpu` by default; on a GPU products are of TF32, as the original's scripts ask.
"""

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from generation_workload import FRAMES, TOP_K, speaker
from side_by_side import Result, Stages, released_sizes, serve

PAD, SPECIAL_TOKENS, AUDIO_RATE = 0, 2, 2


class Original(torch.nn.Module):
    """The three models, named as in the original's Lightning module."""

    def __init__(self, checkout: Path):
        super().__init__()
        sys.path.insert(0, str(checkout))
        from model import face_tokenizer, react_predictor  # pyright: ignore[reportMissingImports]
        from transformers import Wav2Vec2Config, Wav2Vec2FeatureExtractor, Wav2Vec2Model

        tokenizer, predictor = released_sizes()
        self.block, self.patch = predictor["block_size"], predictor["patch_size"]
        self.normalize = Wav2Vec2FeatureExtractor(do_normalize=True)
        self.model = react_predictor.ReactPredictor(
            react_predictor.ReactPredictorConfig(**predictor)
        )
        self.face_tokenizer = torch.nn.Module()
        self.face_tokenizer.model = face_tokenizer.FaceTokenizerTransformer(
            face_tokenizer.FaceTokenizerConfig(**tokenizer)
        )
        self.sound_feature_extractor = torch.nn.Module()
        self.sound_feature_extractor.model = Wav2Vec2Model(Wav2Vec2Config())
        self.tokenizer: Any = self.face_tokenizer.model
        self.wav2vec2: Any = self.sound_feature_extractor.model
        self.eval()

    @torch.no_grad()
    def randomize(self) -> None:
        """Moves every weight off its initial value, so that no part of a model is idle."""
        for parameter in self.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))

    def save(self, path: Path) -> None:
        """Writes the checkpoint, without the second names of the same weights."""
        aliases = ("tokenizer.", "wav2vec2.")
        state = {k: v for k, v in self.state_dict().items() if not k.startswith(aliases)}
        torch.save({"state_dict": state, "epoch": 0, "global_step": 0}, path)

    def features(self, waveform: np.ndarray) -> torch.Tensor:
        """(1, 2 T - 1, 512); the twelve transformer layers are computed and dropped."""
        inputs = self.normalize(waveform[0], sampling_rate=16_000, return_tensors="pt")
        heard = inputs["input_values"].to(self.wav2vec2.device)
        return self.wav2vec2(heard)["extract_features"]

    def generate(self, audio: torch.Tensor, face: torch.Tensor) -> torch.Tensor:
        """One sample's codes (1, T)."""
        frames = face.shape[1]
        audio = torch.nn.functional.pad(audio, (0, 0, AUDIO_RATE * frames - audio.shape[1], 0))
        past = torch.zeros_like(face)
        for first in range(0, frames, self.patch):
            start, end = max(0, first + 1 - self.block), first + 1
            heard = left_pad(
                audio[:, AUDIO_RATE * start : AUDIO_RATE * end], AUDIO_RATE * self.block
            )
            seen, own = left_pad(face[:, start:end], self.block), past[:, -self.block :]
            logits, _ = self.model(heard, seen, own, *(part != PAD for part in (heard, seen, own)))
            past = torch.cat([past[:, self.patch :], sample(logits)], dim=1)
        return past - SPECIAL_TOKENS


def left_pad(sequence: torch.Tensor, length: int) -> torch.Tensor:
    """Zeros in front of the time axis, up to `length`."""
    missing = length - sequence.shape[1]
    return torch.nn.functional.pad(sequence, (*(0, 0) * (sequence.ndim - 2), missing, 0))


def sample(logits: torch.Tensor) -> torch.Tensor:
    """A token of each position among the most likely ones; logits (1, patch, vocabulary)."""
    least = torch.topk(logits, TOP_K).values[..., -1:]
    probabilities = torch.softmax(logits.masked_fill(logits < least, -torch.inf), dim=-1)
    return torch.multinomial(probabilities[0], 1)[:, 0][None]


def main() -> None:
    checkout, checkpoint = map(Path, sys.argv[1:3])
    device = torch.device(*sys.argv[3:4] or ["cpu"])
    torch.manual_seed(0)
    original = Original(checkout)
    original.randomize()
    original.save(checkpoint)
    original.to(device)
    coeffs, waveform = speaker()
    face = torch.from_numpy(coeffs).to(device)
    if device.type == "cuda":
        torch.set_float32_matmul_precision("medium")
        torch.backends.cudnn.allow_tf32 = True

    def finished(stage: Callable[[], Result]) -> Result:
        result = stage()
        if device.type == "cuda":
            torch.cuda.synchronize()
        return result

    @torch.inference_mode()
    def one_pass(stages: Stages, threads: int) -> dict[str, Any]:
        torch.set_num_threads(threads)

        def timed(name: str, stage: Callable[[], Result]) -> Result:
            return stages.timed(name, partial(finished, stage))

        codes = timed("tokenise", lambda: original.tokenizer.tokenize(face))
        features = timed("audio features", lambda: original.features(waveform))
        tokens = codes.long() + SPECIAL_TOKENS
        made = timed("generate", lambda: original.generate(features, tokens))
        coeffs, emotion = timed("decode", lambda: original.tokenizer.get_3dmm_emotion(made))
        assert coeffs.shape[1] == emotion.shape[1] == FRAMES
        return {"codes": codes[0].tolist(), "features": features[0, ::50, 0].tolist()}

    serve(one_pass, {"torch": torch.__version__})


if __name__ == "__main__":
    main()
