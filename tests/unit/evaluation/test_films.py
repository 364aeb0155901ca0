from __future__ import annotations

import cv2
import numpy as np
import pytest
from PIL import Image

from faceauth.evaluation.pad.films import fitted, paths, read
from faceauth.evaluation.pad.rendering import HEIGHT, WIDTH


def picture(level, width=320, height=200):
    return Image.new("RGB", (width, height), (level, level, level))


def test_animation_is_read_at_the_rate_of_the_page(tmp_path):
    frames = [picture(level) for level in (10, 60, 110, 160, 210)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:], duration=50)
    film = read(tmp_path / "a.gif")
    assert film.name == "a"
    # As large as the page sends them, and every second one.
    assert [each.shape for each in film.frames] == [(400, 640, 3)] * 3
    assert [round(float(each.mean()), -1) for each in film.frames] == [10, 110, 210]


def test_video_is_read_in_its_colours(tmp_path):
    path = str(tmp_path / "a.avi")
    film = cv2.VideoWriter(path, cv2.VideoWriter.fourcc(*"MJPG"), 20, (320, 240))
    for n in range(6):
        film.write(np.full((240, 320, 3), (30 * n, 60, 200), np.uint8))
    film.release()
    frames = read(tmp_path / "a.avi").frames
    assert len(frames) == 3
    # Red stays red.
    assert frames[0][0, 0].tolist() == pytest.approx([200, 60, 0], abs=8)


def test_picture_and_folder_of_numbered_pictures_are_films(tmp_path):
    picture(50).save(tmp_path / "print.png")
    (tmp_path / "anna").mkdir()
    for number in range(3):
        picture(50 * number).save(tmp_path / "anna" / f"{number:03}.png")
    (tmp_path / "replayed").mkdir()
    picture(90).save(tmp_path / "replayed" / "tablet.png")
    (tmp_path / "SOURCES.md").write_text("who they are")
    found = {path.name: len(read(path).frames) for path in paths(tmp_path)}
    assert found == {"print.png": 1, "anna": 3, "tablet.png": 1}


def test_film_of_any_shape_fits_on_a_screen(tmp_path):
    picture(200, 200, 320).save(tmp_path / "tall.png")
    shown = fitted(read(tmp_path / "tall.png").frames[0])
    assert shown.shape == (HEIGHT, WIDTH, 3)
    assert shown[:, WIDTH // 2].min() > 190
    assert shown[:, 5].max() < 20


@pytest.mark.parametrize("name", ["a.gif", "a.mp4", "a.png", "empty"])
def test_unreadable_film_is_named_in_the_error(tmp_path, name):
    path = tmp_path / name
    if name == "empty":
        path.mkdir()
    else:
        path.write_bytes(b"not a film")
    with pytest.raises(ValueError, match=name):
        read(path)
