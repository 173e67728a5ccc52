"""Stage 2: trains the predictor.

python train_predictor.py [PRESET] --data ROOT --tokenizer RUN --out RUN [--wav2vec2 DIR]
"""

from jaxreact.errors import run_command
from jaxreact.presets import PREDICTOR, parse
from jaxreact.training.predictor import train_predictor


def main() -> None:
    config = parse(PREDICTOR)
    best = train_predictor(config)
    print(f"{config.out}: predictor trained, best validation loss {best:.4f}")


if __name__ == "__main__":
    run_command(main)
