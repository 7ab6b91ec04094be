"""What is asked of an encoder, and what is decided."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class EncoderSettings:
    """What the user asked for. None leaves the choice to :func:`choose.choose_encoder`."""

    codec: str | None = None  #: FFmpeg's name of an encoder
    crf: float | None = None  #: constant rate factor, on that encoder's scale
    preset: str | None = None
    pix_fmt: str | None = None
    reproducible: bool = False  #: the same frames give the same packets each time, on any machine
    options: tuple[tuple[str, str], ...] = ()  #: the encoder's private options: FFmpeg's names and values


@dataclass(frozen=True)
class EncoderConfig:
    """Everything that is needed to open an encoder, decided."""

    codec: str  #: FFmpeg's name of the encoder
    pix_fmt: str
    options: dict[str, str] = field(default_factory=dict)
    #: Colour tags of the output: FFmpeg's numbers by its names of the codec context's fields.
    tags: dict[str, int] = field(default_factory=dict)
    interlaced: bool = False  #: code the two fields of each frame as such
    #: Readers would take every stream of ``codec`` in this container for one of limited range, so frames of
    #: full range become that.
    limited: bool = False
    #: The user chose ``pix_fmt``: what that format does not hold is no loss.
    is_format_requested: bool = False

    def __str__(self) -> str:
        colour_range = ("limited range",) if self.limited else ()
        options = (f"{name} {value}" for name, value in self.options.items())
        return f"{self.codec} ({', '.join((self.pix_fmt, *colour_range, *options))})"
