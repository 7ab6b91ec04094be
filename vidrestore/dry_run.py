"""What a run would do, said without doing any of it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from .analyze import open_video, recorded_source
from .faces.detection.load import choose_detector
from .faces.detection.working_size import working_size
from .media.encode.choose import choose_encoder
from .media.inspect import as_text, inspect_file
from .media.output.destination import check_output, container_of, display_name
from .media.remux.stream_plan import Action, lost_metadata, plan_streams, refuse_losses
from .options import Options
from .pipeline import encoder_settings
from .restore.load import resolve_model
from .runtime.device import find_device, find_precision
from .stages.restoration import batch_size


def plan(options: Options) -> dict[str, Any]:
    """What :func:`vidrestore.pipeline.restore_video` would do, ready for JSON: the input as
    :func:`vidrestore.media.inspect.inspect_file` has it, what becomes of each of its streams, and how the
    faces are restored. Raises VidrestoreError for what it would refuse."""
    check_output(options.output, options.input, overwrite=options.overwrite, container=options.container)
    container = container_of(options.output, options.container)
    device = find_device(options.device)
    precision = find_precision(options.precision, device)
    with open_video(options) as decoder:
        recorded = recorded_source(options, decoder) if options.tracks else None
        encoder = choose_encoder(decoder.source, container, encoder_settings(options), strict=options.strict)
        main, colour = decoder.source.stream_index, decoder.first.colour
        scan, light = decoder.scan, decoder.source.hdr
        deinterlaces = decoder.deinterlaces
        size = working_size(*decoder.first.upright_size)
        source = decoder.stream.container
        streams = plan_streams(source, container, main)
        lost = lost_metadata(source, streams, container)
    if options.strict:
        refuse_losses(options.input, container, main, display_name(options.output))
    return {
        "input": inspect_file(options.input, video_stream=options.video_stream, rate=options.rate),
        "output": {"path": str(options.output), "container": container.name},
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
            "start": float(options.start),
            "end": float(options.stop) if options.stop is not None else None,
        },
        "encoder": asdict(encoder) | {"description": str(encoder)},
        "colour": {
            "kr": colour.kr,
            "kb": colour.kb,
            "full_range": colour.full_range,
            "guessed": colour.guessed,
            "transfer": colour.transfer.name if colour.transfer else "SDR",
            "light": str(light) if light else None,
        },
        "scan": {"interlaced": scan.interlaced, "description": str(scan), "deinterlace": deinterlaces},
        "faces": {"tracks": str(options.tracks)}
        if recorded
        else {"detector": choose_detector(options.detector, offline=True), "size": list(size)},
        "model": str(
            options.weights or resolve_model(options.model, offline=options.offline, download=False)
        ),
        "w": options.w,
        "device": str(device),
        "precision": str(precision),
        "batch": batch_size(options, device, precision),
    }


def plan_text(plan: dict[str, Any]) -> str:
    """A plan in words."""
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
        f"model: {plan['model']}, w {plan['w']}",
        f"device: {plan['device']}, {plan['precision']}, batches of {plan['batch']}",
        f"encoder: {plan['encoder']['description']}",
        f"would write {plan['output']['path']}",
    ]
    if plan["lost_metadata"]:
        lines.append(f"would drop the tags {plan['lost_metadata']}; .mkv keeps them along with cover art")
    return "\n".join(lines)
