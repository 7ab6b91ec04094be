"""Measure restored faces against clean ones, models and baselines side by side.

    python tools/evaluate.py faces --faces FOLDER [--model lite] [--weights FILE] [--w 0 0.5 1] [--count N]
                             [--levels mild medium heavy] [--gate [NET]] [--sheet OUT.jpg] [--json OUT.json]
    python tools/evaluate.py clips --reference CLEAN CLIP... [--every N] [--sheet OUT.png] [--json OUT.json]
    python tools/evaluate.py restore --reference CLEAN --degraded CLIP... [--reference ...] [-t TIME]
                             [--settings "NAME: OPTIONS"...] [--every N] [--sheet OUT.png] [--json OUT.json]
                             [-- OPTIONS]
    python tools/evaluate.py still PICTURE_OR_CLIP [--levels mild medium heavy] [--frames N] [--seed N]
                             [--settings ...] [--sheet OUT.png] [--json OUT.json] [-- OPTIONS]

``faces`` degrades clean aligned faces at fixed levels and restores them again. FOLDER is one that
``tools/prepare_faces.py`` wrote, of which the validation faces are taken, or one of aligned pictures (JPEG or
PNG, 512 x 512).

``clips`` compares the faces of clips that hold the same frames. They are found, followed and aligned in the
clean clip, and cut out of all clips at the same places.

``restore`` restores degraded clips of CLEAN itself, with several settings, and compares them so. A setting
is a name and the program's own options, such as "faithful: --w 0.9"; without any they are all that holds a
face still, none of it (per-frame), and each part of it off. OPTIONS behind ``--`` are for all of them. With
several clips there is a table for each and one of the means.

``still`` does the same with a scene that does not move, a picture or a clip's first frame, repeated and
degraded as ``tools/degrade.py`` does it: the noise and the codec's changes are all that moves.

PSNR is in dB, of all three channels; SSIM and MS-SSIM are of the luma; ``alex`` and ``vgg`` are perceptual
distances (LPIPS on shift-tolerant networks) at 256 x 256 pixels, since at full size they take several seconds
a picture; ``identity`` is the distance of face embeddings (different people: about .85); ``Fréchet`` is the
distance between the sets' VGG features, not FID, and compares only runs on the same faces. The baseline
``bicubic`` is the degraded face at its own resolution, enlarged; ``nlm + unsharp`` is non-local means and an
unsharp mask. ``--gate`` counts the perceptual distance by ``NET``, which should be one that the model was not
trained on: ``vgg`` for the embedded model.

Over time, in the face's oval and of 255: ``face PSNR`` is in dB, of the mean squared error; ``warping`` is
what differs from frame to frame when the clean face's motion is undone, above the clean face's own;
``flicker`` how the brightness changes from frame to frame more than the clean face's; ``static`` the
deviation over time in a still scene; ``mouth`` and ``eyes`` the error there while they move. ``jitter`` is
how much landmarks shake, smoothed as faces are aligned by them and (raw) as detected, in pixels of a
512-pixel face. ``--every N`` takes the figures of single pictures, which take the most time, from every Nth
face only.

Needs: pip install "vidrestore[evaluate,train]"
"""

from __future__ import annotations

import argparse
import io
import json
import shlex
import sys
import zlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import asdict
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from vidrestore import __version__
from vidrestore.cli import run as vidrestore
from vidrestore.degradation.clip import FRAME_LEVELS, degrade_clip
from vidrestore.degradation.degrade import LEVELS, degrade
from vidrestore.errors import InputError, OutputError, UsageError, VidrestoreError
from vidrestore.faces.detection.detector import Detector
from vidrestore.faces.detection.load import choose_detector, load_detector
from vidrestore.measure.clip_metrics import Footage, mean_rows, measure_clips
from vidrestore.measure.face_metrics import NETS, PERCEPTUAL_SIZE, FaceMeter
from vidrestore.measure.face_set import FaceSet
from vidrestore.measure.gate import Levels, gate_table, judge, perceptual_rules
from vidrestore.measure.methods import INPUT, Model, apply_methods, load_models
from vidrestore.measure.settings import Setting, check_settings, each_part_off, read_setting
from vidrestore.measure.sheet import contact_sheet, save_sheet, thumbnail
from vidrestore.measure.still import write_still
from vidrestore.measure.tables import TIME_COLUMNS, Tally, table
from vidrestore.media.timeline import Span
from vidrestore.options import STEADY, seconds
from vidrestore.runtime.device import find_device

SUFFIXES = {".jpg", ".jpeg", ".png"}
BATCH = 4
#: Bytes of a contact sheet for each of its rows.
ROW_BYTES = 55_000
#: Bytes of each picture of a clip's contact sheet.
PICTURE_BYTES = 120_000
#: Exit code of a run whose model misses the ship gate.
GATE_MISSED = 3

#: A row of a contact sheet: its label, and a picture for each column.
SheetRow = tuple[str, list[np.ndarray]]


def load_faces(folder: Path, count: int | None) -> list[tuple[str, Tensor]]:
    """Names and faces (3, S, S) uint8: ``count`` of them, evenly spread, or all. Raises InputError."""
    if not folder.is_dir():
        raise InputError(f"{folder} is no folder; give one that tools/prepare_faces.py wrote, or of pictures")
    if (folder / "faces.npy").exists():
        try:
            prepared = FaceSet(folder)
        except (OSError, ValueError, KeyError) as error:
            raise InputError(f"{folder} is not as tools/prepare_faces.py writes it ({error})") from None
        chosen = spread(prepared.validation, count)
        faces = [(prepared.names[i], prepared.face(int(i))) for i in chosen]
        nothing = f"{folder} has no validation faces; prepare more faces"
    else:
        paths = sorted(p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES)
        faces = [(p.name, read_picture(p)) for p in spread(paths, count)]
        nothing = f"{folder} holds neither faces.npy nor JPEG or PNG pictures"
    if not faces:
        raise InputError(nothing)
    return faces


def spread(items: Sequence[Any], count: int | None) -> list[Any]:
    """``count`` of the items, evenly spread, or all."""
    if count is None or count >= len(items):
        return list(items)
    return [items[i] for i in np.linspace(0, len(items) - 1, count).round().astype(int)]


def read_picture(path: Path) -> Tensor:
    """(3, H, W) RGB uint8."""
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise InputError(f"{path} cannot be read as a picture; remove it or replace it")
    return torch.from_numpy(cv2.cvtColor(image, cv2.COLOR_BGR2RGB)).permute(2, 0, 1).contiguous()


def check_sizes(faces: Sequence[tuple[str, Tensor]], models: Sequence[Model]) -> None:
    """Raises InputError for a face that is not as large as the models want it."""
    for model in models:
        side = model.restorer.spec.input_size
        for name, face in faces:
            if face.shape != (3, side, side):
                height, width = face.shape[1:]
                raise InputError(
                    f"{name} has {width} x {height} pixels, but {model.name} restores aligned faces of "
                    f"{side} x {side}; align the faces with tools/prepare_faces.py"
                )


def restored(
    faces: Sequence[tuple[str, Tensor]], level: str, models: Sequence[Model], weights: Sequence[float]
) -> Iterator[dict[str, Tensor]]:
    """For each face its pictures by method, (3, S, S) uint8: degraded, and what was made of it."""
    for start in range(0, len(faces), BATCH):
        batch = faces[start : start + BATCH]
        # The noise depends on the face's name: the same in whatever company it is measured.
        degraded = [degrade(face, LEVELS[level], seed=zlib.crc32(name.encode())) for name, face in batch]
        methods = apply_methods(torch.stack(degraded), LEVELS[level].scale, models, weights)
        for i in range(len(batch)):
            yield {name: pictures[i] for name, pictures in methods.items()}


def evaluate_faces(args: argparse.Namespace) -> int:
    faces = load_faces(args.faces, args.count)
    names = args.model or ([] if args.weights else ["lite"])
    models = load_models(names, args.weights, device=args.device, precision=args.precision)
    check_sizes(faces, models)
    meter = FaceMeter(device=find_device(args.device))
    shown = spread(range(len(faces)), args.sheet_rows) if args.sheet else []
    tallies: dict[str, dict[str, Tally]] = {level: defaultdict(Tally) for level in args.levels}
    sheets: dict[str, list[tuple[str, list[np.ndarray]]]] = {level: [] for level in args.levels}
    clean_features = []

    streams = [restored(faces, level, models, args.w) for level in args.levels]
    progress = tqdm(faces, unit="face", disable=None)
    for number, ((face, clean), *at_levels) in enumerate(zip(progress, *streams, strict=True)):
        reference = meter.reference(clean)
        clean_features.append(reference.features)
        for level, pictures in zip(args.levels, at_levels, strict=True):
            comparison = meter.compare(torch.stack(list(pictures.values())), reference)
            for i, method in enumerate(pictures):
                tallies[level][method].add(comparison, i)
            if number in shown:
                row = [thumbnail(p.permute(1, 2, 0).numpy()) for p in (*pictures.values(), clean)]
                sheets[level].append((f"{face}, {level}", row))

    levels = {
        level: {method: tally.summary() for method, tally in methods.items()}
        for level, methods in tallies.items()
    }
    for level, methods in levels.items():
        for method, row in methods.items():
            if len(faces) > 1:
                row["frechet"] = tallies[level][method].frechet(clean_features)
        print(table(f"{level}, {len(faces)} faces", methods), end="\n\n")
    report = header() | {
        "faces": {"folder": str(args.faces), "names": [name for name, _ in faces]},
        "models": [{"name": m.name, "sha256": m.sha256, "precision": m.precision} for m in models],
        "levels": {
            level: {
                method: row | {"per_face": tallies[level][method].figures} for method, row in rows.items()
            }
            for level, rows in levels.items()
        },
    }
    if args.gate:
        report["gate"] = {model.name: pass_gate(model.name, levels, args.gate) for model in models}
    for level, rows in sheets.items():
        if rows:
            path = args.sheet if len(sheets) == 1 else args.sheet.with_stem(f"{args.sheet.stem}-{level}")
            save_sheet(path, contact_sheet([*levels[level], "clean"], rows), limit=ROW_BYTES * len(rows))
    write_json(args.json, report)
    missed = any(
        not verdict["passed"] for verdicts in report.get("gate", {}).values() for verdict in verdicts
    )
    return GATE_MISSED if missed else 0


def pass_gate(model: str, levels: Levels, net: str) -> list[dict[str, Any]]:
    """Print the gate for one model, by the perceptual network ``net``; what it said, as data."""
    verdicts = judge(levels, model, net=net)
    print(f"ship gate: {model}\n{gate_table(verdicts)}\n")
    other = next(name for name in NETS if name != net)
    others = judge(levels, model, net=other, rules=perceptual_rules())
    print(f"for comparison, by the other network\n{gate_table(others)}\n")
    return [asdict(verdict) for verdict in verdicts]


def evaluate_clips(args: argparse.Namespace) -> int:
    clips = {str(path): path for path in args.clips}
    footage = measure(args, args.reference, clips)
    print_tables(f"{args.reference.name}, {seen(footage)}", footage.rows)
    faces = {"frame": footage.frames, "track": footage.tracks}
    rows = {path: row | {"per_face": footage.series[path]} for path, row in footage.rows.items()}
    write_json(args.json, header() | {"reference": str(args.reference), "faces": faces, "clips": rows})
    write_sheet(args.sheet, [*clips, "clean"], footage.sheet)
    return 0


def evaluate_restored(args: argparse.Namespace) -> int:
    if len(args.reference) != len(args.degraded):
        raise UsageError("give --degraded clips for each --reference, and a --reference for each")
    pairs = [
        (reference, clip)
        for reference, clips in zip(args.reference, args.degraded, strict=True)
        for clip in clips
    ]
    words = [*args.options, *(("-t", str(args.duration)) if args.duration else ())]
    settings = check_plans(args, [clip for _, clip in pairs], words)
    found = {str(clip): measure_settings(args, reference, clip, settings, words) for reference, clip in pairs}
    report_settings(args, found)
    return 0


def evaluate_still(args: argparse.Namespace) -> int:
    found = {}
    with TemporaryDirectory() as folder:
        clean = Path(folder) / f"{args.scene.stem}.mkv"
        write_still(args.scene, clean, frames=args.frames)
        settings = check_plans(args, [clean], args.options)
        for level in args.levels:
            degraded = clean.with_name(f"{args.scene.stem}-{level}.mp4")
            degrade_clip(clean, degraded, FRAME_LEVELS[level], seed=args.seed)
            name = f"{args.scene}, {level}"
            found[name] = measure_settings(args, clean, degraded, settings, args.options, still=True)
    report_settings(args, found)
    return 0


def check_plans(args: argparse.Namespace, clips: Sequence[Path], words: Sequence[str]) -> list[Setting]:
    """The settings. Raises VidrestoreError where the program would refuse one of them, before any work."""
    settings = [read_setting(text) for text in args.settings] or each_part_off(STEADY)
    check_settings(settings)
    with TemporaryDirectory() as folder, redirect_stdout(io.StringIO()):
        for clip in clips:
            for setting in settings:
                restore(clip, Path(folder) / "out.mkv", [*words, *setting.words, "--dry-run"])
    return settings


def restore(clip: Path, out: Path, words: Sequence[str]) -> None:
    """Restore ``clip`` as the command line does, to a file without loss. Raises VidrestoreError."""
    vidrestore([str(clip), str(out), *words, "-c:v", "ffv1"])


def measure_settings(
    args: argparse.Namespace,
    reference: Path,
    clip: Path,
    settings: Sequence[Setting],
    words: Sequence[str],
    *,
    still: bool = False,
) -> Footage:
    """Restore ``clip`` with every setting, and measure it and them."""
    with TemporaryDirectory() as folder:
        clips = {INPUT: clip}
        for number, setting in enumerate(settings):
            clips[setting.name] = Path(folder) / f"{number}.mkv"
            restore(clip, clips[setting.name], [*words, *setting.words])
        footage = measure(args, reference, clips, still=still)
    print_tables(f"{clip.name}, {seen(footage)}", footage.rows)
    return footage


def report_settings(args: argparse.Namespace, found: Mapping[str, Footage]) -> None:
    """The mean over the clips, the JSON file and the contact sheet."""
    report = header() | {
        "clips": {
            clip: {
                "faces": {"frame": footage.frames, "track": footage.tracks},
                "settings": {
                    name: row | {"per_face": footage.series[name]} for name, row in footage.rows.items()
                },
            }
            for clip, footage in found.items()
        }
    }
    if len(found) > 1:
        report["mean"] = mean_rows([footage.rows for footage in found.values()])
        print_tables(f"mean of {len(found)} clips", report["mean"])
    write_json(args.json, report)
    names = next(iter(found.values())).rows
    rows = [(f"{Path(clip).name}: {label}", row) for clip, f in found.items() for label, row in f.sheet]
    write_sheet(args.sheet, [*names, "clean"], rows)


def measure(
    args: argparse.Namespace, reference: Path, clips: Mapping[str, Path], *, still: bool = False
) -> Footage:
    """Figures of ``clips`` as the arguments ask for them."""
    detector, meter = instruments(args.device)
    return measure_clips(
        reference,
        clips,
        detector,
        meter,
        span=Span(end=getattr(args, "duration", None)),
        every=args.every,
        shown=args.sheet_rows if args.sheet else 0,
        still=still,
    )


@cache
def instruments(device: str) -> tuple[Detector, FaceMeter]:
    """What finds faces in clips, and what measures them."""
    where = find_device(device)
    return load_detector(choose_detector("auto"), where), FaceMeter(device=where)


def seen(footage: Footage) -> str:
    return f"{len(footage.frames)} faces in {len(set(footage.frames))} frames"


def print_tables(title: str, rows: Mapping[str, Mapping[str, float]]) -> None:
    print(table(title, rows), table("over time", rows, TIME_COLUMNS), sep="\n\n", end="\n\n", flush=True)


def write_sheet(path: Path | None, columns: Sequence[str], rows: Sequence[SheetRow]) -> None:
    if path and rows:
        save_sheet(path, contact_sheet(columns, rows), limit=PICTURE_BYTES * len(columns) * len(rows))


def header() -> dict[str, Any]:
    """What repeats a measurement."""
    return {
        "version": __version__,
        "command": shlex.join(["python", "tools/evaluate.py", *sys.argv[1:]]),
        "perceptual_size": PERCEPTUAL_SIZE,
    }


def write_json(path: Path | None, report: dict[str, Any]) -> None:
    """Raises OutputError."""
    if path is None:
        return
    try:
        path.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror}") from None


def fidelity(text: str) -> float:
    w = float(text)
    if not 0 <= w <= 1:
        raise argparse.ArgumentTypeError(f"w is between 0 and 1, not {text}")
    return w


def positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"at least 1, not {text}")
    return number


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    faces = commands.add_parser("faces", help="aligned faces, degraded and restored")
    faces.set_defaults(run=evaluate_faces)
    faces.add_argument("--faces", type=Path, required=True, help="folder of clean aligned faces")
    faces.add_argument(
        "--model",
        choices=("lite", "codeformer"),
        action="append",
        default=[],
        help="a model by name (default: lite); repeatable",
    )
    faces.add_argument(
        "--weights", type=Path, action="append", default=[], help="a file of weights; repeatable"
    )
    faces.add_argument("--w", type=fidelity, nargs="+", default=[0.0, 0.5, 1.0], help="fidelity weights")
    faces.add_argument("--levels", nargs="+", choices=LEVELS, default=list(LEVELS))
    faces.add_argument("--count", type=positive, help="how many faces, evenly spread (default: all)")
    faces.add_argument(
        "--gate",
        nargs="?",
        choices=NETS,
        const="vgg",
        metavar="NET",
        help="print the ship gate; exit with 3 if it is missed (perceptual network: vgg)",
    )
    faces.add_argument("--sheet", type=Path, help="write contact sheets here, one a level (.jpg, .png)")
    faces.add_argument(
        "--sheet-rows", type=positive, default=6, help="faces on a sheet (default: %(default)s)"
    )
    faces.add_argument("--precision", choices=("auto", "fp32", "bf16"), default="auto")
    clips = commands.add_parser("clips", help="faces of clips, frame by frame against a clean clip")
    clips.set_defaults(run=evaluate_clips)
    clips.add_argument("--reference", type=Path, required=True, help="the clean clip")
    clips.add_argument("clips", type=Path, nargs="+", help="clips of the same frames: degraded, restored")
    own = "What follows -- are the program's own options, for all settings."
    restored = commands.add_parser(
        "restore", help="degraded clips, restored with several settings", epilog=own
    )
    restored.set_defaults(run=evaluate_restored)
    restored.add_argument(
        "--reference", type=Path, action="append", required=True, help="a clean clip; repeatable"
    )
    restored.add_argument(
        "--degraded",
        type=Path,
        nargs="+",
        action="append",
        required=True,
        help="clips of its frames; once for each --reference",
    )
    restored.add_argument(
        "-t",
        dest="duration",
        type=seconds,
        metavar="TIME",
        help="restore and compare this much (default: all)",
    )
    still = commands.add_parser("still", help="a scene that does not move, degraded and restored", epilog=own)
    still.set_defaults(run=evaluate_still)
    still.add_argument("scene", type=Path, help="a picture, or a clip whose first frame is taken")
    still.add_argument("--levels", nargs="+", choices=FRAME_LEVELS, default=list(FRAME_LEVELS))
    still.add_argument(
        "--frames", type=positive, default=40, help="how often it is repeated (default: %(default)s)"
    )
    still.add_argument("--seed", type=int, default=1, help="of the noise (default: %(default)s)")
    for command in (restored, still):
        command.add_argument(
            "--settings",
            nargs="+",
            default=[],
            metavar="NAME: OPTIONS",
            help="what is compared (default: per-frame, full, and each part of it off)",
        )
    for command in (clips, restored, still):
        command.add_argument(
            "--every",
            type=positive,
            default=1 if command is clips else 10,
            metavar="N",
            help="compare single pictures of every Nth face (default: %(default)s)",
        )
        command.add_argument("--sheet", type=Path, help="write a contact sheet here (.jpg, .png)")
        command.add_argument(
            "--sheet-rows",
            type=positive,
            default=4,
            help="a clip's faces on it, about (default: %(default)s)",
        )
    for command in (faces, clips, restored, still):
        command.add_argument("--device", default="auto")
        command.add_argument("--json", type=Path, help="write all figures here")
    given = list(sys.argv[1:] if argv is None else argv)
    # argparse would look for its own options behind a list that an option takes.
    mark = given.index("--") if given[:1] in (["restore"], ["still"]) and "--" in given else len(given)
    return parser.parse_args(given[:mark], argparse.Namespace(options=given[mark + 1 :]))


def main(argv: Sequence[str] | None = None) -> int:
    args = parse(argv)
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
