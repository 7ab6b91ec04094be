"""Find and align the faces of photographs, for training and evaluation.

``tools/prepare_faces.py --out FOLDER FOLDERS...`` detects the largest face of every JPEG and PNG file
directly in FOLDERS, aligns it to 512 x 512 pixels, and writes ``faces.npy`` and ``faces.csv``, which
``vidrestore.measure.face_set.FaceSet`` reads. With ``--shards`` the faces are in files of at most 60 MB,
``faces-00000.npy`` and so on, which are easier to move.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from vidrestore.errors import InputError, VidrestoreError
from vidrestore.faces.detection.load import load_detector, resolve_detector
from vidrestore.measure.face_preparation import prepare_faces
from vidrestore.runtime.device import find_device

SUFFIXES = {".jpg", ".jpeg", ".png"}


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("photos", type=Path, nargs="+", metavar="FOLDERS", help="folders of photographs")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="folder to write to")
    parser.add_argument("--shards", action="store_true", help="write files of at most 60 MB")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1 or mps")
    args = parser.parse_args(argv)
    try:
        detector = load_detector(resolve_detector("auto").name, find_device(args.device))
        paths = [path for folder in args.photos for path in _photos(folder)]
        for path in prepare_faces(paths, detector, args.out, shards=args.shards):
            print(f"{path}: no face found", file=sys.stderr)
    except VidrestoreError as error:
        print(f"prepare_faces: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def _photos(folder: Path) -> list[Path]:
    try:
        return [path for path in sorted(folder.iterdir()) if path.suffix.lower() in SUFFIXES]
    except OSError as error:
        raise InputError(f"{folder} cannot be read as a folder of photographs: {error.strerror}") from None


if __name__ == "__main__":
    sys.exit(main())
