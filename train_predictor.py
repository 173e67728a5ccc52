"""Stage 2: trains the predictor.

python train_predictor.py [PRESET] --data ROOT --tokenizer RUN --out RUN [--wav2vec2 DIR]
"""

from functools import partial

from jaxreact.commands import run_command
from jaxreact.train import train

if __name__ == "__main__":
    run_command(partial(train, "fiber/predictor"))
