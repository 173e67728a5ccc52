"""Reading sound: equal to the original's librosa call, and one clear line for everything broken."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from jaxreact.errors import Remark, UserError
from jaxreact.media.sound import read_audio, read_native_audio, resample
from tests.clips import BUNNY

GOLDEN = Path(__file__).parents[1] / "golden"
STEREO = GOLDEN / "read_audio_44k1_stereo.wav"


def _tone(seconds: float, rate: int, hertz: float = 440.0) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * hertz * np.arange(int(seconds * rate)) / rate)).astype("f4")


def write_container(
    path: Path, waveform: np.ndarray, rate: int, codec: str, delay: float = 0.0
) -> Path:
    """A file with a 2 s picture track (black) and, `delay` seconds later, a sound track.

    `waveform` is (samples,) or, for stereo, (samples, 2).
    """
    layout = "mono" if waveform.ndim == 1 else "stereo"
    stored = np.round(waveform.reshape(len(waveform), -1) * 32767).astype(np.int16)
    with av.open(str(path), "w") as container:
        picture = container.add_stream("libx264", rate=25)
        picture.width = picture.height = 32
        sound = container.add_stream(codec, rate=rate, layout=layout)
        assert isinstance(sound, av.AudioStream)
        for number in range(50):
            frame = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(picture.encode(frame))
        container.mux(picture.encode(None))
        for first in range(0, len(waveform), 1024):
            block = stored[first : first + 1024].reshape(1, -1)  # packed: channels take turns
            frame = av.AudioFrame.from_ndarray(block, format="s16", layout=layout)
            frame.sample_rate, frame.time_base = rate, Fraction(1, rate)
            frame.pts = first + round(delay * rate)
            container.mux(sound.encode(frame))
        container.mux(sound.encode(None))
    return path


@pytest.mark.parametrize("case", ["a", "b", "past_end"])
def test_equals_the_original(case):
    golden = np.load(GOLDEN / "read_audio.npz")
    start, frames = float(golden[f"{case}.start_frame"]), int(golden[f"{case}.num_frame"])
    waveform = read_audio(STEREO, start / 25, frames / 25)
    assert waveform.dtype == np.float32
    np.testing.assert_allclose(waveform, golden[f"{case}.y"], rtol=0, atol=1e-6)


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 22050, 48000])
def test_any_rate_gives_16_khz(tmp_path, rate):
    soundfile.write(tmp_path / "tone.wav", _tone(1.0, rate), rate, subtype="FLOAT")
    waveform = read_audio(tmp_path / "tone.wav")
    inner = slice(1000, 15000)
    assert waveform.shape == (16000,)
    np.testing.assert_allclose(waveform[inner], _tone(1.0, 16000)[inner], atol=2e-3)


def test_channels_are_averaged(tmp_path):
    channels = np.stack([_tone(0.5, 16000), np.zeros(8000, "f4"), np.zeros(8000, "f4")], axis=1)
    soundfile.write(tmp_path / "three.wav", channels, 16000, subtype="FLOAT")
    np.testing.assert_allclose(read_audio(tmp_path / "three.wav"), _tone(0.5, 16000) / 3, atol=1e-6)


def test_length_follows_librosas_rounding():
    assert resample(_tone(0.7, 44100), 44100).shape == (11200,)
    assert resample(np.zeros(44101, "f4"), 44100).shape == (16001,)


def test_silence_is_read_as_it_is(tmp_path):
    soundfile.write(tmp_path / "silent.wav", np.zeros(4000), 8000)
    assert not read_audio(tmp_path / "silent.wav").any()


def test_a_segment_of_flac_and_ogg(tmp_path):
    for suffix, tolerance in (("flac", 1e-4), ("ogg", 5e-2)):
        path = tmp_path / f"tone.{suffix}"
        soundfile.write(path, _tone(1.0, 16000), 16000)
        segment = read_audio(path, 0.25, 0.5)
        np.testing.assert_allclose(segment, _tone(1.0, 16000)[4000:12000], atol=tolerance)


def test_lossless_video_sound_equals_the_wav(tmp_path):
    wave, _ = soundfile.read(STEREO, dtype="int16")
    mono = wave[:, 0].astype(np.float32) / 32767
    video = write_container(tmp_path / "clip.mkv", mono, 44100, "pcm_s16le")
    soundfile.write(tmp_path / "mono.wav", wave[:, 0], 44100)
    expected = read_audio(tmp_path / "mono.wav", 7 / 25, 16 / 25)
    np.testing.assert_allclose(read_audio(video, 7 / 25, 16 / 25), expected, atol=1e-6)


def test_compressed_video_sound_keeps_its_time(tmp_path):
    video = write_container(tmp_path / "clip.mp4", _tone(2.0, 48000), 48000, "aac")
    native, rate = read_native_audio(video)
    assert rate == 48000
    assert abs(len(native) / rate - 2.0) < 0.03
    np.testing.assert_allclose(native[10000:80000], _tone(2.0, 48000)[10000:80000], atol=0.1)


def test_a_late_sound_track_stays_with_its_picture(tmp_path):
    video = write_container(tmp_path / "late.mkv", _tone(1.0, 16000), 16000, "pcm_s16le", 0.5)
    waveform = read_audio(video)
    assert len(waveform) == pytest.approx(24000, abs=20)
    assert not waveform[:7900].any()
    assert abs(waveform[8100:]).max() > 0.4


def test_six_channels_of_a_real_film():
    with av.open(str(BUNNY)) as container:
        seconds = (container.duration or 0) / av.time_base
    native, rate = read_native_audio(BUNNY)
    assert rate == 48000
    assert len(native) / rate == pytest.approx(seconds, abs=0.05)
    waveform = read_audio(BUNNY, 1.0, 2.0)
    assert len(waveform) == 32000
    np.testing.assert_allclose(waveform, resample(native[48000 : 3 * 48000], 48000), atol=1e-6)
    assert 0.001 < abs(waveform).mean() < 0.1


def _broken_files(folder: Path) -> dict[str, Path]:
    """One file per kind of damage, named by the words that its error must contain."""
    whole = STEREO.read_bytes()
    (folder / "empty.wav").write_bytes(b"")
    (folder / "cut.wav").write_bytes(whole[: len(whole) // 2])
    (folder / "head.wav").write_bytes(whole[:30])
    (folder / "noise.wav").write_bytes(np.random.default_rng(0).bytes(4000))
    soundfile.write(folder / "whole.flac", _tone(1.0, 16000), 16000)
    flac = (folder / "whole.flac").read_bytes()
    (folder / "cut.flac").write_bytes(flac[: len(flac) // 2])
    soundfile.write(folder / "zero.wav", np.zeros(0), 16000)
    soundfile.write(folder / "nan.wav", np.full(800, np.nan, "f4"), 16000, subtype="FLOAT")
    movie = write_container(folder / "whole.mp4", _tone(2.0, 16000), 16000, "aac").read_bytes()
    (folder / "cut.mp4").write_bytes(movie[: len(movie) // 2])
    with av.open(str(folder / "mute.mp4"), "w") as container:
        picture = container.add_stream("libx264", rate=25)
        picture.width = picture.height = 32
        frame = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24")
        container.mux(picture.encode(frame))
        container.mux(picture.encode(None))
    return {
        "no such file": folder / "missing.wav",
        "empty": folder / "empty.wav",
        "cut off": folder / "cut.wav",
        "damaged": folder / "head.wav",
        "cannot be read": folder / "noise.wav",
        "damaged or truncated|is cut off": folder / "cut.flac",
        "holds no sound": folder / "zero.wav",
        "not finite": folder / "nan.wav",
        "is damaged": folder / "cut.mp4",
        "no sound track": folder / "mute.mp4",
    }


def test_every_broken_file_is_one_clear_line(tmp_path):
    for words, path in _broken_files(tmp_path).items():
        with pytest.raises(UserError, match=words) as caught:
            read_audio(path)
        message = str(caught.value)
        assert message.startswith(str(path))
        assert "\n" not in message


@pytest.mark.parametrize("kind", ["wav", "aiff", "au", "w64", "rf64", "svx", "avr"])
def test_half_a_file_whose_header_tells_its_length(tmp_path, kind):
    path = tmp_path / f"voice.{kind}"
    soundfile.write(path, _tone(4.0, 16000), 16000, format=kind, subtype="PCM_16")
    assert len(read_audio(path)) == 4 * 16000
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match=r"ends after [12]\.\d+ of 4\.00 s"):
        read_audio(path)
    path.write_bytes(whole[: int(0.94 * len(whole))])
    with pytest.warns(Remark, match=r"ends after 3\.7\d of 4\.00 s"):
        assert len(read_audio(path)) == pytest.approx(3.76 * 16000, abs=0.01 * 16000)


@pytest.mark.parametrize(
    ("kind", "subtype"), [("ogg", "VORBIS"), ("ogg", "OPUS"), ("voc", "PCM_16")]
)
def test_half_a_file_that_does_not_tell_its_length(tmp_path, kind, subtype):
    path = tmp_path / f"voice.{kind}"
    noise = np.random.default_rng(0).normal(size=4 * 16000) * 0.1
    soundfile.write(path, noise, 16000, format=kind, subtype=subtype)
    assert len(read_audio(path)) == 4 * 16000
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.warns(Remark, match=r"was never finished; its sound ends after \d\.\d+ s"):
        assert 12000 < len(read_audio(path)) < 3 * 16000
    assert len(read_audio(path, 0.2, 0.5)) == 8000  # which is whole: not a word


@pytest.mark.parametrize(
    ("size", "remark"),
    [(0, "never finished"), (0xFFFFFFFF, ""), (0x7FFFF000, "")],
)
def test_sizes_of_programs_that_did_not_know_it(tmp_path, recwarn, size, remark):
    """Those that write to a pipe say about 2 or 4 GiB, those that are killed said 0 before."""
    path = tmp_path / "voice.wav"
    soundfile.write(path, _tone(1.0, 16000), 16000, subtype="PCM_16")
    whole = read_audio(path)
    data = bytearray(path.read_bytes())
    for name in (b"RIFF", b"data"):
        place = data.index(name) + 4
        data[place : place + 4] = size.to_bytes(4, "little")
    path.write_bytes(data)
    np.testing.assert_array_equal(read_audio(path), whole)
    assert [remark in str(warning.message) for warning in recwarn] == [True] * bool(remark)


@pytest.mark.parametrize(
    ("start", "duration"), [(1.5, None), (99.0, 1.0), (-1.0, None), (0.0, 0.0), (np.nan, None)]
)
def test_impossible_segments_are_refused(start, duration):
    with pytest.raises(UserError):
        read_audio(STEREO, start, duration)


def test_a_start_beyond_the_end_of_a_video(tmp_path):
    video = write_container(tmp_path / "clip.mkv", _tone(1.0, 16000), 16000, "pcm_s16le")
    with pytest.raises(UserError, match=r"1\.00 s long"):
        read_audio(video, 1.2)


@pytest.mark.parametrize(("name", "subtype"), [("a.flac", "PCM_16"), ("a.ogg", "VORBIS")])
@pytest.mark.filterwarnings("ignore::jaxreact.errors.Remark")
def test_one_wrong_byte_moves_nothing(tmp_path, name, subtype):
    """libsndfile refuses a flac for it, and goes on in an ogg as if nothing lacked."""
    noise = np.random.default_rng(0).normal(size=20 * 16000) * 0.1
    soundfile.write(tmp_path / name, noise, 16000, subtype=subtype)
    whole = read_audio(tmp_path / name)
    data = bytearray((tmp_path / name).read_bytes())
    data[len(data) // 2] ^= 255
    (tmp_path / name).write_bytes(data)
    heard = read_audio(tmp_path / name)
    assert len(heard) == pytest.approx(len(whole), abs=100)
    np.testing.assert_allclose(heard[15 * 16000 :][:40000], whole[15 * 16000 :][:40000], atol=0.02)


def test_a_rate_that_changes_within_a_file_without_a_clock(tmp_path):
    """Two recordings in one raw AAC file: neither is pitched."""
    parts = []
    for rate in (48000, 32000):
        with av.open(str(tmp_path / "part.aac"), "w", format="adts") as container:
            voice = container.add_stream("aac", rate=rate, layout="mono")
            assert isinstance(voice, av.AudioStream)
            tone = _tone(2.0, rate)[None]
            for first in range(0, tone.shape[1], 1024):
                frame = av.AudioFrame.from_ndarray(tone[:, first : first + 1024], "fltp", "mono")
                frame.sample_rate, frame.pts, frame.time_base = rate, first, Fraction(1, rate)
                container.mux(voice.encode(frame))
            container.mux(voice.encode(None))
        parts.append((tmp_path / "part.aac").read_bytes())
    (tmp_path / "both.aac").write_bytes(b"".join(parts))
    heard = read_audio(tmp_path / "both.aac")
    assert len(heard) / 16000 == pytest.approx(4.1, abs=0.1)
    for first in (4000, 44000):
        spectrum = np.abs(np.fft.rfft(heard[first : first + 16000]))
        assert np.argmax(spectrum) == pytest.approx(440, abs=2)
