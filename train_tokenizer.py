"""Stage 1: trains the face tokenizer. `python train_tokenizer.py [PRESET] --data ROOT --out RUN`"""

from functools import partial

from jaxreact.commands import run_command
from jaxreact.train import train

if __name__ == "__main__":
    run_command(partial(train, "fiber/tokenizer"))
