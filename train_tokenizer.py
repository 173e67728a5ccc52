"""Stage 1: trains the face tokenizer. `python train_tokenizer.py [PRESET] --data ROOT --out RUN`"""

from jaxreact.errors import run_command
from jaxreact.presets import TOKENIZER, parse
from jaxreact.training.tokenizer import train_tokenizer


def main() -> None:
    config = parse(TOKENIZER)
    best = train_tokenizer(config)
    print(f"{config.out}: tokenizer trained, best validation loss {best:.4f}")


if __name__ == "__main__":
    run_command(main)
