"""Admin actions on faces, for the list of users and for the page of a single user."""

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
from faceauth.step_up import confirmation

from . import staff

# The maximum number of users per action. Each user takes a moment, and some actions send mails.
MAX_USERS = 500

# The maximum number of names listed on a page that asks for confirmation.
MAX_NAMES = 20

CONFIRMED = "faceauth_confirmed"


class FaceActions(admin.ModelAdmin):
    """Actions on faces. Each has its own permission and writes to the admin's log."""

    # The name of the view that password links lead to, for invited users without a password.
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
        # Django 6.1 also asks for the actions of a user's page, where the face panel has buttons.
        location = {} if action_location is None else {"action_location": action_location}
        actions = super().get_actions(request, **location)
        is_list = getattr(action_location, "name", "CHANGE_LIST") == "CHANGE_LIST"
        if is_list and admin.options.IS_POPUP_VAR not in request.GET:
            allowed = [name for name in self.face_actions if self._may_run(request, name)]
            actions.update((name, self.get_action(name)) for name in allowed)
        return actions

    def has_view_face_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return has_permission(request, "faceauth.view_face")

    def has_enrol_face_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return has_permission(request, "faceauth.enrol_face") and may_change(request, obj)

    def has_remove_face_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return has_permission(request, "faceauth.remove_face") and may_change(request, obj)

    @admin.action(description=_("Remove face"), permissions=["remove_face"])
    def remove_face(self, request: HttpRequest, users: QuerySet) -> HttpResponse | None:
        """Remove faces, after a page that asks for confirmation.

        Users without a password can still log in: they get a link for a new one by email.
        """
        if refusal := _refusal_to_change_own(request, users):
            return refusal
        if CONFIRMED not in request.POST:
            return self._ask_before(request, users, gettext("Remove face"), "remove_faces")

        def remove(user: Any) -> bool:
            return enrolment.remove(user, request=request, reason=events.BY_STAFF)

        def summary(count: int) -> str:
            return ngettext("%d face was removed.", "%d faces were removed.", count)

        self._run_action(request, users, "remove_face", remove, gettext("Face removed."), summary)
        return None

    @admin.action(description=_("Disable face login"), permissions=["remove_face"])
    def disable_face(self, request: HttpRequest, users: QuerySet) -> HttpResponse | None:
        """Disable face login for users, after a page that asks for confirmation."""
        if refusal := _refusal_to_change_own(request, users):
            return refusal
        if CONFIRMED not in request.POST:
            return self._ask_before(request, users, gettext("Disable face login"), "disable_faces")

        def disable(user: Any) -> bool:
            return staff.disable(request, user)

        def summary(count: int) -> str:
            return ngettext(
                "Face login was disabled for %d user.",
                "Face login was disabled for %d users.",
                count,
            )

        logged = gettext("Face login disabled.")
        self._run_action(request, users, "disable_face", disable, logged, summary)
        return None

    @admin.action(description=_("Enable face login"), permissions=["remove_face"])
    def enable_face(self, request: HttpRequest, users: QuerySet) -> None:
        def enable(user: Any) -> bool:
            return staff.enable(request, user)

        def summary(count: int) -> str:
            return ngettext(
                "Face login was enabled for %d user.",
                "Face login was enabled for %d users.",
                count,
            )

        logged = gettext("Face login enabled.")
        self._run_action(request, users, "enable_face", enable, logged, summary)

    @admin.action(description=_("Invite to enrol"), permissions=["enrol_face"])
    def invite_to_enrol(self, request: HttpRequest, users: QuerySet) -> None:
        """Invite users by mail, except users with a face, without an address or not active."""
        without_link = []

        def invite(user: Any) -> bool:
            try:
                return staff.may_be_invited(user) and staff.invite(
                    request, user, self.password_reset_url
                )
            except NoReverseMatch:
                without_link.append(user)
                return False

        def summary(count: int) -> str:
            return ngettext("%d invitation was sent.", "%d invitations were sent.", count)

        logged = gettext("Invited to enrol a face.")
        self._run_action(request, users, "invite_to_enrol", invite, logged, summary)
        if without_link:
            message = gettext(
                "Users without a password need a link to set one, but there is no view %(name)s. "
                "Set password_reset_url in the user admin."
            )
            values = {"name": self.password_reset_url}
            self.message_user(request, message % values, messages.ERROR)

    @admin.action(description=_("Clear flag"), permissions=["change"])
    def clear_flag(self, request: HttpRequest, users: QuerySet) -> None:
        def summary(count: int) -> str:
            return ngettext("%d flag was cleared.", "%d flags were cleared.", count)

        logged = gettext("Look-alike flag cleared.")
        self._run_action(request, users, "clear_flag", staff.clear_flag, logged, summary)

    @admin.action(description=_("Undo adaptation"), permissions=["change"])
    def take_back_adaptation(self, request: HttpRequest, users: QuerySet) -> None:
        def summary(count: int) -> str:
            return ngettext(
                "The adaptation of %d face was undone.",
                "The adaptation of %d faces was undone.",
                count,
            )

        logged = gettext("Adaptation of the face undone.")
        self._run_action(request, users, "take_back_adaptation", adaptation.revert, logged, summary)

    def _may_run(self, request: HttpRequest, name: str, user: Any = None) -> bool:
        """Return True if the staff member may run the action, on `user` if one is given."""
        permissions = getattr(self, name).allowed_permissions
        return any(getattr(self, f"has_{each}_permission")(request, user) for each in permissions)

    def _run_action(
        self,
        request: HttpRequest,
        users: QuerySet,
        name: str,
        act: Callable[[Any], bool],
        logged: str,
        summary: Callable[[int], str],
    ) -> None:
        """Run an action on users, log the changes and show a message.

        Args:
            request: The staff member's request.
            users: The selected users. Users whom the staff member may not change are skipped.
            name: The name of the action.
            act: Changes a user. Returns True if anything changed.
            logged: The entry in the admin's log for each changed user.
            summary: Returns the message for a number of changed users.
        """
        chosen = list(users[: MAX_USERS + 1])
        if len(chosen) > MAX_USERS:
            message = gettext("Select at most %(limit)d users at a time.")
            self.message_user(request, message % {"limit": MAX_USERS}, messages.ERROR)
            return
        allowed = [user for user in chosen if self._may_run(request, name, user)]
        count = 0
        for user in allowed:
            if act(user):
                self.log_change(request, user, logged)
                count += 1
        level = messages.SUCCESS if count else messages.WARNING
        self.message_user(request, summary(count) % count, level)
        if skipped := len(chosen) - len(allowed):
            message = ngettext(
                "%d user was skipped: only superusers may do this to staff.",
                "%d users were skipped: only superusers may do this to staff.",
                skipped,
            )
            self.message_user(request, message % skipped, messages.WARNING)

    def _ask_before(
        self, request: HttpRequest, users: QuerySet, title: str, template: str
    ) -> HttpResponse:
        """Return the page that asks whether to change these users' faces."""
        with_face = users.filter(faces.user_condition(enrolment.ENROLLED))
        count = with_face.count()
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "opts": self.opts,
            "media": self.media,
            "names": [user.get_username() for user in with_face[:MAX_NAMES]],
            "count": count,
            "more": max(count - MAX_NAMES, 0),
            "confirmed": CONFIRMED,
            "back_url": request.headers.get("Referer") or request.path,
            # The fields that the list sent, to be sent again with the confirmation.
            "fields": [
                (name, value)
                for name in ("action", "select_across", "index", ACTION_CHECKBOX_NAME)
                for value in request.POST.getlist(name)
            ],
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, f"admin/faceauth/{template}.html", context)


def has_permission(request: HttpRequest, name: str) -> bool:
    """Return True if the staff member has this permission."""
    user: Any = request.user
    return user.has_perm(name)


def may_change(request: HttpRequest, user: Any) -> bool:
    """Return True if the staff member may change this user's face.

    Only superusers may change the face of other staff. A staff member who put their own face into
    such an account could log in to it, and would have its permissions.
    """
    own: Any = request.user
    protected = getattr(user, "is_staff", False) or getattr(user, "is_superuser", False)
    return not protected or getattr(own, "is_superuser", False) or user.pk == own.pk


def _refusal_to_change_own(request: HttpRequest, users: QuerySet) -> HttpResponse | None:
    """Return the answer that asks for the staff member's face if it is one of those to change."""
    if not users.filter(pk=request.user.pk).exists():
        return None
    return confirmation.refusal_to_change_face(request)
