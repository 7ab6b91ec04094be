"""Kill workers, machines and the leader of runs on a cluster at random moments, and check each result.

    python tests/stress/cluster_soak.py --kills 30

The cluster is several Ray nodes on this machine. A worker is killed by SIGKILL; a machine is a node whose
processes are all killed, and another takes its place; when the leading process is killed, the same run is
started again, until OUT exists. Faces are found in some runs, and come from a tracks file in others. OUT must
never exist unless it is complete: its frames, as ffmpeg reads them, are those of a run by itself, and its
audio is the input's. Needs a POSIX system with /proc, and Ray.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.support import reader
from tests.support.clips import pattern, write
from tests.support.clusters import add_node, nodes
from tests.support.runs import face_frame
from tests.support.tiny import save_weights
from vidrestore.options import Options

KINDS = ("worker", "machine", "leader")
#: Kills during one run at most, so that it comes to its end.
_PER_RUN = 5
#: What every leading process imports: it is a copy of one that has done so.
_IMPORTED = [
    *("ray", "vidrestore.cluster.cluster", "vidrestore.cluster.restore"),
    *("tests.support.clips", "tests.support.clusters", "tests.support.reader", "tests.support.runs"),
    "tests.support.tiny",
]


def make_clip(path: Path, frames: int) -> Path:
    """A face in the first and the last quarter of the frames, with audio."""
    drawn = [
        pattern(number, 96, 72, "yuv420p")
        if frames // 4 <= number < 3 * frames // 4
        else face_frame(96, 72, "yuv420p", shift=2 * number % 64)
        for number in range(frames)
    ]
    return write(path, drawn, audio=1, options={"preset": "ultrafast"})


def options(folder: Path, name: str) -> Options:
    return Options(
        input=folder / "in.mp4",
        output=folder / f"{name}.mkv",
        weights=folder / "tiny.safetensors",
        codec="ffv1",
        device="cpu",
        min_face=0,
        max_sharpness=0,
    )


def lead(given: Options, length: int, log: Path) -> None:
    """One run, in a process of its own."""
    from vidrestore.cluster.cluster import opened
    from vidrestore.cluster.restore import restore_on_cluster

    with log.open("w") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    with opened(given) as cluster:
        assert cluster is not None
        print(restore_on_cluster(given, cluster, segment_length=length), flush=True)


def content(out: Path) -> tuple:
    frames = [(line.time, line.digest) for line in reader.frames(out)]
    return frames, [line.digest for line in reader.packets(out, "0:a")]


class Killer:
    """Kills parts of a cluster."""

    def __init__(self, cluster: Any, chance: random.Random) -> None:
        self._cluster = cluster
        self._chance = chance

    def worker(self) -> bool:
        """Kill the process of a worker; whether there is one."""
        found = [pid for pid in self._processes() if _is_worker(_command(pid))]
        if not found:
            return False
        os.kill(self._chance.choice(found), signal.SIGKILL)
        return True

    def machine(self) -> bool:
        """Kill a node that is not the head, and add another."""
        others = list(self._cluster.worker_nodes)
        if not others:
            return False
        self._cluster.remove_node(self._chance.choice(others), allow_graceful=False)
        add_node(self._cluster)
        return True

    def _processes(self) -> list[int]:
        """The processes that the nodes of this cluster began."""
        raylets = {
            node.all_processes["raylet"][0].process.pid
            for node in self._cluster.list_all_nodes()
            if "raylet" in node.all_processes
        }
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdecimal():
                try:
                    parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                except (OSError, ValueError):
                    continue
                if parent in raylets:
                    found.append(int(entry.name))
        return found


def _is_worker(command: str) -> bool:
    """Whether it is a process of Ray that has a task or an actor. The agents of a node are not: the node ends
    with them, and the cluster with its head."""
    kind = command.removeprefix("ray::").strip()
    return kind != command.strip() and kind != "IDLE" and not kind.endswith("Agent")


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
    except OSError:
        return ""


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--nodes", type=int, default=3)
    parser.add_argument("--frames", type=int, default=120)
    parser.add_argument("--segment-length", type=int, default=12, help="frames per segment")
    parser.add_argument("--folder", type=Path, help="where temporary files go")
    parser.add_argument("--limit", type=float, default=900, help="seconds a run may take")
    words = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=words.folder) as folder, nodes(words.nodes) as cluster:
        return soak(Path(folder), words, cluster)


def soak(folder: Path, words: argparse.Namespace, cluster: Any) -> int:
    from vidrestore.analysis import analyze_video
    from vidrestore.pipeline import restore_video

    chance, log, length = random.Random(words.seed), folder / "log", words.segment_length
    make_clip(folder / "in.mp4", words.frames)
    save_weights(folder / "tiny.safetensors")
    tracks = folder / "tracks.json"
    analyze_video(Options(input=folder / "in.mp4", output=tracks, device="cpu"))
    found, recorded = options(folder, "found"), replace(options(folder, "recorded"), tracks=tracks)
    expected = {}
    for given in (found, recorded):
        restore_video(given, segment_length=length)
        expected[given.tracks] = content(given.destination)
        if len(expected[given.tracks][0]) != words.frames:
            return _fail("the run by itself lost frames", log)
    copies = multiprocessing.get_context("forkserver")
    copies.set_forkserver_preload(_IMPORTED)
    killer, kills, runs = Killer(cluster, chance), Counter[str](), 0
    usual = None  # seconds that a run without kills takes
    while usual is None or kills.total() < words.kills:
        runs += 1
        given = replace(
            chance.choice((found, recorded)) if usual else found,
            output=folder / f"run{runs}.mkv",
            ray=cluster.address,
            workers=2,
        )
        out, began, quota = given.destination, time.monotonic(), chance.randint(2, _PER_RUN)
        while True:  # until a run is not killed
            run = copies.Process(target=lead, args=(given, length, log))
            run.start()
            while run.is_alive():
                if usual is None or not quota or kills.total() >= words.kills:
                    run.join(0.2)
                else:
                    run.join(chance.uniform(0, usual / 2))
                    kind = chance.choice(KINDS)
                    if not run.is_alive():
                        break
                    if kind == "leader":
                        run.kill()
                        run.join()
                        done = True
                    else:
                        done = getattr(killer, kind)()
                    kills[kind] += done
                    quota -= done
                    if done:
                        print(f"kill {kills.total()}: {kind}, in run {runs}", flush=True)
                if time.monotonic() - began > words.limit:
                    run.kill()
                    return _fail(f"run {runs} took more than {words.limit:.0f} s", log)
            if out.exists() and content(out) != expected[given.tracks]:
                return _fail(f"run {runs}: {out.name} is not that of the run by itself", log)
            if run.exitcode == 0:
                break
            if run.exitcode != -signal.SIGKILL:
                return _fail(f"run {runs} ended with status {run.exitcode}", log)
        seconds = time.monotonic() - began
        print(f"run {runs}: {'recorded' if given.tracks else 'found'} faces, {seconds:.0f} s", flush=True)
        usual = usual or seconds
        left = sorted(path.name for path in folder.iterdir() if path.name.startswith("."))
        if not out.exists() or left:
            return _fail(f"run {runs} ended without an error, but left {left or 'no OUT'}", log)
        out.unlink()
    print(f"{kills.total()} kills in {runs} runs: " + ", ".join(f"{kills[kind]} {kind}" for kind in KINDS))
    print(
        "each result has the frames of the run by itself and the audio of the input; no other file was left"
    )
    return 0


def _fail(why: str, log: Path) -> int:
    print(f"FAILED: {why}\n{log.read_text()[-4000:]}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
