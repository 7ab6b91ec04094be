"""Cut aligned faces out of photographs, for training.

``tools/prepare_faces.py --out FOLDER PHOTOS...`` finds the largest face of every JPEG and PNG file in
the folders PHOTOS with the package's own detector, aligns it to 512 pixels and writes ``faces.npy`` and
``faces.csv`` as ``vidrestore.training.data.FaceSet`` reads them.
"""

from __future__ import annotations

import argparse
import csv
import math
from pathlib import Path

import cv2
import numpy as np
import torch
from tqdm import tqdm

from vidrestore.faces.alignment.align import TEMPLATE_SIZE, alignment_matrix
from vidrestore.faces.detection.detector import Detector
from vidrestore.faces.detection.load import load_detector, resolve_detector
from vidrestore.faces.detection.working_size import working_size

#: A face must be seen at least this clearly.
SCORE = 0.9
SUFFIXES = {".jpg", ".jpeg", ".png"}


def largest_face(image: np.ndarray, detector: Detector) -> np.ndarray | None:
    """The landmarks (5, 2) of the largest clear face of a picture (H, W, 3) BGR, or None."""
    height, width = image.shape[:2]
    size = working_size(width, height)
    # The detector is at its best well below the size of a close portrait.
    size = tuple(max(1, round(side * min(1.0, 320 / min(size)))) for side in size)
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    found = [d for d in detector(small[None])[0] if d.score >= SCORE]
    if not found:
        return None
    largest = max(found, key=lambda d: float(np.prod(d.box[2:] - d.box[:2])))
    return largest.scaled(width / size[0], height / size[1]).landmarks


def cut_out(image: np.ndarray, landmarks: np.ndarray) -> tuple[np.ndarray, float]:
    """The aligned face (512, 512, 3) RGB, and the factor it was enlarged by."""
    matrix = alignment_matrix(landmarks)
    enlarged = math.hypot(matrix[0, 0], matrix[1, 0])
    shrink = 1.0
    if enlarged < 0.75:  # warping shrinks without averaging: do that part before
        shrink = min(1.0, 1.25 * enlarged)
        image = cv2.resize(image, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
    matrix = matrix @ np.diag([1 / shrink, 1 / shrink, 1.0])
    # Coordinates have a pixel's centre at its half, OpenCV's at its whole.
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
    matrix = np.linalg.inv(half) @ matrix @ half
    size = (TEMPLATE_SIZE, TEMPLATE_SIZE)
    face = cv2.warpAffine(image, matrix[:2], size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)
    return cv2.cvtColor(face, cv2.COLOR_BGR2RGB), enlarged


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos", type=Path, nargs="+", help="folders of photographs")
    parser.add_argument("--out", type=Path, required=True, help="folder to write")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    args = parser.parse_args()

    detector = load_detector(resolve_detector("auto").name, torch.device(args.device))
    paths = [p for folder in args.photos for p in sorted(folder.iterdir()) if p.suffix.lower() in SUFFIXES]
    faces, rows = [], []
    for path in tqdm(paths, unit="photo"):
        image = cv2.imread(str(path), cv2.IMREAD_COLOR)
        landmarks = None if image is None else largest_face(image, detector)
        if image is None or landmarks is None:
            tqdm.write(f"{path}: no face found")
            continue
        face, enlarged = cut_out(image, landmarks)
        faces.append(face)
        rows.append({"name": f"{path.parent.name}/{path.name}", "enlarged": f"{enlarged:.3f}"})
    args.out.mkdir(parents=True, exist_ok=True)
    np.save(args.out / "faces.npy", np.stack(faces))
    with (args.out / "faces.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ("name", "enlarged"))
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()
