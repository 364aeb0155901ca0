from __future__ import annotations

from whitenoise.storage import CompressedManifestStaticFilesStorage


class StaticFilesStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """Whitenoise's, with the imports between JavaScript modules pointing to hashed names too."""

    support_js_module_import_aggregation = True
