"""The networks of the registry that enlarge whole pictures, as data.

Licences are those that the authors state for the whole repository; none states one for its weights alone.
"""

from __future__ import annotations

from functools import partial

from .entry import Enlarger, RemoteWeights, Weights

_RELEASES = "https://github.com/xinntao/Real-ESRGAN/releases/download"
_CALLED = "xinntao/Real-ESRGAN, inference_realesrgan.py"

_real_esrgan = partial(
    RemoteWeights,
    licence="BSD 3-Clause License",
    licence_url="https://github.com/xinntao/Real-ESRGAN/blob/master/LICENSE",
    commercial=True,
)

UPSCALERS: tuple[Weights, ...] = (
    _real_esrgan(
        name="realesr-general-x4v3",
        about="Enlarges whole pictures 4 times (Wang et al., Real-ESRGAN, ICCVW 2021), small: removes noise "
        "and compression; --denoise says how much.",
        filename="realesr-general-x4v3.pth",
        url=f"{_RELEASES}/v0.2.5.0/realesr-general-x4v3.pth",
        size=4_885_111,
        sha256="8dc7edb9ac80ccdc30c3a5dca6616509367f05fbc184ad95b731f05bece96292",
        enlarger=Enlarger(factor=4, partner="realesr-general-wdn-x4v3", source=_CALLED),
    ),
    _real_esrgan(
        name="realesr-general-wdn-x4v3",
        about="The partner of realesr-general-x4v3 that removes little noise: --denoise blends the two.",
        filename="realesr-general-wdn-x4v3.pth",
        url=f"{_RELEASES}/v0.2.5.0/realesr-general-wdn-x4v3.pth",
        sha256="1641f8c4464b9f097c9fdda5589273713f67cf59f3d909e0bd688f0cee269dca",
        enlarger=Enlarger(factor=4, source=_CALLED),
    ),
    _real_esrgan(
        name="realesrgan-x2plus",
        about="Real-ESRGAN for 2 times, which CodeFormer's published demonstration uses: large and slow.",
        filename="RealESRGAN_x2plus.pth",
        url=f"{_RELEASES}/v0.2.1/RealESRGAN_x2plus.pth",
        size=67_061_725,
        sha256="49fafd45f8fd7aa8d31ab2a22d14d91b536c34494a5cfe31eb5d89c2fa266abb",
        enlarger=Enlarger(factor=2, source=_CALLED),
    ),
    RemoteWeights(
        name="spanx2-ch48",
        about="SPAN (Wan et al., CVPRW 2024) for 2 times: small and fast, for pictures that are clean.",
        filename="2x-spanx2-ch48.pth",
        licence="Apache License 2.0",
        licence_url="https://github.com/hongyuanyu/SPAN/blob/main/LICENSE.txt",
        commercial=True,
        # Its authors publish an archive on a file host; this is OpenModelDB's copy of the file in it.
        url="https://objectstorage.us-phoenix-1.oraclecloud.com/n/ax6ygfvpvzka/b/open-modeldb-files/o/"
        "2x-spanx2-ch48.pth",
        size=8_942_586,
        sha256="0b20caeea7af5507ec3bdc63ff5a141a28506279d2cfec909c417ecb308d3f93",
        enlarger=Enlarger(factor=2, source="hongyuanyu/SPAN, options/test/SPAN"),
    ),
)
