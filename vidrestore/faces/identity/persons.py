"""Group tracks by the person whom they show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import pdist

#: Distance of two tracks that cannot show one person. So large that the mean distance of two groups exceeds
#: every threshold if they hold one such pair.
_NEVER = 1e9


def group_tracks(
    embeddings: Mapping[int, np.ndarray], apart: Iterable[tuple[int, int]], *, threshold: float
) -> dict[int, int]:
    """Number the person of each track, from 1 in order of the tracks' ids.

    Agglomerative clustering with average linkage: groups are merged as long as the mean Euclidean distance
    between their tracks is below ``threshold``.

    Args:
        embeddings: (D,) of each track, by its id.
        apart: Pairs of tracks that appear in one frame, so that they show two people.
        threshold: Distance of embeddings from which on two tracks show different people.
    """
    tracks = sorted(embeddings)
    if len(tracks) < 2:
        return dict.fromkeys(tracks, 1)
    index = {track: i for i, track in enumerate(tracks)}
    distances = pdist(np.stack([embeddings[track] for track in tracks]).astype(np.float32))
    for a, b in apart:
        if a in index and b in index:
            i, j = sorted((index[a], index[b]))
            distances[len(tracks) * i - i * (i + 1) // 2 + j - i - 1] = _NEVER
    groups = fcluster(linkage(distances, "average"), threshold, "distance").tolist()
    numbers: dict[int, int] = {}
    return {
        track: numbers.setdefault(group, len(numbers) + 1)
        for track, group in zip(tracks, groups, strict=True)
    }
