"""Run the program on damaged files and count the outcomes.

    python tests/stress/fuzz.py --cases 500 --seed 0

Small files of many kinds are made, then damaged: truncated, bits flipped, and stretches zeroed, replaced by
noise, removed, repeated or moved. Each is restored in a process of its own. The run must end in time, without
a traceback or a crash. An error must be one sentence and leave no OUT. An OUT must decode to its end and have
the number of frames that the run reported. The input must be unchanged. Some OUTs are links, named pipes or
have names of nearly the longest possible length. The inputs of failed cases are saved in --keep. Needs a
POSIX system.
"""

from __future__ import annotations

import argparse
import hashlib
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
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["VIDRESTORE_OFFLINE"] = "1"
os.environ["SVT_LOG"] = "1"

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import av

from tests.stress.seeds import KINDS

OUTPUTS = ("out.mp4", "out.mkv", "out.mov", "out.webm")
#: What OUT is: mostly a file that does not exist yet.
PLACES = (*("file",) * 7, "link", "pipe", "long name")


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
    place: str
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
        out, place = rng.choice(OUTPUTS), rng.choice(PLACES)
        return cls(number, kind, bytes(data), out, place, options, "+".join(names))


def run(case: Case, folder: Path, seconds: float) -> tuple[str, str]:
    """The outcome of a case, and for a failure its details."""
    source, out = folder / f"in.{case.kind}", folder / case.out
    written, reader = out, None  #: where the output is found; what reads a pipe
    if case.place == "long name":
        written = out = out.with_stem("\N{HIRAGANA LETTER A}" * 80)
    elif case.place == "link":
        (folder / "elsewhere").mkdir()
        out.symlink_to(folder / "elsewhere" / case.out)
    elif case.place == "pipe":
        os.mkfifo(out)
        written = folder / f"read.{case.out}"
        reader = _fork(lambda: _read(out, written))
    source.write_bytes(case.data)
    before = hashlib.sha256(case.data).digest()
    log = folder / "log"
    words = [str(source), str(out), "--model", "lite", "--device", "cpu", *case.options]
    status = _in_child(lambda: _restore(words, log), seconds)
    if reader is not None:
        if status != 0:
            os.kill(reader, signal.SIGKILL)
        if _wait(reader, seconds) is None:
            return "pipe is not closed", ""
        if not out.is_fifo():
            return "pipe was replaced", ""
        if status:
            written.unlink(missing_ok=True)  # a pipe may have got the beginning
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
        if written.exists():
            return "failed, but left an OUT", text
        return ("refused", lines[0]) if len(lines) == 1 else ("error is not one sentence", text)
    frames = re.search(r": (\d+) frames,", text)
    if case.place == "link" and not out.is_symlink():
        return "link was replaced", text
    if not written.exists() or not frames:
        return "succeeded without an OUT", text
    if _in_child(lambda: _decodes(written, int(frames[1])), seconds) != 0:
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


def _read(pipe: Path, out: Path) -> int:
    with pipe.open("rb") as source, out.open("wb") as copy:
        shutil.copyfileobj(source, copy)
    return 0


def _in_child(work: Callable[[], int], seconds: float) -> int | None:
    """Run ``work`` in a process of its own and return its exit status, as :func:`_wait` does."""
    return _wait(_fork(work), seconds)


def _fork(work: Callable[[], int]) -> int:
    """Start ``work`` in a process of its own; its id."""
    child = os.fork()
    if child == 0:
        status = 70
        try:
            status = work()
        finally:
            sys.stdout.flush()
            os._exit(status)
    return child


def _wait(child: int, seconds: float) -> int | None:
    """The exit status of a process: negative for a signal, None if it took more than ``seconds`` and was
    killed."""
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

    whole = {kind: make() for kind, make in KINDS.items()}
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
                about = f"{case.number} {case.kind} {case.damage} {case.options} {case.out} {case.place}"
                print(f"case {about}: {outcome}\n{what}")
    print(f"{words.cases} cases in {time.monotonic() - started:.0f} s, the slowest {slowest:.1f} s")
    for kind, counts in by_kind.items():
        print(f"  {kind:14} " + ", ".join(f"{outcome} {n}" for outcome, n in sorted(counts.items())))
    for outcome, count in outcomes.most_common():
        print(f"{count:5} {outcome}")
    return int(any(outcome not in FINE for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main())
