"""Run the program on damaged files and count the outcomes.

    python tests/stress/fuzz.py --cases 500 --seed 0

Small files of many kinds are made, then damaged: truncated, bits flipped, and stretches zeroed, replaced by
noise, removed, repeated or moved. Each is restored in a process of its own. The run must end in time, without
a traceback or a crash. An error must be one sentence and leave no OUT. An OUT must decode to its end and have
the number of frames that the run reported. The input must be unchanged. The inputs of failed cases are saved
in --keep. Needs a POSIX system.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import multiprocessing
import os
import random
import re
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["VIDRESTORE_OFFLINE"] = "1"
os.environ["SVT_LOG"] = "1"

import av
import numpy as np

FRAMES, WIDTH, HEIGHT = 25, 96, 64
#: Kind of file: video encoder, its pixel format, and the audio encoder.
KINDS = {
    "h264.mp4": ("libx264", "yuv420p", "aac"),
    "hevc.mkv": ("libx265", "yuv420p10le", "flac"),
    "vp9.webm": ("libvpx-vp9", "yuv420p", "libopus"),
    "mpeg4.avi": ("mpeg4", "yuv420p", "mp2"),
    "h264.ts": ("libx264", "yuv420p", "aac"),
    "prores.mov": ("prores_ks", "yuv422p10le", "pcm_s16le"),
    "mpeg2.mpg": ("mpeg2video", "yuv420p", "mp2"),
    "h264.flv": ("libx264", "yuv420p", "aac"),
    "ffv1.mkv": ("ffv1", "yuv420p", "flac"),
    "mjpeg.avi": ("mjpeg", "yuvj420p", "pcm_s16le"),
    "av1.mp4": ("libsvtav1", "yuv420p", "aac"),
    "raw.y4m": ("wrapped_avframe", "yuv420p", None),
    "image.gif": ("gif", "rgb8", None),
    "wmv2.wmv": ("wmv2", "yuv420p", None),
}
OUTPUTS = ("out.mp4", "out.mkv", "out.mov", "out.webm")
_QUIET = {"libx265": {"x265-params": "log-level=none"}, "libsvtav1": {"preset": "12"}}


def make(kind: str) -> bytes:
    """An undamaged file of a kind."""
    codec, pix_fmt, sound = KINDS[kind]
    memory = io.BytesIO()
    muxer = {"mkv": "matroska", "ts": "mpegts", "mpg": "mpeg", "y4m": "yuv4mpegpipe", "wmv": "asf"}
    ending = kind.rpartition(".")[2]
    with av.open(memory, "w", format=muxer.get(ending, ending)) as container:
        video = container.add_stream(codec, rate=25, options=_QUIET.get(codec, {}))
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, pix_fmt
        audio = container.add_stream(sound, rate=48000) if sound else None
        y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
        for index in range(FRAMES):
            waves = [np.sin((x + 4 * index) / 9 + c) * np.cos(y / 7 - c) for c in range(3)]
            picture = (127 + 100 * np.stack(waves, -1)).astype(np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format=pix_fmt)
            frame.pts, frame.time_base = index, Fraction(1, 25)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        if audio:
            _tone(container, audio)
    return memory.getvalue()


def _tone(container: av.container.OutputContainer, stream: av.AudioStream) -> None:
    context = stream.codec_context
    context.open(strict=False)
    size = context.frame_size or 1024
    form = context.format.name
    for start in range(0, 48000 * FRAMES // 25, size):
        wave = 0.2 * np.sin(np.arange(start, start + size) / 20)
        planes = 2 if context.format.is_planar else 1
        samples = np.tile(wave, (planes, 1)) if planes == 2 else np.repeat(wave, 2)[None]
        if form.startswith("s16"):
            samples = (samples * 32767).astype(np.int16)
        elif form.startswith("s32"):
            samples = (samples * 2**31).astype(np.int32)
        else:
            samples = samples.astype(np.float32)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), format=form, layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = 48000, start, Fraction(1, 48000)
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def _cut(data: bytearray, rng: random.Random) -> bytearray:
    return data[: rng.randrange(len(data))]


def _flip(data: bytearray, rng: random.Random) -> bytearray:
    for _ in range(rng.choice((1, 5, 50, 500))):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return data


def _flip_head(data: bytearray, rng: random.Random) -> bytearray:
    for _ in range(rng.choice((1, 3, 10))):
        data[rng.randrange(min(len(data), 600))] = rng.randrange(256)
    return data


def _stretch(data: bytearray, rng: random.Random) -> tuple[int, int]:
    start = rng.randrange(len(data))
    return start, min(len(data), start + rng.choice((1, 16, 200, 2000, 20000)))


def _zero(data: bytearray, rng: random.Random) -> bytearray:
    start, end = _stretch(data, rng)
    data[start:end] = bytes(end - start)
    return data


def _noise(data: bytearray, rng: random.Random) -> bytearray:
    start, end = _stretch(data, rng)
    data[start:end] = rng.randbytes(end - start)
    return data


def _leave_out(data: bytearray, rng: random.Random) -> bytearray:
    start, end = _stretch(data, rng)
    del data[start:end]
    return data


def _repeat(data: bytearray, rng: random.Random) -> bytearray:
    start, end = _stretch(data, rng)
    data[end:end] = data[start:end]
    return data


def _swap(data: bytearray, rng: random.Random) -> bytearray:
    start, end = _stretch(data, rng)
    part = data[start:end]
    del data[start:end]
    place = rng.randrange(len(data) + 1)
    data[place:place] = part
    return data


DAMAGES: tuple[Callable[[bytearray, random.Random], bytearray], ...] = (
    *(_cut, _cut, _flip, _flip, _flip_head, _zero, _noise, _leave_out, _repeat, _swap),
)


@dataclass(frozen=True)
class Case:
    """Everything that one run depends on."""

    number: int
    kind: str
    data: bytes
    out: str
    options: tuple[str, ...]
    damage: str

    @classmethod
    def draw(cls, number: int, seed: int, whole: dict[str, bytes]) -> Case:
        """The case of this number: the same for the same seed."""
        rng = random.Random(f"{seed}-{number}")
        kind = list(whole)[number % len(whole)]
        data, names = bytearray(whole[kind]), []
        for _ in range(rng.choice((1, 1, 1, 2, 3))):
            damage = rng.choice(DAMAGES)
            names.append(damage.__name__[1:])
            data = damage(data, rng) if data else data
        options = rng.choice(
            ((), (), (), ("-ss", "0.2"), ("-t", "0.2"), ("--strict",), ("--deinterlace", "bwdif"))
        )
        return cls(number, kind, bytes(data), rng.choice(OUTPUTS), options, "+".join(names))


def run(case: Case, folder: Path, seconds: float) -> tuple[str, str]:
    """The outcome of a case, and for a failure its details."""
    source, out = folder / f"in.{case.kind}", folder / case.out
    source.write_bytes(case.data)
    before = hashlib.sha256(case.data).digest()
    log = folder / "log"
    words = [str(source), str(out), "--model", "lite", "--device", "cpu", *case.options]
    status = _in_child(lambda: _restore(words, log), seconds)
    text = log.read_text(errors="replace") if log.exists() else ""
    lines = [line for line in re.split(r"[\r\n]", text) if line.startswith("vidrestore: error:")]
    if status is None:
        return "hang", text
    if status < 0:
        return "crash", f"{signal.Signals(-status).name}: {text}"
    if "Traceback" in text or "error: internal error" in text:
        return "traceback", text
    if hashlib.sha256(source.read_bytes()).digest() != before:
        return "input changed", text
    if status:
        if out.exists():
            return "failed, but left an OUT", text
        return ("refused", lines[0]) if len(lines) == 1 else ("error is not one sentence", text)
    frames = re.search(r": (\d+) frames,", text)
    if not out.exists() or not frames:
        return "succeeded without an OUT", text
    if _in_child(lambda: _decodes(out, int(frames[1])), seconds) != 0:
        return "OUT is incomplete", text
    return ("restored with a warning" if "damaged" in text else "restored"), ""


def _restore(words: list[str], log: Path) -> int:
    file = os.open(log, os.O_WRONLY | os.O_CREAT)
    os.dup2(file, 1)
    os.dup2(file, 2)
    from vidrestore.__main__ import main

    return main(words)


def _decodes(out: Path, frames: int) -> int:
    from vidrestore.media.pyav_compat import KEEP_METADATA

    with av.open(str(out), **KEEP_METADATA) as container:
        return 0 if sum(1 for _ in container.decode(video=0)) == frames else 1


def _in_child(work: Callable[[], int], seconds: float) -> int | None:
    """Run ``work`` in a process of its own and return its exit status: negative for a signal, None if it took
    more than ``seconds``."""
    child = os.fork()
    if child == 0:
        status = 70
        try:
            status = work()
        finally:
            sys.stdout.flush()
            os._exit(status)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


#: Outcomes that are no failure.
FINE = ("restored", "restored with a warning", "refused")


def _work(case: Case, seconds: float, keep: Path | None) -> tuple[Case, str, str, float]:
    started = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="fuzz-"))
    try:
        outcome, what = run(case, folder, seconds)
        if outcome not in FINE and keep:
            keep.mkdir(parents=True, exist_ok=True)
            (keep / f"{case.number}.{case.kind}").write_bytes(case.data)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return case, outcome, what, time.monotonic() - started


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cases", type=int, default=500)
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--timeout", type=float, default=60, help="seconds a run may take")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--keep", type=Path, help="folder for the inputs of cases that fail")
    parser.add_argument("-v", "--verbose", action="store_true", help="print every case")
    words = parser.parse_args()

    whole = {kind: make(kind) for kind in KINDS}
    print(f"{len(whole)} kinds of {min(map(len, whole.values()))} to {max(map(len, whole.values()))} bytes")
    # Imported once: every run is a fork of this process.
    import torch

    import vidrestore.pipeline

    del vidrestore
    torch.set_num_threads(1)
    outcomes: Counter[str] = Counter()
    by_kind: dict[str, Counter[str]] = {kind: Counter() for kind in whole}
    started, slowest = time.monotonic(), 0.0
    cases = [Case.draw(words.first + n, words.seed, whole) for n in range(words.cases)]
    with multiprocessing.get_context("fork").Pool(words.jobs) as pool:
        results = [pool.apply_async(_work, (case, words.timeout, words.keep)) for case in cases]
        for result in results:
            case, outcome, what, seconds = result.get()
            outcomes[outcome] += 1
            by_kind[case.kind][outcome] += 1
            slowest = max(slowest, seconds)
            if outcome not in FINE or words.verbose:
                about = f"{case.number} {case.kind} {case.damage} {case.options} {case.out}"
                print(f"case {about}: {outcome}\n{what}")
    print(f"{words.cases} cases in {time.monotonic() - started:.0f} s, the slowest {slowest:.1f} s")
    for kind, counts in by_kind.items():
        print(f"  {kind:12} " + ", ".join(f"{outcome} {n}" for outcome, n in sorted(counts.items())))
    for outcome, count in outcomes.most_common():
        print(f"{count:5} {outcome}")
    return int(any(outcome not in FINE for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main())
