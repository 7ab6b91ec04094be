"""Train CodeFormer, stage by stage.

``tools/train.py --config configs/train/lite.yaml --faces FOLDER --run-folder FOLDER``

FOLDER of faces is one that ``tools/prepare_faces.py`` wrote. Stages that are complete are left as
they are; one that was interrupted is resumed. Ctrl-C and SIGTERM end the step under way and save.

Several GPUs, or processes on a CPU, by ``torchrun --nproc-per-node 2 tools/train.py ...``: the batch of the
configuration is shared by all, and the numbers are those of a single process but for rounding.
"""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

import torch
import yaml

from vidrestore.training.data import FaceSet
from vidrestore.training.distributed import processes, rank
from vidrestore.training.stopping import StopSignals
from vidrestore.training.trainer import STAGES, Trainer


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", type=Path, required=True, help="a file of configs/train")
    parser.add_argument("--faces", type=Path, required=True, help="folder of aligned faces")
    # torchrun takes a plain --run for one of its own options; here argparse knows it as short for this.
    parser.add_argument(
        "--run-folder", type=Path, required=True, metavar="FOLDER", help="folder for checkpoints and logs"
    )
    parser.add_argument("--stage", choices=STAGES, help="only this stage (default: all, in order)")
    parser.add_argument("--until", type=int, metavar="STEP", help="stop each stage at this step")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    args = parser.parse_args()

    config = yaml.safe_load(args.config.read_text(encoding="utf-8"))
    args.run_folder.mkdir(parents=True, exist_ok=True)
    faces = FaceSet(args.faces)
    with processes(args.device) as device, StopSignals() as stop:
        for stage in [args.stage] if args.stage else STAGES:
            trainer = Trainer(config, stage, faces=faces, run=args.run_folder, device=device)
            trainer.train(until=args.until, stop=stop)
            if trainer.stopped:
                number = stop.received or signal.SIGTERM
                if rank() == 0:
                    print(f"{stage} stopped at step {trainer.step} and saved", file=sys.stderr)
                return 128 + number
    return 0


if __name__ == "__main__":
    sys.exit(main())
