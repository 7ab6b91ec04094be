"""Measure restored faces against clean ones, and compare models, baselines and settings.

    python tools/evaluate.py faces --faces FOLDER [--model lite] [--weights FILE] [--w 0 0.5 1] [--count N]
                             [--levels mild medium heavy] [--gate [NET]] [--groups] [--sheet OUT.jpg]
                             [--json OUT.json]
    python tools/evaluate.py clips --reference CLEAN CLIP... [--every N] [--sheet OUT.png] [--json OUT.json]
    python tools/evaluate.py restore --reference CLEAN --degraded CLIP... [--reference ...] [-t TIME]
                             [--settings "NAME: OPTIONS"...] [--every N] [--sheet OUT.png] [--json OUT.json]
                             [-- OPTIONS]
    python tools/evaluate.py still IMAGE_OR_CLIP [--levels mild medium heavy] [--frames N] [--seed N]
                             [--settings ...] [--sheet OUT.png] [--json OUT.json] [-- OPTIONS]

``faces`` degrades clean aligned faces at fixed levels and restores them. FOLDER is one that
``tools/prepare_faces.py`` wrote, of which the validation faces are taken, or one of aligned images (JPEG or
PNG, 512 x 512).

``clips`` compares the faces of clips with the same frames. Faces are detected, tracked and aligned in the
clean clip, and cropped from all clips at the same places.

``restore`` restores degraded versions of CLEAN with several settings, and compares the results. A setting is
a name and options of ``vidrestore``, such as "faithful: --w 0.9" or "gfpgan: --model gfpgan-1.4". By default
the settings are: every part of ``--steady`` on (full), every part off (per-frame), and each part off. OPTIONS
after ``--`` apply to all settings. With several clips there is a table for each, and one of the means.

``still`` does the same with a scene that does not move: an image or the first frame of a clip, repeated and
degraded like ``tools/degrade.py`` does, so that only noise and coding artefacts change.

PSNR is in dB, over all three channels; SSIM and MS-SSIM are of the luma. ``alex`` and ``vgg`` are perceptual
distances (LPIPS with shift-tolerant networks) at 256 x 256 pixels, because they take several seconds per
image at full size, each the mean of those of the face and of the face mirrored top to bottom, as a model that
learned from upright faces may have learned to lower that way's alone. ``identity`` is the distance of face
embeddings (different people: about .85). ``Fréchet`` is the distance between the VGG features of the two
sets; it is not FID, and only runs on the same faces are comparable. The baseline ``bicubic`` is the degraded
face at its own resolution, enlarged; ``nlm + unsharp`` is non-local means and an unsharp mask. ``--gate``
uses the perceptual distance by the network NET, which should not have been used to train the model: ``vgg``
for the embedded model. ``--groups`` also prints the figures by set, by pose (from the landmarks: up to 15
degrees of yaw, up to 30, and more) and by skin tone (the individual typology angle of the cheeks: above 41
degrees, above 10, and less).

The figures over time are of the face's oval, on a scale of 255. ``face PSNR`` is in dB, of the mean squared
error. ``warping`` is the difference between consecutive frames after motion compensation by the clean face,
minus that of the clean face itself. ``flicker`` is the change of brightness between frames relative to the
clean face. ``static`` is the deviation over time in a still scene, ``codes`` the percentage of the codes that
differ there from those of the frame before, if there is one face. ``mouth`` and ``eyes`` are the errors in
these parts while they move. ``jitter`` is the shaking of the landmarks, smoothed as for alignment and (raw)
as detected, in pixels of a 512-pixel face. ``--every N`` measures single images, which takes the most time,
in every Nth frame only.

Needs: pip install "vidrestore[evaluate,train]"
"""

from __future__ import annotations

import argparse
import io
import shlex
import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from vidrestore import __version__
from vidrestore.cli import run as vidrestore
from vidrestore.cli_parser import options_of, parse_restore
from vidrestore.degradation.clip import FRAME_LEVELS, degrade_clip
from vidrestore.degradation.degrade import LEVELS
from vidrestore.errors import UsageError, VidrestoreError
from vidrestore.faces.detection.load import load_detector, resolve_detector
from vidrestore.measure.clip_evaluation import ClipEvaluator, settings_report, settings_sheet
from vidrestore.measure.clip_metrics import ClipMetrics
from vidrestore.measure.code_changes import CodeWatch
from vidrestore.measure.face_evaluation import check_sizes, evaluate_faces, load_faces
from vidrestore.measure.face_groups import group_faces, group_tables, group_text
from vidrestore.measure.face_metrics import NETS, PERCEPTUAL_SIZE, FaceMeter
from vidrestore.measure.gate import Levels, gate_table, judge, perceptual_rules
from vidrestore.measure.methods import load_models
from vidrestore.measure.settings import Setting, ablations, check_settings, parse_setting
from vidrestore.measure.sheet import SheetRow, contact_sheet, save_sheet
from vidrestore.measure.still import write_still
from vidrestore.measure.tables import TIME_COLUMNS, table, write_json
from vidrestore.media.timeline import Span
from vidrestore.option_types import STEADY, seconds
from vidrestore.pipeline import restore_video
from vidrestore.runtime.device import find_device, find_precision, prepare_device
from vidrestore.runtime.profile import Profile
from vidrestore.stages.models import Models
from vidrestore.stages.networks import Networks
from vidrestore.stages.setup import RestorerSetup
from vidrestore.weights.registry import restorer_names
from vidrestore.weights.store import cache_dir

#: Bytes of a contact sheet of faces per row.
ROW_BYTES = 55_000
#: Bytes of a contact sheet of clips per image.
IMAGE_BYTES = 120_000
#: Exit code if a model misses the ship gate.
GATE_MISSED = 3


def run_faces(args: argparse.Namespace) -> int:
    faces = load_faces(args.faces, args.count)
    names = args.model or ([] if args.weights else ["lite"])
    device = find_device(args.device)
    prepare_device(device, find_precision(args.precision, device), compile_cache=cache_dir() / "compiled")
    models = load_models(names, args.weights, device=args.device, precision=args.precision)
    check_sizes(faces, models)
    meter = FaceMeter(device=device)
    shown = args.sheet_rows if args.sheet else 0
    result = evaluate_faces(faces, models, args.w, args.levels, meter, shown=shown)
    for level, methods in result.levels.items():
        print(table(f"{level}, {len(faces)} faces", methods), end="\n\n")
    report = header() | {
        "faces": {"folder": str(args.faces), "names": [name for name, _ in faces]},
        "models": [{"name": m.name, "sha256": m.sha256, "precision": m.precision} for m in models],
        "levels": result.data(),
    }
    if args.groups:
        detector = load_detector(resolve_detector("auto").name, device)
        groups = group_faces(faces, detector)
        report["groups"] = {model.name: group_tables(result, groups, model.name, args.w) for model in models}
        for model, tables in report["groups"].items():
            for level, rows in tables.items():
                print(f"{model}, {level}\n{group_text(rows)}\n")
    if args.gate:
        report["gate"] = {model.name: apply_gate(model.name, result.levels, args.gate) for model in models}
    write_json(args.json, report)
    for level, rows in result.sheets.items():
        if rows:
            several = len(result.sheets) > 1
            path = args.sheet.with_stem(f"{args.sheet.stem}-{level}") if several else args.sheet
            columns = [*result.levels[level], "clean"]
            save_sheet(path, contact_sheet(columns, rows), limit=ROW_BYTES * len(rows))
    missed = any(not rule["passed"] for rules in report.get("gate", {}).values() for rule in rules)
    return GATE_MISSED if missed else 0


def apply_gate(model: str, levels: Levels, net: str) -> list[dict[str, Any]]:
    """Print the ship gate of a model with the perceptual network ``net``; return the verdicts."""
    verdicts = judge(levels, model, net=net)
    print(f"ship gate: {model}\n{gate_table(verdicts)}\n")
    other = next(name for name in NETS if name != net)
    others = judge(levels, model, net=other, rules=perceptual_rules())
    print(f"for comparison, with the other network\n{gate_table(others)}\n")
    return [asdict(verdict) for verdict in verdicts]


def run_clips(args: argparse.Namespace) -> int:
    clips = {str(path): path for path in args.clips}
    metrics = clip_evaluator(args).measure(args.reference, clips)
    print_tables(f"{args.reference.name}, {metrics.extent}", metrics.rows)
    write_json(args.json, header() | {"reference": str(args.reference)} | metrics.data("clips"))
    write_sheet(args.sheet, [*clips, "clean"], metrics.sheet)
    return 0


def run_restore(args: argparse.Namespace) -> int:
    if len(args.reference) != len(args.degraded):
        raise UsageError("give --degraded clips for each --reference, and a --reference for each --degraded")
    pairs = [
        (reference, clip)
        for reference, clips in zip(args.reference, args.degraded, strict=True)
        for clip in clips
    ]
    common = [*args.options, *(("-t", str(args.duration)) if args.duration else ())]
    settings = checked_settings(args.settings, [clip for _, clip in pairs], common)
    evaluator, results = clip_evaluator(args, span=Span(end=args.duration)), {}
    for reference, clip in pairs:
        metrics = evaluator.measure_settings(reference, clip, settings, restore, args=common)
        print_tables(f"{clip.name}, {metrics.extent}", metrics.rows)
        results[str(clip)] = metrics
    report_settings(args, results)
    return 0


def run_still(args: argparse.Namespace) -> int:
    evaluator, results = clip_evaluator(args), {}
    with TemporaryDirectory() as folder:
        clean = Path(folder) / f"{args.scene.stem}.mkv"
        write_still(args.scene, clean, frames=args.frames)
        settings = checked_settings(args.settings, [clean], args.options)
        for level in args.levels:
            degraded = clean.with_name(f"{args.scene.stem}-{level}.mp4")
            degrade_clip(clean, degraded, FRAME_LEVELS[level], seed=args.seed)
            metrics = evaluator.measure_settings(
                clean, degraded, settings, restore_watched, args=args.options, still=True
            )
            print_tables(f"{degraded.name}, {metrics.extent}", metrics.rows)
            results[f"{args.scene}, {level}"] = metrics
    report_settings(args, results)
    return 0


def clip_evaluator(args: argparse.Namespace, span: Span | None = None) -> ClipEvaluator:
    shown = args.sheet_rows if args.sheet else 0
    return ClipEvaluator(device=args.device, span=span, every=args.every, shown=shown)


def checked_settings(texts: Sequence[str], clips: Sequence[Path], common: Sequence[str]) -> list[Setting]:
    """Return the settings to compare. Raises VidrestoreError, before any work, if ``vidrestore`` would refuse
    one of them for one of the clips."""
    settings = [parse_setting(text) for text in texts] or ablations(STEADY)
    check_settings(settings)
    with TemporaryDirectory() as folder, redirect_stdout(io.StringIO()):
        for clip in clips:
            for setting in settings:
                restore(clip, Path(folder) / "out.mkv", [*common, *setting.args, "--dry-run"])
    return settings


def restore(clip: Path, out: Path, options: Sequence[str]) -> dict[str, float]:
    """Restore ``clip`` to a lossless file as the command line does. Raises VidrestoreError."""
    vidrestore([str(clip), str(out), *options, "-c:v", "ffv1"])
    return {}


def restore_watched(clip: Path, out: Path, options: Sequence[str]) -> dict[str, float]:
    """Restore ``clip`` to a lossless file; return how its codes change. Raises VidrestoreError."""
    networks = WatchedNetworks()
    args = parse_restore([str(clip), str(out), *options, "-c:v", "ffv1"])
    report = restore_video(options_of(args), networks=networks)
    return {} if networks.watch is None else networks.watch.figures(report.frames)


class WatchedNetworks(Networks):
    """Networks for one file, whose codes are noted."""

    watch: CodeWatch | None = None

    def models(self, setup: RestorerSetup, profile: Profile) -> Models:
        models = super().models(setup, profile)
        models.restorer = self.watch = CodeWatch(models.restorer)
        return models


def report_settings(args: argparse.Namespace, results: Mapping[str, ClipMetrics]) -> None:
    """Print the means over the clips, and write the JSON file and the contact sheet."""
    report = settings_report(results)
    if "mean" in report:
        print_tables(f"mean of {len(results)} clips", report["mean"])
    write_json(args.json, header() | report)
    write_sheet(args.sheet, *settings_sheet(results))


def print_tables(title: str, rows: Mapping[str, Mapping[str, float]]) -> None:
    print(table(title, rows), table("over time", rows, TIME_COLUMNS), sep="\n\n", end="\n\n", flush=True)


def write_sheet(path: Path | None, columns: Sequence[str], rows: Sequence[SheetRow]) -> None:
    if path and rows:
        save_sheet(path, contact_sheet(columns, rows), limit=IMAGE_BYTES * len(columns) * len(rows))


def header() -> dict[str, Any]:
    """Return what is needed to repeat a measurement."""
    return {
        "version": __version__,
        "command": shlex.join(["python", "tools/evaluate.py", *sys.argv[1:]]),
        "perceptual_size": PERCEPTUAL_SIZE,
    }


def fidelity_weight(text: str) -> float:
    w = float(text)
    if not 0 <= w <= 1:
        raise argparse.ArgumentTypeError(f"must be between 0 and 1, not {text}")
    return w


def positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, not {text}")
    return number


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    faces = commands.add_parser("faces", help="degrade and restore aligned faces")
    faces.set_defaults(run=run_faces)
    faces.add_argument("--faces", type=Path, required=True, help="folder of clean aligned faces")
    faces.add_argument(
        "--model",
        choices=restorer_names(),
        metavar="NAME",
        action="append",
        default=[],
        help="model by name (default: lite); repeatable",
    )
    faces.add_argument(
        "--weights", type=Path, action="append", default=[], help="weights file of a model; repeatable"
    )
    faces.add_argument(
        "--w", type=fidelity_weight, nargs="+", default=[0.0, 0.5, 1.0], help="fidelity weights"
    )
    faces.add_argument("--levels", nargs="+", choices=LEVELS, default=list(LEVELS))
    faces.add_argument("--count", type=positive, help="number of faces, evenly spaced (default: all)")
    faces.add_argument(
        "--gate",
        nargs="?",
        choices=NETS,
        const="vgg",
        metavar="NET",
        help="print the ship gate; exit code 3 if it is missed (perceptual network: vgg)",
    )
    faces.add_argument("--groups", action="store_true", help="also print figures by set, pose and skin tone")
    faces.add_argument(
        "--sheet", type=Path, help="write contact sheets to this file, one per level (.jpg, .png)"
    )
    faces.add_argument(
        "--sheet-rows", type=positive, default=6, help="faces per sheet (default: %(default)s)"
    )
    faces.add_argument("--precision", choices=("auto", "fp32", "bf16"), default="auto")
    clips = commands.add_parser("clips", help="compare the faces of clips with those of a clean clip")
    clips.set_defaults(run=run_clips)
    clips.add_argument("--reference", type=Path, required=True, help="the clean clip")
    clips.add_argument("clips", type=Path, nargs="+", help="clips with the same frames: degraded, restored")
    epilog = "Arguments after -- are options of vidrestore, for all settings."
    restored = commands.add_parser(
        "restore", help="restore degraded clips with several settings", epilog=epilog
    )
    restored.set_defaults(run=run_restore)
    restored.add_argument(
        "--reference", type=Path, action="append", required=True, help="clean clip; repeatable"
    )
    restored.add_argument(
        "--degraded",
        type=Path,
        nargs="+",
        action="append",
        required=True,
        help="degraded versions of it; once for each --reference",
    )
    restored.add_argument(
        "-t",
        dest="duration",
        type=seconds,
        metavar="TIME",
        help="restore and compare this much of the clips (default: all)",
    )
    still = commands.add_parser("still", help="degrade and restore a scene that does not move", epilog=epilog)
    still.set_defaults(run=run_still)
    still.add_argument("scene", type=Path, help="image, or clip of which the first frame is used")
    still.add_argument("--levels", nargs="+", choices=FRAME_LEVELS, default=list(FRAME_LEVELS))
    still.add_argument("--frames", type=positive, default=40, help="number of frames (default: %(default)s)")
    still.add_argument("--seed", type=int, default=1, help="seed of the noise (default: %(default)s)")
    for command in (restored, still):
        command.add_argument(
            "--settings",
            nargs="+",
            default=[],
            metavar="NAME: OPTIONS",
            help="settings to compare (default: per-frame, full, and each part of --steady off)",
        )
    for command in (clips, restored, still):
        command.add_argument(
            "--every",
            type=positive,
            default=1 if command is clips else 10,
            metavar="N",
            help="measure single images in every Nth frame only (default: %(default)s)",
        )
        command.add_argument("--sheet", type=Path, help="write a contact sheet to this file (.jpg, .png)")
        command.add_argument(
            "--sheet-rows",
            type=positive,
            default=4,
            help="approximate number of faces per clip on it (default: %(default)s)",
        )
    for command in (faces, clips, restored, still):
        command.add_argument("--device", default="auto")
        command.add_argument("--json", type=Path, help="write all figures to this file")
    argv = list(sys.argv[1:] if argv is None else argv)
    # Split at "--" here: argparse would parse what follows an option with nargs="+".
    end = argv.index("--") if argv[:1] in (["restore"], ["still"]) and "--" in argv else len(argv)
    return parser.parse_args(argv[:end], argparse.Namespace(options=argv[end + 1 :]))


def main(argv: Sequence[str] | None = None) -> int:
    args = parse_args(argv)
    try:
        return args.run(args)
    except VidrestoreError as error:
        print(f"evaluate: {error}", file=sys.stderr)
        return error.exit_code
    except ImportError as error:
        print(f"evaluate: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
