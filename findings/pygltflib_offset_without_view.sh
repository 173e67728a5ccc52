#!/usr/bin/env bash
# An accessor of glTF may have no view of a buffer: it is 0 but for what its sparse part says, which
# is how morph targets stay small. pygltflib gives such an accessor its default byteOffset, 0, which
# the specification forbids there ("MUST NOT be defined when bufferView is undefined"), so that a
# file that is built as its README builds them is refused by validators, though most programs read it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.11}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pygltflib==1.16.5
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import json
from importlib.metadata import version

import pygltflib as gltf


def written(**given) -> dict:
    """The accessor as a file has it: three places, of which the last is (1, 2, 3)."""
    sparse = gltf.Sparse(
        count=1,
        indices=gltf.AccessorSparseIndices(bufferView=0, componentType=gltf.UNSIGNED_SHORT),
        values=gltf.AccessorSparseValues(bufferView=1),
    )
    accessor = gltf.Accessor(
        componentType=gltf.FLOAT, count=3, type=gltf.VEC3, sparse=sparse, **given
    )
    return json.loads(gltf.GLTF2(accessors=[accessor]).to_json())["accessors"][0]


plain, mended = written(), written(byteOffset=None)
print(f"pygltflib {version('pygltflib')}")
print("expected: neither bufferView nor byteOffset")
print("seen:", {name: plain[name] for name in ("bufferView", "byteOffset") if name in plain})
print("with byteOffset=None:", sorted(mended))
assert "bufferView" not in plain and plain["byteOffset"] == 0, "this has changed"
assert "byteOffset" not in mended
PYTHON
