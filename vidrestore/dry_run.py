"""What a run would do, said without doing any of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from .media.inspect import as_text, inspect_file
from .media.output.destination import check_output, display_name
from .media.remux.stream_plan import Action, lost_metadata, plan_streams, refuse_losses
from .options import Options
from .review.compare import check_comparison
from .stages.described import described_model, described_task
from .stages.face_source import recorded_source
from .stages.holes import check_mask
from .stages.setup import Setup, open_video
from .weights.registry import planned_download, would_download


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run would do; its text is for people, ``data`` for programs."""

    data: dict[str, Any]  #: ready for JSON
    setup: Setup = field(repr=False)

    def __str__(self) -> str:
        return _text(self.data)


def plan(options: Options) -> Plan:
    """Plan what :func:`vidrestore.pipeline.restore_video` would do: what becomes of each stream of the input,
    how faces are found and restored, what is downloaded. The network is not used.

    Raises VidrestoreError for what the run would refuse.
    """
    out = options.destination
    check_output(out, options.input, overwrite=options.overwrite, container=options.container)
    check_comparison(options)
    with open_video(options) as decoder:
        if options.tracks:
            recorded_source(options, decoder)  # checks the file
        check_mask(options, decoder)
        source, scan, deinterlaces = decoder.source, decoder.scan, decoder.deinterlaces
        setup = Setup.resolve(options, source, download=False)
        container, encoder = setup.container, setup.encoder
        assert container is not None  # as OUT is given
        assert encoder is not None
        streams = plan_streams(decoder.container, container, source.stream_index)
        lost = lost_metadata(decoder.container, streams, container)
    if options.strict:
        refuse_losses(source, container, display_name(out))
    colour = source.colour
    data = {
        "input": inspect_file(options.input, video_stream=options.video_stream, rate=options.rate),
        "output": {
            "path": str(out),
            "container": container.name,
            "width": source.width * options.upscale,
            "height": source.height * options.upscale,
            "upscale": options.upscale,
        },
        "streams": [
            {
                "index": planned.stream.index,
                "action": planned.action.value,
                "codec": encoder.codec if planned.action is Action.RESTORED else planned.codec,
                "lost": planned.lost,
                "alternative": planned.alternative,
                "description": str(planned),
            }
            for planned in streams
        ],
        "lost_metadata": lost,
        "span": {
            "start": float(setup.span.start),
            "end": float(setup.span.end) if setup.span.end is not None else None,
        },
        "encoder": asdict(encoder) | {"description": str(encoder)},
        "colour": {
            "kr": colour.kr,
            "kb": colour.kb,
            "full_range": colour.full_range,
            "guessed": colour.guessed,
            "transfer": colour.transfer.name if colour.transfer else "SDR",
            "light": str(source.hdr) if source.hdr else None,
        },
        "scan": {"interlaced": scan.interlaced, "description": str(scan), "deinterlace": deinterlaces},
        "faces": {"detector": setup.detector, "size": list(setup.detector_size)}
        if setup.detector
        else {"tracks": str(options.tracks)},
        "task": options.task,
        "mask": None if options.mask is None else str(options.mask),
        "model": str(setup.restorer.weights or setup.restorer.model),
        "fallback": setup.restorer.fallback,
        "w": options.w,
        "upscaler": str(setup.upscaler) if setup.upscaler else None,
        "device": str(setup.device),
        "precision": setup.restorer.precision,
        "batch": setup.batch,
        "downloads": [planned_download(name) for name in setup.downloads],
    }
    return Plan(data, setup)


def _text(plan: dict[str, Any]) -> str:
    actions = {stream["index"]: stream["description"] for stream in plan["streams"]}
    colour, faces = plan["colour"], plan["faces"]
    guessed = " (guessed from the size)" if colour["guessed"] else ""
    actions[plan["input"]["restores"]] += f", by {plan['encoder']['description']}"
    lines = [
        as_text(plan["input"], actions),
        f"colour: K_R {colour['kr']}, K_B {colour['kb']}{guessed}, "
        f"{'full' if colour['full_range'] else 'limited'} range, {colour['transfer']}"
        + (f" ({colour['light']})" if colour["light"] else ""),
        f"scan: {plan['scan']['description']}" + (", deinterlaced" if plan["scan"]["deinterlace"] else ""),
        f"faces: {faces['tracks']}"
        if "tracks" in faces
        else f"detector: {faces['detector']} at {faces['size'][0]}x{faces['size'][1]}",
        *described_task(plan["task"], plan["mask"]),
        described_model(plan),
        *([f"upscaler: {plan['upscaler']}"] if plan["upscaler"] else []),
        f"device: {plan['device']}, {plan['precision']}, batches of {plan['batch']}",
        f"encoder: {plan['encoder']['description']}",
        *map(would_download, plan["downloads"]),
        *(
            [
                f"enlarged {plan['output']['upscale']} times, to {plan['output']['width']}x"
                f"{plan['output']['height']}: samples outside faces are no longer the input's"
            ]
            if plan["output"]["upscale"] > 1
            else []
        ),
        f"would write {plan['output']['path']}",
    ]
    if plan["lost_metadata"]:
        lines.append(f"would drop the tags {plan['lost_metadata']}; .mkv keeps them along with cover art")
    return "\n".join(lines)
