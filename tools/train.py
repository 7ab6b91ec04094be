"""Train CodeFormer, stage by stage.

``tools/train.py --config lite --faces FOLDER --run-folder FOLDER [--export lite.safetensors --version 2
--about "what it was trained on"]``

The folder of faces is one that ``tools/prepare_faces.py`` wrote. Completed stages are skipped, and an
interrupted one is resumed. Ctrl-C, SIGTERM and the end of the time given with ``--for`` finish the current
step and save. The run folder contains a checkpoint and a log (CSV) for each stage, contact sheets, and logs
for TensorBoard if it is installed. docs/training.md says how long training takes, and how a run is moved
between machines.

For several GPUs, or several processes on a CPU: ``torchrun --nproc-per-node 2 tools/train.py ...``. The
processes share the batch of the configuration, and the numbers are those of a single process up to rounding.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from vidrestore.errors import UsageError, VidrestoreError
from vidrestore.measure.face_set import FaceSet, is_face_set
from vidrestore.restoration.codeformer import CodeFormerConfig
from vidrestore.runtime.device import find_device
from vidrestore.training.checkpoint import load_averaged
from vidrestore.training.distributed import barrier, processes, rank
from vidrestore.training.export import UNKNOWN_LICENCE, export
from vidrestore.training.packing import pack, unpack
from vidrestore.training.settings import complete
from vidrestore.training.stopping import StopSignals
from vidrestore.training.trainer import STAGES, Trainer

CONFIGS = Path(__file__).resolve().parents[1] / "configs" / "train"


def read_config(name: str) -> dict[str, Any]:
    """Read a configuration by path, or by its name in ``configs/train``. Raises UsageError."""
    path = Path(name) if Path(name).suffix else CONFIGS / f"{name}.yaml"
    try:
        return complete(yaml.safe_load(path.read_text(encoding="utf-8")))
    except OSError:
        known = ", ".join(sorted(p.stem for p in CONFIGS.glob("*.yaml")))
        raise UsageError(
            f"cannot read the configuration {name}; give a YAML file, or one of {known}"
        ) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        line = " ".join(str(error).split())
        raise UsageError(f"{path} is not valid YAML: {line}; correct the file") from None
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from None


def read_faces(folder: Path, side: int) -> FaceSet:
    """Read the faces of a folder, at ``side`` pixels. Raises UsageError."""
    if not is_face_set(folder) or not (folder / "faces.csv").exists():
        raise UsageError(f"{folder} has no faces.npy and faces.csv; create them with tools/prepare_faces.py")
    try:
        return FaceSet(folder, side)
    except (ValueError, KeyError, OSError) as error:
        raise UsageError(
            f"cannot read {folder} ({error}); create it again with tools/prepare_faces.py"
        ) from None


def seconds(text: str) -> float:
    """Convert a duration such as ``90s``, ``9m`` or ``2.5h`` to seconds. Raises ValueError."""
    value = float(text[:-1]) * {"s": 1, "m": 60, "h": 3600}.get(text[-1:], math.nan)
    if not 0 < value < math.inf:
        raise ValueError(text)
    return value


def sharpness_range(text: str) -> tuple[float, float]:
    """Convert ``0.215,0.29`` to two rising numbers in [0, 1]. Raises ValueError."""
    low, high = map(float, text.split(","))
    if not 0 <= low < high <= 1:
        raise ValueError(text)
    return low, high


def train(args: argparse.Namespace) -> int:
    """Train as the arguments say; return the exit code."""
    end = time.monotonic() + (args.duration or math.inf)
    config, device = read_config(args.config), find_device(args.device)
    sizes = CodeFormerConfig.from_dict(config["model"])
    faces = read_faces(args.faces, sizes.image_size)
    args.run_folder.mkdir(parents=True, exist_ok=True)
    stages = [args.stage] if args.stage else list(STAGES)
    with processes(str(device)) as own, StopSignals() as stop:
        if args.pack and rank() == 0:
            unpack(args.pack, args.run_folder)
        barrier()
        for stage in stages:
            begin = args.begin_from if stage == stages[0] else None
            trainer = Trainer(config, stage, faces=faces, run=args.run_folder, device=own, begin=begin)
            trainer.train(until=args.until, stop=lambda: stop() or time.monotonic() >= end)
            if args.pack and rank() == 0:
                pack(args.run_folder, args.pack)
            if trainer.stopped:
                if rank() == 0:
                    print(f"{stage} stopped at step {trainer.step} and saved", file=sys.stderr)
                return 128 + stop.received if stop.received else 0
        if args.export and rank() == 0:
            state = trainer.stage.exported(load_averaged(args.run_folder / f"{stages[-1]}.pt"))
            export(
                state,
                sizes,
                args.export,
                version=args.version,
                about=args.about,
                task=config["task"],
                licence=args.licence,
                readable=args.readable,
                codes_hold=args.codes_hold,
            )
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", required=True, help="name in configs/train, or path of a YAML file")
    parser.add_argument("--faces", type=Path, required=True, metavar="FOLDER", help="folder of aligned faces")
    # Not --run, which torchrun would take for one of its own options.
    parser.add_argument(
        "--run-folder",
        type=Path,
        required=True,
        metavar="FOLDER",
        help="folder of checkpoints, logs and contact sheets",
    )
    parser.add_argument("--stage", choices=STAGES, help="train only this stage (default: all, in order)")
    parser.add_argument("--until", type=int, metavar="STEP", help="end each stage at this step")
    parser.add_argument(
        "--for",
        type=seconds,
        dest="duration",
        metavar="DURATION",
        help="stop and save after this time, such as 90s, 9m or 2.5h",
    )
    parser.add_argument(
        "--begin-from",
        type=Path,
        metavar="FILE",
        help="begin the first stage, I or II, from this checkpoint of another run: in stage I also from one "
        "for faces of half the size",
    )
    parser.add_argument(
        "--pack",
        type=Path,
        metavar="FOLDER",
        help="also keep the run there, in files of at most 15 MB; first, files that the run folder lacks are "
        "restored from there",
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1 or mps")
    parser.add_argument(
        "--export",
        type=Path,
        metavar="FILE",
        help="afterwards, write the averaged weights to this .safetensors file",
    )
    parser.add_argument("--version", help="with --export: version to write into the file")
    parser.add_argument("--about", help="with --export: origin of the weights")
    parser.add_argument(
        "--licence",
        default=UNKNOWN_LICENCE,
        help="with --export: licence of the weights, which those of the faces may bind (default: unknown)",
    )
    parser.add_argument(
        "--readable",
        type=sharpness_range,
        metavar="LOW,HIGH",
        help="with --export: sharpness of a face up to which the network cannot read it, and from which on "
        "it can (default: that of the published network)",
    )
    parser.add_argument(
        "--codes-hold",
        type=sharpness_range,
        metavar="LOW,HIGH",
        help="with --export: sharpness of a face up to which the codes hold what it shows, and from which on "
        "it is restored with a fidelity weight of 1 (default: they hold every face)",
    )
    args = parser.parse_args(argv)
    if args.export and not (args.version and args.about):
        parser.error("--export needs --version and --about, which record the origin of the weights")
    try:
        return train(args)
    except VidrestoreError as error:
        print(f"train.py: {error}", file=sys.stderr)
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
