"""What Dockerfile, compose.yaml and the units of systemd say, done without a container engine."""

from __future__ import annotations

import configparser
import fnmatch
import json
import re
import shlex
import shutil
import stat
import subprocess
from pathlib import Path

import pytest
import yaml

from faceauth.encryption.crypto import decode_key
from tests.package.conftest import ROOT, Environment
from tests.site.test_production import PRODUCTION
from tests.support.servers import Server
from tests.support.visiting import Browser

HOME, VENV = "/srv/faceauth", "/opt/venv"
HOST = PRODUCTION["ALLOWED_HOSTS"]


class Image:
    """What a Dockerfile makes, its folders under one of ours."""

    def __init__(self, folder: Path) -> None:
        self.home, self.venv = folder / "home", folder / "venv"
        self.home.mkdir()
        self.variables: dict[str, str] = {}
        self.command: list[str] = []
        self.healthy: list[str] = []
        text = (ROOT / "Dockerfile").read_text()
        for line in re.sub(r"^#.*\n", "", text, flags=re.MULTILINE).splitlines():
            word, _, rest = line.partition(" ")
            getattr(self, f"_{word.lower()}", lambda _: None)(self._moved(rest))

    def run(self, command: list[str], **variables: str) -> str:
        """In the container, so to speak: with the environment's own variables and these."""
        return self.environment.run(
            [self._moved(each) for each in command], self.home, **self.variables, **variables
        ).stdout

    def _moved(self, text: str) -> str:
        return text.replace(VENV, str(self.venv)).replace(HOME, str(self.home))

    def _from(self, rest: str) -> None:
        self.variables = {}

    def _env(self, rest: str) -> None:
        self.variables |= dict(each.split("=", 1) for each in rest.split())
        if "PATH" in self.variables:
            self.variables["PATH"] = self.environment.variables["PATH"]

    def _run(self, rest: str) -> None:
        if rest.startswith("python -m venv"):
            self.environment = Environment(Path(rest.split()[-1]))
        elif rest.startswith(f"{self.venv}/bin/pip "):
            self.environment.pip(*rest.split()[1:], folder=self.home)
        elif not rest.startswith("useradd"):
            self.environment.run(rest, self.home, **self.variables)

    def _copy(self, rest: str) -> None:
        *sources, target = rest.split()
        if sources[0].startswith("--from"):
            return
        ignored = [line.removeprefix("**/") for line in ignore_file()]
        for source in sources:
            found = sorted(ROOT.iterdir()) if source == "." else [ROOT / source]
            for path in found:
                if any(fnmatch.fnmatch(path.name, each) for each in ignored):
                    continue
                if path.is_file():
                    shutil.copy(path, self.home)
                else:
                    skip = shutil.ignore_patterns("__pycache__")
                    shutil.copytree(path, self.home / path.name, ignore=skip, dirs_exist_ok=True)

    def _healthcheck(self, rest: str) -> None:
        self.healthy = json.loads(rest[rest.index("[") :])

    def _cmd(self, rest: str) -> None:
        self.command = json.loads(rest)


def ignore_file() -> list[str]:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    return Image(tmp_path_factory.mktemp("image"))


@pytest.fixture(scope="module")
def services():
    return yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]


@pytest.fixture
def variables(tmp_path):
    return {
        **PRODUCTION,
        "DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3",
    }


@pytest.fixture
def served(variables):
    """Starts a command that serves the site, on a port of its own, and visits it."""
    running = []

    def serve(command: list[str], folder: Path, environment: dict[str, str]) -> Browser:
        moved = [re.sub(r"^[\d.]+:8000$", "127.0.0.1:{port}", each) for each in command]
        assert moved != command
        running.append(Server(moved, environment, folder=folder))
        return running[-1].wait().visit(HOST)

    yield serve
    for server in running:
        assert server.stop() == 0


def test_image_holds_what_the_site_needs_and_no_secret(image):
    there = {path.name for path in image.home.iterdir()}
    assert {"manage.py", "config", "accounts", "faceauth", "gunicorn.conf.py"} <= there
    assert not {".env", ".git", "tests", "db.sqlite3", ".venv"} & there
    assert list((image.home / "staticfiles/faceauth").glob("capture.*.js"))


def test_compose_migrates_serves_and_purges(image, services, variables, served):
    image.run(services["migrate"]["command"], **variables)
    environment = {**image.environment.variables, **image.variables, **variables}
    browser = served(image.command, image.home, environment)
    status, page = browser.ask("GET", "/face/login/")
    assert (status, browser.secure) == (200, True)
    assert re.search(r"/static/faceauth/capture\.\w+\.js", page)
    check = [each.replace("8000", str(browser.port)) for each in image.healthy]
    image.run(check)
    loop = services["purge"]["command"][-1]
    once = re.fullmatch(r"while (.*); do sleep 86400; done", loop)
    image.run(shlex.split(once[1]), **variables)


def test_compose_says_only_what_exists(services):
    for name, service in services.items():
        for needed in service.get("depends_on", {}):
            assert needed in services, name
        if "build" in service:
            assert service["environment"]["DATABASE_URL"].endswith("@db:5432/faceauth")
            assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
            assert service["security_opt"] == ["no-new-privileges:true"]


def test_each_container_gets_only_the_secrets_that_it_needs(services):
    given = {name: {*service.get("secrets", ())} for name, service in services.items()}
    faces = {"encryption_keys", "transform_key"}
    assert given == {
        "db": {"database_password"},
        "migrate": {"database_password"},
        "purge": {"database_password", "secret_key"},
        "site": {"database_password", "secret_key", *faces},
    }
    declared = yaml.safe_load((ROOT / "compose.yaml").read_text())["secrets"]
    assert declared == {name: {"file": f"secrets/{name}"} for name in given["site"]}
    assert "secrets" in ignore_file()
    for service in services.values():
        for name, value in service["environment"].items():
            if name.endswith("_FILE"):
                assert value.removeprefix("/run/secrets/") in service["secrets"]


def test_script_creates_the_secrets_once(tmp_path, services):
    (tmp_path / "deploy").mkdir()
    script = shutil.copy(ROOT / "deploy/secrets.sh", tmp_path / "deploy")
    subprocess.run(["sh", script], check=True)
    made = {path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()}
    assert set(made) == set(services["site"]["secrets"])
    assert stat.S_IMODE((tmp_path / "secrets").stat().st_mode) == 0o700
    assert len({decode_key(key.strip()) for key in made.values()}) == 4
    subprocess.run(["sh", script], check=True)
    assert {path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()} == made


def test_job_that_deletes_and_migrations_work_without_the_keys_of_the_faces(
    image, services, variables
):
    for name in ("FACEAUTH_ENCRYPTION_KEYS", "FACEAUTH_TRANSFORM_KEY"):
        del variables[name]
    image.run(services["migrate"]["command"], **{**variables, "SECRET_KEY": "none"})
    once = services["purge"]["command"][-1].removeprefix("while ").partition(";")[0]
    assert "Faces not used for 730 days removed: 0." in image.run(shlex.split(once), **variables)


@pytest.mark.parametrize("path", sorted((ROOT / "deploy").glob("*.service")), ids=lambda p: p.stem)
def test_unit_starts_what_it_says(path, image, variables, served):
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str
    unit.read(path)
    service = unit["Service"]
    assert service["WorkingDirectory"] == HOME

    def moved(line: str) -> list[str]:
        return shlex.split(line.replace(f"{HOME}/.venv", str(image.venv)))

    image.run(["python", "manage.py", "migrate", "--no-input"], **variables)
    if "ExecStartPre" in service:
        image.run(moved(service["ExecStartPre"]), **variables)
        environment = {**image.environment.variables, **image.variables, **variables}
        browser = served(moved(service["ExecStart"]), image.home, environment)
        assert browser.ask("GET", "/")[0] == 200
    else:
        image.run(moved(service["ExecStart"]), **variables)
