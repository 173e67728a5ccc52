#!/usr/bin/env bash
# Trains the predictor on two machines of eight GPUs each, one process a machine.
#
#   sbatch launch/slurm.sh            # go on with the same command: it resumes
#
# Set the paths below. RUN must lie on a file system that all machines share.
#SBATCH --job-name=jaxreact
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --gpus-per-node=8
#SBATCH --cpus-per-task=16
#SBATCH --time=24:00:00
#SBATCH --signal=TERM@120
#SBATCH --requeue
#SBATCH --output=%x-%j.log
set -euo pipefail

PYTHON=${PYTHON:-.venv/bin/python}
DATA=${DATA:-data/react2024-cache}
TOKENIZER=${TOKENIZER:-runs/tokenizer}
RUN=${RUN:-runs/predictor}
PRESET=${PRESET:-react2024}
OPTIONS=${OPTIONS:---wav2vec2 runs/wav2vec2 --loop.batch-size 256 --loop.precision bfloat16 --loop.workers 8}

# Two minutes before the time is up SLURM sends SIGTERM: the state is saved and the job ends well.
# When it runs again, after that or after a failed machine, it goes on from there.
resume=()
if compgen -G "$RUN/state/[0-9]*" > /dev/null; then resume=(--resume); fi

# srun tells each process where the others are; no flags are needed.
# shellcheck disable=SC2086
srun --kill-on-bad-exit=1 "$PYTHON" train_predictor.py "$PRESET" \
    --data "$DATA" --tokenizer "$TOKENIZER" --out "$RUN" $OPTIONS "${resume[@]}"
