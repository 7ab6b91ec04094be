"""Print how fast a film would be restored by clusters of any size, as docs/machines.md explains.

    python tools/cluster_model.py --frames N --find S --decode S --context S --restore S --join S
                                  [--begin S] [--open S] [--read BYTES] [--write BYTES] [--storage BYTES]
                                  [--workers N...]

Times are seconds of one machine for each frame, as ``--profile`` and ``--report-json`` tell; ``--begin`` is
of a run, ``--open`` of a portion. ``--storage`` is in bytes per second.
"""

from __future__ import annotations

import argparse
from dataclasses import fields

from vidrestore.measure.speed.cluster_model import Costs, Shape, simulate

_WORKERS = (1, 2, 3, 4, 8, 16, 32, 64, 128, 256, 512, 1000)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--frames", type=int, required=True)
    parser.add_argument("--workers", type=int, nargs="+", default=_WORKERS)
    costs = {cost.name: cost.default for cost in fields(Costs)}
    for name, default in costs.items():
        needed = not isinstance(default, float)
        parser.add_argument(f"--{name}", type=float, required=needed, default=None if needed else default)
    args = parser.parse_args()
    given = Costs(**{name: getattr(args, name) for name in costs})
    shape = Shape(frames=args.frames)
    alone = simulate(shape, given, 1).seconds
    for workers in args.workers:
        outcome = simulate(shape, given, workers)
        print(
            f"{workers:5} workers: {outcome.seconds:12.1f} s, {alone / outcome.seconds:7.1f} times as fast, "
            f"busy {outcome.busy:4.0%}, limited by {outcome.limit}"
        )


if __name__ == "__main__":
    main()
