"""CodeFormer: blind face restoration as code prediction (Zhou et al., NeurIPS 2022).

Written from the paper and from recorded facts about the published network. Module names follow the
published checkpoint, so that its ``params_ema`` load with ``strict=True``.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn

from .autoencoder import Encoder, Generator
from .cft import FeatureTransform, ImageTransform
from .config import CodeFormerConfig
from .transformer import TransformerLayer


class Encoding(NamedTuple):
    """What the encoder knows of a batch of faces; all that decoding needs besides codes."""

    image: Tensor  #: (N, 3, S, S), the input itself
    features: Tensor  #: (N, C, G, G), from which the codes are predicted
    levels: dict[int, Tensor]  #: feature maps by their side in pixels, for the CFT


class Codebook(nn.Module):
    """The learned codes: ``embedding.weight`` (codebook size, C)."""

    def __init__(self, size: int, channels: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(size, channels)
        nn.init.uniform_(self.embedding.weight, -1.0 / size, 1.0 / size)

    def forward(self, codes: Tensor, grid: int) -> Tensor:
        """(N, G * G) indices -> (N, C, G, G)."""
        return self.embedding(codes).transpose(1, 2).unflatten(2, (grid, grid))


def adaptive_instance_norm(content: Tensor, style: Tensor, eps: float = 1e-5) -> Tensor:
    """``content`` with the per-channel mean and deviation of ``style``; both (N, C, H, W).

    Takes colour and contrast from the input when the codes alone decide the face.
    """
    dims = (2, 3)
    std_c = (content.var(dims, keepdim=True) + eps).sqrt()
    std_s = (style.var(dims, keepdim=True) + eps).sqrt()
    mean_c, mean_s = content.mean(dims, keepdim=True), style.mean(dims, keepdim=True)
    return (content - mean_c) / std_c * std_s + mean_s


class CodeFormer(nn.Module):
    """The whole network, in steps that temporal work can stand between: :meth:`encode`,
    :meth:`predict`, :meth:`decode`. Without a configuration it has the published shape.
    """

    def __init__(self, config: CodeFormerConfig | None = None) -> None:
        super().__init__()
        config = config or CodeFormerConfig()
        self.config = config
        width, tokens = config.transformer_width, config.code_grid**2
        self.position_emb = nn.Parameter(torch.zeros(tokens, width))
        self.encoder = Encoder(config)
        self.quantize = Codebook(config.codebook_size, config.code_channels)
        self.generator = Generator(config)
        self.feat_emb = nn.Linear(config.code_channels, width)
        self.ft_layers = nn.ModuleList(
            TransformerLayer(width, config.transformer_heads, config.transformer_mlp)
            for _ in range(config.transformer_layers)
        )
        self.idx_pred_layer = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, config.codebook_size, bias=False)
        )
        widths = dict(zip(config.sizes, config.widths, strict=True))
        self.fuse_convs_dict = nn.ModuleDict(
            {str(s): FeatureTransform(widths[s], config.norm_groups) for s in config.cft_sizes}
        )
        self.image_transform = (
            ImageTransform(config.image_widths, config.widths[1], config.patch)
            if config.image_widths
            else None
        )

    def encode(self, x: Tensor) -> Encoding:
        """``x`` (N, 3, S, S) RGB in [-1, 1]. Raises ValueError for any other shape."""
        side = self.config.image_size
        if x.ndim != 4 or tuple(x.shape[1:]) != (3, side, side):
            raise ValueError(f"faces must be (N, 3, {side}, {side}), not {tuple(x.shape)}")
        features, levels = self.encoder(x)
        return Encoding(x, features, levels)

    def predict(self, features: Tensor) -> Tensor:
        """Code features (N, C, G, G) -> logits (N, G * G, codebook size)."""
        x = self.feat_emb(features.flatten(2).transpose(1, 2))
        for layer in self.ft_layers:
            x = layer(x, self.position_emb)
        return self.idx_pred_layer(x)

    def decode(
        self, codes: Tensor, encoding: Encoding, w: float | Tensor = 0.5, adain: bool = True
    ) -> Tensor:
        """Codes (N, G * G), integers -> faces (N, 3, S, S) in about [-1, 1].

        ``w`` is the fidelity weight in [0, 1], a number or one per face (N,): 0 leaves the codes
        alone, 1 lets the encoder's features in whole. ``adain`` gives the codes' features the
        input's statistics. Raises ValueError for a ``w`` of the wrong shape.
        """
        return self.generate(self.look_up(codes, encoding, adain), encoding, w)

    def look_up(self, codes: Tensor, encoding: Encoding, adain: bool = True) -> Tensor:
        """Codes (N, G * G) -> their features (N, C, G, G), with the input's statistics if ``adain``."""
        quantised = self.quantize(codes, self.config.code_grid)
        return adaptive_instance_norm(quantised, encoding.features) if adain else quantised

    def reconstruct(self, quantised: Tensor) -> Tensor:
        """The generator alone, from features (N, C, G, G): stage I's output."""
        return self.generator.image(self.generator(quantised, {}))

    def generate(self, quantised: Tensor, encoding: Encoding, w: float | Tensor) -> Tensor:
        """The generator and the CFT, from features (N, C, G, G) in the place of looked-up codes."""
        if self.image_transform is not None:
            weights = self._weights(w, quantised)
            return self.image_transform(encoding.image, self.inform(quantised), weights)
        if not isinstance(w, Tensor) and w == 0:
            return self.reconstruct(quantised)
        weights = self._weights(w, quantised)
        transforms = {
            int(size): partial(fuse, encoding.levels[int(size)], w=weights)
            for size, fuse in self.fuse_convs_dict.items()
        }
        return self.generator.image(self.generator(quantised, transforms))

    def inform(self, quantised: Tensor) -> Tensor:
        """What the codes' features (N, C, G, G) tell the CFT at the image: the generator's features
        (N, C, s, s) at its second finest level. The finest level is not run."""
        return self.generator(quantised, {}, until=self.config.sizes[1])

    def forward(self, x: Tensor, w: float | Tensor = 0.5, adain: bool = True) -> Tensor:
        """``x`` (N, 3, S, S) RGB in [-1, 1] -> restored faces of the same shape and range."""
        encoding = self.encode(x)
        codes = self.predict(encoding.features).argmax(dim=-1)
        return self.decode(codes, encoding, w, adain)

    @staticmethod
    def _weights(w: float | Tensor, like: Tensor) -> Tensor:
        """``w`` as (N, 1, 1, 1)."""
        if not isinstance(w, Tensor):
            w = torch.full((len(like),), float(w))
        elif w.ndim == 0:
            w = w.expand(len(like))
        if w.shape != (len(like),):
            raise ValueError(f"w must be a number or ({len(like)},), one per face, not {tuple(w.shape)}")
        return w.to(like).view(-1, 1, 1, 1)
