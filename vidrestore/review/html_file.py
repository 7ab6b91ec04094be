"""The report: one HTML file with everything in it, that asks nothing of any network."""

from __future__ import annotations

import json
from collections.abc import Sequence
from fractions import Fraction
from importlib import resources
from typing import TextIO

import jinja2
from markupsafe import Markup

from ..media.output.destination import container_of
from ..media.output.special_files import is_stream
from ..media.remux.stream_plan import restored_stream
from .page import Photograph, page_data
from .pictures import Box, Place, read_places
from .record import Record


def write_html(record: Record, file: TextIO) -> None:
    """Write the report of ``record``; its pictures are read from IN and OUT, which must be complete."""
    file.write(render(record, _photographer(record)))


def render(record: Record, photograph: Photograph) -> str:
    """The page of ``record``, with pictures by ``photograph``."""
    folder = resources.files("vidrestore.review") / "template"
    # The page of `vidrestore ui` has the same pieces.
    parts = ("report.html", "pieces.css", "report.css", "pieces.js", "report.js")
    page, *parts = ((folder / name).read_text(encoding="utf-8") for name in parts)
    style, script = "".join(parts[:2]), "".join(parts[2:])
    data = page_data(record, photograph)
    # No text in the data may end the script that it is in.
    encoded = json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(page).render(
        data=data,
        encoded=Markup(encoded),
        style=Markup(style),
        script=Markup(script),
    )


def _scaled(box: Box, factor: int) -> Box:
    x0, y0, x1, y1 = box
    return x0 * factor, y0 * factor, x1 * factor, y1 * factor


def _photographer(record: Record) -> Photograph:
    options = record.options
    start = float(options.start)

    def photograph(places: Sequence[Place], size: int, after: bool) -> list[str | None]:
        if not after:
            return read_places(
                options.input,
                places,
                size,
                video_stream=options.video_stream,
                rate=options.rate,
                deinterlace=options.deinterlace,
            )
        if options.output is None or is_stream(options.output):
            return [None] * len(places)
        moved = [Place(time=place.time - start, box=_scaled(place.box, options.upscale)) for place in places]
        # A part begins at the time 0 of OUT, whatever is first in it; all of IN keeps its times, unless they
        # are negative.
        zero = Fraction(0) if start else max(record.origin.begin, Fraction(0))
        container = container_of(options.output, options.container)
        stream = restored_stream(options.input, options.video_stream, options.output, container)
        return read_places(options.output, moved, size, zero=zero, video_stream=stream)

    return photograph
