"""Create the clips in samples/ from two photographs that are part of installed packages.

A camera moves over the photograph, and a smooth warp based on an approximate relief of the head makes the
face turn, nod and tilt. The frames are then degraded as real ones are: defocus, low resolution, noise, and a
real codec at a low bit rate. On the same machine the files are the same bytes every time.

    pip install ".[tools]"
    python tools/make_samples.py [NAME ...]
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
import wave
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import imageio_ffmpeg
import matplotlib.cbook
import numpy as np
import skimage.data
from scipy.interpolate import PchipInterpolator

SAMPLES = Path(__file__).resolve().parents[1] / "samples"
SOUND_RATE = 48_000
# The files must not depend on the number of cores, the time or the version of the muxer.
_REPEATABLE = ["-threads", "1", "-fflags", "+bitexact", "-flags:v", "+bitexact", "-flags:a", "+bitexact"]
_SCALER = ["-sws_flags", "bicubic+accurate_rnd+full_chroma_int"]
# The scaler produces BT.601, and the file is tagged accordingly.
_COLOUR = "setparams=colorspace=smpte170m:color_primaries=smpte170m:color_trc=smpte170m:range=tv"

Frames = list[np.ndarray]  #: (H, W, 3) uint8 BGR each


@dataclass(frozen=True, slots=True)
class Portrait:
    """A photograph (BGR) and the position of the head: centre, half width and half height in pixels."""

    image: np.ndarray
    centre: tuple[float, float]
    radii: tuple[float, float]


@dataclass(frozen=True, slots=True)
class View:
    """The view of one frame: its centre in the photograph, the pixels of the frame per pixel of the
    photograph, and the head's turn (positive: to the right), nod (down) and tilt in degrees."""

    x: float
    y: float
    scale: float
    turn: float = 0.0
    nod: float = 0.0
    tilt: float = 0.0


def collins() -> Portrait:
    """Eileen Collins, NASA, public domain; part of scikit-image."""
    return Portrait(skimage.data.astronaut()[..., ::-1].copy(), (226, 122), (48, 62))


def hopper() -> Portrait:
    """Grace Hopper, United States Navy, public domain; part of Matplotlib."""
    path = matplotlib.cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)
    image = cv2.imread(str(path))
    assert image is not None
    return Portrait(image, (266, 225), (85, 105))


def render_view(portrait: Portrait, view: View, size: tuple[int, int]) -> np.ndarray:
    """Render the frame of ``size`` (width, height) for one view."""
    width, height = size
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    x = view.x + (x - width / 2) / view.scale
    y = view.y + (y - height / 2) / view.scale
    (cx, cy), (a, b) = portrait.centre, portrait.radii

    # Tilt: a rotation about the neck that decreases with distance from the head.
    distance = np.hypot((x - cx) / a, (y - cy) / b)
    reach = np.clip((2.6 - distance) / 1.4, 0, 1)
    angle = np.radians(view.tilt) * reach * reach * (3 - 2 * reach)
    dx, dy = x - cx, y - (cy + 1.3 * b)
    x = cx + np.cos(angle) * dx + np.sin(angle) * dy
    y = cy + 1.3 * b - np.sin(angle) * dx + np.cos(angle) * dy

    # Turn and nod: points nearer to the camera move further. The relief is a bump for the head with a small
    # one for the nose. The mapping is from the frame to the photograph.
    u, v = (x - cx) / a, (y - cy) / b
    relief = np.exp(-0.8 * (u * u + v * v)) + 0.12 * np.exp(-12 * (u * u + (v - 0.08) ** 2))
    x = x - a * np.sin(np.radians(view.turn)) * relief
    y = y - b * np.sin(np.radians(view.nod)) * relief

    maps = (x - 0.5).astype(np.float32), (y - 0.5).astype(np.float32)
    return cv2.remap(portrait.image, *maps, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)


def animate(portrait: Portrait, size: tuple[int, int], count: int, *views: View) -> Frames:
    """Render ``count`` frames along a smooth path through ``views``, which are equally spaced in time."""
    moments = np.linspace(0, 1, len(views))
    way = PchipInterpolator(moments, [[getattr(v, name) for name in View.__slots__] for v in views])
    return [render_view(portrait, View(*way(t)), size) for t in np.linspace(0, 1, count)]


def degrade(frames: Frames, *, blur: float, shrink: float, noise: float, codec: list[str]) -> Frames:
    """Blur (sigma in pixels), downscale by ``shrink``, add noise (sigma, of 255), encode, and upscale."""
    height, width = frames[0].shape[:2]
    small = tuple(2 * round(side / shrink / 2) for side in (width, height))
    rng = np.random.default_rng(0)
    degraded = []
    for frame in frames:
        frame = cv2.GaussianBlur(frame.astype(np.float32), (0, 0), blur)
        frame = cv2.resize(frame, small, interpolation=cv2.INTER_AREA)
        degraded.append(_to_bytes(frame + rng.normal(0, noise, frame.shape)))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "low.mkv"
        encode(degraded, path, rate="25", video=codec)
        raw = _ffmpeg("-i", str(path), *_SCALER, "-f", "rawvideo", "-pix_fmt", "bgr24", "pipe:")
    decoded = np.frombuffer(raw, np.uint8).reshape(-1, small[1], small[0], 3)
    return [cv2.resize(frame, (width, height), interpolation=cv2.INTER_CUBIC) for frame in decoded]


def age(frames: Frames) -> Frames:
    """Simulate old film: monochrome, low contrast, shaking, flicker, grain, scratches and dust."""
    rng = np.random.default_rng(0)
    height, width = frames[0].shape[:2]
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    vignette = 1 - 0.28 * (x * x + y * y)
    scratch = 0.0
    aged = []
    for index, frame in enumerate(frames):
        if index % 14 == 0:
            scratch = rng.uniform(0.1, 0.9) * width
        shake = np.array([[1, 0, rng.normal(0, 0.5)], [0, 1, rng.normal(0, 0.7)]], np.float32)
        frame = cv2.warpAffine(frame, shake, (width, height), borderMode=cv2.BORDER_REFLECT)
        grey = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY) / 255.0
        worn = 30 + 195 * grey**0.9 * vignette * rng.normal(1, 0.025)
        worn += cv2.GaussianBlur(rng.normal(0, 26, grey.shape), (0, 0), 0.9)
        worn[:, round(scratch + rng.normal(0, 0.6))] += 35
        for _ in range(rng.poisson(1.2)):
            speck = rng.integers(0, (width, height)).tolist()
            cv2.circle(worn, speck, int(rng.integers(1, 3)), float(rng.choice([25, 225])), -1, cv2.LINE_AA)
        aged.append(cv2.cvtColor(_to_bytes(worn), cv2.COLOR_GRAY2BGR))
    return aged


def sound(seconds: float, chord: list[float]) -> np.ndarray:
    """Generate a chord (Hz) that swells and fades once a second, with a click at every full second: int16."""
    t = np.arange(round(seconds * SOUND_RATE)) / SOUND_RATE
    tone = sum(np.sin(2 * np.pi * pitch * t) for pitch in chord) / len(chord)
    click = np.sin(2 * np.pi * 1800 * t) * np.exp(-(t % 1) * 120)
    return np.round(32767 * (0.12 * tone * np.sin(np.pi * t) ** 2 + 0.3 * click)).astype(np.int16)


def encode(
    frames: Frames,
    path: Path,
    *,
    rate: str,
    video: list[str],
    sounds: tuple[np.ndarray, ...] = (),
    subtitles: str = "",
    chapters: str = "",
    more: tuple[str, ...] = (),
) -> None:
    """Encode ``frames`` at ``rate`` fps, with mono ``sounds`` as AAC tracks, ``subtitles`` (SubRip) and
    ``chapters`` (FFmpeg's metadata format). ``more`` are further output options."""
    height, width = frames[0].shape[:2]
    inputs = ["-f", "rawvideo", "-pix_fmt", "bgr24", "-s", f"{width}x{height}", "-r", rate, "-i", "pipe:"]
    outputs = ["-map", "0:v", *video, "-vf", f"format=yuv420p,{_COLOUR}", *_SCALER]
    with tempfile.TemporaryDirectory() as folder:
        files: list[Path] = []
        for index, samples in enumerate(sounds):
            files.append(Path(folder) / f"{index}.wav")
            with wave.open(str(files[-1]), "wb") as file:
                file.setparams((1, 2, SOUND_RATE, 0, "NONE", ""))
                file.writeframes(samples.tobytes())
            outputs += ["-map", f"{len(files)}:a"]
        if sounds:
            outputs += ["-c:a", "aac", "-b:a", "64k"]
        if subtitles:
            files.append(Path(folder) / "subtitles.srt")
            files[-1].write_text(subtitles)
            outputs += ["-map", f"{len(files)}:s", "-c:s", "srt"]
        if chapters:
            files.append(Path(folder) / "chapters.txt")
            files[-1].write_text(chapters)
            outputs += ["-map_metadata", str(len(files))]
        inputs += [argument for file in files for argument in ("-i", str(file))]
        data = b"".join(frame.tobytes() for frame in frames)
        _ffmpeg(*inputs, *outputs, *more, *_REPEATABLE, "-y", str(path), data=data)


def portrait(path: Path) -> None:
    """One face that turns, nods, leaves the frame and returns; with audio."""
    frames = animate(
        collins(),
        (640, 360),
        96,
        View(226, 140, 1.55, turn=-12),
        View(232, 138, 1.60, turn=13, nod=3, tilt=2),
        View(222, 134, 1.75, turn=-4, nod=-6, tilt=-3),
        View(226, 138, 1.80, turn=8, nod=8),
        View(270, 345, 1.75, turn=10, nod=6),
        View(270, 338, 1.75, turn=-8),
        View(236, 150, 1.75, turn=-12, nod=4, tilt=-2),
        View(214, 136, 1.85, turn=2, nod=-4, tilt=3),
        View(228, 134, 1.90, turn=14),
    )
    frames = degrade(frames, blur=1.8, shrink=2.3, noise=5, codec=_h264(33))
    tags = ("-metadata:s:a:0", "language=eng", "-movflags", "+faststart")
    encode(frames, path, rate="24", video=_h264(25), sounds=(sound(4, [220, 277.2, 329.6]),), more=tags)


def scenes(path: Path) -> None:
    """Two faces, alone and side by side, with cuts; two audio tracks, subtitles and chapters."""
    size, half = (480, 360), (240, 360)
    views = View(230, 140, 1.4, turn=10, tilt=-2), View(222, 138, 1.55, turn=-12, nod=4)
    first = animate(collins(), size, 30, *views)
    views = View(262, 216, 1.0, turn=-10), View(266, 212, 1.06, turn=10, nod=4, tilt=2)
    second = animate(hopper(), size, 30, *views)
    left = animate(collins(), half, 32, View(224, 150, 1.1, turn=8), View(228, 150, 1.12, turn=-8, nod=5))
    right = animate(hopper(), half, 32, View(268, 226, 0.8, turn=-9, nod=3), View(264, 224, 0.8, turn=6))
    both = [np.hstack(pair) for pair in zip(left, right, strict=True)]
    frames = degrade(first + second + both, blur=1.2, shrink=1.8, noise=5, codec=_h264(31))

    parts = [("Eileen Collins", 0, 1200), ("Grace Hopper", 1200, 2400), ("Both of them", 2400, 3680)]  # ms
    subtitles = "".join(
        f"{number}\n{_srt_time(begin + 100)} --> {_srt_time(end - 100)}\n{text}\n\n"
        for number, (text, begin, end) in enumerate(parts, 1)
    )
    chapters = ";FFMETADATA1\ntitle=Two pioneers\n" + "".join(
        f"[CHAPTER]\nTIMEBASE=1/1000\nSTART={begin}\nEND={end}\ntitle={text}\n" for text, begin, end in parts
    )
    tags = {
        "a:0": ("language=eng", "title=Major"),
        "a:1": ("language=ger", "title=Minor"),
        "s:0": ("language=eng", "title=Names"),
    }
    more = [
        arg for stream, values in tags.items() for tag in values for arg in (f"-metadata:s:{stream}", tag)
    ]
    encode(
        frames,
        path,
        rate="25",
        video=_h264(24),
        sounds=(sound(3.68, [261.6, 329.6, 392]), sound(3.68, [220, 261.6, 329.6])),
        subtitles=subtitles,
        chapters=chapters,
        more=(*more, "-disposition:v:0", "default", "-disposition:a:0", "default"),
    )


def archive(path: Path) -> None:
    """Old film on an early digital medium: monochrome, worn, MPEG-2; no audio, 24000/1001 fps."""
    frames = animate(
        hopper(),
        (480, 360),
        72,
        View(262, 222, 0.98, turn=9),
        View(266, 216, 1.0, turn=-9, nod=4),
        View(266, 214, 1.02, turn=-3, nod=-5, tilt=2),
        View(268, 212, 1.04, turn=11, tilt=-2),
    )
    mpeg2 = ["-c:v", "mpeg2video", "-q:v", "9", "-g", "12"]
    frames = degrade(age(frames), blur=1.4, shrink=1.5, noise=2, codec=mpeg2)
    frames = [_grey(frame) for frame in frames]
    encode(frames, path, rate="24000/1001", video=_h264(26), more=("-movflags", "+faststart"))


CLIPS: dict[str, Callable[[Path], None]] = {
    "portrait.mp4": portrait,
    "scenes.mkv": scenes,
    "archive.mp4": archive,
}


def _h264(crf: int) -> list[str]:
    return ["-c:v", "libx264", "-preset", "slow", "-crf", str(crf)]


def _srt_time(milliseconds: int) -> str:
    return f"00:00:{milliseconds // 1000:02},{milliseconds % 1000:03}"


def _grey(frame: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)


def _to_bytes(frame: np.ndarray) -> np.ndarray:
    return np.clip(np.round(frame), 0, 255).astype(np.uint8)


def _ffmpeg(*arguments: str, data: bytes = b"") -> bytes:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *arguments]
    return subprocess.run(command, input=data, stdout=subprocess.PIPE, check=True).stdout


def main() -> None:
    parser = argparse.ArgumentParser(description="Create the sample clips.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(CLIPS)} (default: all)")
    parser.add_argument("--out", type=Path, default=SAMPLES, help="folder to write to")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    for name in arguments.names or CLIPS:
        CLIPS[name](arguments.out / name)
        print(f"{arguments.out / name}: {(arguments.out / name).stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
