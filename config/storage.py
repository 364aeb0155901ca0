"""The storage of static files."""

from __future__ import annotations

from whitenoise.storage import CompressedManifestStaticFilesStorage


class StaticFilesStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """Whitenoise's storage, which also replaces file names in imports of JavaScript modules."""

    support_js_module_import_aggregation = True
