"""Names of the colour code points of ITU-T H.273, as FFmpeg spells them."""

from __future__ import annotations

#: Names by number; None where a number is unspecified or reserved.
_RANGES = (None, "limited", "full")
_PRIMARIES = (
    *(None, "bt709", None, None, "bt470m", "bt470bg", "smpte170m", "smpte240m"),
    *("film", "bt2020", "smpte428", "smpte431", "smpte432"),
)
_TRANSFERS = (
    *(None, "bt709", None, None, "gamma22", "gamma28", "smpte170m", "smpte240m"),
    *("linear", "log100", "log316", "iec61966-2-4", "bt1361e", "iec61966-2-1", "bt2020-10", "bt2020-12"),
    *("smpte2084", "smpte428", "arib-std-b67"),
)
_MATRICES = (
    *("gbr", "bt709", None, None, "fcc", "bt470bg", "smpte170m", "smpte240m"),
    *("ycgco", "bt2020nc", "bt2020c", "smpte2085", "chroma-derived-nc", "chroma-derived-c", "ictcp"),
)


def name_of(names: tuple[str | None, ...], number: int) -> str | None:
    """The name at ``number``; None if there is none."""
    return names[number] if 0 <= number < len(names) else None


def colour_names(*, colour_range: int, matrix: int, primaries: int, transfer: int) -> dict[str, str | None]:
    """The names of a video's colour tags, given as FFmpeg's numbers; None for what is not tagged."""
    return {
        "range": name_of(_RANGES, colour_range),
        "matrix": name_of(_MATRICES, matrix),
        "primaries": name_of(_PRIMARIES, primaries),
        "transfer": name_of(_TRANSFERS, transfer),
    }
