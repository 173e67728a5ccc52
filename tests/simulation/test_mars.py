"""Simulated conversations in the MARS layout: what the release has, and its reader finds."""

from dataclasses import replace

import numpy as np
import pytest

from jaxreact.data.conversations import open_conversations
from jaxreact.data.mars.data_set import Mars
from jaxreact.data.mars.eeg import EegTables
from jaxreact.data.mars.personality import personality
from jaxreact.data.prepare.doctor import examine
from jaxreact.data.prepare.findings import PROBLEM
from jaxreact.metrics.behaviour import voice_activity
from jaxreact.simulation import SimulateConfig, mars, simulate
from jaxreact.simulation.cast import cast
from jaxreact.simulation.person import Person, draw_person


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    out = tmp_path_factory.mktemp("simulated") / "mars"
    simulate(SimulateConfig(out, split=(6, 1, 1), layout="mars", seconds=6, workers=1))
    return out


def test_the_doctor_finds_nothing_but_what_the_release_has(root):
    examination = examine(root, workers=1)
    assert examination.of(PROBLEM) == []
    kinds = {finding.kind for finding in examination.findings}
    assert kinds == {"litter", "sides", "eeg"}


def test_sessions_have_several_listeners_and_their_own_lengths(root):
    data = open_conversations(root)
    assert isinstance(data, Mars)
    dyads = data.dyads("train")
    sessions = [dyad.speaker.name.partition("/")[0] for dyad in dyads]
    assert sessions == ["session0"] * 3 + ["session1"] * 3
    lengths = {session: set() for session in sessions}
    for session, dyad in zip(sessions, dyads, strict=True):
        lengths[session].add(len(data.recorded_emotion(dyad.speaker)))
    assert all(len(each) == 1 for each in lengths.values())
    assert lengths["session0"] != lengths["session1"]


def test_some_listeners_are_a_frame_shorter(root):
    data = Mars(root)
    differences = [
        len(data.recorded_emotion(dyad.speaker)) - len(data.recorded_emotion(dyad.listener))
        for dyad in data.dyads("train")
    ]
    assert set(differences) == {0, 1}


def test_the_speaker_speaks_more(root):
    data = Mars(root)
    spoken = np.zeros(2)
    both = data.dyads("train", mirrored=True)
    for dyad in both[: len(both) // 2]:
        for place, clip in enumerate((dyad.speaker, dyad.listener)):
            spoken[place] += voice_activity(*data.sound(clip, 6)).sum()
    assert spoken[0] > 2 * spoken[1]


def test_persons_and_eeg(root):
    data = Mars(root)
    table = personality(root, "train")
    tables = EegTables(root, "train")
    scores = []
    for dyad in data.dyads("train"):
        found = table.of_clip(dyad.listener.name)
        assert found is not None
        scores.append(found)
        eeg = tables.of(dyad.speaker.name)
        assert eeg is not None
        assert len(eeg.values) == len(data.recorded_emotion(dyad.speaker)) // 30 + 1
        assert 0.8 < eeg.measured.mean() < 0.9
    assert np.std(scores, axis=0).min() > 0.05


def test_the_same_seed_gives_the_same_files_whatever_the_workers(root, tmp_path):
    again = SimulateConfig(tmp_path / "mars", split=(6, 1, 1), layout="mars", seconds=6, workers=2)
    simulate(again)
    files = {path.relative_to(root): path.read_bytes() for path in root.rglob("*.*")}
    assert files == {p.relative_to(again.out): p.read_bytes() for p in again.out.rglob("*.*")}


def test_the_extraverted_have_the_livelier_face(tmp_path, monkeypatch):
    """Enough livelier for a model to learn it from some hundred clips."""
    config = SimulateConfig(tmp_path, split=(6, 1, 1), layout="mars", seconds=12, workers=1)
    session = cast(config)[0]
    spread = []
    for strength, score in ((0.85, 1.0), (1.15, 5.0)):

        def drawn(seed: int, name: str, strength: float = strength) -> Person:
            person = draw_person(seed, name)
            return replace(person, style=replace(person.style, expressiveness=strength))

        monkeypatch.setattr(mars, "draw_person", drawn)
        assert mars.big_five(drawn(0, "anybody").style)[0] == score
        out = tmp_path / str(score)
        mars.write_session(session, config, out)
        (file,) = out.glob("*/coefficients/listener/*/*.npy")
        face = np.load(file)[:, 0, :52]
        spread.append(np.abs(face - face.mean(axis=0)).mean())
    assert spread[1] > 2 * spread[0]
