"""The restorers of the registry, as data.

Licences are those that the authors state for the whole repository; no repository states one for its weights
alone. All of these networks but ``lite`` and ``face`` were trained on FFHQ, whose photographs have licences
of their own.
"""

from __future__ import annotations

from functools import partial

from .entry import Network, RemoteWeights, Weights

_CODEFORMER = "https://github.com/sczhou/CodeFormer/releases/download/v0.1.0"
_GFPGAN = "https://github.com/TencentARC/GFPGAN/releases/download"
_CONVERTED = "https://github.com/visomaster/visomaster-assets/releases/download/v0.1.0"
#: Where the names of outputs and the ranges of the converted files are stated: the program that publishes
#: them.
_CALLED = "visomaster/VisoMaster, app/processors/face_restorers.py"

_apache = partial(RemoteWeights, licence="Apache License 2.0", commercial=True)
_s_lab = partial(
    RemoteWeights,
    licence="S-Lab License 1.0 (non-commercial)",
    licence_url="https://github.com/sczhou/CodeFormer/blob/master/LICENSE",
    commercial=False,
)
_gfpgan = partial(_apache, licence_url="https://github.com/TencentARC/GFPGAN/blob/master/LICENSE")
_restoreformer = partial(
    _apache, licence_url="https://github.com/wzhouxiff/RestoreFormerPlusPlus/blob/main/LICENSE"
)
_gpen = partial(
    RemoteWeights,
    licence="academic and non-commercial use only (yangxy/GPEN)",
    licence_url="https://github.com/yangxy/GPEN#license",
    commercial=False,
)
#: The embedded models, which this project trained.
_own = partial(
    Weights,
    licence="Apache License 2.0",
    licence_url="https://www.apache.org/licenses/LICENSE-2.0",
    commercial=True,
)
_gfpgan_network = Network(
    backend="spandrel",
    input_size=512,
    source="TencentARC/GFPGAN, gfpgan/utils.py",
)
_of_task = partial(Network, backend="codeformer", input_size=512)
_converted = partial(Network, backend="onnx", output="output", source=_CALLED)

RESTORERS: tuple[Weights, ...] = (
    _s_lab(
        name="codeformer",
        about="The published CodeFormer (Zhou et al., NeurIPS 2022): the best restorer here.",
        filename="codeformer.pth",
        url=f"{_CODEFORMER}/codeformer.pth",
        size=376_637_898,
        sha256="1009e537e0c2a07d4cabce6355f53cb66767cd4b4297ec7a4a64ca4b8a5684b7",
        network=Network(
            backend="codeformer",
            input_size=512,
            source="sczhou/CodeFormer, inference_codeformer.py",
        ),
    ),
    _own(
        name="lite",
        about="A small CodeFormer of this project, trained on public-domain portraits and generated faces: "
        "fast and offline. It cleans and sharpens faces that are still recognisable; it is not the published "
        "model and does not rebuild faces that are not.",
        filename="lite.safetensors",
        network=Network(
            backend="codeformer",
            input_size=512,
            # At the level "heavy" of vidrestore.degradation.degrade, whose faces are below 0.26, it invents
            # eyes.
            readable=(0.215, 0.29),
            source="this project, docs/lite.md",
        ),
    ),
    _own(
        name="face",
        about="A small CodeFormer of this project whose codes alone make a face at w = 0: fast and offline. "
        "It draws more than lite, which stays closer to its input.",
        filename="face.safetensors",
        network=Network(
            backend="codeformer",
            input_size=512,
            # As lite: at the level "heavy" most of its faces have a malformed eye or mouth.
            readable=(0.215, 0.29),
            # At the level "mild", whose faces are above 0.38, its codes make less of most than the input is.
            codes_hold=(0.35, 0.45),
            source="this project, docs/face.md",
        ),
    ),
    _gfpgan(
        name="gfpgan-1.4",
        about="GFPGAN 1.4 (Wang et al., CVPR 2021): a GAN prior; a little more detail than 1.3.",
        filename="GFPGANv1.4.pth",
        url=f"{_GFPGAN}/v1.3.4/GFPGANv1.4.pth",
        size=348_632_874,
        sha256="e2cd4703ab14f4d01fd1383a8a8b266f9a5833dacee8e6a79d3bf21a1b6be5ad",
        network=_gfpgan_network,
    ),
    _gfpgan(
        name="gfpgan-1.3",
        about="GFPGAN 1.3: more natural than 1.2, for faces that are badly worn.",
        filename="GFPGANv1.3.pth",
        url=f"{_GFPGAN}/v1.3.0/GFPGANv1.3.pth",
        sha256="c953a88f2727c85c3d9ae72e2bd4846bbaf59fe6972ad94130e23e7017524a70",
        network=_gfpgan_network,
    ),
    _gfpgan(
        name="gfpgan-1.2",
        about="GFPGAN 1.2: sharper than 1.3, with a look of make-up.",
        filename="GFPGANv1.2.pth",
        url=f"{_GFPGAN}/v1.3.0/GFPGANv1.2.pth",
        network=_gfpgan_network,
    ),
    _restoreformer(
        name="restoreformer",
        about="RestoreFormer (Wang et al., CVPR 2022): a codebook read by attention.",
        filename="RestoreFormer.pth",
        url=f"{_GFPGAN}/v1.3.4/RestoreFormer.pth",
        network=Network(backend="spandrel", input_size=512, source="TencentARC/GFPGAN, gfpgan/utils.py"),
    ),
    _restoreformer(
        name="restoreformer++",
        about="RestoreFormer++ (Wang et al., TPAMI 2023), converted to ONNX: more robust to real damage.",
        filename="RestoreFormerPlusPlus.fp16.onnx",
        url=f"{_CONVERTED}/RestoreFormerPlusPlus.fp16.onnx",
        sha256="e5df99ed4f501be2009ed8e708f407dd26ac400c55a43a01d8c8c157bc475b3f",
        network=_converted(input_size=512, output="2359"),
    ),
    _apache(
        name="vqfr-2",
        about="VQFR 2 (Gu et al., ECCV 2022), converted to ONNX: a texture codebook, with a fidelity weight.",
        filename="VQFRv2.fp16.onnx",
        licence_url="https://github.com/TencentARC/VQFR/blob/master/LICENSE",
        url=f"{_CONVERTED}/VQFRv2.fp16.onnx",
        sha256="30c3d854c8e5c8abaf9c83c00d2466b7c3f64865d7b3b8596f56714a717ffd6f",
        network=_converted(
            input_size=512,
            output="main_dec",
        ),
    ),
    _gpen(
        name="gpen-256",
        about="GPEN (Yang et al., CVPR 2021) for faces of 256 pixels, converted to ONNX: fast.",
        filename="GPEN-BFR-256.onnx",
        url=f"{_CONVERTED}/GPEN-BFR-256.onnx",
        sha256="aa5bd3ab238640a378c59e4a560f7a7150627944cf2129e6311ae4720e833271",
        network=_converted(input_size=256),
    ),
    _gpen(
        name="gpen-512",
        about="GPEN for faces of 512 pixels, converted to ONNX.",
        filename="GPEN-BFR-512.onnx",
        url=f"{_CONVERTED}/GPEN-BFR-512.onnx",
        sha256="0960f836488735444d508b588e44fb5dfd19c68fde9163ad7878aa24d1d5115e",
        network=_converted(input_size=512),
    ),
    _gpen(
        name="gpen-1024",
        about="GPEN for faces of 1024 pixels, converted to ONNX: for close-ups in large pictures.",
        filename="GPEN-BFR-1024.onnx",
        url=f"{_CONVERTED}/GPEN-BFR-1024.onnx",
        sha256="cec8892093d7b99828acde97bf231fb0964d3fb11b43f3b0951e36ef1e192a3e",
        network=_converted(input_size=1024),
    ),
    _gpen(
        name="gpen-2048",
        about="GPEN for faces of 2048 pixels, converted to ONNX: for close-ups in very large pictures.",
        filename="GPEN-BFR-2048.onnx",
        url=f"{_CONVERTED}/GPEN-BFR-2048.onnx",
        sha256="d0229ff43f979c360bd19daa9cd0ce893722d59f41a41822b9223ebbe4f89b3e",
        network=_converted(input_size=2048),
    ),
    _gfpgan(
        name="gfpgan-1.4-onnx",
        about="GFPGAN 1.4, converted to ONNX.",
        filename="GFPGANv1.4.onnx",
        url=f"{_CONVERTED}/GFPGANv1.4.onnx",
        sha256="6548e54cbcf248af385248f0c1193b359c37a0f98b836282b09cf48af4fd2b73",
        network=_converted(input_size=512),
    ),
    _s_lab(
        name="codeformer-onnx",
        about="CodeFormer, converted to ONNX. Its codes are not averaged over time: codeformer is steadier.",
        filename="codeformer_fp16.onnx",
        url=f"{_CONVERTED}/codeformer_fp16.onnx",
        sha256="9c3ae2ce2de616815815628f966cdef5d9466722434a1be00c0785ec92e2a94f",
        network=_converted(input_size=512, output="y"),
    ),
    _s_lab(
        name="codeformer_colorization",
        about="CodeFormer that colours grey faces (--task colour).",
        filename="codeformer_colorization.pth",
        url=f"{_CODEFORMER}/codeformer_colorization.pth",
        network=_of_task(task="colour", source="sczhou/CodeFormer, inference_colorization.py"),
    ),
    _s_lab(
        name="codeformer_inpainting",
        about="CodeFormer that fills holes in faces (--task inpaint).",
        filename="codeformer_inpainting.pth",
        url=f"{_CODEFORMER}/codeformer_inpainting.pth",
        sha256="b0d1b868c3dacf75d637bbcc0d4b3dd4ce2a064a338dfb4d35c740d3b4ae8797",
        network=_of_task(task="inpaint", source="sczhou/CodeFormer, inference_inpainting.py"),
    ),
)
