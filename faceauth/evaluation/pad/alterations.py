"""Alter the frames of a film that is shown again, so that they are no copies."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from faceauth.vision import decode_image

from .rendering import (
    Hand,
    Image,
    Sheet,
    add_noise,
    encode_jpeg,
    film_screen,
    render_flat,
    room,
    rotation_about,
)

Frames = list[Image]
Random = np.random.Generator
Alteration = Callable[[Frames, Random], Frames]


def resized(image: Image, factor: float, method: int = cv2.INTER_LINEAR) -> Image:
    """Return the picture with its sides `factor` times as long."""
    return np.asarray(cv2.resize(image, None, fx=factor, fy=factor, interpolation=method), np.uint8)


def each(alter: Callable[[Image], Image]) -> Alteration:
    """Return an alteration that is the same for all frames."""
    return lambda frames, random: [alter(frame) for frame in frames]


def one_level(image: Image) -> Image:
    """Return the picture with one value changed by one level."""
    changed = image.copy()
    changed[0, 0, 0] ^= 1
    return changed


def jpeg(quality: int) -> Alteration:
    """Return an alteration that compresses the frames."""
    return each(lambda image: decode_image(encode_jpeg(image, quality)))


def light(gamma: float, gain: float) -> Alteration:
    """Return an alteration of the brightness."""
    table = (255 * np.linspace(0, 1, 256) ** gamma * gain).clip(0, 255).astype(np.uint8)
    return each(lambda image: table[image])


def from_the_side(frames: Frames, random: Random) -> Frames:
    """Light the frames from one side."""
    strength = 0.45 if random.random() < 0.5 else -0.45
    factor = 1 + strength * np.linspace(-1, 1, frames[0].shape[1])[None, :, None]
    return [(frame * factor).clip(0, 255).astype(np.uint8) for frame in frames]


def cropped(frames: Frames, random: Random) -> Frames:
    """Cut off up to a tenth of the frames at each side."""
    height, width = frames[0].shape[:2]
    left, top = (int(random.uniform(0, 0.1) * side) for side in (width, height))
    right, bottom = (int(random.uniform(0.9, 1) * side) for side in (width, height))
    return [np.ascontiguousarray(frame[top:bottom, left:right]) for frame in frames]


def moved(degrees: float, shift: float) -> Alteration:
    """Return an alteration that rotates the frames, and shifts them by a share of their sides."""

    def alter(frames: Frames, random: Random) -> Frames:
        height, width = frames[0].shape[:2]
        turn = random.uniform(-degrees, degrees)
        move = cv2.getRotationMatrix2D((width / 2, height / 2), turn, 1)
        move[:, 2] += random.uniform(-shift, shift, 2) * np.array([width, height])
        edge = cv2.BORDER_REPLICATE
        return [
            np.asarray(cv2.warpAffine(each, move, (width, height), borderMode=edge), np.uint8)
            for each in frames
        ]

    return alter


def noisy(frames: Frames, random: Random) -> Frames:
    """Add the noise of a camera."""
    return [add_noise(frame, random) for frame in frames]


def relit(frames: Frames, random: Random) -> Frames:
    """Change the brightness of all frames in the same way."""
    return light(random.uniform(0.65, 1.5), random.uniform(0.75, 1.2))(frames, random)


def held(tilt: float) -> Alteration:
    """Return an alteration that films the frames off a screen in a hand."""

    def alter(frames: Frames, random: Random) -> Frames:
        height, width = frames[0].shape[:2]
        hand, background = Hand(random), room(random)
        across, down = random.uniform(-tilt, tilt, 2)
        turn = rotation_about((0, 1, 0), across) @ rotation_about((1, 0, 0), down)
        size = 190 * height / 480
        return [
            render_flat(Sheet(frame, (width / 2, height / 2), size), hand.pose(turn), background)
            for frame in film_screen(frames, random)
        ]

    return alter


MIRRORED = each(lambda image: np.ascontiguousarray(image[:, ::-1]))
SMALLER, LARGER = each(lambda image: resized(image, 0.7)), each(lambda image: resized(image, 1.25))
BLURRED = each(lambda image: np.asarray(cv2.GaussianBlur(image, (0, 0), 1.5), np.uint8))
