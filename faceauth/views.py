"""The pages: log in, confirm, enrol, the notice, export and remove; and what their scripts call."""

from __future__ import annotations

import time
from typing import Any, cast

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth import views as auth_views
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    JsonResponse,
)
from django.shortcuts import resolve_url
from django.utils.decorators import method_decorator
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.generic import FormView, View

from . import code_login, conf, devices, errors, faces, logins, users
from .audit import timings
from .backends import Result
from .capture import turns
from .enrolment import adaptation, invitation, planned_removal
from .forms import (
    CodeForm,
    EnrolForm,
    FaceLoginForm,
    OwnFaceForm,
    OwnPasswordForm,
    PasswordForm,
)
from .http import client_ip, json_body, uploads
from .http.responses import error_response, tell, wants_json, with_retry_after
from .http.uploads import bounded_upload
from .languages import in_app_language
from .models import DeviceTrust, FaceEvent
from .step_up import confirmation, second_step


class CaptureMixin:
    """A form view that takes pictures: bounded uploads, and JSON for clients that ask for it.

    Browsers do not cache its pages, so that the next user of the computer cannot go back to them.

    Put it first among the base classes. The form gets the request. If it takes pictures, it has to
    be the view's `form_class`: other views with this mixin take at most 64 kB.
    """

    request: HttpRequest

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)  # type: ignore[misc]
        fields = getattr(getattr(self, "form_class", None), "base_fields", {})
        if not any(field.widget.needs_multipart_form for field in fields.values()):
            uploads.expect_frames(request, 0)
        elif isinstance(self, LoginRequiredMixin):
            uploads.expect_login(request)

    @method_decorator(never_cache)
    @method_decorator(bounded_upload)
    def dispatch(self, *args: Any, **kwargs: Any) -> HttpResponse:
        with turns.of(client_ip.line(self.request), turns.FORM):
            response: HttpResponse = super().dispatch(*args, **kwargs)  # type: ignore[misc]
        return response

    def get_form_kwargs(self) -> dict[str, Any]:
        kwargs: dict[str, Any] = super().get_form_kwargs()  # type: ignore[misc]
        return {**kwargs, "request": self.request}

    def success_response(self, user: Any, message: str, url: str) -> HttpResponse:
        """Return the response to a success: a redirect to `url` with a message, or JSON.

        Args:
            user: The user whom the request was about; None if the answer must not tell.
            message: The message for the next page; "" for none.
            url: The next page.
        """
        # A client that sends JSON shows no page of this site.
        if message and not json_body.is_json(self.request):
            tell(self.request, messages.SUCCESS, message)
        if wants_json(self.request):
            about = {} if user is None else {"user": {"username": users.username(user)}}
            return JsonResponse({**about, "message": message, "next": url})
        return HttpResponseRedirect(url)

    def handle_no_permission(self) -> Any:
        """Redirect a visitor to the login page, or return the error as JSON."""
        if json_body.is_json(self.request):
            return error_response(self.request, errors.LoginRequired())
        return super().handle_no_permission()  # type: ignore[misc]

    def form_invalid(self, form: forms.BaseForm) -> HttpResponse:
        """Return the form with its errors, or the first error as JSON."""
        with in_app_language():
            error = errors.first(form)
            if wants_json(self.request):
                details = {"fields": errors.by_field(form), **self.error_details()}
                return error_response(self.request, error, **details)
        response: HttpResponse = super().form_invalid(form)  # type: ignore[misc]
        response.status_code = error.status
        return with_retry_after(response, error)

    def error_details(self) -> dict[str, Any]:
        """Return further keys of the error in a JSON answer."""
        return {}


class PostOnlyView(View):
    """A view without a page: it answers GET requests with an error."""

    http_method_names = ["post", "options"]

    @method_decorator(bounded_upload)
    def dispatch(self, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return super().dispatch(*args, **kwargs)

    def http_method_not_allowed(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        response = error_response(request, errors.MethodNotAllowed())
        response["Allow"] = "POST, OPTIONS"
        return response


class LoginView(CaptureMixin, auth_views.LoginView):
    """Log in by face or, on the same page, by password.

    As Django's view, it shows the page to users who are logged in already, because they may have
    come from a page that their account has no access to. Set `redirect_authenticated_user` to True
    to redirect them.

    Where the face is not enough, the same view asks for the code that was sent by email, so that
    `log_in` is what starts every session.
    """

    template_name = "faceauth/login.html"
    code_template_name = "faceauth/code.html"
    face_form: Any = FaceLoginForm
    password_form: Any = PasswordForm
    code_form: Any = CodeForm

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        uploads.expect_frames(request, conf.get().MAX_SNAPSHOTS)
        self._began = time.monotonic()

    def get_form_class(self) -> Any:
        """Return the form that was submitted: each has a field that the others lack."""
        if "code" in self.request.POST or self._asks_for_code():
            return self.code_form
        return self.password_form if "password" in self.request.POST else self.face_form

    def get_form(self, form_class: Any = None) -> Any:
        form: Any = super().get_form(form_class)
        form.password_form = self.password_form
        return form

    def get_template_names(self) -> list[str]:
        code = issubclass(self.get_form_class(), CodeForm)
        return [self.code_template_name] if code else super().get_template_names()

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        form, device = context["form"], devices.current(self.request)
        context["may_trust"] = True
        if isinstance(form, CodeForm):
            return context
        if isinstance(form, FaceLoginForm):
            context["password_form"] = self.password_form(self.request)
        else:
            context.update(form=self.face_form(self.request), password_form=form)
        context["device"] = device if device and devices.people(device) else None
        context["device_nonce"] = devices.nonce_for(self.request)
        context["unknown_devices"] = conf.get().UNKNOWN_DEVICES
        context["face_alone"] = conf.get().FACE_ALONE
        context["adapt"] = conf.get().ADAPT
        return context

    def form_valid(self, form: Any) -> HttpResponse:
        if isinstance(form, FaceLoginForm) and form.needs_code:
            asked = self.ask_for_code(form.result)
            self._record_time(form)
            return asked
        user = form.get_user()
        redirect_or_page = self.log_in(user)
        if "Location" not in redirect_or_page:
            return redirect_or_page
        self._adapt(form, user)
        # An override may lead to another step, after which the session starts.
        began = self.request.user == user
        greeting = self.greeting(user) if began else ""
        response = self.success_response(user, greeting, redirect_or_page["Location"])
        if began:
            self._update_device(form, user, response)
            self._record_time(form)
            if not isinstance(form, FaceLoginForm):
                invitation.invite(self.request, user)
        return response

    def log_in(self, user: Any) -> HttpResponse:
        """Start the user's session, and return the redirect to the next page.

        An override may return another response, which the client then gets unchanged.
        """
        login(self.request, user)
        return HttpResponseRedirect(self.get_success_url())

    def greeting(self, user: Any) -> str:
        """Return the message for the next page; "" for none."""
        return users.greeting(user)

    def ask_for_code(self, result: Result) -> HttpResponse:
        """Email a code to the user whose face was recognised, and redirect to the page for it.

        The answer is the same if there is no such user.
        """
        code_login.begin(self.request, result)
        target = self.get_redirect_url()
        query = {"step": "code", **({"next": target} if target else {})}
        url = f"{self.request.path}?{urlencode(query)}"
        if wants_json(self.request):
            return JsonResponse({"user": None, "code_required": True, "message": "", "next": url})
        return HttpResponseRedirect(url)

    def error_details(self) -> dict[str, Any]:
        nonce = devices.nonce_for(self.request)
        return {"device_nonce": nonce} if nonce else {}

    def _asks_for_code(self) -> bool:
        asked = self.request.method == "GET" and self.request.GET.get("step") == "code"
        return asked and code_login.is_pending(self.request)

    def _adapt(self, form: Any, user: Any) -> None:
        """Adapt the template to a face that was refused, but that the password confirms."""
        if not isinstance(form, CodeForm | FaceLoginForm):
            adaptation.adapt_to_login(
                user, self.request.FILES.getlist("snapshot")[:1], confirmed=True
            )

    def _record_time(self, form: Any) -> None:
        """Record how long the login took until its face was recognised, as far as anybody knows."""
        if isinstance(form, FaceLoginForm):
            seconds = time.monotonic() - self._began
            timings.record(self.request, self.request.POST.get("timings", ""), seconds)

    def _update_device(self, form: Any, user: Any, response: HttpResponse) -> None:
        """Change the secret of a trusted device, or trust the browser if the user wishes that."""
        if isinstance(form, FaceLoginForm):
            if form.device is not None:
                devices.log_in(self.request, response, form.device, user)
            return
        by = DeviceTrust.By.PASSWORD
        if isinstance(form, CodeForm):
            by = DeviceTrust.By.CODE
            confirmation.note(self.request, user, confirmation.CODE)
            logins.confirm_address(user, face_seen=True)
        if wants_trust(self.request):
            devices.trust(self.request, response, user, by)


class LogoutView(auth_views.LogoutView):
    """Log out, and go to ``LOGOUT_REDIRECT_URL`` or, if that is not set, to the login page."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        response = super().post(request, *args, **kwargs)
        tell(request, messages.SUCCESS, _("You are logged out."))
        return response

    def get_default_redirect_url(self) -> str:
        return resolve_url(self.next_page or settings.LOGOUT_REDIRECT_URL or "faceauth:login")


def wants_trust(request: HttpRequest) -> bool:
    """Return True if the box that trusts the browser is ticked."""
    return bool(forms.CheckboxInput().value_from_datadict(request.POST, request.FILES, "trust"))


class ConfirmView(CaptureMixin, LoginRequiredMixin, auth_views.RedirectURLMixin, FormView):
    """Confirm one's identity, by face or by password.

    `decorators.face_required` and the second step redirect here.
    """

    template_name = "faceauth/confirm.html"
    form_class: Any = OwnFaceForm

    def get_default_redirect_url(self) -> str:
        return resolve_url(settings.LOGIN_REDIRECT_URL)

    def get_back_url(self) -> str:
        """Return where users go who do not confirm; "" if that would lead here again."""
        home = self.get_default_redirect_url()
        every_page = getattr(self.request, "face_second_step", False)
        needed = every_page and not second_step.passed(self.request)
        return "" if needed or home == self.get_redirect_url() else home

    def get_form_class(self) -> Any:
        """Return the form that was submitted: only the password form has a password."""
        return OwnPasswordForm if "password" in self.request.POST else OwnFaceForm

    def get_form(self, form_class: Any = None) -> Any:
        kind = form_class or self.get_form_class()
        options = {"owner": self.request.user} if kind is OwnFaceForm else {}
        return kind(**self.get_form_kwargs(), **options)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        request, user = self.request, cast(Any, self.request.user)
        context = super().get_context_data(**kwargs)
        form, face = context["form"], faces.of(user)
        by_face, by_password = form, OwnPasswordForm(request=request)
        if isinstance(form, OwnPasswordForm):
            by_face, by_password = OwnFaceForm(request, owner=user), form
        parameters = request.POST if request.method == "POST" else request.GET
        only = parameters.get("only", "")
        only = only if only in (confirmation.FACE, confirmation.PASSWORD) else ""
        return {
            **context,
            "form": by_face,
            "password_form": by_password,
            "by_face": face.face_is_usable and only != confirmation.PASSWORD,
            "by_password": user.has_usable_password()
            and not (only == confirmation.FACE and face.face_is_asked_for),
            "by_email": planned_removal.is_available(request, user),
            "face": face,
            "only": only,
            "next": self.get_redirect_url(),
            "back": self.get_back_url(),
        }

    def form_valid(self, form: Any) -> HttpResponse:
        request, user = self.request, cast(Any, self.request.user)
        request.session.cycle_key()
        if isinstance(form, OwnFaceForm):
            confirmation.note(request, user, confirmation.FACE)
            logins.record_use(FaceEvent.Kind.CONFIRMED, request, form.get_user())
        else:
            confirmation.note(request, user, confirmation.PASSWORD)
            logins.clear_failures(request, user)
        message = _("Thank you. You have confirmed that it’s you.")
        return self.success_response(user, message, self.get_success_url())


class RecentlyConfirmedMixin(LoginRequiredMixin):
    """Require the user's face, or another confirmation, before a view changes or exports it.

    A person who finds somebody else logged in, or knows their password, then cannot do either.
    """

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not second_step.may_change_face(request):
            return error_response(request, errors.FaceNeeded())
        if request.user.is_authenticated:
            # The pictures are taken between opening the page and sending its form.
            sent = request.method == "POST"
            max_age = confirmation.MAX_AGE_WITH_PICTURES if sent else confirmation.MAX_AGE
            if refusal := confirmation.refusal_to_change_face(request, max_age):
                return refusal
        return super().dispatch(request, *args, **kwargs)


class EnrolView(CaptureMixin, RecentlyConfirmedMixin, auth_views.RedirectURLMixin, FormView):
    """Enrol or re-enrol the face of the logged-in user, and go on to `next`."""

    template_name = "faceauth/enrol.html"
    form_class = EnrolForm

    def get_default_redirect_url(self) -> str:
        return resolve_url(settings.LOGIN_REDIRECT_URL)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        device, user = devices.current(self.request), self.request.user
        trusted = device is not None and device.trusts.filter(user=user.pk).exists()
        return super().get_context_data(
            face=faces.of(user),
            may_trust=not trusted and devices.may_trust(self.request),
            next=self.get_redirect_url(),
            **kwargs,
        )

    def form_valid(self, form: EnrolForm) -> HttpResponse:
        user: Any = self.request.user
        if form.enrol(user) is None:
            return self.form_invalid(form)
        if faces.of(user).face_disabled_at is None:
            message = _("Your face is enrolled. You can log in with it now.")
        else:
            message = _("Your face is enrolled. Face login is still turned off for your account.")
        response = self.success_response(user, message, self.get_success_url())
        if wants_trust(self.request) and devices.may_trust(self.request):
            devices.trust(self.request, response, user)
        return response


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a request that failed the CSRF check; set it as ``CSRF_FAILURE_VIEW``."""
    return error_response(request, errors.CsrfFailed())
