"""PIRender's face generator, the challenge baseline's or upstream's -> a run directory."""

from pathlib import Path

from jaxreact import runs
from jaxreact.errors import UserError
from jaxreact.files import building, check_new
from jaxreact.progress import progress
from jaxreact.rendering.pirender.config import UPSTREAM, FaceGeneratorConfig
from jaxreact.rendering.pirender.load import FACE_GENERATOR
from jaxreact.torch_files.engine import (
    CHANNELS,
    CONV,
    CONV_2D,
    CONV_TRANSPOSED_2D,
    LINEAR,
    Rule,
    Table,
    fill,
    nest,
    own_parts,
    paths,
)
from jaxreact.torch_files.weights import read_weights

GENERATORS = ("state_dict", "net_G_ema", "net_G")
"""Where a PIRender checkpoint may hold the generator, best first. Upstream's hold it twice: its
average over training is what PIRender renders by. What else they hold (opt_G, sch_G, counters) is
the state of a training with which nothing here goes on."""

WARPING = "warpping_net.hourglass.encoder.input_layer.weight"
"""A key that only PIRender's generator has."""

PIRENDER_LICENCE = "CC BY-NC 4.0"
"""Of PIRender's weights, and so of what is converted from them."""

TABLE = Table(
    rules=(
        Rule("mapping_net.pre.weight", "mapping_net.pre.kernel", CONV),
        Rule("mapping_net.first.0.weight", "mapping_net.first.kernel", CONV),
        Rule("mapping_net.first.0.bias", "mapping_net.first.bias"),
        Rule("mapping_net.encoder{i}.1.weight", "mapping_net.encoder{i}.kernel", CONV),
        Rule("mapping_net.encoder{i}.1.bias", "mapping_net.encoder{i}.bias"),
        Rule("{at...}.mlp_shared.0.weight", "{at...}.mlp_shared.kernel", LINEAR),
        Rule("{at...}.mlp_shared.0.bias", "{at...}.mlp_shared.bias"),
        Rule("{at...}.mlp_gamma.weight", "{at...}.mlp_gamma.kernel", LINEAR),
        Rule("{at...}.mlp_beta.weight", "{at...}.mlp_beta.kernel", LINEAR),
        Rule(
            "{at...}.decoder{i}.conv_1.weight",
            "{at...}.decoder{i}.conv_1.kernel",
            CONV_TRANSPOSED_2D,
        ),
        Rule("{at...}.conv_s.weight", "{at...}.conv_s.kernel", CONV_TRANSPOSED_2D),
        Rule("{at...}.flow_out.0.weight", "{at...}.flow_out.norm.scale", CHANNELS),
        Rule("{at...}.flow_out.0.bias", "{at...}.flow_out.norm.bias", CHANNELS),
        Rule("{at...}.flow_out.2.weight", "{at...}.flow_out.conv.kernel", CONV_2D),
        Rule("{at...}.flow_out.2.bias", "{at...}.flow_out.conv.bias"),
        Rule("{at...}.final.model.0.weight", "{at...}.final.kernel", CONV_2D),
        Rule("{at...}.final.model.0.bias", "{at...}.final.bias"),
        Rule("{at...}.model.0.weight", "{at...}.conv.kernel", CONV_2D),
        Rule("{at...}.model.0.bias", "{at...}.conv.bias"),
        Rule("{at...}.model.1.weight", "{at...}.norm.scale", CHANNELS),
        Rule("{at...}.model.1.bias", "{at...}.norm.bias", CHANNELS),
        Rule("{at...}.weight", "{at...}.kernel", CONV_2D),
        Rule("{at...}.bias", "{at...}.bias"),
    ),
    model="PIRender's face generator",
)
"""Neither network has running statistics: every norm is of the picture at hand."""


def convert_pirender(source: Path, out: Path) -> None:
    """PIRender's face generator, the challenge baseline's or upstream's -> a run directory.

    The weights' licence forbids commercial use, before and after; `out`/config.json says so. Raises
    UserError for anything that does not fit; `out` is then not created.
    """
    check_new(out)
    with building(out) as directory, progress(2) as step:
        step(f"reading {source.name}")
        tensors = read_weights(source, GENERATORS, own_parts(TABLE))
        if WARPING not in tensors:
            raise UserError(
                f"{source}: not PIRender's face generator, there is no {WARPING} in it; give the"
                " challenge baseline's cur_model_fold.pth or a checkpoint of PIRender"
            )
        baseline = any(name.startswith("mapping_net.pre.") for name in tensors)
        config = FaceGeneratorConfig() if baseline else UPSTREAM
        abstract = paths(runs.abstract_variables(FACE_GENERATOR, config))
        variables = nest(fill(abstract, tensors, TABLE, source))
        step("writing the network")
        origin = {"file": source.name, "licence": PIRENDER_LICENCE}
        runs.save_model(directory, FACE_GENERATOR, config, variables, origin=origin)
    print(f"{out}: {PIRENDER_LICENCE}, as the weights it was made from: not for commercial use")
