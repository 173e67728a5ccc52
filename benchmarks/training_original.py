"""The original's half of `benchmarks/training.py`: a worker that makes training steps when told to.

    python benchmarks/training_original.py CHECKOUT CHECKPOINT STAGE ROWS TIMES DEVICE

Builds the models of a checkout of the original repository, with random weights, and saves them as
the checkpoint that its training would leave, unless there is one to load. Then it answers each line
on stdin by TIMES steps of each kind on DEVICE. A step is the original's own: `_common_step` of its
Lightning module, its loss, its optimizer, called in Lightning's order. What its files import
besides and a step does not need is replaced by empty modules; sound comes from memory.
"""

import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from functools import partial
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import torch
from side_by_side import Stages, released_sizes, serve
from training_workload import DROPOUT, STEPS, batch

REPLACED = (
    "lightning",
    "lightning.pytorch",
    "lightning.pytorch.callbacks",
    "lightning.pytorch.loggers",
    "librosa",
    "dataset.dataloader",
    "model.wav2vec_tokenizer",
    "render",
)

Batch = dict[str, torch.Tensor]
Loss = Callable[[bool], torch.Tensor]
"""The loss of a batch, given whether the beginning of the past is hidden."""


class StandIn(ModuleType):
    """A module that has an empty class for every name."""

    def __getattr__(self, name: str) -> type:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {})


class Original(torch.nn.Module):
    """The three models, named as in the original's Lightning module."""

    def __init__(self, checkout: Path, stage: str):
        super().__init__()
        # Looks for what is installed, so it must not meet the empty modules.
        from transformers import Wav2Vec2Config, Wav2Vec2FeatureExtractor, Wav2Vec2Model

        sys.path.insert(0, str(checkout))
        sys.modules |= {name: StandIn(name) for name in REPLACED}
        import p1_face_tokenizer as p1  # pyright: ignore[reportMissingImports]
        import p2_react_predictor as p2  # pyright: ignore[reportMissingImports]

        self.p1, self.p2 = p1, p2
        tokenizer, predictor = released_sizes()
        dropout = DROPOUT if stage == "tokenizer" else 0.0
        self.tokenizer_config = p1.FaceTokenizerConfig(**tokenizer, dropout=dropout)
        self.predictor_config = p2.ReactPredictorConfig(**predictor | {"dropout": DROPOUT})
        self.model = p2.ReactPredictor(self.predictor_config)
        self.face_tokenizer: Any = torch.nn.Module()
        self.face_tokenizer.model = p1.FaceTokenizerTransformer(self.tokenizer_config)
        extractor = p2.Wav2Vec2ForFeatureExtraction
        self.sound_feature_extractor: Any = extractor.__new__(extractor)  # its __init__ downloads
        torch.nn.Module.__init__(self.sound_feature_extractor)
        self.sound_feature_extractor.processor = Wav2Vec2FeatureExtractor(do_normalize=True)
        self.sound_feature_extractor.model = Wav2Vec2Model(Wav2Vec2Config())
        self.sound_feature_extractor.read_audio = sound_itself

    @torch.no_grad()
    def load_or_save(self, path: Path) -> None:
        """Takes the weights of the checkpoint, or makes random ones and writes it.

        Random ones are moved off their initial values, so that no part of a model is idle.
        """
        if path.exists():
            self.load_state_dict(torch.load(path, weights_only=True)["state_dict"])
            return
        for parameter in self.parameters():
            parameter.add_(0.02 * torch.randn_like(parameter))
        torch.save({"state_dict": self.state_dict(), "epoch": 0, "global_step": 0}, path)


def sound_itself(path: torch.Tensor, *_: Any, device: torch.device, **__: Any) -> torch.Tensor:
    """In place of the extractor's `read_audio`: the sound stands where the path would."""
    return path.to(device)


def tokenizer_stage(original: Original, made: Batch) -> tuple[Any, Any, Loss]:
    """The model to train, its configuration, and its loss as `training_step` adds it up."""
    config, model = original.tokenizer_config, original.face_tokenizer.model
    del original.model, original.sound_feature_extractor
    device = next(model.parameters()).device
    module = SimpleNamespace(
        config=config, block_size=config.block_size, model=model, loss_fn=original.p1.calc_vq_loss
    )

    def loss(_: bool) -> torch.Tensor:
        # (video, sound, emotion, coefficients) of the speaker and of the listener, and a picture
        parts = (made["listener_emotion"].to(device), made["listener_coeffs"].to(device))
        given = (*[None] * 6, *parts, None)
        face, emotion, quantizer = original.p1.VQPretrainer._common_step(module, given, 0)[:3]
        return (face + quantizer.to(device) * config.quantize_weight + emotion).sum()

    return model, config, loss


def predictor_stage(original: Original, made: Batch) -> tuple[Any, Any, Loss]:
    """The same of the predictor; its tokenizer and wav2vec2 are frozen."""
    config, kind = original.predictor_config, original.p2.VQPredictor
    device = next(original.model.parameters()).device
    names = ("model", "face_tokenizer", "sound_feature_extractor")
    for name in names[1:]:
        getattr(original, name).eval().requires_grad_(False)
    parts = {name: getattr(original, name) for name in names}
    module = SimpleNamespace(config=config, device=device, **parts)
    module.audio_to_feature = partial(kind.audio_to_feature, module)
    sound = (list(made["speaker_waveform"]), [0.0] * len(made["speaker_waveform"]))

    def loss(hidden: bool) -> torch.Tensor:
        config.past_mask_p = float(hidden)
        speaker, listener = (made[f"{role}_coeffs"].to(device) for role in ("speaker", "listener"))
        given = (None, sound, None, speaker, None, None, None, listener, None)
        return kind._common_step(module, given, 0)[0]

    return original.model, config, loss


def answer_with_steps(stage: str, model: Any, config: Any, loss: Loss, times: int) -> None:
    """Serves as the module's docstring says."""
    device = next(model.parameters()).device
    with redirect_stdout(sys.stderr):  # what it prints is no answer
        optimizer = model.configure_optimizers(
            weight_decay=config.weight_decay,
            learning_rate=config.learning_rate,
            betas=(config.beta1, config.beta2),
            device_type=device,
        )
    on_gpu = device.type == "cuda"

    def steps(hidden: bool) -> None:
        for _ in range(times):
            value = loss(hidden)
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
        if on_gpu:
            torch.cuda.synchronize()

    with torch.no_grad():
        first = loss_without_dropout(model, loss)

    def one_pass(stages: Stages, threads: int) -> dict[str, Any]:
        torch.set_num_threads(threads)
        for name in STEPS[stage]:
            stages.timed(name, partial(steps, name == "past hidden"), times)
        held = torch.cuda.max_memory_allocated() / 2**30 if on_gpu else None
        return {"loss": first, "device_gib": held}

    serve(one_pass, {"torch": torch.__version__})


def loss_without_dropout(model: torch.nn.Module, loss: Loss) -> float:
    model.eval()
    value = loss(False).item()
    model.train()
    return value


def main() -> None:
    checkout, checkpoint = map(Path, sys.argv[1:3])
    stage, rows, times, device = sys.argv[3], int(sys.argv[4]), int(sys.argv[5]), sys.argv[6]
    # What both of the original's training scripts set first.
    torch.set_float32_matmul_precision("medium")
    torch.backends.cuda.matmul.allow_tf32 = True
    torch.backends.cudnn.allow_tf32 = True
    torch.manual_seed(0)
    original = Original(checkout, stage)
    original.load_or_save(checkpoint)
    original.to(device)
    made = {name: torch.from_numpy(value) for name, value in batch(stage, rows).items()}
    build = tokenizer_stage if stage == "tokenizer" else predictor_stage
    answer_with_steps(stage, *build(original, made), times)


if __name__ == "__main__":
    main()
