"""Real encodes of single pictures: JPEG, and the video codecs that faces in films have been through."""

from __future__ import annotations

from fractions import Fraction

import av
import cv2
import numpy as np

#: Encoder and decoder of each video codec, and the encoder's options at a quality ``q``. One thread,
#: no frames held back: a clip here is two frames long.
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

# R'G'B' to Y'CbCr in code values of limited range by BT.601. FFmpeg's own conversion rounds down and
# so darkens a picture by a level on the way there and back.
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


def jpeg(picture: np.ndarray, quality: int) -> np.ndarray:
    """A picture (H, W, 3) RGB uint8 through JPEG of ``quality`` 1 to 100."""
    data = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1]


def last_frame(clip: list[np.ndarray], codec: str, quality: int) -> np.ndarray:
    """The last frame of an encoded ``clip`` of (H, W, 3) RGB uint8 pictures with even sides: one that
    is predicted from those before, as most frames of a video are.

    ``codec`` is one of ``VIDEO_CODECS``; ``quality`` the constant rate factor (0 to 51) of H.264 and
    H.265, the quantiser scale (1 to 31) of MPEG-2.
    """
    encoder_name, decoder_name, options = _CODECS[codec]
    encoder = av.CodecContext.create(encoder_name, "w")
    encoder.height, encoder.width = clip[0].shape[:2]
    encoder.pix_fmt = "yuv420p"
    encoder.time_base = Fraction(1, 25)
    encoder.framerate = Fraction(25)
    encoder.thread_count = 1
    encoder.options = options(quality)
    decoder = av.CodecContext.create(decoder_name, "r")
    decoder.thread_count = 1
    packets = []
    for number, picture in enumerate(clip):
        frame = av.VideoFrame.from_ndarray(_to_planes(picture), format="yuv420p")
        frame.pts, frame.time_base = number, encoder.time_base
        packets += encoder.encode(frame)
    packets += encoder.encode(None)
    frames = [frame for packet in (*packets, None) for frame in decoder.decode(packet)]
    return _from_planes(frames[-1].to_ndarray(), *clip[0].shape[:2])


def _to_planes(picture: np.ndarray) -> np.ndarray:
    """(H, W, 3) RGB uint8 -> (3 H / 2, W) uint8: Y, then Cb and Cr at half the size."""
    height, width = picture.shape[:2]
    yuv = cv2.transform(picture.astype(np.float32), _TO_YUV)
    chroma = cv2.resize(yuv[..., 1:], (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    planes = (yuv[..., 0], chroma[..., 0], chroma[..., 1])
    return np.concatenate([np.rint(p).astype(np.uint8).ravel() for p in planes]).reshape(-1, width)


def _from_planes(planes: np.ndarray, height: int, width: int) -> np.ndarray:
    """Inverse of :func:`_to_planes`."""
    luma = planes[:height]
    chroma = planes[height:].reshape(2, height // 2, width // 2).transpose(1, 2, 0)
    chroma = cv2.resize(chroma.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    rgb = cv2.transform(np.dstack([luma.astype(np.float32), chroma]), _TO_RGB)
    return np.rint(rgb).clip(0, 255).astype(np.uint8)
