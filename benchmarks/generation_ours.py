"""Our half of `benchmarks/generation.py`: a worker that generates when told to.

    python benchmarks/generation_ours.py RUN SAMPLES

Loads a converted predictor's directory with the tokenizer and audio encoder inside, and answers
each line on stdin by the whole way from a speaker to SAMPLES listeners. The first pass compiles.
"""

import sys
from pathlib import Path
from typing import Any

import flax
import jax
import numpy as np
from generation_workload import FRAMES, TOP_K, speaker
from side_by_side import Stages, serve

from jaxreact.audio_features.batches import audio_features
from jaxreact.commands import keep_memory
from jaxreact.systems.fiber.system import load


def main() -> None:
    keep_memory()  # as every command does
    run, samples = Path(sys.argv[1]), int(sys.argv[2])
    system = load(run)
    tokenizer, predictor, encoder = system.tokenizer, system.predictor, system.audio_encoder
    coeffs, waveform = speaker()

    def one_pass(stages: Stages, _: int) -> dict[str, Any]:
        codes = stages.timed("tokenise", lambda: np.asarray(tokenizer.encode(coeffs)))
        features = stages.timed(
            "audio features", lambda: audio_features(encoder, waveform[0], FRAMES)
        )
        made = stages.timed(
            "generate",
            lambda: np.asarray(
                predictor.generate(features, codes, samples, top_k=TOP_K, key=jax.random.key(0))
            ),
        )
        stages.timed("decode", lambda: jax.block_until_ready(tokenizer.decode(made[0])))
        return {"codes": codes[0].tolist(), "features": features[0, ::50, 0].tolist()}

    serve(one_pass, {"jax": jax.__version__, "flax": flax.__version__})


if __name__ == "__main__":
    main()
