"""Train CodeFormer, stage by stage.

``tools/train.py --config configs/train/lite.yaml --faces FOLDER --run FOLDER``

FOLDER of faces is one that ``tools/prepare_faces.py`` wrote. Stages that are complete are left as
they are; one that was interrupted is resumed.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
import yaml

from vidrestore.training.data import FaceSet
from vidrestore.training.trainer import STAGES, Trainer


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", type=Path, required=True, help="a file of configs/train")
    parser.add_argument("--faces", type=Path, required=True, help="folder of aligned faces")
    parser.add_argument("--run", type=Path, required=True, help="folder for checkpoints and logs")
    parser.add_argument("--stage", choices=STAGES, help="only this stage (default: all, in order)")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    args = parser.parse_args()

    config = yaml.safe_load(args.config.read_text(encoding="utf-8"))
    args.run.mkdir(parents=True, exist_ok=True)
    faces = FaceSet(args.faces)
    for stage in [args.stage] if args.stage else STAGES:
        Trainer(config, stage, faces=faces, run=args.run, device=args.device).train()


if __name__ == "__main__":
    main()
