"""What a visitor is told: the steps, and why a conversation ended."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from .conversation import Reason
from .steps import CLOSER

STEPS = {
    "left": _("Turn your head to your left."),
    "right": _("Turn your head to your right."),
    "up": _("Raise your chin."),
    "down": _("Lower your chin."),
    "left_up": _("Turn your head up and to your left."),
    "left_down": _("Turn your head down and to your left."),
    "right_up": _("Turn your head up and to your right."),
    "right_down": _("Turn your head down and to your right."),
    CLOSER: _("Come closer."),
}

PASSED = _("Thank you. One moment…")

REASONS = {
    Reason.OTHER_WAY: _("That was another movement. Follow the arrow with your whole head."),
    Reason.MIRRORED: _(
        "That was the other side. If you moved as the arrow shows, your camera mirrors its "
        "picture: turn that off in its settings."
    ),
    Reason.LATE: _("That took too long. Follow the arrow as soon as you see it."),
    Reason.FLAT: _(
        "We can’t tell that you are here in person. Get even light on your face and try again."
    ),
    Reason.ANOTHER: _("We saw another face in between. Only one person can be in the picture."),
}
