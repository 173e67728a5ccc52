"""What tells models apart, wherever they lie."""

import dataclasses
import hashlib
from typing import Any

import jax
import numpy as np


def fingerprint(config: Any, variables: Any) -> str:
    """16 hex digits of a model's configuration and variables (a tree of arrays).

    Of the configuration only what differs from its defaults counts, so that an option which is
    added later changes nothing for the models of before.
    """
    changed = [
        (field.name, getattr(config, field.name))
        for field in dataclasses.fields(config)
        if getattr(config, field.name) != field.default
    ]
    digest = hashlib.sha256(repr(changed).encode())
    for path, leaf in sorted(
        (jax.tree_util.keystr(path), leaf)
        for path, leaf in jax.tree_util.tree_leaves_with_path(variables)
    ):
        digest.update(f"{path} {leaf.dtype} {leaf.shape}".encode())
        digest.update(np.asarray(leaf).tobytes())
    return digest.hexdigest()[:16]
