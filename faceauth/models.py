"""What a user model carries about a face."""

from __future__ import annotations

import numpy as np
from django.db import models
from django.utils.translation import gettext_lazy as _

from .fields import EncodingsField


class FaceTemplateMixin(models.Model):
    """Mix into a user model: its columns hold the user's face template.

    `enrolment` writes them, and `adaptation` after it. Encodings are encrypted for the primary key,
    so a user is saved before they have a face.
    """

    face_encodings = EncodingsField(_("face encodings"), null=True)
    face_enrolled_at = models.DateTimeField(_("face enrolled"), null=True, editable=False)
    face_consented_at = models.DateTimeField(_("consent to face login"), null=True, editable=False)
    face_last_used_at = models.DateTimeField(_("last face login"), null=True, editable=False)
    # Set where the face could be taken for somebody else's, until the staff has seen to it.
    face_flagged_at = models.DateTimeField(_("look-alike found"), null=True, editable=False)
    # What was enrolled, once the encodings have been adapted; until then null.
    face_enrolled_encodings = EncodingsField(_("face encodings as enrolled"), null=True)
    face_adapted_at = models.DateTimeField(_("face adapted"), null=True, editable=False)
    # When the encodings last changed, kept after they are removed: what galleries go by.
    face_changed_at = models.DateTimeField(null=True, editable=False, db_index=True)

    class Meta:
        abstract = True

    @property
    def has_face(self) -> bool:
        """Whether a face is enrolled that can be compared."""
        return isinstance(self.face_encodings, np.ndarray)

    @property
    def face_shots(self) -> int:
        """How many pictures the template was made from."""
        encodings: object = self.face_encodings
        return len(encodings) if isinstance(encodings, np.ndarray) else 0
