"""Measure the tables of the README on this machine (``make bench``)."""

from __future__ import annotations

import argparse

import benchmarks.environment  # noqa: F401
from benchmarks import card, challenge, decision, frames, login, pictures, speed, trusted, worker


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="leave out face_recognition's CNN, which takes minutes"
    )
    options = parser.parse_args()
    people = pictures.webcam_pictures()
    shots = [each for of_one in people.values() for each in of_one]
    print(f"{len(shots)} pictures of 640x480, faces 120 to 320 pixels tall, one thread, medians\n")
    print("| | face_recognition | faceauth | times faster | target |")
    print("| --- | --- | --- | --- | --- |")
    rows = [*speed.compare(shots, with_cnn=not options.quick), login.compare(people)]
    for row in rows:
        print(
            f"| {row.name} | {row.theirs:,.1f} ms | {row.ours:,.1f} ms "
            f"| {row.ratio:,.1f} | {row.target} |"
        )
    card.report(shots)
    cost = decision.measure()
    print(
        f"\nA decision takes {cost.verify:.3f} ms with a username (target: at most 0.1), and "
        f"{cost.identify:.2f} ms among {decision.PEOPLE:,} people (target: at most 2)."
    )
    frame = frames.measure()
    print(
        f"\nA frame of a challenge takes {frame.followed:.1f} ms of CPU time (target: at most 8): "
        f"{frame.decode:.1f} to decode it, {frame.track:.1f} to follow the face by its mesh (a run "
        f"takes {frame.run:.1f}), {frame.pose:.2f} for the pose; {frame.beside:.1f} with a look "
        f"for other people, {frame.first:.1f} if the face is looked for everywhere."
    )
    print()
    challenge.report(challenge.measure())
    print("\n| people enrolled | log in with a username | log in on a trusted device |")
    print("| --- | --- | --- |")
    for each in trusted.measure():
        print(f"| {each.people:,} | {each.by_name:.1f} ms | {each.trusted:.1f} ms |")
    started = worker.measure()
    print(
        f"\nA new worker process takes {started.seconds:.2f} s of CPU time and "
        f"{started.megabytes:.0f} MB more than Django alone."
    )


if __name__ == "__main__":
    main()
