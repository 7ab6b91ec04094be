"""The options of encoding and of the machine: how OUT is written, and where and how it is computed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .media.containers import CONTAINERS
from .option_types import int_or_auto, name_and_value, option


def _encoding(default: Any, *flags: str, **about: Any) -> Any:
    return option(default, *flags, group="encoding", **about)


def _machine(default: Any, *flags: str, **about: Any) -> Any:
    return option(default, *flags, group="machine", **about)


@dataclass(frozen=True, kw_only=True)
class Encoding:
    """How OUT is written."""

    container: str | None = _encoding(
        None,
        "-f",
        choices=tuple(CONTAINERS),
        help="container of OUT (default: by its extension; matroska for standard output)",
    )
    codec: str | None = _encoding(
        None,
        "-c:v",
        metavar="ENCODER",
        basic=True,
        help="video encoder, by FFmpeg's name (default: by the input's codec)",
    )
    crf: float | None = _encoding(
        None,
        "--crf",
        type=float,
        metavar="N",
        low=0,
        high=63,
        basic=True,
        help="quality, lower is better (default: visually lossless)",
    )
    preset: str | None = _encoding(
        None, "--preset", metavar="NAME", help="preset of the encoder, such as fast or slow"
    )
    encoder_options: tuple[tuple[str, str], ...] = _encoding(
        (),
        "--encoder-opt",
        type=name_and_value,
        metavar="NAME=VALUE",
        help="private option of the encoder, as `ffmpeg -h encoder=ENCODER` lists them; repeatable",
    )
    deinterlace: str = _encoding(
        "auto",
        "--deinterlace",
        choices=("auto", "off", "bwdif"),
        help="auto: deinterlace video flagged as interlaced, or measured so at a few places; bwdif: always; "
        "off: never, and OUT stays interlaced",
    )
    pix_fmt: str | None = _encoding(
        None, "--pix-fmt", metavar="NAME", help="pixel format of OUT (default: the input's)"
    )


@dataclass(frozen=True, kw_only=True)
class Machine:
    """Where and how it is computed."""

    device: str = _machine(
        "auto", "--device", metavar="NAME", basic=True, help="auto, cpu, cuda, cuda:1 or mps"
    )
    precision: str = _machine(
        "auto",
        "--precision",
        choices=("auto", "fp32", "bf16", "fp16"),
        help="arithmetic of the networks; auto: bf16 on hardware with bf16 instructions, else fp32; fp16 "
        "needs CUDA",
    )
    batch: int | str = _machine(
        "auto",
        "--batch",
        type=int_or_auto,
        metavar="N",
        help="faces per batch; auto: by the memory of the GPU or the cores of the CPU",
    )
    ray: str | None = _machine(
        None,
        "--ray",
        metavar="WHERE",
        help="restore with several GPUs or machines, by Ray: local (all GPUs of this machine), HOST:PORT "
        "(a cluster), or auto (the cluster that this machine is part of, else local)",
    )
    workers: int | None = _machine(
        None,
        "--workers",
        type=int,
        metavar="N",
        low=1,
        help="workers of --ray (default: one for each GPU, or each machine without any)",
    )
    profile: bool = _machine(
        False, "--profile", type=bool, help="print the time that each stage took at the end"
    )
