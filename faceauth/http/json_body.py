"""JSON requests: read into the POST and FILES of a form, so that forms and views serve both.

A picture is base64, either bare or as a ``data:`` URL. A list holds several pictures.
"""

from __future__ import annotations

import base64
import json
import re
from typing import Any, NoReturn

from django.core.files.uploadedfile import SimpleUploadedFile, UploadedFile
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext as _

from faceauth import errors

# The fields that contain pictures, in all forms.
PICTURE_FIELDS = ("snapshot", "frame")

# Django's limit on the fields of a form. JSON of many small values takes up to fifty times its size
# in memory when it is parsed; pictures are few and large.
MAX_VALUES = 1000

# An escape for what is not ASCII. Some clients write ASCII so as well: + and = of base64.
_WIDE_ESCAPE = re.compile(rb"\\u(?!00[0-7])")

# What all texts may have that are not plain ASCII. Python keeps a string with a single emoji in
# four bytes a character: four times the size of a picture that has one.
MAX_TEXT_BYTES = 64 * 1024
# One that does not end as well, so that none is searched for its end again and again.
_STRING = re.compile(rb'"(?:[^"\\]+|\\.)*+"?', re.DOTALL)


def is_json(request: HttpRequest) -> bool:
    """Return True if the request's body is JSON; the response is then JSON too."""
    return request.content_type == "application/json"


def load(request: HttpRequest, max_bytes: int) -> None:
    """Read a JSON body into ``request.POST`` and ``request.FILES``.

    Args:
        request: A request whose body has not been read.
        max_bytes: The maximum size of the body.

    Raises:
        TooLarge: The body is larger.
        BadImage: A picture is not base64.
        UnsupportedType: A ``data:`` URL is not of a picture.
        FaceError: The body is not JSON, or contains what no form could send.
    """
    # Empty for JSON. Django builds it and POST together, so get it before setting POST.
    files = request.FILES
    body = request.read(max_bytes + 1)
    if len(body) > max_bytes:
        raise errors.TooLarge()
    post = QueryDict(mutable=True)
    for name, value in _parsed(body).items():
        _check_encodable(name)
        if name in PICTURE_FIELDS:
            pictures: list[UploadedFile] = [_file(name, each) for each in _as_list(value)]
            if pictures:
                files.setlist(name, pictures)
        elif texts := _texts(value):
            post.setlist(name, texts)
    post._mutable = False
    request.POST = post  # type: ignore[assignment]


def _parsed(body: bytes) -> dict[str, Any]:
    if sum(body.count(each) for each in (b",", b"[", b"{", b'"')) > MAX_VALUES:
        raise errors.FaceError(_("The JSON contains too many values."))
    try:
        # An empty body is an empty object.
        found = json.loads(_in_ascii(body) or "{}", parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise errors.FaceError(_("The body is not valid JSON.")) from error
    if not isinstance(found, dict):
        raise errors.FaceError(_("The JSON must be an object."))
    return found


def _is_plain(data: bytes) -> bool:
    """Return True if all its characters are ASCII, once parsed as well."""
    return data.isascii() and not _WIDE_ESCAPE.search(data)


def _in_ascii(body: bytes) -> str:
    """Return the body with escapes in place of all other characters."""
    if _is_plain(body):
        return body.decode()
    length = 0

    def escaped(string: re.Match[bytes]) -> bytes:
        nonlocal length
        literal = string[0]
        if _is_plain(literal):
            return literal
        length += len(literal)
        if length > MAX_TEXT_BYTES:
            raise errors.FaceError(_("The texts in the JSON are too long."))
        return json.dumps(json.loads(literal.decode())).encode()

    return _STRING.sub(escaped, body).decode("ascii")


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is Python's, not JSON's")


def _texts(value: Any) -> list[str]:
    """Return a field's values as a form sends them: nothing for null and for an unticked box."""
    if value is None or value is False:
        return []
    if value is True:
        return ["on"]
    if isinstance(value, int | float):
        return [json.dumps(value)]
    if not isinstance(value, str):
        raise errors.FaceError(
            _("Only picture fields may be lists, and fields must not be objects.")
        )
    _check_encodable(value)
    return [value]


def _check_encodable(text: str) -> None:
    """Raise FaceError for lone surrogates, which JSON can write but no database stores."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise errors.FaceError() from error


def _as_list(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _file(name: str, value: Any) -> SimpleUploadedFile:
    """Decode a picture into a file in memory."""
    if not isinstance(value, str):
        raise errors.FaceError(_("A picture must be a base64 string or a data URL."))
    kind = "application/octet-stream"
    if value[:5].lower() == "data:":
        head, _comma, value = value.partition(",")
        kind = head[5:].partition(";")[0].lower()
        if not kind.startswith("image/"):
            raise errors.UnsupportedType()
        if not head.lower().endswith(";base64"):
            raise errors.BadImage()
    try:
        data = base64.b64decode(value, validate=True)
    except ValueError as error:
        raise errors.BadImage() from error
    return SimpleUploadedFile(name, data, kind)
