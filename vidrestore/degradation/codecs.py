"""Real compression of single images: JPEG, and the codecs of videos."""

from __future__ import annotations

from fractions import Fraction

import av
import cv2
import numpy as np

#: Encoder and decoder of each video codec, and the encoder's options at quality ``q``. One thread and no
#: frame delay, because a clip here has only two frames.
_CODECS = {
    "h264": (
        "libx264",
        "h264",
        lambda q: {"crf": str(q), "preset": "veryfast", "bf": "0", "rc-lookahead": "0"},
    ),
    "h265": (
        "libx265",
        "hevc",
        lambda q: {
            "crf": str(q),
            "preset": "ultrafast",
            "x265-params": "log-level=none:pools=none:frame-threads=1:bframes=0:rc-lookahead=0:scenecut=0",
        },
    ),
    "mpeg2": ("mpeg2video", "mpeg2video", lambda q: {"qmin": str(q), "qmax": str(q)}),
}
#: Names of the video codecs.
VIDEO_CODECS = tuple(_CODECS)

# R'G'B' to Y'CbCr code values of limited range, BT.601. FFmpeg's own conversion rounds down, which darkens an
# image by one level after a round trip.
_TO_YUV = np.array(
    [
        [65.481 / 255, 128.553 / 255, 24.966 / 255, 16],
        [-37.797 / 255, -74.203 / 255, 112 / 255, 128],
        [112 / 255, -93.786 / 255, -18.214 / 255, 128],
    ],
    dtype=np.float32,
)
_INVERSE = np.linalg.inv(_TO_YUV[:, :3].astype(np.float64))
_TO_RGB = np.concatenate([_INVERSE, -_INVERSE @ _TO_YUV[:, 3:].astype(np.float64)], axis=1).astype(np.float32)


def compress_jpeg(image: np.ndarray, quality: int) -> np.ndarray:
    """Compress an image (H, W, 3) RGB uint8 with JPEG at ``quality`` (1 to 100) and decode it."""
    data = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    decoded = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert decoded is not None
    return decoded[..., ::-1]


def compress_video(clip: list[np.ndarray], codec: str, quality: int) -> np.ndarray:
    """Encode a clip of images (H, W, 3) RGB uint8 with even sides, and return its last frame, decoded.

    The last frame is predicted from the previous ones, like most frames of a video.

    Args:
        clip: The images.
        codec: One of ``VIDEO_CODECS``.
        quality: The constant rate factor (0 to 51) of H.264 and H.265, or the quantiser scale (1 to 31) of
            MPEG-2.
    """
    encoder_name, decoder_name, options = _CODECS[codec]
    encoder = av.CodecContext.create(encoder_name, "w")
    decoder = av.CodecContext.create(decoder_name, "r")
    assert isinstance(encoder, av.VideoCodecContext)
    assert isinstance(decoder, av.VideoCodecContext)
    encoder.height, encoder.width = clip[0].shape[:2]
    encoder.pix_fmt = "yuv420p"
    encoder.time_base = Fraction(1, 25)
    encoder.framerate = Fraction(25)
    encoder.thread_count = 1
    encoder.options = options(quality)
    decoder.thread_count = 1
    packets: list[av.Packet | None] = []
    for number, image in enumerate(clip):
        frame = av.VideoFrame.from_ndarray(_to_planes(image), format="yuv420p")
        frame.pts, frame.time_base = number, encoder.time_base
        packets += encoder.encode(frame)
    packets += [*encoder.encode(None), None]
    frames = [frame for packet in packets for frame in decoder.decode(packet)]
    return _from_planes(frames[-1].to_ndarray(), *clip[0].shape[:2])


def _to_planes(image: np.ndarray) -> np.ndarray:
    """Convert (H, W, 3) RGB uint8 to (3 H / 2, W) uint8: Y, then Cb and Cr at half the size."""
    height, width = image.shape[:2]
    yuv = cv2.transform(image.astype(np.float32), _TO_YUV)
    chroma = cv2.resize(yuv[..., 1:], (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    planes = (yuv[..., 0], chroma[..., 0], chroma[..., 1])
    return np.concatenate([np.rint(p).astype(np.uint8).ravel() for p in planes]).reshape(-1, width)


def _from_planes(planes: np.ndarray, height: int, width: int) -> np.ndarray:
    """Convert the planes of :func:`_to_planes` back to (H, W, 3) RGB uint8."""
    luma = planes[:height]
    chroma = planes[height:].reshape(2, height // 2, width // 2).transpose(1, 2, 0)
    chroma = cv2.resize(chroma.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    rgb = cv2.transform(np.dstack([luma.astype(np.float32), chroma]), _TO_RGB)
    return np.rint(rgb).clip(0, 255).astype(np.uint8)
