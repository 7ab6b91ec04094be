"""Measure the package: how fast it is, where the time goes, and what it needs.

    python tools/bench.py network  [--models lite codeformer] [--precisions fp32 bf16] [--batches 1 4]
    python tools/bench.py pipeline [--clip CLIP] [--model lite]
    python tools/bench.py compare  [--clip CLIP] [--model lite] [--frames 48] [--rounds 3]
    python tools/bench.py scaling  [--sizes 360p 1080p] [--faces 0 1 4 16]
    python tools/bench.py memory   [--clip CLIP] [--times 10] [--slow SECONDS]
    python tools/bench.py hours    [--hours 1]

Each prints a table and, with ``--json FILE``, writes its figures. Where the published weights are not here,
stand-ins of the same shapes are used, on which speed does not depend. ``w`` is 1 everywhere, since what
stand-ins make of a face would otherwise be taken for a drift, and restored again.
"""

from __future__ import annotations

import argparse
import json
import math
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import Any

SAMPLE = Path(__file__).parents[1] / "samples" / "portrait.mp4"
SIZES = {"360p": (640, 360), "720p": (1280, 720), "1080p": (1920, 1080), "4K": (3840, 2160)}
#: The same encoder for both programs that are compared.
CODEC, CRF, PRESET = "libx264", 16.0, "medium"

Rows = list[dict[str, Any]]


def show(rows: Rows, columns: str) -> None:
    """A table of ``columns``, each a key of ``rows``, with a colon and a format where it needs one."""
    names, _, forms = zip(*(column.partition(":") for column in columns.split()), strict=True)
    lines = [
        [
            "-" if row[name] is None else format(row[name], form)
            for name, form in zip(names, forms, strict=True)
        ]
        for row in rows
    ]
    widths = [max(map(len, column)) for column in zip(names, *lines, strict=True)]
    for line in [names, *lines]:
        print("  ".join(text.rjust(width) for text, width in zip(line, widths, strict=True)), flush=True)


def restored(
    clip: Path,
    out: Path,
    model: Any,
    words: argparse.Namespace,
    progress: Callable[[int, int], None] = lambda frames, faces: None,
    **options: Any,
) -> dict[str, Any]:
    """One run of the program over ``clip``, as plain figures. Every face counts, however small or sharp."""
    from vidrestore.options import Options
    from vidrestore.pipeline import restore_video

    given = {"w": 1.0, "min_face": 0.0, "max_sharpness": 0.0, "max_yaw": 0.0, "offline": True}
    given |= {"device": words.device, "precision": words.precision, "batch": words.batch}
    given |= {"codec": CODEC, "crf": CRF, "preset": PRESET}
    given |= {"model": "auto" if model.weights else model.name, "weights": model.weights}
    report = restore_video(Options(input=clip, output=out, overwrite=True, **given | options), progress)
    times = report.profile.data()
    return {
        "wall": times["wall"],
        "frames_per_second": report.frames / times["wall"],
        "frames": report.frames,
        "faces": report.faces,
        "network_share": times["sections"]["network"]["share"],
        "gpu_idle": times["gpu_idle"],
        "profile": times,
    }


def network(words: argparse.Namespace, folder: Path) -> Rows:
    """Faces a second of each network alone."""
    from vidrestore.measure.speed.models import find_model
    from vidrestore.measure.speed.network import matmul_peak, measure_network
    from vidrestore.restore.load import load_restorer
    from vidrestore.runtime.device import find_device, find_precision
    from vidrestore.runtime.host import prepare_host

    device = find_device(words.device)
    precisions = [find_precision(precision, device) for precision in words.precisions]
    peaks = {precision: matmul_peak(device, precision) for precision in precisions}
    prepare_host()  # from here on threads are as in a run
    rows = []
    for precision, peak in peaks.items():
        common = {"device": device, "precision": precision, "peak": peak, "seconds": words.seconds}
        for name in words.models:
            model = find_model(name, folder)
            config = model.network().config
            restorer = load_restorer(name, weights=model.weights, device=device, precision=precision)
            for batch, w in product(words.batches, words.w):
                speed = measure_network(
                    *(restorer, config),
                    **common,
                    batch=batch,
                    w=w,
                )
                rows.append(
                    asdict(speed) | {"model": str(model), "tflops": speed.tflops, "share": speed.share}
                )
    show(
        rows,
        "model device precision batch w:g faces_per_second:.3f gflop:.0f published_gflop:.0f "
        "tflops:.3f peak_tflops:.3f share:.1%",
    )
    return rows


def pipeline(words: argparse.Namespace, folder: Path) -> Rows:
    """Frames a second end to end, and where the time goes."""
    from vidrestore.measure.speed.models import find_model

    row = restored(words.clip, folder / "out.mkv", find_model(words.model, folder), words, **length(words))
    show(
        row["profile"]["stages"],
        "name busy:.2f share:.1% waits_for_input:.2f waits_for_room:.2f queue:.1f room",
    )
    sections = [{"name": name, **times} for name, times in row["profile"]["sections"].items()]
    show(sections, "name seconds:.2f share:.1% items calls gpu_seconds:.2f")
    show([row], "frames_per_second:.2f faces network_share:.1% gpu_idle:.1%")
    return [row]


def length(words: argparse.Namespace) -> dict[str, Fraction]:
    """The option for the first ``--frames`` of ``--clip``, with half a frame to spare."""
    import av

    if not words.frames:
        return {}
    with av.open(str(words.clip)) as container:
        return {"duration": (words.frames - Fraction(1, 2)) / container.streams.video[0].average_rate}


def compare(words: argparse.Namespace, folder: Path) -> Rows:
    """The program and a plain one over the same frames, in turns."""
    from vidrestore.faces.detection.load import choose_detector
    from vidrestore.measure.speed.baseline_program import Reference
    from vidrestore.measure.speed.models import find_model
    from vidrestore.runtime.device import find_device

    model = find_model(words.model, folder)
    detector = choose_detector("auto", offline=True)
    plain = Reference(model.network(), detector=detector, device=find_device(words.device), w=1.0)
    options = {"crf": f"{CRF:g}", "preset": PRESET}
    rows = []
    for number in range(words.rounds):
        run = plain.run(words.clip, folder / "plain.mkv", codec=CODEC, options=options, frames=words.frames)
        ours = restored(words.clip, folder / "ours.mkv", model, words, **length(words))
        rows.append(
            {
                "round": number + 1,
                "plain": run.frames / run.wall,
                "plain_faces": run.faces,
                "plain_steps": {name: seconds / run.wall for name, seconds in run.steps.items()},
                "vidrestore": ours["frames_per_second"],
                "frames": ours["frames"],
                "faces": ours["faces"],
                "network_share": ours["network_share"],
                "ratio": ours["frames_per_second"] / (run.frames / run.wall),
            }
        )
    show(rows, "round frames plain:.3f plain_faces vidrestore:.3f faces network_share:.1% ratio:.2f")
    shares = ", ".join(f"{name} {share:.1%}" for name, share in rows[-1]["plain_steps"].items())
    print(f"the plain program's time: {shares}")
    print(f"{model}, frames a second, median ratio: {statistics.median(row['ratio'] for row in rows):.2f}")
    return rows


def scaling(words: argparse.Namespace, folder: Path) -> Rows:
    """Frames a second by the size of the picture and the faces in it."""
    from vidrestore.measure.speed.models import find_model
    from vidrestore.measure.speed.synthetic_clips import face_pictures, tiled, write_clip

    model, pictures, rows = find_model(words.model, folder), face_pictures(SAMPLE), []
    for size, faces in product(words.sizes, words.faces):
        clip = write_clip(folder / "tiles.mp4", tiled(pictures, *SIZES[size], faces), words.frames)
        row = restored(clip, folder / "out.mkv", model, words)
        row["faces_per_second"] = row["faces"] / row["wall"]
        rows.append({"size": size, "tiles": faces, **row, "faces_per_frame": row["faces"] / row["frames"]})
    show(
        rows,
        "size tiles faces_per_frame:.2f frames_per_second:.2f faces_per_second:.2f network_share:.1% "
        "gpu_idle:.1%",
    )
    return rows


def memory(words: argparse.Namespace, folder: Path) -> Rows:
    """Peaks of memory for a clip and for it many times over, each in a process of its own."""
    import ffmpeg
    import imageio_ffmpeg

    from vidrestore.measure.speed.models import find_model
    from vidrestore.media.probe import probe
    from vidrestore.stages.restoration import CONTEXT

    rows = []
    find_model(words.model, folder)  # making stand-in weights takes memory, too
    # The short one fills all that looks across time: before that, memory grows as it should.
    filled = math.ceil(4 * CONTEXT / (probe(words.clip).frames or 1))
    for times in (filled, filled * words.times):
        clip, figures = folder / f"{times}x{words.clip.suffix}", folder / "figures.json"
        stream = ffmpeg.input(str(words.clip), stream_loop=times - 1).output(str(clip), c="copy", map="0:v")
        stream.run(cmd=imageio_ffmpeg.get_ffmpeg_exe(), quiet=True, overwrite_output=True)
        given = vars(words) | {"clip": clip, "json": figures, "weights": folder}
        names = ("clip", "json", "weights", "slow", "model", "device", "precision", "batch")
        settings = [word for name in names for word in (f"--{name}", str(given[name]))]
        if subprocess.run(
            [sys.executable, __file__, "child", *settings], stdout=subprocess.DEVNULL
        ).returncode:
            raise SystemExit("a run failed")
        rows.append({"length": times, **json.loads(figures.read_text())["rows"][0]})
    show(rows, "length frames faces wall:.1f frames_per_second:.2f peak_mb:.0f device_mb:.0f")
    print(f"peak, long to short: {rows[1]['peak_mb'] / rows[0]['peak_mb']:.3f}")
    return rows


def child(words: argparse.Namespace, folder: Path) -> Rows:
    """One run, with each frame's encoding ``--slow`` seconds longer, and its peaks of memory."""
    import torch

    from vidrestore.measure.speed.long_run import peak_mb
    from vidrestore.measure.speed.models import find_model

    model = find_model(words.model, words.weights)
    # What is called after each frame holds the last stage up, as its encoder would.
    row = restored(words.clip, folder / "out.mkv", model, words, lambda *_: time.sleep(words.slow))
    row["peak_mb"] = peak_mb()
    row["device_mb"] = torch.cuda.max_memory_allocated() / 2**20 if torch.cuda.is_available() else None
    return [row]


def hours(words: argparse.Namespace, folder: Path) -> Rows:
    """A long run of small frames, with a face for two seconds of each minute: speed and memory by tenths."""
    from vidrestore.measure.speed.long_run import Course
    from vidrestore.measure.speed.models import find_model
    from vidrestore.measure.speed.synthetic_clips import face_pictures, now_and_then, tiled, write_clip

    rate, size, pictures = words.rate, (192, 144), face_pictures(SAMPLE)
    frames = round(words.hours * 3600 * rate)
    scenes = now_and_then(tiled(pictures, *size, 1), tiled(pictures, *size, 0), 60 * rate, 2 * rate)
    clip = write_clip(folder / "long.mkv", scenes, frames, rate)
    course = Course(frames)
    restored(clip, folder / "out.mkv", find_model(words.model, folder), words, course)
    show(course.rows, "frames faces frames_per_second:.1f resident_mb:.0f")
    return course.rows


def parser() -> argparse.ArgumentParser:
    whole = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = whole.add_subparsers(dest="command", required=True)

    def command(work: Any, *, clip: bool = False, frames: int | None = None) -> argparse.ArgumentParser:
        own = commands.add_parser(work.__name__, help=work.__doc__)
        own.set_defaults(work=work)
        own.add_argument("--json", type=Path, help="write the figures here")
        own.add_argument("--device", default="auto")
        if work is not network:
            own.add_argument("--model", choices=("lite", "codeformer"), default="lite")
            own.add_argument("--precision", default="auto")
            own.add_argument(
                "--batch", type=lambda text: text if text == "auto" else int(text), default="auto"
            )
        if clip:
            own.add_argument("--clip", type=Path, default=SAMPLE)
        if frames is not None:
            own.add_argument("--frames", type=int, default=frames, help="at most; 0 is all there are")
        return own

    one = command(network)
    one.add_argument("--models", nargs="+", default=["lite", "codeformer"])
    one.add_argument("--precisions", nargs="+", default=["fp32", "auto"])
    one.add_argument("--batches", nargs="+", type=int, default=[1, 4])
    one.add_argument("--w", nargs="+", type=float, default=[0.0, 1.0])
    one.add_argument("--seconds", type=float, default=3.0, help="for each figure")
    command(pipeline, clip=True, frames=0)
    command(compare, clip=True, frames=48).add_argument("--rounds", type=int, default=3)
    one = command(scaling, frames=48)
    one.add_argument("--sizes", nargs="+", choices=SIZES, default=list(SIZES))
    one.add_argument("--faces", nargs="+", type=int, default=[0, 1, 4, 16])
    one = command(hours)
    one.add_argument("--hours", type=float, default=1.0)
    one.add_argument("--rate", type=int, default=5, help="frames a second")
    for work in (memory, child):
        one = command(work, clip=True)
        one.add_argument("--slow", type=float, default=0.0, help="seconds that encoding a frame takes longer")
        if work is memory:
            one.add_argument("--times", type=int, default=10, help="how much longer the long clip is")
        else:
            one.add_argument("--weights", type=Path, help="where stand-in weights are")
    return whole


def machine() -> dict[str, Any]:
    """What it was measured on."""
    import torch

    from vidrestore.runtime.device import cpu_bf16_instructions
    from vidrestore.runtime.host import usable_cores

    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    names = (line.split(":")[1].strip() for line in _cpu_lines() if line.startswith("model name"))
    cpu = next(names, platform.processor())
    return {
        "cpu": cpu,
        "bf16": cpu_bf16_instructions(),
        "cores": usable_cores(),
        "gpu": gpu,
        "torch": torch.__version__,
        "python": platform.python_version(),
    }


def _cpu_lines() -> Iterator[str]:
    path = Path("/proc/cpuinfo")
    yield from path.read_text().splitlines() if path.exists() else ()


def main(argv: list[str] | None = None) -> None:
    words = parser().parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        rows = words.work(words, Path(folder))
    measured_on = machine()
    print("measured on:", ", ".join(f"{name} {value}" for name, value in measured_on.items()))
    if words.json:
        figures = {"command": words.command, "machine": measured_on, "rows": rows}
        words.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
