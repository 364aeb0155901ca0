"""The language of the app's words.

A site may use a language that nobody has translated the app to. Its pages are then in English
throughout, because the labels, errors and dates that come from Django would be in that language.
"""

from __future__ import annotations

from django.utils.translation import get_language, override, pgettext


def app_language() -> str:
    """Return the active language if the app is translated to it, else the one that is shown."""
    # Translators: the code of the language that you translate to, such as "de".
    shown = pgettext("language of this translation", "en")
    active = get_language() or shown
    return active if active == shown or active.startswith(f"{shown}-") else shown


def in_app_language() -> override:
    """Return a context manager in which Django's words are in the language of the app's."""
    return override(app_language())
