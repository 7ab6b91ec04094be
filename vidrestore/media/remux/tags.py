"""Metadata and dispositions: what is carried over, and what a container cannot hold."""

from __future__ import annotations

from collections.abc import Mapping

from av.stream import Disposition, Stream

from ..containers import Container
from .languages import three_letter_code

#: Keys that describe the input's container or encoder and would be wrong in OUT.
_STALE = {"encoder", "major_brand", "minor_version", "compatible_brands", "vendor_id", "duration"}
#: The key by which FFmpeg tells that a VP8 or VP9 stream has alpha: a parameter of the encoded video.
_ALPHA_MODE = "alpha_mode"
#: Beginnings of keys under which some muxers store a stream's statistics; wrong once it is encoded again.
_STATISTICS = ("BPS", "NUMBER_OF_FRAMES", "NUMBER_OF_BYTES", "_STATISTICS_")


def kept_metadata(metadata: Mapping[str, str], *, encoded: bool = False) -> dict[str, str]:
    """Metadata without the entries that would be wrong in OUT. ``encoded``: the stream is encoded again."""
    return {
        key: value
        for key, value in metadata.items()
        if key.lower() not in _STALE
        and not (encoded and (key.upper().startswith(_STATISTICS) or key.lower() == _ALPHA_MODE))
    }


def stream_metadata(stream: Stream, container: Container, *, encoded: bool = False) -> dict[str, str]:
    """A stream's metadata under the keys that FFmpeg's muxer of ``container`` expects."""
    metadata = kept_metadata(stream.metadata, encoded=encoded)
    # FFmpeg reads the name of a QuickTime track as "name", and writes it from "title".
    if "name" in metadata:
        metadata.setdefault("title", metadata.pop("name"))
    if container.is_quicktime and (code := three_letter_code(metadata.get("language"))):
        metadata["language"] = code
    return metadata


def uncommon_tags(metadata: Mapping[str, str], container: Container) -> list[str]:
    """The tags of a file that ``container`` can hold only in a list of keys and values: unusual ones, and
    those that are too long."""
    if container.file_tags is None:
        return []
    longest = container.longest_tag
    return [
        key
        for key, value in kept_metadata(metadata).items()
        if _base_key(key) not in container.file_tags
        or (longest is not None and len(value.encode("utf-8", "surrogateescape")) > longest)
    ]


def lost_tags(stream: Stream, container: Container, *, encoded: bool = False) -> list[str]:
    """The dispositions, language and tags of a stream that ``container`` cannot hold, for messages."""
    held = container.dispositions
    if stream.type == "subtitle":
        held |= container.subtitle_dispositions
    names = [disposition.name or "" for disposition in Disposition if disposition in stream.disposition]
    lost = [f"the disposition {name.replace('_', ' ')!r}" for name in names if name not in held]
    if container.track_tags is None or Disposition.attached_pic in stream.disposition:
        return lost
    metadata = stream_metadata(stream, container, encoded=encoded)
    if (language := metadata.get("language")) and not three_letter_code(language):
        lost.append(f"the language {language!r}")
    if not metadata.get("stereo_mode", "").startswith(("anaglyph", "block")):
        metadata.pop("stereo_mode", None)  # FFmpeg passes the others on as parameters of the stream
    keys = {key for key in metadata if not key.upper().startswith(_STATISTICS)}
    if transparent := {key for key in keys if key.lower() == _ALPHA_MODE}:
        keys -= transparent
        lost.append("the transparency")
    return lost + sorted(f"the tag {key!r}" for key in keys if _base_key(key) not in container.track_tags)


def _base_key(key: str) -> str:
    """A key in lower case, without the language that may follow it, as in ``title-eng``."""
    name, _, language = key.lower().partition("-")
    return name if len(language) == 3 else key.lower()
