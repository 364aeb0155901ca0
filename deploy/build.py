"""Build the wheel and the source package: ``python deploy/build.py dist``.

The same sources give the same bytes, whatever the clock, the umask and the folder. The files get
the time SOURCE_DATE_EPOCH, by default that of the last commit.
"""

from __future__ import annotations

import gzip
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

# What the package is made of. Nothing else in the folder, such as the remains of another build,
# gets into it.
SOURCES = ("pyproject.toml", "README.md", "LICENSE", "faceauth")


def epoch() -> int:
    """Return the time that all files get, in seconds since 1970."""
    if given := os.environ.get("SOURCE_DATE_EPOCH"):
        return int(given)
    command = ["git", "-C", str(ROOT), "log", "-1", "--format=%ct"]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def copy_sources(target: Path) -> None:
    """Copy the sources, with the same permissions for everybody."""
    target.mkdir()
    for name in SOURCES:
        if (ROOT / name).is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, target / name, ignore=ignored)
        else:
            shutil.copy(ROOT / name, target)
    for path in target.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)


def normalise(sdist: Path, time: int) -> None:
    """Write a source package again, without what depends on who built it and when."""
    content = io.BytesIO()
    with (
        tarfile.open(sdist) as given,
        tarfile.open(fileobj=content, mode="w", format=tarfile.PAX_FORMAT) as made,
    ):
        for member in sorted(given.getmembers(), key=lambda each: each.name):
            member.mtime = time
            member.uid = member.gid = 0
            member.uname = member.gname = ""
            member.mode = 0o755 if member.isdir() else 0o644
            member.pax_headers = {}
            made.addfile(member, given.extractfile(member))
    sdist.write_bytes(gzip.compress(content.getvalue(), mtime=time))


def main(target: Path) -> None:
    """Build both into a folder."""
    time = epoch()
    os.umask(0o022)
    os.environ["SOURCE_DATE_EPOCH"] = str(time)
    uv = [sys.executable, "-m", "uv", "build", "--quiet", "--out-dir", str(target)]
    with tempfile.TemporaryDirectory() as folder:
        sources = Path(folder) / "faceauth"
        copy_sources(sources)
        subprocess.run([*uv, str(sources)], check=True)
    for sdist in target.glob("*.tar.gz"):
        normalise(sdist, time)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
