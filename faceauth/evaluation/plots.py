"""The curves as a picture: PNG, SVG, or what else matplotlib writes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from django.utils.translation import gettext as _

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
        title=_("Detection error trade-off"),
        xlabel=_("false-match rate"),
        ylabel=_("false non-match rate"),
        xscale="log",
        yscale="symlog",
        ylim=(0, 1),
    )
    trade_off.set_yscale("symlog", linthresh=1e-3)
    trade_off.grid(alpha=0.3)
    trade_off.legend()
    name, scores = next(iter(curves.items()))
    bins = np.linspace(0, 1.2, 121)
    kinds = ((_("one person"), scores.genuine), (_("two people"), scores.impostors))
    for kind, distances in kinds:
        histogram.hist(distances, bins, density=True, alpha=0.6, label=kind)
    title = _("Distances, %(name)s") % {"name": name}
    histogram.set(title=title, xlabel=_("distance"), ylabel=_("density"))
    histogram.legend()
    figure.savefig(file)
