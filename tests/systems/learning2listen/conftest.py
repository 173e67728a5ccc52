"""Run directories of Learning2Listen, small enough for tests."""

from pathlib import Path

import numpy as np
import pytest
from flax import nnx

from jaxreact import runs
from jaxreact.nn.fingerprint import fingerprint
from jaxreact.systems.learning2listen.coder import MotionCoder
from jaxreact.systems.learning2listen.conversion import Sources, convert_coder, convert_listener
from jaxreact.systems.learning2listen.kinds import CODER, LISTENER
from jaxreact.systems.learning2listen.predictor import ListenerPredictor
from jaxreact.variables import variables_of
from tests.systems.learning2listen.models import CHECKPOINTS, coder, listener

MEAN = np.linspace(0.1, 0.9, 83).astype(np.float32)
"""Of faces and emotion in `react_run`; the speaker's mean is its first part."""
DEVIATION = 0.25


def measured(model: MotionCoder | ListenerPredictor) -> MotionCoder | ListenerPredictor:
    """A copy that measures faces by `MEAN` and `DEVIATION`."""
    model = nnx.clone(model)
    known = model.statistics if isinstance(model, MotionCoder) else model.statistics.motion
    known.mean[...] = MEAN[: known.mean.shape[0]]
    known.std[...] = np.full(known.std.shape, DEVIATION, np.float32)
    return model


@pytest.fixture(scope="session")
def react_run(tmp_path_factory) -> Path:
    """A system of our own faces, as training leaves it: 83 channels, codes of time, mel bands; not
    to be written to."""
    run = tmp_path_factory.mktemp("learning2listen") / "predictor"
    faces = measured(coder(in_dim=83, code_layout="time"))
    answers = measured(listener(motion_dim=58, mode="corrected", audio="mel"))
    variables = variables_of(faces)
    parts = {"vqvae": fingerprint(faces.config, variables)}
    runs.save_model(run, LISTENER, answers.config, variables_of(answers), parts=parts)
    runs.save_model(run / "vqvae", CODER, faces.config, variables)
    return run


@pytest.fixture(scope="session")
def deca_run(tmp_path_factory) -> Path:
    """The original's checkpoints, converted; not to be written to."""
    folder = tmp_path_factory.mktemp("deca")
    vqvae = Sources(CHECKPOINTS / "small_er2er_best.pth")
    convert_coder(vqvae, folder / "vqvae")
    given = Sources(CHECKPOINTS / "small_delta_v6_er2er_best.pth")
    convert_listener(given, folder / "run", Sources(folder / "vqvae"))
    return folder / "run"
