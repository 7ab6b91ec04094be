"""Check a machine with a GPU in less than ten minutes: its tests, its speed, and a hundred training steps.

``PYTHONPATH=. python tools/gpu_check.py --out FOLDER [--faces FOLDER] [--minutes 9.5]``

Needs a checkout and the packages of the extra ``test``, no network. The parts run one after the other: the
tests marked ``gpu``, ``bench.py network``, ``bench.py compare``, and the first hundred steps of stage I of
``configs/train/face-256.yaml``. After each of them ``gpu_check.json`` and ``gpu_check.log`` in FOLDER are
written again, so that a check that is cut short leaves its results. ``--faces`` is a folder that
``tools/prepare_faces.py`` wrote; without it random images are used, on which speed does not depend. Without a
CUDA device, parts that need one are skipped. The exit code is 0 if every part passed.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import torch

from vidrestore.measure.face_set import FaceSetWriter
from vidrestore.measure.speed.machine import machine

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, kw_only=True)
class Part:
    """A part of the check: the arguments of Python, its time limit in seconds, the file (JSON or CSV) that it
    writes its figures to, and whether it needs CUDA."""

    name: str
    arguments: tuple[str, ...]
    limit: float
    figures: Path | None = None
    needs_cuda: bool = False


def parts(work: Path, faces: Path, device: str) -> list[Part]:
    """The parts in order, for ``device``; they write to the folder ``work``."""
    bench, train = str(ROOT / "tools" / "bench.py"), str(ROOT / "tools" / "train.py")
    network, compare = work / "network.json", work / "compare.json"
    on_device, cuda = ("--device", device), device.startswith("cuda")
    models = ("--models", "lite", "codeformer", "--seconds", "1.5")
    rounds = ("--model", "codeformer", "--rounds", "1")
    training = ("--config", "face-256", "--stage", "stage1", "--until", "100", "--for", "140s")
    folders = ("--faces", str(faces), "--run-folder", str(work))
    return [
        Part(
            name="tests",
            arguments=("-m", "pytest", "-q", "-m", "gpu", str(ROOT / "tests")),
            limit=200,
            needs_cuda=True,
        ),
        Part(
            name="network",
            arguments=(bench, "network", *models, "--json", str(network), *on_device),
            limit=120,
            figures=network,
            needs_cuda=cuda,
        ),
        Part(
            name="compare",
            arguments=(bench, "compare", *rounds, "--json", str(compare), *on_device),
            limit=100,
            figures=compare,
            needs_cuda=cuda,
        ),
        Part(
            name="training",
            arguments=(train, *training, *folders, *on_device),
            limit=170,
            figures=work / "stage1.csv",
            needs_cuda=cuda,
        ),
    ]


def run(parts: Sequence[Part], out: Path, *, minutes: float) -> bool:
    """Run the parts, for at most ``minutes`` in total, and write the results to the folder ``out``; return
    whether every part passed."""
    out.mkdir(parents=True, exist_ok=True)
    end = time.monotonic() + 60 * minutes
    measured_on, results = machine(), {}
    with (out / "gpu_check.log").open("w", encoding="utf-8") as log:
        for part in parts:
            start = time.monotonic()
            print(f"== {part.name}: {' '.join(part.arguments)}", file=log, flush=True)
            state = _run_part(part, end - start, log)
            seconds, figures = round(time.monotonic() - start, 1), _figures(part.figures)
            if state == "passed" and part.figures and not figures:
                state = "ended without figures"
            results[part.name] = {"state": state, "seconds": seconds, "figures": figures}
            print(f"{part.name}: {state} ({seconds} s)", flush=True)
            text = json.dumps({"machine": measured_on, "parts": results}, indent=2)
            (out / "gpu_check.json").write_text(text + "\n", encoding="utf-8")
    return all(result["state"] == "passed" for result in results.values())


def _run_part(part: Part, seconds_left: float, log: TextIO) -> str:
    """Run a part and return its state."""
    if part.needs_cuda and not torch.cuda.is_available():
        return "skipped: no CUDA device"
    limit = min(part.limit, seconds_left)
    if limit <= 0:
        return "skipped: no time left"
    command = [sys.executable, *part.arguments]
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    env = os.environ | {"PYTHONPATH": path, "VIDRESTORE_OFFLINE": "1"}
    try:
        done = subprocess.run(
            command, cwd=ROOT, env=env, stdout=log, stderr=subprocess.STDOUT, timeout=limit, check=False
        )
    except subprocess.TimeoutExpired:
        return f"stopped after {limit:.0f} s"
    return "passed" if done.returncode == 0 else f"failed (exit code {done.returncode})"


def _figures(path: Path | None) -> Any:
    """Read the figures that a part wrote, if any."""
    if path is None or not path.exists():
        return None
    if path.suffix == ".json":
        return json.loads(path.read_text(encoding="utf-8"))
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def write_random_faces(folder: Path, *, side: int = 512, count: int = 16) -> Path:
    """Write a face set of smooth random images, and return its folder."""
    rng = np.random.default_rng(0)
    coarse = torch.from_numpy(rng.uniform(0, 255, (count, 3, 16, 16)))
    smooth = torch.nn.functional.interpolate(coarse, size=side, mode="bicubic").clamp(0, 255)
    writer = FaceSetWriter(folder)
    for number, face in enumerate(smooth.byte().permute(0, 2, 3, 1).numpy()):
        writer.add(face, f"{number}.png", 1.0)
    writer.finish()
    return folder


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="folder of the results")
    parser.add_argument("--faces", type=Path, metavar="FOLDER", help="folder of aligned faces")
    parser.add_argument("--minutes", type=float, default=9.5, help="time limit of the whole check")
    parser.add_argument("--device", default="cuda", help="cuda, cuda:1 or cpu")
    args = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        faces = args.faces.resolve() if args.faces else write_random_faces(work / "faces")
        passed = run(parts(work, faces, args.device), args.out, minutes=args.minutes)
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
