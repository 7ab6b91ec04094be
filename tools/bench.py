"""Benchmark the package: how fast it is, where the time goes, and how much memory it needs.

    python tools/bench.py network  [--models lite codeformer] [--precisions fp32 bf16] [--batches 1 4]
    python tools/bench.py pipeline [--clip CLIP] [--model lite]
    python tools/bench.py compare  [--clip CLIP] [--model lite] [--frames 48] [--rounds 3]
    python tools/bench.py scaling  [--sizes 360p 1080p] [--faces 0 1 4 16]
    python tools/bench.py memory   [--clip CLIP] [--times 10] [--slow SECONDS]
    python tools/bench.py hours    [--hours 1]

Each command prints a table and, with ``--json FILE``, writes its figures. If the published weights are not
on this machine, random weights of the same shapes are used; speed does not depend on them. ``w`` is 1
everywhere: at a lower ``w`` the identity guard would reject what random weights make of a face, and have it
restored again.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from fractions import Fraction
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

from vidrestore.measure.speed.models import MODELS
from vidrestore.measure.tables import plain_table, write_json

SAMPLE = Path(__file__).parents[1] / "samples" / "portrait.mp4"
SIZES = {"360p": (640, 360), "720p": (1280, 720), "1080p": (1920, 1080), "4K": (3840, 2160)}
#: Encoder settings of both programs that are compared.
CODEC, CRF, PRESET = "libx264", 16.0, "medium"

Rows = list[dict[str, Any]]
Command = Callable[[argparse.Namespace, Path], Rows]


def show(rows: Rows, columns: str) -> None:
    """Print a table of ``columns``: keys of ``rows``, each with a colon and a format spec if needed."""
    print(plain_table(rows, columns), flush=True)


def prepare(device: str, precision: str) -> None:
    """Apply the process-wide settings that the command line applies for a run."""
    from vidrestore.runtime.device import find_device, find_precision, prepare_device
    from vidrestore.runtime.host import prepare_process
    from vidrestore.weights.store import cache_dir

    prepare_process()
    torch_device = find_device(device)
    resolved = find_precision(precision, torch_device)
    prepare_device(torch_device, resolved, compile_cache=cache_dir() / "compiled")


def restored(
    clip: Path,
    out: Path,
    model: Any,
    args: argparse.Namespace,
    progress: Callable[[int, int], None] = lambda frames, faces: None,
    **options: Any,
) -> dict[str, Any]:
    """Restore ``clip`` and return the figures of the run. No face is skipped, however small or sharp."""
    from vidrestore.options import Options
    from vidrestore.pipeline import restore_video

    settings: dict[str, Any] = {
        "w": 1.0,
        "min_face": 0.0,
        "max_sharpness": 0.0,
        "max_yaw": 0.0,
        "offline": True,
    }
    settings |= {"device": args.device, "precision": args.precision, "batch": args.batch}
    settings |= {"codec": CODEC, "crf": CRF, "preset": PRESET}
    settings |= {"model": "auto" if model.weights else model.name, "weights": model.weights}
    prepare(args.device, args.precision)
    report = restore_video(Options(input=clip, output=out, overwrite=True, **settings | options), progress)
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


def network(args: argparse.Namespace, folder: Path) -> Rows:
    """Measure faces per second of each network alone."""
    from vidrestore.measure.speed.models import find_model
    from vidrestore.measure.speed.network import matmul_peak, measure_network
    from vidrestore.restoration.load import load_restorer
    from vidrestore.runtime.device import find_device, find_precision

    device = find_device(args.device)
    precisions = [find_precision(precision, device) for precision in args.precisions]
    peaks = {precision: matmul_peak(device, precision) for precision in precisions}
    rows = []
    for precision, peak in peaks.items():
        prepare(args.device, precision)  # as in a run
        common = {"device": device, "precision": precision, "peak": peak, "seconds": args.seconds}
        for name in args.models:
            model = find_model(name, folder)
            config = model.network().config
            restorer = load_restorer(model.weights or name, device=device, precision=precision)
            for batch, w in product(args.batches, args.w):
                speed = measure_network(restorer, config, **common, batch=batch, w=w)
                rows.append(
                    asdict(speed) | {"model": str(model), "tflops": speed.tflops, "share": speed.share}
                )
    show(
        rows,
        "model device precision batch w:g faces_per_second:.3f gflop:.0f published_gflop:.0f "
        "tflops:.3f peak_tflops:.3f share:.1%",
    )
    return rows


def pipeline(args: argparse.Namespace, folder: Path) -> Rows:
    """Measure frames per second of the whole program, and the time of each part."""
    from vidrestore.measure.speed.models import find_model

    row = restored(
        args.clip, folder / "out.mkv", find_model(args.model, folder), args, duration=duration(args)
    )
    show(
        row["profile"]["stages"],
        "name busy:.2f share:.1% waits_for_input:.2f waits_for_room:.2f queue:.1f room",
    )
    sections = [{"name": name, **times} for name, times in row["profile"]["sections"].items()]
    show(sections, "name seconds:.2f share:.1% items calls gpu_seconds:.2f")
    show([row], "frames_per_second:.2f faces network_share:.1% gpu_idle:.1%")
    return [row]


def duration(args: argparse.Namespace) -> Fraction | None:
    """Return the time of the first ``--frames`` frames of ``--clip``, with a margin of half a frame."""
    import av

    if not args.frames:
        return None
    with av.open(str(args.clip)) as container:
        rate = container.streams.video[0].average_rate
    if rate is None:
        raise SystemExit(f"bench: {args.clip} has no frame rate; give another clip, or --frames 0")
    return (args.frames - Fraction(1, 2)) / rate


def compare(args: argparse.Namespace, folder: Path) -> Rows:
    """Compare the program with a simple baseline program on the same frames, in alternate runs."""
    from vidrestore.faces.detection.load import resolve_detector
    from vidrestore.measure.speed.baseline_program import BaselineProgram
    from vidrestore.measure.speed.models import find_model
    from vidrestore.runtime.device import find_device

    model = find_model(args.model, folder)
    detector = resolve_detector("auto", offline=True).name
    baseline = BaselineProgram(model.network(), detector=detector, device=find_device(args.device), w=1.0)
    options = {"crf": f"{CRF:g}", "preset": PRESET}
    rows = []
    for number in range(args.rounds):
        run = baseline.run(
            args.clip, folder / "baseline.mkv", codec=CODEC, options=options, frames=args.frames
        )
        ours = restored(args.clip, folder / "vidrestore.mkv", model, args, duration=duration(args))
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
    print(f"time of the baseline program: {shares}")
    print(f"{model}, frames per second, median ratio: {statistics.median(row['ratio'] for row in rows):.2f}")
    return rows


def scaling(args: argparse.Namespace, folder: Path) -> Rows:
    """Measure frames per second by frame size and number of faces."""
    from vidrestore.measure.speed.models import find_model
    from vidrestore.measure.speed.synthetic_clips import face_images, tiled, write_clip

    model, images, rows = find_model(args.model, folder), face_images(SAMPLE), []
    for size, faces in product(args.sizes, args.faces):
        clip = write_clip(folder / "tiles.mp4", tiled(images, *SIZES[size], faces), args.frames)
        row = restored(clip, folder / "out.mkv", model, args)
        row["faces_per_second"] = row["faces"] / row["wall"]
        rows.append({"size": size, "tiles": faces, **row, "faces_per_frame": row["faces"] / row["frames"]})
    show(
        rows,
        "size tiles faces_per_frame:.2f frames_per_second:.2f faces_per_second:.2f network_share:.1% "
        "gpu_idle:.1%",
    )
    return rows


def memory(args: argparse.Namespace, folder: Path) -> Rows:
    """Measure peak memory for a clip and for the same clip repeated, each in a process of its own."""
    from vidrestore.measure.speed.models import find_model
    from vidrestore.measure.speed.synthetic_clips import repeat_clip
    from vidrestore.media.probe import probe
    from vidrestore.stages.restoration import CONTEXT

    rows = []
    find_model(args.model, folder)  # now, because writing random weights takes memory
    # The short clip is long enough to fill all temporal windows; until then memory grows as intended.
    short = math.ceil(4 * CONTEXT / (probe(args.clip).frames or 1))
    for times in (short, short * args.times):
        clip, figures = folder / f"{times}x{args.clip.suffix}", folder / "figures.json"
        repeat_clip(args.clip, clip, times)
        values = vars(args) | {"clip": clip, "json": figures, "weights": folder}
        names = ("clip", "json", "weights", "slow", "model", "device", "precision", "batch")
        settings = [arg for name in names for arg in (f"--{name}", str(values[name]))]
        if subprocess.run(
            [sys.executable, __file__, "child", *settings], stdout=subprocess.DEVNULL
        ).returncode:
            raise SystemExit("bench: a run failed; its error is above")
        rows.append({"length": times, **json.loads(figures.read_text())["rows"][0]})
    show(rows, "length frames faces wall:.1f frames_per_second:.2f peak_mb:.0f device_mb:.0f")
    print(f"peak memory, long relative to short: {rows[1]['peak_mb'] / rows[0]['peak_mb']:.3f}")
    return rows


def child(args: argparse.Namespace, folder: Path) -> Rows:
    """Measure one run and its peak memory, with encoding ``--slow`` seconds slower per frame."""
    import torch

    from vidrestore.measure.speed.long_run import peak_mb
    from vidrestore.measure.speed.models import find_model

    model = find_model(args.model, args.weights)
    # The progress callback delays the last stage after each frame, like a slow encoder.
    row = restored(args.clip, folder / "out.mkv", model, args, lambda *_: time.sleep(args.slow))
    row["peak_mb"] = peak_mb()
    row["device_mb"] = torch.cuda.max_memory_allocated() / 2**20 if torch.cuda.is_available() else None
    return [row]


def hours(args: argparse.Namespace, folder: Path) -> Rows:
    """Measure each tenth of a long run of small frames, with a face in 2 seconds of each minute."""
    from vidrestore.measure.speed.long_run import RunMonitor
    from vidrestore.measure.speed.models import find_model
    from vidrestore.measure.speed.synthetic_clips import face_images, intermittent, tiled, write_clip

    rate, size, images = args.rate, (192, 144), face_images(SAMPLE)
    frames = round(args.hours * 3600 * rate)
    scenes = intermittent(tiled(images, *size, 1), tiled(images, *size, 0), 60 * rate, 2 * rate)
    clip = write_clip(folder / "long.mkv", scenes, frames, rate)
    monitor = RunMonitor(frames)
    restored(clip, folder / "out.mkv", find_model(args.model, folder), args, monitor)
    show(monitor.rows, "frames faces frames_per_second:.1f resident_mb:.0f")
    return monitor.rows


def parser() -> argparse.ArgumentParser:
    main_parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = main_parser.add_subparsers(dest="command", required=True)

    def command(
        name: str, run: Command, *, clip: bool = False, frames: int | None = None
    ) -> argparse.ArgumentParser:
        own = commands.add_parser(name, help=run.__doc__)
        own.set_defaults(run=run)
        own.add_argument("--json", type=Path, help="write the figures to this file")
        own.add_argument("--device", default="auto")
        if run is not network:
            own.add_argument("--model", choices=MODELS, default="lite")
            own.add_argument("--precision", default="auto")
            own.add_argument(
                "--batch", type=lambda text: text if text == "auto" else int(text), default="auto"
            )
        if clip:
            own.add_argument("--clip", type=Path, default=SAMPLE)
        if frames is not None:
            whole = "" if run is scaling else "; 0: all"
            own.add_argument(
                "--frames",
                type=partial(_at_least, 1 if run is scaling else 0),
                default=frames,
                help=f"at most this many frames{whole}",
            )
        return own

    one = command("network", network)
    one.add_argument("--models", nargs="+", choices=MODELS, default=["lite", "codeformer"])
    one.add_argument("--precisions", nargs="+", default=["fp32", "auto"])
    one.add_argument("--batches", nargs="+", type=int, default=[1, 4])
    one.add_argument("--w", nargs="+", type=float, default=[0.0, 1.0])
    one.add_argument("--seconds", type=float, default=3.0, help="time per figure")
    command("pipeline", pipeline, clip=True, frames=0)
    command("compare", compare, clip=True, frames=48).add_argument(
        "--rounds", type=partial(_at_least, 1), default=3
    )
    one = command("scaling", scaling, frames=48)
    one.add_argument("--sizes", nargs="+", choices=SIZES, default=list(SIZES))
    one.add_argument("--faces", nargs="+", type=int, default=[0, 1, 4, 16])
    one = command("hours", hours)
    one.add_argument("--hours", type=float, default=1.0)
    one.add_argument("--rate", type=int, default=5, help="frames per second")
    for name, run in (("memory", memory), ("child", child)):
        one = command(name, run, clip=True)
        one.add_argument(
            "--slow", type=float, default=0.0, help="seconds to delay the encoding of each frame"
        )
        if run is memory:
            one.add_argument(
                "--times", type=int, default=10, help="length of the long clip relative to the short one"
            )
        else:
            one.add_argument("--weights", type=Path, help="folder of the random weights")
    return main_parser


def _at_least(low: int, text: str) -> int:
    value = int(text)
    if value < low:
        raise argparse.ArgumentTypeError(f"must be at least {low}, not {value}")
    return value


def main(argv: list[str] | None = None) -> int:
    from vidrestore.errors import VidrestoreError
    from vidrestore.measure.speed.machine import machine

    args = parser().parse_args(argv)
    try:
        with tempfile.TemporaryDirectory() as folder:
            rows = args.run(args, Path(folder))
    except VidrestoreError as error:
        print(f"bench: {error}", file=sys.stderr)
        return error.exit_code
    measured_on = machine()
    print("measured on:", ", ".join(f"{name} {value}" for name, value in measured_on.items()))
    try:
        write_json(args.json, {"command": args.command, "machine": measured_on, "rows": rows})
    except VidrestoreError as error:
        print(f"bench: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
