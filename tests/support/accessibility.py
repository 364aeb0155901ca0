"""axe's accessibility rules, run in the page that is open."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page


def assert_accessible(page: Page, within: str | None = None) -> None:
    """Fail with a list of what axe finds wrong with the page, element by element; with what is
    `within` elements of that selector, where the rest is somebody else's.
    """
    # Else it loads styles anew, and stumbles over those of the admin.
    options = {"preload": False} if within else None
    violations = Axe().run(page, context=within, options=options).response["violations"]
    listing = "\n".join(
        f"{rule['impact']}: {rule['help']} ({rule['id']})\n{node['html']}\n{node['failureSummary']}"
        for rule in violations
        for node in rule["nodes"]
    )
    assert not violations, f"{page.url} is not accessible:\n{listing}"
