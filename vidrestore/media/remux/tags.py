"""Metadata and dispositions: what is carried over, and what which container has no place for."""

from __future__ import annotations

from av.container import InputContainer
from av.stream import Disposition, Stream

from .languages import three_letters

#: What a container or an encoder says of itself in its metadata: untrue of the new file.
_STALE = {"encoder", "major_brand", "minor_version", "compatible_brands", "vendor_id", "duration"}
#: Statistics that some muxers leave in a stream's tags, which a new encode makes untrue.
_STATISTICS = ("BPS", "NUMBER_OF_FRAMES", "NUMBER_OF_BYTES", "_STATISTICS_")
#: FFmpeg's muxers of the ISO base media file format and its parent.
QUICKTIME = ("mp4", "mov")
#: Of a whole file, what FFmpeg writes as tags that every player knows; others need a list of keys instead.
_COMMON = {
    "mp4": "title artist album_artist composer album date comment genre copyright grouping lyrics "
    "description synopsis show episode_id network keywords episode_sort season_number media_type hd_video "
    "gapless_playback compilation track disc creation_time location timecode",
    "mov": "title album date comment genre copyright creation_time location make model timecode",
}
#: What a track of them can be told.
_OF_TRACKS = {"language", "title", "handler_name", "creation_time", "timecode", "rotate"}
_ANY = Disposition.default | Disposition.attached_pic
_MATROSKA = (
    _ANY
    | Disposition.dub
    | Disposition.original
    | Disposition.comment
    | Disposition.forced
    | Disposition.hearing_impaired
    | Disposition.visual_impaired
)
_KINDS_OF_TEXT = Disposition.captions | Disposition.descriptions | Disposition.metadata
#: The dispositions that come back from a file of each kind.
_DISPOSITIONS = {
    "mp4": _ANY
    | Disposition.dub
    | Disposition.comment
    | Disposition.forced
    | Disposition.hearing_impaired
    | Disposition.visual_impaired
    | Disposition.captions
    | Disposition.descriptions,
    "mov": _ANY,
    "matroska": _MATROSKA,
    "webm": _ANY | Disposition.forced,
}


def kept_metadata(metadata: dict[str, str], *, encoded: bool = False) -> dict[str, str]:
    """Metadata without what is no longer true; with ``encoded``, of a stream that was encoded anew."""
    return {
        key: value
        for key, value in metadata.items()
        if key.lower() not in _STALE and not (encoded and key.upper().startswith(_STATISTICS))
    }


def stream_metadata(stream: Stream, muxer: str, *, encoded: bool = False) -> dict[str, str]:
    """A stream's metadata, in the words of FFmpeg's ``muxer``."""
    metadata = kept_metadata(stream.metadata, encoded=encoded)
    # A track of QuickTime has a name, which FFmpeg reads under that word and writes from the other.
    if "name" in metadata:
        metadata.setdefault("title", metadata.pop("name"))
    if muxer in QUICKTIME and (code := three_letters(metadata.get("language"))):
        metadata["language"] = code
    return metadata


def _dispositions(stream: Stream, muxer: str) -> Disposition:
    held = _DISPOSITIONS[muxer]
    if stream.type == "subtitle":
        held |= {"matroska": Disposition.descriptions, "webm": _KINDS_OF_TEXT}.get(muxer, 0)
    return held


def uncommon_tags(metadata: dict[str, str], muxer: str) -> list[str]:
    """The tags of a whole file that one by ``muxer`` can hold only as a list of keys and values."""
    common = _COMMON.get(muxer, "").split()
    return [key for key in kept_metadata(metadata) if common and _base(key) not in common]


def lost_tags(stream: Stream, muxer: str, *, encoded: bool = False) -> list[str]:
    """What of a stream's dispositions, language and metadata a file of this kind has no place for."""
    missing = stream.disposition & ~_dispositions(stream, muxer)
    lost = [f"the mark {d.name.replace('_', ' ')!r}" for d in Disposition if d in missing]
    if muxer not in QUICKTIME or Disposition.attached_pic in stream.disposition:
        return lost
    metadata = stream_metadata(stream, muxer, encoded=encoded)
    if (language := metadata.get("language")) and not three_letters(language):
        lost.append(f"the language {language!r}")
    names = {key for key in metadata if not key.upper().startswith(_STATISTICS)}
    return lost + sorted(f"the tag {key!r}" for key in names if _base(key) not in _OF_TRACKS)


def timecode(source: InputContainer, main: Stream) -> str | None:
    """The timecode of a file's first frame, that of its video before that of a track of its own."""
    tagged = (main, *(stream for stream in source.streams if stream.type == "data"), source)
    return next((item.metadata["timecode"] for item in tagged if "timecode" in item.metadata), None)


def _base(key: str) -> str:
    """A key without its case, and the language that may be behind it."""
    name, _, language = key.lower().partition("-")
    return name if len(language) == 3 else key.lower()
