"""The signals that other apps can receive. `audit.events` sends them, after the fact.

All but the last are sent with

- `request`, or None if there was none;
- `user`, or None if the attempt was not about a known user;
- `event`, the `FaceEvent`, which is unsaved if the database refused it.
"""

from __future__ import annotations

from django.dispatch import Signal

face_enrolled = Signal()  # for the first time, or again
face_removed = Signal()
face_login_succeeded = Signal()
face_login_failed = Signal()
face_locked = Signal()  # further attempts must wait, or the face was disabled
face_device_trusted = Signal()
face_device_revoked = Signal()  # also if a copy of its cookie was used

# Sent with `user` alone, inside the transaction that writes, changes or removes a user's template:
# for receivers that store something derived from it.
face_template_changed = Signal()
