"""Every option, once: its default, range and help, in groups as the help shows them. Those of encoding and of
the machine are in :mod:`.encoding_options`."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from .option_types import (
    STEADY,
    float_or_auto,
    frames_per_second,
    mask,
    option,
    person_and_w,
    seconds,
    track_and_w,
)
from .weights.entry import TASKS
from .weights.registry import restorer_names


def _restoration(default: Any, *flags: str, **about: Any) -> Any:
    return option(default, *flags, group="restoration", **about)


def _time(default: Any, *flags: str, **about: Any) -> Any:
    return option(default, *flags, group="time", **about)


def _streams(default: Any, *flags: str, **about: Any) -> Any:
    return option(default, *flags, group="streams", **about)


@dataclass(frozen=True, kw_only=True)
class General:
    """IN, OUT and what is done with them."""

    input: Path = option(
        ..., metavar="IN", type=Path, basic=True, help="a video, a photo or a folder; never written"
    )
    output: Path | None = option(
        None,
        metavar="OUT",
        type=Path,
        basic=True,
        help="the result, or the folder of several; - is standard output",
    )

    overwrite: bool = option(False, "-y", type=bool, basic=True, help="replace OUT if it exists")
    resume: bool = option(
        False,
        "--resume",
        type=bool,
        help="continue an interrupted run, as the same command does by itself; says so if there is none",
    )
    keep: Path | None = option(
        None,
        "--keep",
        type=Path,
        metavar="FOLDER",
        help="keep what is finished in FOLDER, so that a later run restores only what has changed; see "
        "`vidrestore store`",
    )
    dry_run: bool = option(
        False, "--dry-run", type=bool, basic=True, help="say what would be done, and do nothing"
    )


@dataclass(frozen=True, kw_only=True)
class Restoration:
    """Which faces are restored, and how."""

    w: float | str = _restoration(
        0.5,
        "--w",
        type=float_or_auto,
        metavar="W",
        basic=True,
        help="fidelity weight: 0 trusts the model (quality), 1 the input (fidelity); auto: by the quality of "
        "each face over about a second",
    )
    task: str = _restoration(
        "restore",
        "--task",
        choices=TASKS,
        help="what is done to faces: restore; colour: colours grey ones; inpaint: fills the holes of --mask",
    )
    mask: Path | str | None = _restoration(
        None,
        "--mask",
        type=mask,
        metavar="FILE",
        help="with --task inpaint: a picture, or a video with as many frames, white where IN has holes; "
        "found: scratches and text over faces (default: all that is pure white in IN)",
    )
    tracks: Path | None = _restoration(
        None,
        "--tracks",
        type=Path,
        metavar="FILE",
        basic=True,
        help="tracks file, written by `vidrestore analyze`",
    )
    track_w: tuple[tuple[int, float], ...] = _restoration(
        (), "--track-w", type=track_and_w, metavar="ID=W", help="fidelity weight of one track; repeatable"
    )
    person_w: tuple[tuple[str, float], ...] = _restoration(
        (),
        "--person-w",
        type=person_and_w,
        metavar="NAME=W",
        help="fidelity weight of one person of the tracks file, by name or id, for tracks without one of "
        "their own; repeatable",
    )
    model: str = _restoration(
        "auto",
        "--model",
        choices=("auto", *restorer_names()),
        metavar="NAME",
        basic=True,
        help="codeformer: the published weights; lite and face: embedded, small; auto: codeformer if it is "
        "in the cache or can be downloaded, else lite; or another restorer that `vidrestore weights` lists",
        instead="; a file is given by --weights, and what enlarges pictures by --background",
    )
    weights: Path | None = _restoration(
        None,
        "--weights",
        type=Path,
        metavar="FILE",
        help="weights of a restorer: CodeFormer, GFPGAN or RestoreFormer (.pth, .safetensors), or ONNX",
    )
    commercial: bool = _restoration(
        False,
        "--commercial",
        type=bool,
        help="use only models whose licence allows commercial use; others are refused",
    )
    steady: str = _restoration(
        "all",
        "--steady",
        metavar="PARTS",
        help="what is stabilised over time: all, none, or some of " + ",".join(STEADY),
    )
    strength: float = _restoration(
        1.0,
        "--strength",
        type=float,
        metavar="S",
        low=0,
        high=1,
        help="opacity of the restored face over the input",
    )
    min_face: float = _restoration(
        20.0,
        "--min-face",
        type=float,
        metavar="PX",
        low=0,
        help="skip faces of up to PX pixels from chin to hairline; up to 1.5 times that they are restored in "
        "part; 0 disables",
    )
    max_sharpness: float = _restoration(
        0.95,
        "--max-sharpness",
        type=float,
        metavar="S",
        low=0,
        high=1,
        help="skip faces sharper than S, where 1 is the sharpest that their size can show; from 0.25 below S "
        "they are restored in part, and with strong grain in full; 0 disables",
    )
    max_yaw: float = _restoration(
        0.8,
        "--max-yaw",
        type=float,
        metavar="Y",
        low=0,
        high=1,
        help="skip faces turned further aside than Y, where 1 is a profile; from 0.25 below Y they are "
        "restored in part; 0 disables",
    )
    detector: str = _restoration(
        "auto",
        "--detector",
        choices=("auto", "retinaface_resnet50", "retinaface_mobile0.25"),
        help="face detector; auto: ResNet-50 if its weights are in the cache, else the embedded one",
    )
    offline: bool = _restoration(
        False, "--offline", type=bool, help="never use the network, as with VIDRESTORE_OFFLINE=1"
    )


@dataclass(frozen=True, kw_only=True)
class Time:
    """The part of the video."""

    start: Fraction = _time(
        Fraction(0),
        "-ss",
        type=seconds,
        metavar="TIME",
        low=0,
        basic=True,
        help="start time (seconds, or H:MM:SS.s)",
    )
    duration: Fraction | None = _time(
        None, "-t", type=seconds, metavar="TIME", low=0, basic=True, help="duration to restore"
    )
    end: Fraction | None = _time(
        None, "-to", type=seconds, metavar="TIME", low=0, basic=True, help="end time; -t takes precedence"
    )
    rate: Fraction | None = _time(
        None,
        "-r",
        "--rate",
        type=frames_per_second,
        metavar="FPS",
        help="frame rate of an image sequence, such as 30 or 24000/1001 (default: 25)",
    )


@dataclass(frozen=True, kw_only=True)
class Streams:
    """What of the file is read and kept."""

    video_stream: int | None = _streams(
        None,
        "--video-stream",
        type=int,
        metavar="N",
        low=0,
        help="index of the video stream to restore, as `vidrestore probe` lists them (default: the first "
        "that is not cover art)",
    )
    strict: bool = _streams(
        False,
        "--strict",
        type=bool,
        help="fail instead of warning: before any work if OUT cannot hold all of IN, and at the first damage "
        "in IN",
    )
