"""The stages of BeLFusion that can be trained, for `python -m jaxreact.train`."""

from jaxreact.training.command import StageCommand

STAGES: dict[str, StageCommand] = {}
"""None yet: its models are converted from the original's."""
