"""The curves as a picture: PNG, SVG, or what else matplotlib writes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from .scores import Scores


def draw(curves: Mapping[str, Scores], file: Path) -> None:
    """Detection error trade-off curves, and the distances of the first of them.

    Raises:
        ImportError: matplotlib is not installed.
        ValueError: it does not know the file's suffix.
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
    for kind, distances in (("one person", scores.genuine), ("two people", scores.impostors)):
        histogram.hist(distances, bins, density=True, alpha=0.6, label=kind)
    histogram.set(title=f"Distances, {name}", xlabel="distance", ylabel="density")
    histogram.legend()
    figure.savefig(file)
