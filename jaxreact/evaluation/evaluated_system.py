"""The system that an evaluation is of, and what its scores say of it."""

from jaxreact.errors import UserError
from jaxreact.evaluation.config import Evaluation
from jaxreact.evaluation.generate import FIELDS
from jaxreact.systems.sampling import options_of
from jaxreact.systems.system import OnlineSystem, System, load


def evaluated_system(config: Evaluation) -> System | None:
    """The system to evaluate, if it is one; its options fit it."""
    run = config.model
    if run is None:
        return None
    system = load(run) if config.tokenizer is None else load(run, tokenizer=config.tokenizer)
    options_of(config.sampling, system.options, f"{run}: {system.name}")
    if config.binarize and "binarize" not in system.options:
        raise UserError(f"{run}: {system.name} has no --binarize; leave it out")
    if lacking := system.needs - FIELDS.keys():
        raise UserError(
            f"{run}: {system.name} needs the speaker's {', '.join(sorted(lacking))}, which this"
            " data does not have; it cannot be scored here"
        )
    return config.online.prepared(system, f"{run}: {system.name}").in_precision(config.precision)


def made_by(config: Evaluation, system: System | None) -> dict[str, str | int | bool] | None:
    """What the scores have to say of the system that they are of."""
    if system is None:
        return None
    binarized = {"binarize": config.binarize} if "binarize" in system.options else {}
    causal = {}
    if config.online.causal and isinstance(system, OnlineSystem):
        causal = {"causal": True, "step": system.step}
    made = {"system": system.name, **system.settings, **binarized, **causal}
    return {**made, "precision": config.precision}
