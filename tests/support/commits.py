"""What is to run after a commit runs in tests, whose own transaction is never committed."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction


def run_on_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Call functions given to `transaction.on_commit` when the test's own transaction is the only
    one left. A test that rolls back still sees them discarded.
    """
    leave = transaction.Atomic.__exit__

    def leave_and_run(self: Any, *exception: Any) -> None:
        leave(self, *exception)
        connection = transaction.get_connection(self.using)
        blocks = connection.atomic_blocks
        if blocks and all(block._from_testcase for block in blocks):
            pending, connection.run_on_commit = connection.run_on_commit, []
            for _savepoints, function, _robust in pending:
                function()

    monkeypatch.setattr(transaction.Atomic, "__exit__", leave_and_run)
