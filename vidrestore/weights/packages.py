"""The packages that run some models, which are extras."""

from __future__ import annotations

import importlib.util
from importlib import metadata

from ..errors import WeightsError

#: The package that each backend needs besides this one, and the extra that installs it.
PACKAGES = {"spandrel": "spandrel", "onnx": "onnxruntime"}
_EXTRAS = {"spandrel": "restorers", "onnxruntime": "onnx"}
#: Other names under which a package is distributed.
_DISTRIBUTIONS = {"onnxruntime": ("onnxruntime", "onnxruntime-gpu")}


def need_package(package: str | None, what: str) -> None:
    """Raise WeightsError, naming ``what`` needs it, if ``package`` is not installed. None: none is needed."""
    if package and importlib.util.find_spec(package) is None:
        install = f'pip install "vidrestore[{_EXTRAS[package]}]"'
        raise WeightsError(f"{what} needs the package {package}; install it with: {install}")


def package_version(package: str) -> str:
    """The name of ``package`` and its version, such as ``spandrel 0.4.2``."""
    for name in _DISTRIBUTIONS.get(package, (package,)):
        try:
            return f"{package} {metadata.version(name)}"
        except metadata.PackageNotFoundError:
            continue
    return f"{package} of an unknown version"
