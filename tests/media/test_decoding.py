"""Recordings with something wrong: read on as players do, and what was lost is said."""

import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from jaxreact.errors import Remark, UserError
from jaxreact.media.sound import read_audio, read_native_audio
from jaxreact.media.video_reader import read_video
from tests.media.test_sound import write_container

RATE = 48000
STILL = Path(__file__).parent / "files" / "still.ogv"


def _grey(level: int, height: int = 48, width: int = 64) -> np.ndarray:
    return np.full((height, width, 3), level, np.uint8)


def _film(path: Path, levels, sound, options=None, shift=lambda time: time) -> Path:
    """Grey pictures, 25 a second, and mono sound of 48 kHz, stamped by `shift` of their time."""
    with av.open(str(path), "w") as container:
        picture = container.add_stream("libx264", rate=25, options=options or {})
        picture.width, picture.height, picture.pix_fmt = 64, 48, "yuv420p"
        picture.codec_context.time_base = Fraction(1, 1000)
        voice = container.add_stream("pcm_s16le", rate=RATE, layout="mono")
        for number, level in enumerate(levels):
            frame = av.VideoFrame.from_ndarray(_grey(level), format="rgb24")
            frame.pts, frame.time_base = round(1000 * shift(number / 25)), Fraction(1, 1000)
            container.mux(picture.encode(frame))
            block = (sound[number * 1920 : (number + 1) * 1920][None] * 32767).astype(np.int16)
            part = av.AudioFrame.from_ndarray(block, format="s16", layout="mono")
            part.sample_rate, part.time_base = RATE, Fraction(1, 1000)
            part.pts = round(1000 * shift(number / 25))
            container.mux(voice.encode(part))
        container.mux(picture.encode(None))
    return path


def _flash_and_beep(at: int, count: int = 100) -> tuple[list[int], np.ndarray]:
    """One white picture, and a beep that lasts as long."""
    sound = np.zeros(count * 1920, np.float32)
    sound[at * 1920 : (at + 1) * 1920] = 0.5
    return [250 if number == at else 10 for number in range(count)], sound


def _flash(path: Path) -> float:
    return next(p.time for p in read_video(path) if p.rgb.mean() > 125)


def _beep(path: Path) -> float:
    waveform, rate = read_native_audio(path)
    return np.flatnonzero(np.abs(waveform) > 0.25)[0] / rate


def test_avi_that_names_decoding_times_only(tmp_path):
    """With B-frames the container's times are not in the order of showing."""
    levels = [2 * number for number in range(100)]
    silence = np.zeros(100 * 1920, np.float32)
    film = _film(tmp_path / "b.avi", levels, silence, {"bf": "3", "crf": "4"})
    seen = list(read_video(film))
    assert [p.time for p in seen] == pytest.approx([number / 25 for number in range(100)])
    assert max(abs(p.rgb.mean() - level) for p, level in zip(seen, levels, strict=True)) < 4


def test_pictures_that_an_avi_loses_leave_the_others_where_they_are(tmp_path):
    """Those that need a damaged key picture give no error and no frame."""
    levels, sound = _flash_and_beep(80)
    film = _film(tmp_path / "key.avi", levels, sound, {"bf": "3", "g": "50"})
    with av.open(str(film)) as container:
        first = next(packet for packet in container.demux(video=0))
        assert first.pos is not None
        position, size = first.pos, first.size
    data = bytearray(film.read_bytes())
    half = position + size // 2
    data[half : position + size] = np.random.default_rng(0).bytes(position + size - half)
    film.write_bytes(data)
    with pytest.warns(Remark, match=r"key\.avi: \d\d of \d+ packets of pictures are damaged"):
        assert _flash(film) == pytest.approx(3.2, abs=0.01)
    assert _beep(film) == pytest.approx(3.2, abs=0.01)


def test_half_an_avi_is_refused(tmp_path):
    film = _film(tmp_path / "half.avi", *_flash_and_beep(10), {"bf": "3"})
    film.write_bytes(film.read_bytes()[: film.stat().st_size // 2])
    with pytest.raises(UserError, match=r"half\.avi: is cut off: its pictures ends .* of 4\.00 s"):
        list(read_video(film))


@pytest.mark.parametrize("name", ["a.mkv", "a.avi", "a.mov"])
def test_sound_stays_with_its_picture(tmp_path, name):
    levels, sound = _flash_and_beep(60)
    film = _film(tmp_path / name, levels, sound, options={"bf": "3"})
    assert _flash(film) == pytest.approx(2.4, abs=1e-3)
    assert _beep(film) == pytest.approx(2.4, abs=1e-3)


def test_a_clock_that_jumps(tmp_path):
    """That of both streams at 2 s, by ten hours: what follows comes at once, and together."""
    levels, sound = _flash_and_beep(60)
    film = _film(tmp_path / "twice.mkv", levels, sound, shift=lambda t: t + 36000 * (t >= 2))
    with pytest.warns(Remark, match=r"twice\.mkv: its clock jumps by 36000\.\d s at 2\.00 s"):
        flash = _flash(film)
    with pytest.warns(Remark, match="jumps"):
        beep = _beep(film)
    assert flash == pytest.approx(beep, abs=0.05)
    assert flash == pytest.approx(2.4, abs=0.13)
    with pytest.warns(Remark):
        assert len(read_audio(film)) / 16000 == pytest.approx(4.0, abs=0.13)


def test_a_recording_that_was_started_again(tmp_path):
    """Two transport streams one after the other, each with a clock of its own."""
    for number, level in enumerate((0.1, 0.4)):
        tone = np.full(2 * RATE, level, np.float32)
        write_container(tmp_path / f"{number}.ts", tone, RATE, "aac", 0.1)
    film = tmp_path / "both.ts"
    film.write_bytes(b"".join((tmp_path / f"{number}.ts").read_bytes() for number in range(2)))
    with pytest.warns(Remark, match=r"both\.ts: its clock jumps by -\d\.\d s at 2"):
        heard = read_audio(film)
    assert len(heard) / 16000 == pytest.approx(4.2, abs=0.1)
    assert heard[16000] == pytest.approx(0.1, abs=0.02)
    assert heard[-8000] == pytest.approx(0.4, abs=0.02)
    with pytest.warns(Remark, match="jumps"):
        times = [picture.time for picture in read_video(film)]
    assert len(times) == 100
    assert times[-1] == pytest.approx(3.96, abs=0.2)


def _spoil(path: Path, share: float, after: float = 0.3) -> None:
    """Overwrites the middle of a packet of sound with noise, `share` of the packets."""
    with av.open(str(path)) as container:
        packets = [
            (packet.pos, packet.size)
            for packet in container.demux(container.streams.audio[0])
            if packet.pos and packet.size > 20
        ]
    data, rng = bytearray(path.read_bytes()), np.random.default_rng(0)
    first = int(after * len(packets))
    for position, size in packets[first : first + max(1, int(share * len(packets)))]:
        data[position : position + size - 2] = rng.bytes(size - 2)
    path.write_bytes(data)


def test_a_damaged_packet_is_done_without(tmp_path):
    tone = 0.5 * np.sin(np.arange(2 * RATE) * 0.05)
    film = write_container(tmp_path / "one.mp4", tone.astype("f4"), RATE, "aac")
    whole = read_audio(film)
    _spoil(film, 0.0)
    with pytest.warns(Remark, match=r"one\.mp4: 1 of \d+ packets of sound are damaged, the first"):
        heard = read_audio(film)
    assert len(heard) == pytest.approx(len(whole), abs=400)
    np.testing.assert_allclose(heard[:8000], whole[:8000], atol=1e-3)
    np.testing.assert_allclose(heard[20000:31000], whole[20000:31000], atol=1e-3)


def test_more_than_a_tenth_is_too_much(tmp_path):
    tone = 0.5 * np.sin(np.arange(2 * RATE) * 0.05)
    film = write_container(tmp_path / "bad.mp4", tone.astype("f4"), RATE, "aac")
    _spoil(film, 0.3)
    with pytest.raises(UserError, match=r"bad\.mp4: \d+ of \d+ packets of sound are damaged"):
        read_audio(film)


def test_a_transport_stream_that_was_cut_off(tmp_path):
    rng = np.random.default_rng(0)
    film = tmp_path / "cut.ts"
    write_container(film, rng.normal(size=2 * RATE).astype("f4") * 0.1, RATE, "aac")
    data = film.read_bytes()
    film.write_bytes(data[: len(data) * 7 // 10 // 188 * 188])
    assert len(read_audio(film)) > 16000


def test_a_picture_that_does_not_change():
    """Theora writes an empty packet for it, which stands for a picture all the same.

    The clip was made by Debian's ffmpeg 5.1 from its own test picture, which changes twice a
    second; PyAV has no encoder for Theora.
    """
    with av.open(str(STILL)) as container:
        sizes = [packet.size for packet in container.demux(video=0) if packet.dts is not None]
    assert sizes.count(0) > len(sizes) / 2
    seen = list(read_video(STILL))
    assert [p.time for p in seen] == pytest.approx([number / 25 for number in range(49)])
    assert seen[-1].duration == pytest.approx(0.04)
    levels = np.array([picture.rgb for picture in seen], np.float32)
    changes = np.flatnonzero(np.abs(np.diff(levels, axis=0)).mean((1, 2, 3)) > 5) + 1
    assert changes.tolist() == [12, 25, 37]


def test_the_last_picture_stays_as_long_as_the_file_says(tmp_path):
    film = tmp_path / "slow.mp4"
    with av.open(str(film), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height = 64, 48
        stream.codec_context.time_base = Fraction(1, 1000)
        for number, time in enumerate((0, 40, 80)):
            frame = av.VideoFrame.from_ndarray(_grey(50 * number), format="rgb24")
            frame.pts, frame.time_base = time, Fraction(1, 1000)
            frame.duration = 700 if time == 80 else 40
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with av.open(str(film)) as container:
        *_, last = (packet for packet in container.demux(video=0) if packet.size)
    assert last.duration is not None
    assert last.time_base is not None
    seen = list(read_video(film))
    assert [p.duration for p in seen[:2]] == pytest.approx([0.04, 0.04], abs=1e-3)
    assert seen[-1].duration == pytest.approx(float(last.duration * last.time_base), abs=1e-3)


def test_a_wav_that_lacks_a_little(tmp_path):
    film = tmp_path / "short.wav"
    samples = np.zeros(16000 * 20, np.int16)
    head = b"RIFF" + struct.pack("<I", 36 + 2 * len(samples)) + b"WAVEfmt "
    head += struct.pack("<IHHIIHH", 16, 1, 1, 16000, 32000, 2, 16)
    head += b"data" + struct.pack("<I", 2 * len(samples))
    film.write_bytes(head + samples.tobytes()[: int(0.95 * 2 * len(samples))])
    with pytest.warns(
        Remark, match=r"short\.wav: is cut off: its sound ends after 19\.00 of 20\.00 s"
    ):
        assert len(read_audio(film)) == 19 * 16000
    assert len(read_audio(film, 0.0, 5.0)) == 5 * 16000
