"""Train CodeFormer, stage by stage.

``tools/train.py --config lite --faces FOLDER --run-folder FOLDER [--export lite.safetensors --version 2
--about "what it was trained on"]``

The folder of faces is one that ``tools/prepare_faces.py`` wrote. Completed stages are skipped, and an
interrupted one is resumed. Ctrl-C and SIGTERM finish the current step and save. The run folder contains a
checkpoint and a log (CSV) for each stage, contact sheets, and logs for TensorBoard if it is installed.

For several GPUs, or several processes on a CPU: ``torchrun --nproc-per-node 2 tools/train.py ...``. The
processes share the batch of the configuration, and the numbers are those of a single process up to rounding.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from vidrestore.errors import UsageError, VidrestoreError
from vidrestore.measure.face_set import FaceSet
from vidrestore.restoration.codeformer import CodeFormerConfig
from vidrestore.runtime.device import find_device
from vidrestore.training.distributed import processes, rank
from vidrestore.training.export import export
from vidrestore.training.settings import complete
from vidrestore.training.stopping import StopSignals
from vidrestore.training.trainer import STAGES, Trainer, load_averaged

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


def read_faces(folder: Path) -> FaceSet:
    """Read the faces of a folder. Raises UsageError."""
    if not (folder / "faces.npy").exists() or not (folder / "faces.csv").exists():
        raise UsageError(f"{folder} has no faces.npy and faces.csv; create them with tools/prepare_faces.py")
    try:
        return FaceSet(folder)
    except (ValueError, KeyError, OSError) as error:
        raise UsageError(
            f"cannot read {folder} ({error}); create it again with tools/prepare_faces.py"
        ) from None


def train(args: argparse.Namespace) -> int:
    """Train as the arguments say; return the exit code."""
    config, faces, device = read_config(args.config), read_faces(args.faces), find_device(args.device)
    args.run_folder.mkdir(parents=True, exist_ok=True)
    stages = [args.stage] if args.stage else list(STAGES)
    with processes(str(device)) as own, StopSignals() as stop:
        for stage in stages:
            trainer = Trainer(config, stage, faces=faces, run=args.run_folder, device=own)
            trainer.train(until=args.until, stop=stop)
            if trainer.stopped:
                if rank() == 0:
                    print(f"{stage} stopped at step {trainer.step} and saved", file=sys.stderr)
                return 128 + (stop.received or signal.SIGTERM)
        if args.export and rank() == 0:
            state = load_averaged(args.run_folder / f"{stages[-1]}.pt")
            sizes = CodeFormerConfig.from_dict(config["model"])
            export(state, sizes, args.export, version=args.version, about=args.about)
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
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1 or mps")
    parser.add_argument(
        "--export",
        type=Path,
        metavar="FILE",
        help="afterwards, write the averaged weights to this .safetensors file",
    )
    parser.add_argument("--version", help="with --export: version to write into the file")
    parser.add_argument("--about", help="with --export: origin of the weights")
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
