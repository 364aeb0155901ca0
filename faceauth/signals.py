"""What others may listen to. `events` sends them, after the fact.

All but the last come with `request` (None where there was none), `user` (None where nobody is known
to be meant) and `event`, the `FaceEvent`, which is not saved where the database refused it.
"""

from __future__ import annotations

from django.dispatch import Signal

face_enrolled = Signal()  # for the first time, or anew
face_removed = Signal()
face_login_succeeded = Signal()
face_login_failed = Signal()
face_locked = Signal()  # attempts have to wait from now on, or the face is disabled

# Within the transaction that writes a user's template, changes it or takes it away: for what is
# made of it. With `user` alone.
face_template_changed = Signal()
