"""What an uploaded file is: found by its content, in a process of its own that is given little time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

from ..errors import InputError, VidrestoreError
from ..media.untrusted import VARIABLE
from .config import MOST_PIXELS

#: Seconds that looking at a file may take.
_PATIENCE = 40
#: Extensions under which files are kept, by FFmpeg's name of their format: the demuxer that was found here
#: must be found again.
_SUFFIXES = {
    "matroska,webm": ".mkv",
    "mov,mp4,m4a,3gp,3g2,mj2": ".mp4",
    "avi": ".avi",
    "mpegts": ".ts",
    "mpeg": ".mpg",
    "asf": ".asf",
    "flv": ".flv",
    "ogg": ".ogg",
    "mxf": ".mxf",
    "gif": ".gif",
}


def inspect_upload(path: Path) -> dict[str, Any]:
    """What the file at ``path`` is, ready for JSON: ``kind`` is ``video`` or ``photo``.

    Raises InputError if it is neither, is damaged, or names other files.
    """
    command = [sys.executable, "-m", "vidrestore.ui.inspection", str(path)]
    try:
        done = subprocess.run(
            command,
            env={**os.environ, VARIABLE: "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PATIENCE,
        )
        found = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, ValueError):
        raise InputError("it could not be read as a video or a photo") from None
    if "error" in found:
        raise InputError(found["error"])
    return found


def look_into(path: Path) -> dict[str, Any]:
    """What :func:`inspect_upload` says, found in this process. Raises VidrestoreError."""
    from ..media.photo.formats import photo_format

    kind = photo_format(path)
    return _video(path) if kind is None else _photo(path, kind)


def _video(path: Path) -> dict[str, Any]:
    from ..media.inspect import as_text, inspect_file
    from ..media.probe import probe

    info = probe(path)
    if info.width * info.height > MOST_PIXELS:
        raise InputError(f"its frames of {info.width}x{info.height} pixels are larger than this page takes")
    if not _has_frame(path):
        raise InputError("no frame of its video can be decoded")
    found = inspect_file(path)
    streams = found["streams"]
    sounds = [stream for stream in streams if stream["type"] == "audio"]
    texts = [stream for stream in streams if stream["type"] == "subtitle"]
    main = streams[found["restores"]]
    rate = f"{float(info.rate):.4g} frames/s" if info.rate else ""
    parts = [
        f"{info.width} x {info.height}",
        rate,
        main["codec"],
        _counted(len(sounds), "audio track"),
        _counted(len(texts), "subtitle track"),
    ]
    return {
        "kind": "video",
        "format": found["container"],
        "width": info.width,
        "height": info.height,
        "duration": None if info.duration is None else float(info.duration),
        "frames": info.frames,
        "words": ", ".join(filter(None, parts)),
        # Metadata may hold bytes that are no text.
        "details": as_text(found).partition("\n")[2].encode("utf-8", "replace").decode(),
        "suffix": _SUFFIXES.get(found["container"], path.suffix),
    }


def _has_frame(path: Path) -> bool:
    import av.error

    from ..media.probe import main_video, open_input

    with open_input(path) as container:
        stream = main_video(container, path)
        try:
            return next(container.decode(stream), None) is not None
        except av.error.FFmpegError:
            return False


def _photo(path: Path, kind: Any) -> dict[str, Any]:
    from PIL import Image

    from ..media.photo.formats import MOST_PIXELS as PHOTO_PIXELS
    from ..media.photo.formats import add_heif

    add_heif()
    formats = ["JPEG", "MPO"] if kind.name == "JPEG" else [kind.name]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of sizes that are allowed here
            with Image.open(path, formats=formats) as image:  # reads the header alone
                width, height = image.size
                mode = image.mode
    except Image.DecompressionBombError:
        raise InputError(f"it has more than the {PHOTO_PIXELS // 10**6} million pixels of a photo") from None
    except Exception:
        raise InputError(f"it is damaged, cut short, or a kind of {kind.name} that cannot be read") from None
    if width * height > PHOTO_PIXELS:
        raise InputError(
            f"its {width}x{height} pixels are more than the {PHOTO_PIXELS // 10**6} million allowed"
        )
    return {
        "kind": "photo",
        "format": kind.name,
        "width": width,
        "height": height,
        "words": f"{width} x {height}, {kind.name}, {mode}",
        "details": "",
        "suffix": kind.suffixes[0] if kind.suffixes else ".gif",
    }


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' * (count != 1)}" if count else ""


def _main() -> None:
    path = Path(sys.argv[1])
    try:
        found = look_into(path)
    except VidrestoreError as error:
        found = {"error": str(error).replace(str(path), "the file").replace(path.name, "the file")}
    print(json.dumps(found))


if __name__ == "__main__":
    _main()
