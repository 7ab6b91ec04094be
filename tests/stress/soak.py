"""Kill runs at random moments, resume each to its end, and check the result.

    python tests/stress/soak.py --kills 100

Half the kills come at a random time, the others at a random call of a function in one of the stages:
decoding, detection, restoring, encoding, writing segments and saved states, joining them, putting OUT in
place. A killed run is started again, and may be killed again, until OUT exists. OUT must never exist unless
it is complete: its frames, as ffmpeg reads them, are those of an uninterrupted run, and its audio is the
input's. Needs a POSIX system.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

# Before torch starts its threads.
os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from skimage import data as pictures

from tests.support import reader
from tests.support.clips import write
from tests.support.tiny import save_weights
from vidrestore import pipeline
from vidrestore.media.encode.encoder import VideoEncoder
from vidrestore.media.frames.thumbnails import Thumbnails
from vidrestore.media.output import segment_writer, segments, workfolder
from vidrestore.media.remux import muxer as mux
from vidrestore.options import Options
from vidrestore.stages import models
from vidrestore.stages.models import Models

#: Places where a run can kill itself: a name, and the function, by its owner and name.
_PLACES: dict[str, tuple[Any, str]] = {
    "decode": (Thumbnails, "__call__"),
    "align": (Models, "align"),
    "restore": (Models, "restore"),
    "paste": (models, "paste_back"),
    "encode": (VideoEncoder, "encode"),
    "write a segment": (segments.SegmentFile, "add"),
    "end a segment": (segments.SegmentFile, "finish"),
    "name a segment": (segments, "make_durable"),
    "write a state": (workfolder.WorkFolder, "_write"),
    "name a state": (workfolder, "make_durable"),
    "join": (mux.Muxer, "mux"),
    "finish OUT": (mux.Muxer, "finish"),
    "name OUT": (segment_writer, "make_durable"),
    "clean up": (workfolder.shutil, "rmtree"),
}
#: How often a run calls functions that it calls fewer than 25 times.
_CALLS = {"finish OUT": 1, "name OUT": 1, "clean up": 1}


def make_clip(path: Path, frames: int) -> Path:
    """A face that drifts, disappears and comes back, with audio."""
    from av import VideoFrame

    drawn = []
    for i in range(frames):
        picture = pictures.astronaut()[20:260, 60 + i : 380 + i]
        if frames // 2 <= i < frames // 2 + 15:
            picture = picture[::-1]  # upside down it is not detected
        drawn.append(VideoFrame.from_ndarray(picture.copy(), format="rgb24").reformat(224, 168, "yuv420p"))
    return write(path, drawn, audio=1, options={"preset": "ultrafast"})


def start(options: Options, segment_length: int, log: Path, kill_at: tuple[str, int] | None) -> int:
    """Start a run in a process of its own and return its process id.

    Args:
        kill_at: A place of :data:`_PLACES` and the number of the call there at which the run kills itself.
    """
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        with log.open("a") as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
        if kill_at:
            _arm(*kill_at)
        pipeline.restore_video(options, segment_length=segment_length)
        code = 0
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        os._exit(code)


def _arm(place: str, calls: int) -> None:
    """Make this process kill itself at that call: just before it if ``calls`` is odd, else just after it."""
    owner, name = _PLACES[place]
    real: Callable[..., Any] = getattr(owner, name)
    left = calls

    def deadly(*args: Any, **settings: Any) -> Any:
        nonlocal left
        left -= 1
        if left == 0 and calls % 2:
            os.kill(os.getpid(), signal.SIGKILL)
        result = real(*args, **settings)
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, name, deadly)


def finished(child: int, seconds: float | None, limit: float) -> tuple[int, float]:
    """Wait for a run, killing it after ``seconds`` if given: its wait status and how many seconds it took."""
    began = time.monotonic()
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        passed = time.monotonic() - began
        if done:
            return status, passed
        if seconds is not None and passed >= seconds:
            os.kill(child, signal.SIGKILL)
            seconds = None
        if passed > limit:
            os.kill(child, signal.SIGKILL)
            raise SystemExit(f"FAILED: a run took more than {limit:.0f} s")
        time.sleep(0.01)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--frames", type=int, default=110)
    parser.add_argument("--segment-length", type=int, default=10, help="frames per segment")
    parser.add_argument("--weights", type=Path, help="default: those of a tiny untrained network")
    parser.add_argument("--folder", type=Path, help="where temporary files go")
    parser.add_argument("--limit", type=float, default=900, help="seconds a run may take")
    words = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=words.folder) as folder:
        return soak(Path(folder), words)


def soak(folder: Path, words: argparse.Namespace) -> int:
    chance = random.Random(words.seed)
    clip, log = make_clip(folder / "in.mp4", words.frames), folder / "log"
    weights = words.weights or save_weights(folder / "tiny.safetensors")
    # Encoders that give the same packets for the same frames, with and without reordering.
    kinds = {
        "ffv1": ("mkv", {"codec": "ffv1"}),
        "x264": ("mp4", {"codec": "libx264", "preset": "veryfast", "encoder_options": _SAME}),
    }

    def options(kind: str, name: str) -> Options:
        ending, settings = kinds[kind]
        return Options(
            input=clip,
            output=folder / f"{name}-{kind}.{ending}",
            weights=weights,
            device="cpu",
            min_face=0,
            max_sharpness=0,
            overwrite=True,
            **settings,
        )

    def content(out: Path) -> tuple:
        frames = [(line.time, line.digest) for line in reader.frames(out)]
        return frames, [line.digest for line in reader.packets(out, "0:a")]

    expected, length = {}, {}
    for kind in kinds:
        given = options(kind, "whole")
        status, length[kind] = finished(start(given, words.segment_length, log, None), None, words.limit)
        if status:
            return _fail(f"the run without kills ended with {status}", log)
        expected[kind] = content(given.output)
        if len(expected[kind][0]) != words.frames or expected[kind][1] != content(clip)[1]:
            return _fail("the run without kills lost frames or audio", log)
    print(f"a run of {words.frames} frames takes {max(length.values()):.1f} s", flush=True)

    kills: Counter[str] = Counter()
    runs = resumed = whole_after_kill = 0
    while kills.total() < words.kills:
        runs += 1
        kind = chance.choice(list(kinds))
        given = options(kind, f"run{runs}")
        out, state = given.output, given.output.with_name(f".{given.output.name}.vidrestore")
        while True:
            seconds = place = None
            if kills.total() < words.kills:
                if chance.random() < 0.5:
                    seconds = chance.uniform(0, length[kind])
                else:
                    place = chance.choice(list(_PLACES))
            calls = chance.randint(1, _CALLS.get(place, 25))
            resumed += any(state.glob("*.segment")) if state.exists() else 0
            child = start(given, words.segment_length, log, (place, calls) if place else None)
            status, _ = finished(child, seconds, words.limit)
            killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
            if killed:
                kills[place or "any moment"] += 1
            elif status:
                return _fail(f"run {runs} ended with status {status}", log)
            if out.exists() and content(out) != expected[kind]:
                return _fail(f"run {runs}: {out.name} differs from the run without kills", log)
            if not killed:
                break
            whole_after_kill += out.exists()
            print(f"kill {kills.total()}: {place or f'after {seconds:.1f} s'}", flush=True)
        left = sorted(path.name for path in folder.iterdir() if path.name.startswith("."))
        if not out.exists() or left:
            return _fail(f"run {runs} ended without an error, but left {left or 'no OUT'}", log)
        out.unlink()
    print(f"{kills.total()} kills in {runs} runs, {resumed} times resumed from finished segments:")
    for place, count in kills.most_common():
        print(f"  {count:4} {place}")
    print(f"{runs} results, each with the frames of the run without kills and the audio of the input")
    print(f"OUT existed after {whole_after_kill} kills, complete each time; no other file was left")
    return 0


#: Makes x264 independent of the CPU's instructions: the same frames then give the same packets.
_SAME = (("threads", "2"), ("x264-params", "cpu-independent=1"))


def _fail(why: str, log: Path) -> int:
    print(f"FAILED: {why}\n{log.read_text()[-3000:]}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
