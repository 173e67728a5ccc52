#!/usr/bin/env bash
# XLA's programs on a processor get the memory of their intermediate results at every call and give it
# back after it. With glibc what is larger than 32 MiB is mapped anew each time, and so is what another
# thread than the first asks for beyond a heap of 64 MiB: the system clears every page of it at every
# step of a training. Raising glibc's thresholds alone changes nothing, since XLA asks from its own
# threads; only with a single arena beside them the memory is there again at the next call.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.11}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check jax==0.10.2
cat >"$folder/program.py" <<'PYTHON'
import resource

import jax
import jax.numpy as jnp

x = jnp.ones((3072, 4096))  # 48 MiB, and as much in between
program = jax.jit(lambda x: jnp.cumsum(x, 0)[::-1].sum())
for _ in range(12):
    program(x).block_until_ready()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(8):
    program(x).block_until_ready()
print((resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) // 8)
PYTHON
export JAX_PLATFORMS=cpu
python="$folder/venv/bin/python"
"$python" -c 'import jax, platform; print("jax", jax.__version__, *platform.libc_ver())'
thresholds="MALLOC_MMAP_THRESHOLD_=2147483647 MALLOC_TRIM_THRESHOLD_=2147483647"
anew=$("$python" "$folder/program.py")
raised=$(env $thresholds "$python" "$folder/program.py")
kept=$(env $thresholds MALLOC_ARENA_MAX=1 "$python" "$folder/program.py")
echo "expected: memory freed by one call is there for the next, at least with high thresholds"
echo "seen: pages given at each call: $anew; with high thresholds $raised; with one arena, too, $kept"
((anew > 10000 && raised > 10000 && kept < 100))
