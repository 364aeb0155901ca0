"""What the staff may do with faces, on the list of users and on the page of one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from faceauth import enrolment, faces
from faceauth.audit import events
from faceauth.enrolment import adaptation

from . import staff

# Each takes a moment, and some send a mail.
MOST = 500

# So many are named before a removal is confirmed.
NAMED = 20

CONFIRMED = "faceauth_confirmed"


class FaceActions(admin.ModelAdmin):
    """Actions, each with a permission of its own and an entry in the admin's log."""

    # The view that links for a new password lead to, for who has none yet.
    password_reset_url = "password_reset_confirm"

    face_actions = (
        "remove_face",
        "disable_face",
        "enable_face",
        "invite_to_enrol",
        "clear_flag",
        "take_back_adaptation",
    )

    def get_actions(self, request: HttpRequest, action_location: Any = None) -> Any:
        # Django 6.1 asks for those of a user's own page as well, where the face has buttons.
        where = {} if action_location is None else {"action_location": action_location}
        actions = super().get_actions(request, **where)
        on_the_list = getattr(action_location, "name", "CHANGE_LIST") == "CHANGE_LIST"
        if on_the_list and admin.options.IS_POPUP_VAR not in request.GET:
            mine = {name: self.get_action(name) for name in self.face_actions}
            actions.update((name, each) for name, each in mine.items() if self._may(request, name))
        return actions

    def has_view_face_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _has_permission(request, "faceauth.view_face")

    def has_enrol_face_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _has_permission(request, "faceauth.enrol_face") and _is_below(request, obj)

    def has_remove_face_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _has_permission(request, "faceauth.remove_face") and _is_below(request, obj)

    @admin.action(description=_("Remove face"), permissions=["remove_face"])
    def remove_face(self, request: HttpRequest, users: QuerySet) -> HttpResponse | None:
        """Who has no password is not left without a way in: a new one comes by e-mail."""
        if CONFIRMED not in request.POST:
            return self._ask_before_removing(request, users)

        def remove(user: Any) -> bool:
            return enrolment.remove(user, request=request, reason=events.BY_STAFF)

        def told(count: int) -> str:
            return ngettext("%d face was removed.", "%d faces were removed.", count)

        self._do(request, users, "remove_face", remove, gettext("Face removed."), told)
        return None

    @admin.action(description=_("Disable face login"), permissions=["remove_face"])
    def disable_face(self, request: HttpRequest, users: QuerySet) -> None:
        def disable(user: Any) -> bool:
            return staff.disable(request, user)

        def told(count: int) -> str:
            return ngettext(
                "Face login was disabled for %d user.",
                "Face login was disabled for %d users.",
                count,
            )

        logged = gettext("Face login disabled.")
        self._do(request, users, "disable_face", disable, logged, told)

    @admin.action(description=_("Enable face login"), permissions=["remove_face"])
    def enable_face(self, request: HttpRequest, users: QuerySet) -> None:
        def enable(user: Any) -> bool:
            return staff.enable(request, user)

        def told(count: int) -> str:
            return ngettext(
                "Face login was enabled for %d user.",
                "Face login was enabled for %d users.",
                count,
            )

        logged = gettext("Face login enabled.")
        self._do(request, users, "enable_face", enable, logged, told)

    @admin.action(description=_("Invite to enrol"), permissions=["enrol_face"])
    def invite_to_enrol(self, request: HttpRequest, users: QuerySet) -> None:
        """Who has a face already, no address or no active account is left out."""

        linkless = []

        def invite(user: Any) -> bool:
            try:
                return staff.may_be_invited(user) and staff.invite(
                    request, user, self.password_reset_url
                )
            except NoReverseMatch:
                linkless.append(user)
                return False

        def told(count: int) -> str:
            return ngettext("%d invitation was sent.", "%d invitations were sent.", count)

        logged = gettext("Invited to enrol a face.")
        self._do(request, users, "invite_to_enrol", invite, logged, told)
        if linkless:
            message = gettext(
                "Who has no password needs a link for a new one, and there is no view %(name)s. "
                "Set password_reset_url in the admin of the users."
            )
            values = {"name": self.password_reset_url}
            self.message_user(request, message % values, messages.ERROR)

    @admin.action(description=_("Clear flag"), permissions=["change"])
    def clear_flag(self, request: HttpRequest, users: QuerySet) -> None:
        def told(count: int) -> str:
            return ngettext("%d flag was cleared.", "%d flags were cleared.", count)

        cleared = gettext("Look-alike seen to.")
        self._do(request, users, "clear_flag", staff.clear_flag, cleared, told)

    @admin.action(description=_("Take back adaptation"), permissions=["change"])
    def take_back_adaptation(self, request: HttpRequest, users: QuerySet) -> None:
        def told(count: int) -> str:
            return ngettext("%d face was taken back.", "%d faces were taken back.", count)

        reverted = gettext("Adaptation of the face taken back.")
        self._do(request, users, "take_back_adaptation", adaptation.revert, reverted, told)

    def _may(self, request: HttpRequest, name: str, user: Any = None) -> bool:
        """Whether the staff member may take that action, on that user where one is given."""
        permissions = getattr(self, name).allowed_permissions
        return any(getattr(self, f"has_{each}_permission")(request, user) for each in permissions)

    def _do(
        self,
        request: HttpRequest,
        users: QuerySet,
        name: str,
        act: Callable[[Any], bool],
        logged: str,
        told: Callable[[int], str],
    ) -> None:
        """Act on each of the users; log and tell on how many it was, `act` says whether."""
        chosen = list(users[: MOST + 1])
        if len(chosen) > MOST:
            message = gettext("At most %(most)d users at once: choose fewer.") % {"most": MOST}
            self.message_user(request, message, messages.ERROR)
            return
        allowed = [user for user in chosen if self._may(request, name, user)]
        count = 0
        for user in allowed:
            if act(user):
                self.log_change(request, user, logged)
                count += 1
        level = messages.SUCCESS if count else messages.WARNING
        self.message_user(request, told(count) % count, level)
        if left := len(chosen) - len(allowed):
            message = ngettext(
                "%d user is staff: only a superuser may do this to them.",
                "%d users are staff: only a superuser may do this to them.",
                left,
            )
            self.message_user(request, message % left, messages.WARNING)

    def _ask_before_removing(self, request: HttpRequest, users: QuerySet) -> HttpResponse:
        with_face = users.filter(faces.user_condition(enrolment.ENROLLED))
        count = with_face.count()
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Remove face"),
            "opts": self.opts,
            "media": self.media,
            "names": [user.get_username() for user in with_face[:NAMED]],
            "count": count,
            "more": max(count - NAMED, 0),
            "confirmed": CONFIRMED,
            "back_url": request.headers.get("Referer") or request.path,
            # What the list has sent, to send it again.
            "fields": [
                (name, value)
                for name in ("action", "select_across", "index", ACTION_CHECKBOX_NAME)
                for value in request.POST.getlist(name)
            ],
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/faceauth/remove_faces.html", context)


def _has_permission(request: HttpRequest, name: str) -> bool:
    user: Any = request.user
    return user.has_perm(name)


def _is_below(request: HttpRequest, user: Any) -> bool:
    """Whether the staff member may touch this user's face: with their own face in the account of
    somebody who may do more, they would be that somebody.
    """
    own: Any = request.user
    protected = getattr(user, "is_staff", False) or getattr(user, "is_superuser", False)
    return not protected or getattr(own, "is_superuser", False) or user.pk == own.pk
