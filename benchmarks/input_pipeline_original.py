"""The original's half of `benchmarks/input_pipeline.py`.

    cd VIEW; python input_pipeline_original.py CHECKOUT VIEW STAGE WORKERS SECONDS

Reads batches of a stage by the data loader of a checkout of the original repository, as its own
training scripts set it up, and prints a line of JSON. The predictor's sound is read by its feature
extractor's method, clip after clip in the process that trains, as its training step does. What the
loader's module imports besides and does not need for this is replaced by empty modules.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from input_pipeline_workload import BATCH, COMPARED_ITEMS, FRAMES, SOUND_FRAMES, sample


class Lambda:
    """Calls a function; the one transform that is used when no pictures are."""

    def __init__(self, function: Callable[[Any], Any]):
        self.function = function

    def __call__(self, value: Any) -> Any:
        return self.function(value)


def replace_modules() -> None:
    """Puts modules in the place of those that are for pictures, training and other features."""
    made = {name: ModuleType(name) for name in ("cv2", "torchaudio", "lightning", "torchvision")}
    transforms = ModuleType("torchvision.transforms")
    content: dict[str, dict[str, Any]] = {
        "torchaudio": {"set_audio_backend": lambda name: None},
        "lightning": {"LightningDataModule": object},
        "torchvision": {"transforms": transforms},
    }
    for name, values in content.items():
        vars(made[name]).update(values)
    vars(transforms)["Lambda"] = Lambda
    sys.modules |= made


class Original:
    """The original's loaders of one stage."""

    def __init__(self, checkout: Path, root: Path, stage: str, workers: int):
        sys.path.insert(0, str(checkout))
        from model import wav2vec2_feature_extractor as extractor  # pyright: ignore[reportMissingImports]

        replace_modules()
        from dataset import dataloader  # pyright: ignore[reportMissingImports]

        self._hears = stage == "predictor"
        self._read_audio = extractor.Wav2Vec2ForFeatureExtraction.read_audio
        conf = dataloader.Dataconfig(str(root), BATCH[stage], workers, clip_length=FRAMES[stage])
        options = {"load_3dmm": True, "load_emotion": True, "load_ref": False, "load_video": False}
        sound = {"load_audio": self._hears, "load_raw_audio": self._hears}
        module = dataloader.ReactDataModule(conf, **options, **sound, collect_metrics_in="val")
        module.setup("fit")
        self.training, self.validation = module.train_dataloader(), module.val_dataloader()

    def read(self, loader: Any) -> Iterator[dict[str, Any]]:
        """An epoch of batches, with the sound that the training step would read."""
        for _, sound, _, speaker, _, _, emotion, listener, _ in loader:
            batch = {"speaker_coeffs": speaker, "listener_coeffs": listener}
            if self._hears:
                clips = zip(*sound, strict=True)
                batch["speaker_waveform"] = torch.stack([self._waveform(*clip) for clip in clips])
            else:
                batch["listener_emotion"] = emotion
            yield batch

    def _waveform(self, path: str, start: torch.Tensor) -> torch.Tensor:
        return self._read_audio(None, path, float(start), num_frame=SOUND_FRAMES)


def main() -> None:
    checkout, root, stage, workers, seconds = sys.argv[1:]
    original = Original(Path(checkout), Path(root), stage, int(workers))
    compared = next(original.read(original.validation))
    items = [
        {name: np.asarray(value[number]) for name, value in compared.items()}
        for number in range(COMPARED_ITEMS)
    ]
    read, began = 0, time.perf_counter()
    while time.perf_counter() < began + float(seconds):
        for batch in original.read(original.training):
            read += len(batch["speaker_coeffs"])
    rate = read / (time.perf_counter() - began)
    versions = {name: sys.modules[name].__version__ for name in ("torch", "pandas", "librosa")}
    print(json.dumps({"clips_per_s": rate, "sample": sample(items), "versions": versions}))


if __name__ == "__main__":
    main()
