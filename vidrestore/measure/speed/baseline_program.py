"""A simple program as the baseline: one frame, one face, one step at a time.

It does what a script does that loops over the frames of a video. Each frame is converted to BGR, enlarged
until its shorter side has 640 pixels, and searched for faces; each face is warped out of it, restored in
float32 by the network as published, and blended back over the whole frame; then the frame is encoded.
Detection, warping and blending are facexlib's, as in such scripts.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import count
from pathlib import Path
from typing import Any
from unittest import mock

import av
import cv2
import numpy as np
import torch

from ...restoration.codeformer import CodeFormer
from ...runtime.host import usable_cores
from ...weights.store import load_state, locate
from .baseline_network import to_baseline

#: Frames whose shorter side is below this many pixels are enlarged to it for detection.
_SHORTER_SIDE = 640
#: facexlib's default threshold of the detector.
_THRESHOLD = 0.8
_NETWORKS = {"retinaface_resnet50": "resnet50", "retinaface_mobile0.25": "mobile0.25"}


@dataclass
class BaselineRun:
    """The time that a run took, in seconds, without loading."""

    frames: int = 0
    faces: int = 0
    wall: float = 0.0
    steps: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Add the time spent in the context to the step ``name``."""
        began = time.perf_counter()
        yield
        self.steps[name] = self.steps.get(name, 0.0) + time.perf_counter() - began


class BaselineProgram:
    """The baseline program with its networks loaded."""

    def __init__(self, network: CodeFormer, *, detector: str, device: torch.device, w: float) -> None:
        """Load the detector. ``network`` is changed in place into its published form.

        ``detector`` is a name of the weights registry; ``w`` is the fidelity weight. Raises WeightsError.
        """
        self._network = to_baseline(network).to(device)
        self._device = device
        self._w = w
        self._helper = _helper(detector, device, network.config.image_size)

    @torch.no_grad()
    def run(self, clip: Path, out: Path, *, codec: str, options: dict[str, str], frames: int) -> BaselineRun:
        """Restore the first ``frames`` frames of ``clip``, 0: all; write the video stream only.

        ``codec`` is an encoder of FFmpeg, and ``options`` are its options.
        """
        run = BaselineRun()
        # PyTorch's defaults: an earlier run of this package in the same process may have changed them.
        torch.set_num_threads(usable_cores())
        torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = False, True
        torch.backends.cudnn.benchmark = False
        began = time.perf_counter()
        with av.open(str(clip)) as source, av.open(str(out), "w") as target:
            stream = source.streams.video[0]
            stream.thread_type = "AUTO"
            video = target.add_stream(codec, rate=stream.average_rate or Fraction(25), options=options)
            assert isinstance(video, av.VideoStream)
            video.width, video.height, video.pix_fmt = stream.width, stream.height, "yuv420p"
            decoded = source.decode(stream)
            for _ in range(frames) if frames else count():
                with run.step("decode"):
                    frame = next(decoded, None)
                    image = None if frame is None else frame.to_ndarray(format="bgr24")
                if image is None:
                    break
                restored = self._restore(image, run)
                with run.step("encode"):
                    target.mux(video.encode(av.VideoFrame.from_ndarray(restored, format="bgr24")))
                run.frames += 1
            with run.step("encode"):
                target.mux(video.encode(None))
        run.wall = time.perf_counter() - began
        return run

    def _restore(self, image: np.ndarray, run: BaselineRun) -> np.ndarray:
        """Restore the faces of ``image`` (H, W, 3) uint8 BGR."""
        helper = self._helper
        helper.clean_all()
        helper.read_image(image)
        with run.step("detect"):
            helper.all_landmarks_5 = self._landmarks(image)
        with run.step("align"):
            helper.align_warp_face()
        for crop in helper.cropped_faces:
            with run.step("network"):
                rgb = torch.from_numpy(np.ascontiguousarray(crop[..., ::-1].transpose(2, 0, 1)))
                face = rgb[None].to(self._device).float() / 127.5 - 1
                restored = self._network(face, self._w)[0].clamp(-1, 1)
                pixels = ((restored + 1) * 127.5).round().byte().permute(1, 2, 0).cpu().numpy()
                helper.add_restored_face(np.ascontiguousarray(pixels[..., ::-1]))
        with run.step("paste"):
            run.faces += len(helper.restored_faces)
            helper.get_inverse_affine()
            return np.ascontiguousarray(np.clip(helper.paste_faces_to_input_image(), 0, 255).astype(np.uint8))

    def _landmarks(self, image: np.ndarray) -> list[np.ndarray]:
        scale = max(1.0, _SHORTER_SIDE / min(image.shape[:2]))
        if scale > 1:
            image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR)
        detections = self._helper.face_det.detect_faces(image, _THRESHOLD)
        return list(detections[:, 5:15].reshape(-1, 5, 2) / scale)


def _helper(detector: str, device: torch.device, size: int) -> Any:
    """Create facexlib's helper with this package's weights files, because it would download its own."""
    from facexlib.detection.retinaface import RetinaFace
    from facexlib.parsing.parsenet import ParseNet
    from facexlib.utils import face_restoration_helper as module

    with warnings.catch_warnings():
        # facexlib uses a deprecated argument of torchvision's ResNet, which is harmless.
        warnings.filterwarnings("ignore", category=UserWarning, module="torchvision.models")
        network = RetinaFace(network_name=_NETWORKS[detector], device=device)
    state, _ = load_state(detector)
    network.load_state_dict({key.removeprefix("module."): value for key, value in state.items()})
    parser = None
    if locate("parsenet"):
        parser = ParseNet(in_size=512, out_size=512, parsing_ch=19)
        parser.load_state_dict(load_state("parsenet")[0])
        parser.to(device).eval()
    with mock.patch.multiple(
        module,
        init_detection_model=lambda *_, **__: network.to(device).eval(),
        init_parsing_model=lambda *_, **__: parser,
    ):
        return module.FaceRestoreHelper(1, face_size=size, use_parse=parser is not None, device=device)
