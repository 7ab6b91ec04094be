"""What workers are told of a film, and how they judge whether they can take part in it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import av
import cv2
import numpy as np
import torch

from .. import __version__
from ..errors import VidrestoreError
from ..media.output.workfolder import difference
from ..options import Options
from ..runtime.device import find_device
from ..stages.enlarging import upscaler_of
from ..stages.resume import result_key, sample_hash
from ..stages.segment_keys import code_fingerprint
from ..stages.setup import RestorerSetup, Setup


class JoiningError(Exception):
    """What a worker has made cannot be joined to OUT, which is no fault of the worker: the run ends with
    ``cause``."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(str(cause))
        self.cause = cause


class RefusedError(VidrestoreError):
    """A worker cannot take part in a film: its frames would be others."""


@dataclass(frozen=True, kw_only=True)
class Film:
    """One film that is restored, as every worker is told of it."""

    name: str  #: what no other film has
    options: Options  #: with absolute paths
    setup: Setup
    length: int  #: frames per segment
    key: Mapping[str, str]  #: by :func:`worker_key`, on the machine that leads
    content: str  #: by :func:`content_of`, of the input there
    folder: Path  #: where segments are kept
    probe: str  #: the name of a file in it, and its content


def worker_key(options: Options, setup: Setup) -> dict[str, str]:
    """Everything on this machine that the frames of a film depend on, besides the input and the faces, by the
    names that users know. Raises VidrestoreError, as for weights that are not here."""
    wanted = setup.restorer
    # What a tracks file says is sent, so it need not be here.
    options = replace(options, tracks=None, person_w=(), device=find_device(wanted.device.type).type)
    if wanted.weights is None:
        options = replace(options, model=wanted.model)
    own = replace(RestorerSetup.of(options), others=wanted.others)
    return {
        **result_key(options, own, setup.detector, upscaler_of(options)),
        **code_key(),
    }


def code_key() -> dict[str, str]:
    """The versions on this machine that the frames of every film depend on, by name."""
    return {
        "vidrestore": __version__,
        "the code": code_fingerprint(),
        "PyAV": av.__version__,
        "PyTorch": torch.__version__,
        "NumPy": np.__version__,
        "OpenCV": cv2.__version__,
    }


def check_code(film: Film, there: Mapping[str, str]) -> None:
    """Raise RefusedError, which names the difference, unless a worker with the versions ``there`` makes the
    same frames, and understands what it is told of the film."""
    for name, value in there.items():
        if film.key.get(name) != value:
            raise RefusedError(_difference(name, film.key, there))


def check_worker(film: Film) -> None:
    """Raise RefusedError, which names the difference, unless this machine makes the same frames."""
    try:
        key = worker_key(film.options, film.setup)
    except VidrestoreError as error:
        raise RefusedError(str(error)) from None
    except OSError as error:
        raise RefusedError(f"{error.filename} cannot be read there: {error.strerror}") from None
    for name in {**film.key, **key}:
        if film.key.get(name) != key.get(name):
            raise RefusedError(_difference(name, film.key, key))


def _difference(name: str, here: Mapping[str, str], there: Mapping[str, str]) -> str:
    return difference(name, here, there, what="is not the same", now="there")


def content_of(path: Path) -> str:
    """A hash of a file's size and of samples of its content; for an image sequence, of the names and sizes of
    its files. Times do not count, as machines may not agree on them. Raises OSError."""
    if path.is_file():
        return sample_hash(path, str(path.stat().st_size))
    files = sorted(path.parent.glob(f"*{path.suffix}"))
    return hashlib.sha256(repr([(file.name, file.stat().st_size) for file in files]).encode()).hexdigest()


def is_content(path: Path, content: str) -> bool:
    """Whether the file at ``path`` has this content, as this machine sees it."""
    try:
        return content_of(path) == content
    except OSError:
        return False
