"""Count restored faces whose eyes or mouth are farther from the truth than those of their input.

    python tools/harm.py faces --faces FOLDER [--model lite | --weights FILE] [--w 0 0.5 1] [--count N]
                         [--levels mild medium heavy] [--most-enlarged N] [--net vgg] [--sheet OUT.png]
    python tools/harm.py clip --reference CLEAN DEGRADED RESTORED [--every N] [--net vgg] [--sheet OUT.png]

``faces`` degrades clean aligned faces at fixed levels and restores them with the limits of a run. FOLDER is
one that ``tools/prepare_faces.py`` wrote, of which the validation faces are taken, or one of aligned images.
A truth that alignment enlarged more than twice has no detail of its own in the finest octave, and a sharper
face counts as wrong there. All are counted unless ``--most-enlarged`` leaves out those enlarged by more.

``clip`` compares the faces of a restored clip and of its input with the clean clip's, frame by frame.

The left eye, the right eye and the mouth are compared by the perceptual distance at half of 512 pixels. A
part is harmed if the restored one is farther from the truth than the input's by more than the tolerance: what
re-encoding the input as JPEG of quality 90 changes in 95 % of the parts. ``--sheet`` shows the worst twenty:
input, restored, truth.

Needs: pip install "vidrestore[evaluate,train]"
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from vidrestore.degradation.degrade import LEVELS
from vidrestore.errors import VidrestoreError
from vidrestore.faces.detection.load import load_detector, resolve_detector
from vidrestore.measure.clips import clip_faces
from vidrestore.measure.face_evaluation import check_sizes, load_faces
from vidrestore.measure.face_metrics import NETS
from vidrestore.measure.harm import HarmCount, PartMeter, count_clip_harm, count_harm, worst
from vidrestore.measure.methods import load_models
from vidrestore.measure.sheet import contact_sheet, save_sheet
from vidrestore.measure.tables import plain_table
from vidrestore.runtime.device import find_device
from vidrestore.weights.registry import restorer_names

COLUMNS = "level w harmed:.1% eyes:.1% mouth:.1% tolerance:.4f input:.3f restored:.3f"
#: Rows of the sheet, and its size in bytes.
SHOWN, SHEET_BYTES = 20, 6_000_000


def run_faces(args: argparse.Namespace) -> None:
    faces = load_faces(args.faces, args.count, most_enlarged=args.most_enlarged)
    names, files = ([], [args.weights]) if args.weights else ([args.model], [])
    [model] = load_models(names, files, device=args.device)
    check_sizes(faces, [model])
    meter = PartMeter(args.net, device=find_device(args.device))
    counts = count_harm(faces, model.restorer, args.w, args.levels, meter)
    print(f"{model.name}, {len(faces)} faces")
    report(counts, args.sheet)


def run_clip(args: argparse.Namespace) -> None:
    device = find_device(args.device)
    detector = load_detector(resolve_detector("auto").name, device)
    faces = clip_faces(args.reference, [args.degraded, args.restored], detector)
    some = (face for face in faces if face.frame % args.every == 0)
    report({args.restored.name: {0.0: count_clip_harm(some, PartMeter(args.net, device=device))}}, args.sheet)


def report(counts: Mapping[str, Mapping[float, HarmCount]], sheet: Path | None) -> None:
    """Print the counts, and write the contact sheet of the worst."""
    rows = [
        {"level": level, "w": f"{w:g}"} | count.figures()
        for level, by_weight in counts.items()
        for w, count in by_weight.items()
    ]
    print(plain_table(rows, COLUMNS))
    if sheet:
        drawn = contact_sheet(["input", "restored", "truth"], worst(counts, SHOWN))
        save_sheet(sheet, drawn, limit=SHEET_BYTES)


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True)
    faces = commands.add_parser("faces", help="degrade, restore and compare aligned faces")
    faces.set_defaults(run=run_faces)
    faces.add_argument("--faces", type=Path, required=True, help="folder of clean aligned faces")
    faces.add_argument("--model", choices=restorer_names(), metavar="NAME", default="lite")
    faces.add_argument("--weights", type=Path, help="weights file of the model")
    faces.add_argument("--w", type=float, nargs="+", default=[0.0, 0.5, 1.0], help="fidelity weights")
    faces.add_argument("--levels", nargs="+", choices=LEVELS, default=list(LEVELS))
    faces.add_argument("--count", type=int, help="number of faces, evenly spaced (default: all)")
    faces.add_argument(
        "--most-enlarged",
        type=float,
        default=math.inf,
        metavar="N",
        help="leave out truths that were enlarged by more than this factor (default: none)",
    )
    clip = commands.add_parser("clip", help="compare a restored clip with its input and the clean clip")
    clip.set_defaults(run=run_clip)
    clip.add_argument("--reference", type=Path, required=True, help="the clean clip")
    clip.add_argument("degraded", type=Path)
    clip.add_argument("restored", type=Path)
    clip.add_argument("--every", type=int, default=1, metavar="N", help="measure every Nth frame only")
    for command in (faces, clip):
        command.add_argument("--net", choices=NETS, default="vgg", help="network of the distance")
        command.add_argument("--sheet", type=Path, help="write the worst twenty to this file (.jpg, .png)")
        command.add_argument("--device", default="auto")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    args = parse_args(argv)
    try:
        args.run(args)
    except VidrestoreError as error:
        print(f"harm: {error}", file=sys.stderr)
        return error.exit_code
    except ImportError as error:
        print(f"harm: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
