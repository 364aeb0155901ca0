"""Small networks that encode faces badly, but well enough to separate a few photographs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from faceauth.vision.onnx_writer import FLOAT, Graph

SIDE = 32
# The network below sees a chip as 16 by 16 squares, each of one colour.
SQUARES = 16


def network(
    path: Path,
    *,
    size: int = 64,
    shape: tuple[int | str, ...] = ("n", 3, SIDE, SIDE),
    output: tuple[int | str, ...] | None = None,
    kind: int = FLOAT,
    seed: int = 0,
) -> Path:
    """Write an ONNX file that projects the picture's squares to numbers at random.

    Args:
        path: The file to write.
        size: How many numbers the network gives.
        shape: The shape of the input, with the planes of colours first or last.
        output: The shape that the file states for its output.
        kind: The type of the input.
        seed: Of the random projection.
    """
    graph = Graph("squares")
    x = graph.node("Cast", graph.input("pixels", shape, kind), to=FLOAT)
    if shape[-1] == 3:
        x = graph.node("Transpose", x, perm=[0, 3, 1, 2])
    square = [SIDE // SQUARES] * 2
    x = graph.node("AveragePool", x, kernel_shape=square, strides=square)
    x = graph.node("Reshape", x, graph.constant(np.array([0, -1])))
    projection = np.random.default_rng(seed).normal(0, 0.04, (3 * SQUARES**2, size))
    x = graph.node("MatMul", x, graph.constant(projection.astype(np.float32)))
    graph.output(x, output or ("n", size))
    path.write_bytes(graph.serialise())
    return path


def calibration(folder: Path, encoder: str, *, size: int, limit: float, scale: float = 1.0) -> Path:
    """Write a calibration with about the same limit for all rates."""
    folder.mkdir(exist_ok=True)
    strangers = np.random.default_rng(1).normal(size=(40, size))
    np.save(folder / "cohort.npy", strangers.astype(np.float16))
    points = [(0.1, limit + 0.01, 0.0), (1e-8, limit - 0.01, 0.01)]
    cell: dict[str, Any] = {
        "shots": 1,
        "frames": 1,
        "pairs": 10**9,
        "measured_to": 1e-8,
        "points": points,
    }
    table = {"encoder": encoder, "scale": scale, "cells": [cell]}
    (folder / "calibration.json").write_text(json.dumps(table))
    return folder
