"""Measure restored faces against clean ones, models and baselines side by side.

    python tools/evaluate.py faces --faces FOLDER [--model lite] [--weights FILE] [--w 0 0.5 1] [--count N]
                             [--levels mild medium heavy] [--gate] [--sheet OUT.jpg] [--json OUT.json]

``faces`` degrades clean aligned faces at fixed levels and restores them again. FOLDER is one that
``tools/prepare_faces.py`` wrote, of which the validation faces are taken, or one of aligned pictures (JPEG or
PNG, 512 x 512).

PSNR is in dB, of all three channels; SSIM is of the luma; ``alex`` and ``vgg`` are perceptual distances
(LPIPS on shift-tolerant networks) at 256 x 256 pixels, since at full size they take several seconds a
picture; ``identity`` is the distance of face embeddings (different people: about .85); ``Fréchet`` is the
distance between the sets' VGG features, not FID, and compares only runs on the same faces. The baseline
``bicubic`` is the degraded face at its own resolution, enlarged; ``nlm + unsharp`` is non-local means and an
unsharp mask.

Needs: pip install "vidrestore[evaluate,train]"
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
import zlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from vidrestore import __version__
from vidrestore.errors import InputError, OutputError, UsageError, VidrestoreError
from vidrestore.measure.baselines import bicubic, nlm_unsharp
from vidrestore.measure.compare import PERCEPTUAL_SIZE, FaceMeter
from vidrestore.measure.gate import INPUT, NLM, gate_table, judge, method_name, perceptual_rules
from vidrestore.measure.report import summary, table
from vidrestore.measure.sheet import contact_sheet, save_sheet, thumbnail
from vidrestore.restore.models import choose_model, load_restorer
from vidrestore.restore.restorer import Restorer
from vidrestore.runtime.device import find_device, find_precision
from vidrestore.training.data import FaceSet
from vidrestore.training.degrade import LEVELS, degrade
from vidrestore.weights.store import fingerprint, locate

SUFFIXES = {".jpg", ".jpeg", ".png"}
BATCH = 4
#: The faces that a contact sheet shows at most.
SHOWN = 10


@dataclass(frozen=True)
class Model:
    """A restorer, and what it is called in the tables."""

    name: str
    restorer: Restorer
    sha256: str

    def restore(self, faces: Tensor, w: float) -> Tensor:
        """Faces (N, 3, S, S) uint8 -> restored ones, the same."""
        restored = self.restorer(faces.float() / 255, torch.full((len(faces),), w))
        return (restored.float() * 255).round().to(torch.uint8).cpu()


@dataclass
class Result:
    """What was measured of one method at one level, face by face, and for some faces its pictures."""

    figures: dict[str, list[float]]
    features: list[np.ndarray]
    shown: list[np.ndarray]


def load_models(names: Sequence[str], files: Sequence[Path], device: str, precision: str) -> list[Model]:
    """The models of the command line; without any, the embedded one."""
    where = find_device(device)
    how = find_precision(precision, where)
    models = []
    for name in names or ([] if files else ["lite"]):
        chosen = choose_model(name)
        restorer = load_restorer(chosen, weights=None, device=where, precision=how)
        models.append(Model(chosen, restorer, fingerprint(locate(chosen))))
    for path in files:
        restorer = load_restorer(path.name, weights=path, device=where, precision=how)
        models.append(Model(path.stem, restorer, fingerprint(path)))
    if len({m.name for m in models}) < len(models):
        raise UsageError("two models have the same name; give files of weights different names")
    return models


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
    """For each face its pictures by method, (3, S, S) uint8: degraded, by the baselines, by the models."""
    for start in range(0, len(faces), BATCH):
        batch = faces[start : start + BATCH]
        # The noise depends on the face's name: the same in whatever company it is measured.
        seeds = [zlib.crc32(name.encode()) for name, _ in batch]
        degraded = torch.stack(
            [degrade(face, LEVELS[level], seed=seed) for (_, face), seed in zip(batch, seeds, strict=True)]
        )
        rows = [picture.permute(1, 2, 0).contiguous().numpy() for picture in degraded]
        methods = {
            INPUT: degraded,
            "bicubic": stack([bicubic(row, LEVELS[level].scale) for row in rows]),
            NLM: stack([nlm_unsharp(row) for row in rows]),
        }
        for model in models:
            methods |= {method_name(model.name, w): model.restore(degraded, w) for w in weights}
        for i in range(len(batch)):
            yield {name: pictures[i] for name, pictures in methods.items()}


def stack(rows: Sequence[np.ndarray]) -> Tensor:
    return torch.from_numpy(np.stack(rows)).permute(0, 3, 1, 2)


def evaluate_faces(args: argparse.Namespace) -> int:
    models = load_models(args.model, args.weights, args.device, args.precision)
    faces = load_faces(args.faces, args.count)
    check_sizes(faces, models)
    meter = FaceMeter(device=find_device(args.device))
    shown = set(spread(range(len(faces)), SHOWN))
    results: dict[str, dict[str, Result]] = {level: {} for level in args.levels}
    clean_features = []

    streams = [restored(faces, level, models, args.w) for level in args.levels]
    progress = tqdm(faces, unit="face", disable=None)
    for number, ((_, clean), *all_pictures) in enumerate(zip(progress, *streams, strict=True)):
        reference = meter.reference(clean)
        clean_features.append(reference.features)
        for level, pictures in zip(args.levels, all_pictures, strict=True):
            found = meter.compare(torch.stack(list(pictures.values())), reference)
            for i, (name, picture) in enumerate(pictures.items()):
                result = results[level].setdefault(name, Result(defaultdict(list), [], []))
                for key, values in found.figures.items():
                    result.figures[key].append(float(values[i]))
                result.features.append(found.features[i])
                if args.sheet and number in shown:
                    result.shown.append(thumbnail(picture.permute(1, 2, 0).numpy()))

    clean = np.stack(clean_features)
    levels = {
        level: {name: summary(r.figures, np.stack(r.features), clean) for name, r in methods.items()}
        for level, methods in results.items()
    }
    for level, methods in levels.items():
        print(table(f"{level}, {len(faces)} faces", methods), end="\n\n")
    report = header() | {
        "faces": {"folder": str(args.faces), "names": [name for name, _ in faces]},
        "models": [describe(model) for model in models],
        "levels": {
            level: {name: row | {"per_face": results[level][name].figures} for name, row in methods.items()}
            for level, methods in levels.items()
        },
    }
    passed = True
    if args.gate:
        report["gate"] = {}
        for model in models:
            verdicts = judge(levels, model.name)
            others = judge(levels, model.name, net="vgg", rules=perceptual_rules())
            print(f"ship gate: {model.name}\n{gate_table(verdicts)}\n")
            print(f"by VGG, for comparison\n{gate_table(others)}\n")
            report["gate"][model.name] = [asdict(verdict) for verdict in verdicts]
            passed = passed and all(verdict.passed for verdict in verdicts)
    if args.sheet:
        labelled = [faces[i] for i in sorted(shown)]
        for level, methods in results.items():
            write_sheet(sheet_path(args.sheet, level, len(levels)), level, methods, labelled)
    write_json(args.json, report)
    return 0 if passed else 3


def write_sheet(
    path: Path, level: str, methods: dict[str, Result], faces: Sequence[tuple[str, Tensor]]
) -> None:
    """One row for each face: its pictures by method, and the clean one."""
    rows = []
    for i, (name, face) in enumerate(faces):
        pictures = [result.shown[i] for result in methods.values()]
        rows.append((f"{name}, {level}", [*pictures, face.permute(1, 2, 0).numpy()]))
    save_sheet(path, contact_sheet([*methods, "clean"], rows))


def sheet_path(path: Path, level: str, levels: int) -> Path:
    """One sheet a level: its name is added to the file's where there are several."""
    return path if levels == 1 else path.with_stem(f"{path.stem}-{level}")


def describe(model: Model) -> dict[str, Any]:
    """A model, as the JSON has it."""
    return {"name": model.name, "sha256": model.sha256, "licence": model.restorer.spec.licence}


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
        "--model", action="append", default=[], help="lite (default) or codeformer; repeatable"
    )
    faces.add_argument(
        "--weights", type=Path, action="append", default=[], help="a file of weights; repeatable"
    )
    faces.add_argument("--w", type=fidelity, nargs="+", default=[0.0, 0.5, 1.0], help="fidelity weights")
    faces.add_argument("--levels", nargs="+", choices=LEVELS, default=list(LEVELS))
    faces.add_argument("--count", type=positive, help="how many faces, evenly spread (default: all)")
    faces.add_argument("--gate", action="store_true", help="print the ship gate; exit 3 if it is missed")
    faces.add_argument("--sheet", type=Path, help="write contact sheets here, one a level (.jpg, .png)")
    faces.add_argument("--precision", choices=("auto", "fp32", "bf16"), default="auto")
    for command in (faces,):
        command.add_argument("--device", default="auto")
        command.add_argument("--json", type=Path, help="write all figures here")
    return parser.parse_args(argv)


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
