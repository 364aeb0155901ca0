"""``make bench``: the tables of the README, measured now, on this machine."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import django


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="leave out face_recognition's CNN, which takes minutes"
    )
    options = parser.parse_args()

    # Nothing here needs what collectstatic makes; Whitenoise wants to see a folder all the same.
    os.environ["STATIC_ROOT"] = str(Path(__file__).parent)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.projects.site.settings")
    django.setup()
    from benchmarks import challenge, deciding, login, pictures, speed, worker

    people = pictures.webcam_pictures()
    shots = [each for of_one in people.values() for each in of_one]
    print(f"{len(shots)} pictures of 640x480, faces 120 to 320 pixels tall, one thread, medians\n")
    print("| | face_recognition | faceauth | times faster | at least |")
    print("| --- | --- | --- | --- | --- |")
    rows = [*speed.compare(shots, with_cnn=not options.quick), login.compare(people)]
    for row in rows:
        print(
            f"| {row.what} | {row.theirs:,.1f} ms | {row.ours:,.1f} ms "
            f"| {row.ratio:,.1f} | {row.bar} |"
        )
    decision = deciding.measure()
    print(
        f"\nTo decide takes {decision.verify:.3f} ms with a username, at most 0.1 wanted, and "
        f"{decision.identify:.2f} ms among {deciding.PEOPLE:,} people, at most 2 wanted."
    )
    print(
        f"\nA login with a challenge of {challenge.FRAMES} frames takes "
        f"{challenge.measure():.0f} ms of CPU time, at most 400 wanted for 8."
    )
    cost = worker.measure()
    print(
        f"\nA fresh worker takes {cost.seconds:.2f} s of CPU time and {cost.megabytes:.0f} MB "
        "more than bare Django."
    )


if __name__ == "__main__":
    main()
