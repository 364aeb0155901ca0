"""Requests in JSON, turned into what a form brings: texts, and pictures as files in memory.

Forms and views are the same for both. A picture is base64, bare or as a ``data:`` URL; several are
a list of those.
"""

from __future__ import annotations

import base64
import json
from typing import Any, NoReturn

from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpRequest, QueryDict
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext as _

from faceauth import errors

# The fields that hold pictures, in all forms.
PICTURES = ("snapshot", "frame")

# As many as Django lets a form have fields. What is parsed takes up to fifty times the memory of
# what is sent where it is made of small values; pictures are few and large.
MOST_VALUES = 1000


def is_json(request: HttpRequest) -> bool:
    """Whether the request's body is JSON: then its answer is as well."""
    return request.content_type == "application/json"


def read(request: HttpRequest, most: int) -> None:
    """Read the body, and give the request the POST and FILES of a form with the same in it.

    most: how many bytes there may be.

    Raises:
        TooLarge: there are more.
        BadImage, UnsupportedType: a picture is no base64, or said to be something else.
        FaceError: this is no JSON, or nothing that a form could send.
    """
    body = request.read(most + 1)
    if len(body) > most:
        raise errors.TooLarge()
    post = QueryDict(mutable=True)
    files: MultiValueDict[str, Any] = MultiValueDict()
    found: list[Any]
    kept: MultiValueDict[str, Any]
    for name, value in _parsed(body).items():
        _encodable(name)
        if name in PICTURES:
            found, kept = [_file(name, each) for each in _listed(value)], files
        else:
            found, kept = _texts(value), post
        if found:
            kept.setlist(name, found)
    post._mutable = False
    request.POST = post  # type: ignore[assignment]
    # Where `request.FILES` looks first; it has no setter.
    request._files = files  # type: ignore[attr-defined]


def _parsed(body: bytes) -> dict[str, Any]:
    if sum(body.count(each) for each in (b",", b"[", b"{")) > MOST_VALUES:
        raise errors.FaceError(_("There is too much in the JSON."))
    try:
        # Nothing to send is nothing to write down.
        found = json.loads(body.decode() or "{}", parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise errors.FaceError(_("This is no JSON.")) from error
    if not isinstance(found, dict):
        raise errors.FaceError(_("The JSON has to be an object."))
    return found


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is Python's, not JSON's")


def _texts(value: Any) -> list[str]:
    """A field's value as a form sends it. What is not there or not ticked is not sent."""
    if value is None or value is False:
        return []
    if value is True:
        return ["on"]
    if isinstance(value, int | float):
        return [json.dumps(value)]
    if not isinstance(value, str):
        raise errors.FaceError(_("Only pictures may be lists, and nothing an object."))
    _encodable(value)
    return [value]


def _encodable(text: str) -> None:
    """Let pass what is text: JSON can write halves of characters, which no database takes."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise errors.FaceError() from error


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _file(name: str, value: Any) -> SimpleUploadedFile:
    if not isinstance(value, str):
        raise errors.FaceError(_("A picture is a text in base64, or a data URL."))
    kind = "application/octet-stream"
    if value[:5].lower() == "data:":
        head, _comma, value = value[5:].partition(",")
        kind, *parameters = head.lower().split(";")
        if not kind.startswith("image/"):
            raise errors.UnsupportedType()
        if parameters[-1:] != ["base64"]:
            raise errors.BadImage()
    try:
        data = base64.b64decode(value, validate=True)
    except ValueError as error:
        raise errors.BadImage() from error
    return SimpleUploadedFile(name, data, kind)
