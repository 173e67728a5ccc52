"""Our half of `benchmarks/input_pipeline.py`.

    python benchmarks/input_pipeline_ours.py DATA STAGE WORKERS SECONDS

Reads batches of a stage from a root or a cache, and prints a line of JSON.
"""

import importlib.metadata
import json
import sys
import time
from pathlib import Path
from typing import Any

import grain
import numpy as np
from input_pipeline_workload import BATCH, COMPARED_ITEMS, FRAMES, SOUND_FRAMES, sample

from jaxreact.data.conversations import Conversations, open_conversations
from jaxreact.data.modality import Modality
from jaxreact.data.pipeline import training_batches

_FACES = (Modality("speaker", "coeffs"), Modality("listener", "coeffs"))
MODALITIES = {
    "predictor": (*_FACES, Modality("speaker", "waveform", frames=SOUND_FRAMES)),
    "tokenizer": (*_FACES, Modality("listener", "emotion")),
}
"""What the original reads for a stage too."""


def batches(
    data: Conversations, stage: str, split: str = "train", **options: Any
) -> grain.DatasetIterator[dict[str, np.ndarray]]:
    """The batches that a stage is trained on."""
    return training_batches(
        data,
        data.dyads(split, MODALITIES[stage]),
        data.mean_face(),
        frames=FRAMES[stage],
        batch_size=BATCH[stage],
        seed=0,
        modalities=MODALITIES[stage],
        **options,
    )


def main() -> None:
    path, stage, workers, seconds = sys.argv[1:]
    began = time.perf_counter()
    data = open_conversations(Path(path))
    stream = batches(data, stage, workers=int(workers))
    next(stream)
    first = time.perf_counter()
    clips = len(data.dyads("train", MODALITIES[stage]))
    count = BATCH[stage]
    while count < clips:
        count += len(next(stream)["speaker_coeffs"])
    epoch = time.perf_counter()
    read = 0
    while time.perf_counter() < epoch + float(seconds):
        read += len(next(stream)["speaker_coeffs"])
    end = time.perf_counter()
    stream.close()
    options: dict[str, Any] = {"crop": "start", "shuffle": False, "epochs": 1}
    compared = next(batches(data, stage, "val", **options, drop_remainder=False))
    items = [
        {name: value[number] for name, value in compared.items()}
        for number in range(COMPARED_ITEMS)
    ]
    answer = {
        "first_s": first - began,
        "first_epoch": (count - BATCH[stage]) / (epoch - first),
        "clips_per_s": read / (end - epoch),
        "sample": sample(items),
        "versions": {name: importlib.metadata.version(name) for name in ("grain", "array_record")},
    }
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
