"""Evaluation gives each clip the traits of its recorded listener, to systems that take them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxreact.data.split import open_split
from jaxreact.errors import Remark
from jaxreact.evaluation import whole_clips
from jaxreact.evaluation.generate import Generation, needed, predict
from jaxreact.predictions.whole import read_whole
from jaxreact.systems.sampling import Sampling
from jaxreact.systems.system import Reactions, Speaker
from tests.data.mars_files import MarsFiles, small

pytestmark = pytest.mark.wrong_arguments
TABLE = (
    "video_name,Extraversion,Agreeableness,Conscientiousness,Neuroticism,Openness\n"
    "a,2,1,1,1,1\nbb,5,1,1,1,1\n"
)


@dataclass(frozen=True)
class Told:
    """Answers with emotion that says how extraverted it was told to be; -1 where nobody knows."""

    name: str = "told"
    needs: frozenset[str] = frozenset({"coeffs"})
    frame_multiple: int = 32
    options: frozenset[str] = frozenset({"traits"})
    picture_side: None = None
    codebook: None = None
    settings: Any = None

    def fingerprint(self) -> dict[str, str]:
        return {"told": "1"}

    def react(self, speaker: Speaker, samples: int, *, key: jax.Array, traits: Any) -> Reactions:
        assert speaker.coeffs is not None
        batch, frames, _ = speaker.coeffs.shape
        assert np.shape(traits) == (batch, 5)
        said = jnp.nan_to_num(jnp.asarray(traits)[:, 0], nan=-1.0)
        shape = (batch, samples, frames)
        emotion = jnp.broadcast_to(said[:, None, None, None], (*shape, 25))
        return Reactions(jnp.zeros((*shape, 58)), emotion)


def told(files: MarsFiles, out: Path) -> list[float]:
    """What the listeners of the training split are told to be, in its order: bb, ccc, a."""
    split = open_split(files.root, "train")
    wanted = Generation("train", 64, 1, 0, Sampling(), whole=True)
    truth = whole_clips._truth(split)
    system: Any = Told(settings={})
    path = predict(system, split.data, split.dyads, wanted, out, truth, 2)
    emotion = read_whole(path).emotion
    assert all(np.ptp(clip) == 0 for clip in emotion)
    return [float(clip[0, 0, 0]) for clip in emotion]


def test_each_is_its_recorded_listener_and_other_scores_are_another_run(tmp_path, capsys):
    files = small(tmp_path / "mars")  # clips of 100, 50 and 75 frames: of two stretches, and short
    table = files.root / "train" / "personality" / "listener.csv"
    table.parent.mkdir()
    table.write_text(TABLE, "utf-8-sig")
    with pytest.warns(Remark, match="train: 1 of 3 listeners have no Big Five scores; they are"):
        assert told(files, tmp_path / "out") == [1, -1, 0.25]
    with pytest.warns(Remark):
        assert told(files, tmp_path / "out") == [1, -1, 0.25]
    assert "not made again" in capsys.readouterr().out
    table.write_text(TABLE.replace("a,2", "a,3"), "utf-8-sig")
    with pytest.warns(Remark):
        assert told(files, tmp_path / "again") == [1, -1, 0.5]
    with pytest.warns(Remark):
        assert told(files, tmp_path / "out") == [1, -1, 0.5]
    assert "not made again" not in capsys.readouterr().out


def test_nothing_of_the_listener_is_read_for_others():
    wanted = needed(Told(options=frozenset()))  # pyright: ignore[reportArgumentType]
    assert [each.key for each in wanted] == ["speaker_coeffs"]
