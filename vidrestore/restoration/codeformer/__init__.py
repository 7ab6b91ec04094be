"""CodeFormer (Zhou et al., NeurIPS 2022): this project's own implementation, written from the paper."""

from .config import CodeFormerConfig
from .network import CodeFormer, Encoding
from .restorer import CodeFormerRestorer, build_codeformer

__all__ = ["CodeFormer", "CodeFormerConfig", "CodeFormerRestorer", "Encoding", "build_codeformer"]
