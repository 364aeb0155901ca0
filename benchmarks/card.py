"""Measure the encoder on a graphics card, where ONNX Runtime can use one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from statistics import median

from benchmarks.speed import timed
from faceauth.vision import Engine, decode_image
from faceauth.vision.onnx_session import CUDA

BATCHES = (1, 8, 64)
RUNS = 30


def report(pictures: Sequence[bytes]) -> None:
    """Print rows of the table for batches of the faces in pictures, or that there is no card."""
    engine = Engine()
    if CUDA not in engine.running_on():
        print("\nNo card: ONNX Runtime can't use CUDA here, so it wasn't measured.")
        return
    encoder = engine.load().encoder
    images = [decode_image(each) for each in pictures]
    chips = [encoder.chip(image, engine.find_faces(image)[0].landmarks) for image in images]
    for batch in BATCHES:
        faces = [chips[index % len(chips)] for index in range(batch)]
        encoder.encode(faces)  # the first run with a batch of this size prepares the others
        times = [timed(partial(encoder.encode, faces)) for _ in range(RUNS)]
        print(f"| encode one of {batch}, CUDA | | {median(times) / batch:,.2f} ms | | |")
