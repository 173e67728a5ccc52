"""FID's Inception, as torch-fidelity and pytorch-fid publish it -> a run directory."""

from pathlib import Path

import numpy as np

from jaxreact import runs
from jaxreact.errors import UserError
from jaxreact.files import building, check_new
from jaxreact.metrics.realism.inception import FEATURES, InceptionConfig
from jaxreact.metrics.realism.load import INCEPTION
from jaxreact.progress import progress
from jaxreact.torch_files.engine import (
    CONV_2D,
    Ignored,
    Rule,
    Table,
    fill,
    nest,
    own_parts,
    paths,
)
from jaxreact.torch_files.weights import read_weights

FID_CLASSES = 1008
"""Class scores of FID's Inception, by which its file is told from ImageNet's with 1000."""

TABLE = Table(
    rules=(
        Rule("{at...}.conv.weight", "{at...}.conv.kernel", CONV_2D),
        Rule("{at...}.bn.weight", "{at...}.bn.scale"),
        Rule("{at...}.bn.bias", "{at...}.bn.bias"),
        Rule("{at...}.bn.running_mean", "{at...}.bn.mean"),
        Rule("{at...}.bn.running_var", "{at...}.bn.var"),
    ),
    ignored=(
        Ignored("fc.{which}", "class scores: FID takes the features before them"),
        Ignored("{at...}.bn.num_batches_tracked", "a count of training steps"),
    ),
    model="FID's Inception",
)


def convert_inception(source: Path, out: Path) -> None:
    """FID's Inception weights, as torch-fidelity and pytorch-fid publish them -> a run directory.

    Raises UserError for anything that does not fit, ImageNet's Inception, whose keys are the same,
    included; `out` is then not created.
    """
    check_new(out)
    with building(out) as directory, progress(2) as step:
        step(f"reading {source.name}")
        tensors = read_weights(source, own=own_parts(TABLE))
        scores = tensors.get("fc.weight", np.empty(0)).shape
        if scores != (FID_CLASSES, FEATURES):
            held = f"its fc.weight is {scores}" if "fc.weight" in tensors else "it has no fc.weight"
            raise UserError(
                f"{source}: not the Inception of FID: {held}, not {(FID_CLASSES, FEATURES)}; give"
                " weights-inception-2015-12-05-6726825d.pth"
            )
        config = InceptionConfig()
        abstract = paths(runs.abstract_variables(INCEPTION, config))
        variables = nest(fill(abstract, tensors, TABLE, source))
        step("writing the network")
        runs.save_model(directory, INCEPTION, config, variables, origin={"file": source.name})
