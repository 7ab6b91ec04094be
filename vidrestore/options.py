"""Every option, once: its default, range and help. The command line, presets and the Python API are made of
it."""

from __future__ import annotations

from dataclasses import Field, dataclass, field, fields
from fractions import Fraction
from pathlib import Path
from typing import Any

from .errors import UsageError
from .media.containers import CONTAINERS


def _option(
    default: Any,
    *flags: str,
    help: str,
    group: str = "options",
    metavar: str | None = None,
    type: Any = str,
    choices: tuple[str, ...] | None = None,
    low: float | None = None,
    high: float | None = None,
) -> Any:
    """One option as a dataclass field. ``low`` and ``high`` are its range, both included."""
    metadata = {
        "flags": flags,
        "help": help,
        "group": group,
        "metavar": metavar,
        "type": type,
        "choices": choices,
        "low": low,
        "high": high,
    }
    return field(default=default, metadata=metadata)


def seconds(text: str) -> Fraction:
    """A time as ``90``, ``1:30`` or ``0:01:30.5`` in seconds, exactly. Raises ValueError."""
    parts = text.split(":")
    if len(parts) > 3 or any(not part or part.startswith(("-", "+")) for part in parts):
        raise ValueError(f"{text!r} is not a time")
    total = Fraction(0)
    for part in parts:
        total = total * 60 + Fraction(part)
    return total


def frames_per_second(text: str) -> Fraction:
    """A rate as ``25``, ``29.97`` or ``30000/1001``. Raises ValueError."""
    rate = Fraction(text)
    if not 0 < rate <= 1000:
        raise ValueError(f"{text!r} is no rate")
    return rate


def name_and_value(text: str) -> tuple[str, str]:
    """An option as ``name=value``. Raises ValueError."""
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise ValueError(f"{text!r} is not NAME=VALUE")
    return name, value


def number_or_auto(text: str) -> float | str:
    """``auto``, or a number. Raises ValueError."""
    return text if text == "auto" else float(text)


def whole_or_auto(text: str) -> int | str:
    """``auto``, or a whole number. Raises ValueError."""
    return text if text == "auto" else int(text)


#: What of a face is held steady over time, in the order of the work.
STEADY = ("input", "codes", "output", "colour")


def steady_parts(text: str) -> frozenset[str]:
    """The parts of :data:`STEADY` that ``text`` names: ``all``, ``none``, or some with commas between them.
    Raises UsageError."""
    named = {"all": STEADY, "none": ()}.get(text, tuple(text.split(",")))
    if unknown := set(named) - set(STEADY):
        raise UsageError(
            f"--steady cannot be {', '.join(sorted(map(repr, unknown)))}; use all, none, or some of "
            f"{','.join(STEADY)}"
        )
    return frozenset(named)


def track_and_w(text: str) -> tuple[int, float]:
    """A track and its fidelity weight, as ``3=0.8``. Raises ValueError."""
    track, _, w = text.partition("=")
    return int(track), float(w)


@dataclass(frozen=True, kw_only=True)
class Options:
    """One run. Raises UsageError for a value outside its range."""

    input: Path = _option(None, metavar="IN", type=Path, help="the video to restore; it is never written to")
    output: Path = _option(
        None,
        metavar="OUT",
        type=Path,
        help="the restored video (.mp4, .mov, .mkv, .webm), or - for standard output",
    )

    w: float | str = _option(
        0.5,
        "--w",
        type=number_or_auto,
        metavar="W",
        group="restoration",
        help="fidelity: 0 trusts the model (cleaner faces), 1 trusts the input (truer faces); auto chooses "
        "for each track by what it shows",
    )
    tracks: Path | None = _option(
        None,
        "--tracks",
        type=Path,
        metavar="FILE",
        group="restoration",
        help="faces and their settings from a file that `vidrestore analyze` wrote",
    )
    track_w: tuple[tuple[int, float], ...] = _option(
        (),
        "--track-w",
        type=track_and_w,
        metavar="ID=W",
        group="restoration",
        help="--w of one track; can be given more than once",
    )
    model: str = _option(
        "auto",
        "--model",
        choices=("auto", "codeformer", "lite"),
        group="restoration",
        help="the published CodeFormer, or the small one that comes with the package; auto takes the first "
        "where its weights are here or can be fetched",
    )
    weights: Path | None = _option(
        None,
        "--weights",
        type=Path,
        metavar="FILE",
        group="restoration",
        help="CodeFormer weights from a file of your own (.pth or .safetensors)",
    )
    steady: str = _option(
        "all",
        "--steady",
        metavar="PARTS",
        group="restoration",
        help="what is held steady from frame to frame: all, none, or some of " + ",".join(STEADY),
    )
    strength: float = _option(
        1.0,
        "--strength",
        type=float,
        metavar="S",
        low=0,
        high=1,
        group="restoration",
        help="how much of the restored face is blended in; below 1 some of the input shows through",
    )
    min_face: float = _option(
        20.0,
        "--min-face",
        type=float,
        metavar="PX",
        low=0,
        group="restoration",
        help="leave faces alone that are fewer pixels tall; 0 leaves none",
    )
    max_sharpness: float = _option(
        0.95,
        "--max-sharpness",
        type=float,
        metavar="S",
        low=0,
        high=1,
        group="restoration",
        help="leave faces alone that are this sharp already, 1 being all that their size can show; 0 leaves "
        "none",
    )
    max_yaw: float = _option(
        0.8,
        "--max-yaw",
        type=float,
        metavar="Y",
        low=0,
        high=1,
        group="restoration",
        help="leave faces alone that are turned this far aside, 1 being a profile; 0 leaves none",
    )
    detector: str = _option(
        "auto",
        "--detector",
        choices=("auto", "retinaface_resnet50", "retinaface_mobile0.25"),
        group="restoration",
        help="the face detector; auto takes ResNet-50 where its weights are here, else the embedded one",
    )
    offline: bool = _option(
        False,
        "--offline",
        type=bool,
        group="restoration",
        help="never use the network; as VIDRESTORE_OFFLINE=1",
    )

    start: Fraction = _option(
        Fraction(0),
        "-ss",
        type=seconds,
        metavar="TIME",
        low=0,
        group="time",
        help="begin here (seconds, or H:MM:SS.s)",
    )
    duration: Fraction | None = _option(
        None, "-t", type=seconds, metavar="TIME", low=0, group="time", help="restore this much"
    )
    end: Fraction | None = _option(
        None, "-to", type=seconds, metavar="TIME", low=0, group="time", help="end here; -t comes before it"
    )

    rate: Fraction | None = _option(
        None,
        "-r",
        "--rate",
        type=frames_per_second,
        metavar="FPS",
        group="time",
        help="frames per second of numbered pictures, such as 30 or 24000/1001 (default: 25)",
    )

    video_stream: int | None = _option(
        None,
        "--video-stream",
        type=int,
        metavar="N",
        low=0,
        group="streams",
        help="the video to restore, by its number in `vidrestore probe`; by default the first that is no "
        "cover art",
    )
    strict: bool = _option(
        False,
        "--strict",
        type=bool,
        group="streams",
        help="fail rather than warn: before any work where OUT cannot hold all of IN, after it where IN was "
        "damaged",
    )

    container: str | None = _option(
        None,
        "-f",
        choices=tuple(CONTAINERS),
        group="encoding",
        help="the container of OUT; by default what its name says, matroska for standard output",
    )
    codec: str | None = _option(
        None,
        "-c:v",
        metavar="ENCODER",
        group="encoding",
        help="FFmpeg's name of a video encoder; by default one of the input's codec family",
    )
    crf: float | None = _option(
        None,
        "--crf",
        type=float,
        metavar="N",
        low=0,
        high=63,
        group="encoding",
        help="constant rate factor, lower is better; by default visually lossless",
    )
    preset: str | None = _option(
        None, "--preset", metavar="NAME", group="encoding", help="the encoder's preset, such as fast or slow"
    )
    encoder_options: tuple[tuple[str, str], ...] = _option(
        (),
        "--encoder-opt",
        type=name_and_value,
        metavar="NAME=VALUE",
        group="encoding",
        help="an option of the encoder, as `ffmpeg -h encoder=ENCODER` lists them; can be given more than "
        "once",
    )
    deinterlace: str = _option(
        "auto",
        "--deinterlace",
        choices=("auto", "off", "bwdif"),
        group="encoding",
        help="auto makes whole frames of what says that it is interlaced, or looks it; bwdif of everything; "
        "off of nothing, and OUT is interlaced too",
    )
    pix_fmt: str | None = _option(
        None,
        "--pix-fmt",
        metavar="NAME",
        group="encoding",
        help="pixel format of OUT; by default the input's",
    )

    device: str = _option(
        "auto", "--device", metavar="NAME", group="machine", help="auto, cpu, cuda, cuda:1 or mps"
    )
    precision: str = _option(
        "auto",
        "--precision",
        choices=("auto", "fp32", "bf16", "fp16"),
        group="machine",
        help="arithmetic of the network; auto is bf16 where the device computes in it; fp16 is for CUDA",
    )
    batch: int | str = _option(
        "auto",
        "--batch",
        type=whole_or_auto,
        metavar="N",
        group="machine",
        help="faces restored at once; auto is what the device has memory for, or cores",
    )
    profile: bool = _option(
        False, "--profile", type=bool, group="machine", help="say at the end where the time went"
    )

    overwrite: bool = _option(False, "-y", type=bool, help="replace OUT if it exists")
    resume: bool = _option(
        False,
        "--resume",
        type=bool,
        help="go on from what an interrupted run has finished, as the same command does by itself",
    )
    dry_run: bool = _option(False, "--dry-run", type=bool, help="say what would be done, and do nothing")

    def __post_init__(self) -> None:
        for option in fields(self):
            _check(option, getattr(self, option.name))
        if self.w != "auto" and not (isinstance(self.w, int | float) and 0 <= self.w <= 1):
            raise UsageError(f"--w must be between 0 and 1, or auto, not {self.w}")
        if self.batch != "auto" and not (isinstance(self.batch, int) and 1 <= self.batch <= 1024):
            raise UsageError(f"--batch must be between 1 and 1024, or auto, not {self.batch}")
        steady_parts(self.steady)
        for track, w in self.track_w:
            if track < 1 or not 0 <= w <= 1:
                raise UsageError(
                    f"--track-w {track}={w:g} cannot be; tracks count from 1, and W is between 0 and 1"
                )
        if self.end is not None and self.end <= self.start:
            raise UsageError(f"-to {float(self.end):g} is not after -ss {float(self.start):g}")
        if self.duration is not None and not self.duration:
            raise UsageError("-t 0 leaves nothing to restore; give a longer time")

    @property
    def stop(self) -> Fraction | None:
        """Where the wanted part ends, in seconds; None is the video's end."""
        return self.start + self.duration if self.duration is not None else self.end


def parse(option: Field, text: str) -> Any:
    """The value that ``text`` is for an option, one of those where there may be more. Raises UsageError."""
    try:
        value = option.metadata["type"](text)
    except (ValueError, ZeroDivisionError):
        raise UsageError(f"{_called(option)} cannot be {text!r}; see vidrestore --help") from None
    _check(option, value)
    return value


def _called(option: Field) -> str:
    return (*option.metadata["flags"], option.name)[0]


def _check(option: Field, value: Any) -> None:
    """Raise UsageError where a value is not one that an option allows."""
    called, meta = _called(option), option.metadata
    low, high, choices = meta["low"], meta["high"], meta["choices"]
    if value is None:
        return
    if choices and value not in choices:
        raise UsageError(f"{called} must be one of {', '.join(choices)}, not {value!r}")
    # Written so that NaN, which compares with nothing, is refused too.
    if low is not None and not (low <= value and (high is None or value <= high)):
        bounds = f"between {low:g} and {high:g}" if high is not None else f"at least {low:g}"
        raise UsageError(f"{called} must be {bounds}, not {float(value):g}")
