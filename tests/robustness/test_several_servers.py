"""Three servers with one database: the next search of each sees what any of them has changed."""

from __future__ import annotations

import pytest

from accounts.models import User
from tests.support.servers import conversing

SERVERS = 3


class Searcher:
    """A process that runs `tests.robustness.searcher`."""

    def __init__(self):
        self._process = conversing("tests.robustness.searcher")

    def ask(self, request):
        print(request, file=self._process.stdin)

    def answer(self):
        """Return the next answer. Whatever else it prints is what went wrong."""
        lines = []
        for line in self._process.stdout:
            lines.append(line)
            if line.startswith("answer "):
                return line.split()[1]
        return pytest.fail("".join(lines))

    def close(self):
        self._process.stdin.close()
        self._process.wait(timeout=10)
        self._process.stdout.close()


@pytest.fixture
def servers(transactional_db):
    servers = [Searcher() for _ in range(SERVERS)]
    try:
        assert [each.answer() for each in servers] == ["ready"] * SERVERS
        yield servers
    finally:
        for each in servers:
            each.close()


def test_change_by_one_server_is_seen_by_the_next_search_of_each(servers):
    for name in ("ada", "joe"):
        User.objects.create_user(name, f"{name}@example.com", "password")

    def all_answer(request):
        """Ask all of them at once."""
        for each in servers:
            each.ask(request)
        return {each.answer() for each in servers}

    def change(server, request):
        servers[server].ask(request)
        assert servers[server].answer() == "done"

    assert all_answer("login obama2") == {"nobody"}
    change(0, "enrol ada obama")
    assert all_answer("login obama2") == {"ada"}
    change(1, "enrol joe biden")
    assert all_answer("login biden") == {"joe"}
    assert all_answer("search obama2") == {"2"}

    change(2, "disable ada")
    assert all_answer("login obama2") == {"nobody"}
    change(1, "enable ada")
    assert all_answer("login obama2") == {"ada"}

    change(0, "remove ada")
    assert all_answer("login obama2") == {"nobody"}
    assert all_answer("search obama2") == {"1"}
    change(2, "enrol ada obama3")
    assert all_answer("login obama2") == {"ada"}

    change(1, "delete joe")
    assert all_answer("login biden") == {"nobody"}
    change(0, "enrol ada biden")
    assert all_answer("login obama2") == {"nobody"}
    assert all_answer("login biden") == {"ada"}
