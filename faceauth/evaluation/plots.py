"""Plot error rates and distances to a picture: PNG, SVG, or another format of matplotlib."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from .scores import Scores


def draw(curves: Mapping[str, Scores], file: Path) -> None:
    """Plot detection error trade-off curves, and a histogram of the first curve's distances.

    Args:
        curves: The distances of each curve, by its label.
        file: The picture to write.

    Raises:
        ImportError: matplotlib is not installed.
        OSError: The file cannot be written.
        ValueError: matplotlib does not support the file's suffix.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 4.6), layout="constrained")
    trade_off, histogram = figure.subplots(1, 2)
    for name, scores in curves.items():
        impostors, genuine = scores.impostors, scores.genuine
        rates = np.logspace(np.log10(10 / max(len(impostors), 11)), -1, 200)
        limits = impostors[(rates * len(impostors)).astype(int)]
        missed = 1 - np.searchsorted(genuine, limits) / max(len(genuine), 1)
        trade_off.plot(rates, missed, label=name)
    trade_off.set(
        title="Detection error trade-off",
        xlabel="false-match rate",
        ylabel="false non-match rate",
        xscale="log",
        yscale="symlog",
        ylim=(0, 1),
    )
    trade_off.set_yscale("symlog", linthresh=1e-3)
    trade_off.grid(alpha=0.3)
    trade_off.legend()
    name, scores = next(iter(curves.items()))
    bins = np.linspace(0, 1.2, 121)
    kinds = (("one person", scores.genuine), ("two people", scores.impostors))
    for kind, distances in kinds:
        histogram.hist(distances, bins, density=True, alpha=0.6, label=kind)
    histogram.set(title=f"Distances, {name}", xlabel="distance", ylabel="density")
    histogram.legend()
    figure.savefig(file)
