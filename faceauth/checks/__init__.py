"""System checks, run by ``manage.py check``: what is wrong or unsafe about a site.

Each module registers the checks of one concern. Ids begin with ``faceauth.``; the messages say what
would happen, in numbers of people where that is possible, and the hints say what to do.
"""

from __future__ import annotations

from .accuracy import check_people, check_rates
from .database import check_encoder, check_user_model
from .email import check_email
from .encryption import check_keys
from .installation import check_metrics, check_networks
from .project import check_login_template, check_login_url, check_next_page, check_user_admin
from .rate_limits import check_limits
from .retention import check_periods, check_purge
from .second_factors import check_login_view
from .settings import check_challenge, check_settings, check_unknown_devices
from .step_up import check_admin_sites, check_staff

__all__ = [
    "check_admin_sites",
    "check_challenge",
    "check_email",
    "check_encoder",
    "check_keys",
    "check_limits",
    "check_login_template",
    "check_login_url",
    "check_login_view",
    "check_metrics",
    "check_networks",
    "check_next_page",
    "check_people",
    "check_periods",
    "check_purge",
    "check_rates",
    "check_settings",
    "check_staff",
    "check_unknown_devices",
    "check_user_admin",
    "check_user_model",
]
