"""The pages of what people may ask for: the notice, the export, and the pages that remove a face.

A face is removed at once by whoever shows it, or by email with a day to cancel it.
"""

from __future__ import annotations

from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import views as auth_views
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.mixins import LoginRequiredMixin
from django.contrib.sites.shortcuts import get_current_site
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    JsonResponse,
)
from django.shortcuts import redirect, resolve_url
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.generic import TemplateView, View

from . import conf, enrolment, errors, faces
from .audit import notifications
from .enrolment import planned_removal
from .gallery import in_database
from .http.responses import error_response, tell, wants_json
from .liveness import replay
from .lockout import counters
from .privacy import export
from .recognition import encoders
from .views import CaptureMixin, RecentlyConfirmedMixin


@method_decorator(never_cache, name="dispatch")
@method_decorator(login_not_required, name="dispatch")
class NoticeView(TemplateView):
    """The notice: what is kept about a face, what for and for how long. Everyone can read it.

    A user who agreed to an earlier version can agree to this one.
    """

    template_name = "faceauth/notice.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        config = conf.get()
        site = config.SITE_NAME or get_current_site(self.request).name
        return super().get_context_data(
            config=config,
            site_name=site,
            numbers=encoders.encoder().size,
            searched_in_database=in_database(),
            failures_days=counters.KEEP_FOR["account"].days,
            movements=replay.KEPT,
            movements_days=replay.DAYS,
            face=faces.of(self.request.user),
            consent_is_outdated=enrolment.consent_is_outdated(self.request.user),
            **kwargs,
        )

    def post(self, request: HttpRequest) -> HttpResponse:
        if not request.user.is_authenticated:
            return auth_views.redirect_to_login(request.path)
        consent, user = enrolment.Consent.from_request(request), cast(Any, request.user)
        # If the notice changed after the page was opened, the new one is shown first.
        if request.POST.get("version") == consent.version and enrolment.agree(user, consent):
            message = _("Thank you. You have agreed to the new notice.")
            tell(request, messages.SUCCESS, message)
            return HttpResponseRedirect(resolve_url(settings.LOGIN_REDIRECT_URL))
        return redirect("faceauth:notice")


@method_decorator(never_cache, name="dispatch")
class ExportView(RecentlyConfirmedMixin, View):
    """Download everything that is kept about the logged-in user's face."""

    def get(self, request: HttpRequest) -> HttpResponse:
        response = JsonResponse(export.export(request.user), json_dumps_params={"indent": 1})
        response["Content-Disposition"] = 'attachment; filename="face.json"'
        return response


class RemoveView(CaptureMixin, RecentlyConfirmedMixin, TemplateView):
    """Remove the face of the logged-in user, after they have confirmed it."""

    template_name = "faceauth/remove.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user: Any = self.request.user
        without_password = not user.has_usable_password()
        reached = notifications.reaches(user)
        return super().get_context_data(
            # Without a password, the face is the only way to log in, unless a mail opens another.
            needs_password=without_password and not reached,
            needs_email=without_password and reached,
            **kwargs,
        )

    def post(self, request: HttpRequest) -> HttpResponse:
        context = self.get_context_data()
        if context["needs_password"]:
            if wants_json(request):
                return error_response(request, errors.PasswordNeeded())
            return self.render_to_response(context, status=409)
        user: Any = request.user
        enrolment.remove(user, request=request)
        message = _("Your face was removed. Nothing computed from it is left.")
        return self.success_response(user, message, resolve_url(settings.LOGIN_REDIRECT_URL))


class RemoveByEmailView(CaptureMixin, LoginRequiredMixin, TemplateView):
    """Email the logged-in user a link with which their face can be removed without showing it."""

    template_name = "faceauth/remove_by_email.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user: Any = self.request.user
        return super().get_context_data(
            face=faces.of(user),
            available=planned_removal.is_available(self.request, user),
            address=notifications.address_of(user),
            **kwargs,
        )

    def post(self, request: HttpRequest) -> HttpResponse:
        user: Any = request.user
        try:
            available = planned_removal.is_available(request, user)
            if not available or not planned_removal.send_link(request, user):
                raise errors.NoEmail()
        except errors.FaceError as error:
            return error_response(request, error)
        message = _("We’ve sent you an email. Open the link in it within 24 hours.")
        return self.success_response(user, message, resolve_url(settings.LOGIN_REDIRECT_URL))


@method_decorator([never_cache, login_not_required], name="dispatch")
class LinkView(TemplateView):
    """The page of a link in an email: a button, because mail programs open links by themselves.

    Nobody needs to be logged in.
    """

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return super().dispatch(request, *args, **kwargs)
        except errors.LinkExpired as error:
            return error_response(request, error)

    def owner(self, token: str) -> Any:
        """Return the user whom the link is for.

        Raises:
            LinkExpired: The link no longer works.
        """
        raise NotImplementedError

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        owner = self.owner(self.kwargs["token"])
        return super().get_context_data(owner=owner, face=faces.of(owner), **kwargs)

    def done(self, message: str) -> HttpResponse:
        """Return a redirect to a page that shows the message."""
        tell(self.request, messages.SUCCESS, message)
        if self.request.user.is_authenticated:
            return HttpResponseRedirect(resolve_url(settings.LOGIN_REDIRECT_URL))
        return redirect("faceauth:login")


class PlanRemovalView(LinkView):
    """Plan the removal of a face, from the link in the email."""

    template_name = "faceauth/plan_removal.html"

    def owner(self, token: str) -> Any:
        return planned_removal.user_of_link(self.request, token)

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        planned_removal.plan(request, token)
        return self.done(
            _("Your face will be removed in 24 hours. Until then, you can still keep it.")
        )


class CancelByMailView(LinkView):
    """Cancel the planned removal of a face, from the link in the email."""

    template_name = "faceauth/cancel_removal.html"

    def owner(self, token: str) -> Any:
        return planned_removal.user_of_cancel_link(token)

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        planned_removal.cancel(request, self.owner(token))
        return self.done(_("Your face will not be removed."))


@method_decorator(never_cache, name="dispatch")
class CancelRemovalView(RecentlyConfirmedMixin, TemplateView):
    """Cancel the planned removal of the logged-in user's face. It takes the face."""

    template_name = "faceauth/cancel_removal.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if faces.of(request.user).face_removal_at is None:
            return HttpResponseRedirect(resolve_url(settings.LOGIN_REDIRECT_URL))
        return super().get(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user = self.request.user
        return super().get_context_data(owner=user, face=faces.of(user), **kwargs)

    def post(self, request: HttpRequest) -> HttpResponse:
        if planned_removal.cancel(request, request.user):
            message = _("Your face will not be removed.")
            tell(request, messages.SUCCESS, message)
        return HttpResponseRedirect(resolve_url(settings.LOGIN_REDIRECT_URL))
