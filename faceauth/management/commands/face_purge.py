from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from tqdm import tqdm

from faceauth import conf, enrolment, faces
from faceauth.audit import events
from faceauth.db import batches
from faceauth.lockout import counters
from faceauth.models import UsedItem
from faceauth.privacy import export, retention


def days(text: str) -> int:
    """What a number of days on the command line may be."""
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(_("%(text)r is not a positive whole number") % {"text": text})
    return int(text)


class Command(BaseCommand):
    help = _(
        "Deletes what is kept no longer: faces that have logged nobody in for a long time, old "
        "events, counts that have run out, and how near faces were that are removed by now. Whose "
        "face goes is told by mail, and an event of it is kept. Run it once a day; what an "
        "interrupted run has left the next one does. Ends with status 0 where all is done."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        now = conf.get()
        parser.add_argument(
            "--dry-run",
            action="store_true",
            help=_("say what would be deleted, and delete nothing"),
        )
        parser.add_argument(
            "--unused-days",
            type=days,
            metavar="N",
            default=now.KEEP_UNUSED_FACES_DAYS,
            help=_("in place of KEEP_UNUSED_FACES_DAYS (now: %(default)s)"),
        )
        parser.add_argument(
            "--event-days",
            type=days,
            metavar="N",
            default=now.KEEP_EVENTS_DAYS,
            help=_("in place of KEEP_EVENTS_DAYS (now: %(default)s)"),
        )
        parser.add_argument(
            "--even-without-password",
            action="store_true",
            help=_(
                "also faces of people who have no password: they can get in again only where the "
                "site sends new passwords by e-mail to those who had none"
            ),
        )

    def handle(self, **options: Any) -> None:
        self.dry_run: bool = options["dry_run"]
        if self.dry_run:
            self.stdout.write(_("Dry run: nothing is deleted."))
        # In this order a dry run counts what a real one does: what goes first counts for nothing
        # that follows.
        self._scores()
        self._run_out()
        self._events(options["event_days"])
        self._faces(options["unused_days"], options["even_without_password"])

    def _scores(self) -> None:
        """Erase what an attempt has left that was under way when its face was removed."""
        removed = {
            f"user__{faces.user_lookup('face_encodings')}__isnull": True,
            "user__isnull": False,
        }
        count = export.erase_scores(**removed, dry_run=self.dry_run)
        told = _("Events from which scores of removed faces are erased: %(count)d.")
        self.stdout.write(told % {"count": count})

    def _run_out(self) -> None:
        spent = UsedItem.objects.filter(forget_at__lt=timezone.now())
        count = self._delete(counters.expired_counts()) + self._delete(spent)
        told = _("Counted failures and spent challenges deleted: %(count)d.")
        self.stdout.write(told % {"count": count})

    def _events(self, kept: int | None) -> None:
        if kept is None:
            self.stdout.write(_("Events are kept for ever: KEEP_EVENTS_DAYS is None."))
            return
        count = self._delete(retention.old_events(kept))
        told = _("Events deleted that are older than %(days)d days: %(count)d.")
        self.stdout.write(told % {"days": kept, "count": count})

    def _faces(self, kept: int | None, even_without_password: bool) -> None:
        if kept is None:
            self.stdout.write(_("Faces are kept for ever: KEEP_UNUSED_FACES_DAYS is None."))
            return
        unused = retention.unused_faces(kept)
        users = get_user_model()._base_manager.filter(faces.user_condition(unused))
        removed = spared = 0
        with tqdm(total=users.count(), unit=" " + _("faces"), disable=None) as progress:
            for batch in batches(faces.with_faces(users)):
                for user in batch:
                    if not even_without_password and not user.has_usable_password():
                        spared += 1
                    elif self.dry_run or enrolment.remove(user, unused, reason=events.UNUSED):
                        removed += 1
                    progress.update()
        told = _("Faces removed that were not used for %(days)d days: %(count)d.")
        self.stdout.write(told % {"days": kept, "count": removed})
        if spared:
            told = _(
                "Faces left because there is no password, and they are the only way in: %(count)d. "
                "See --even-without-password."
            )
            self.stdout.write(told % {"count": spared})

    def _delete(self, rows: QuerySet) -> int:
        """Delete the rows, a batch a transaction; how many they were."""
        if self.dry_run:
            return rows.count()
        keys = batches(rows.values_list("pk", flat=True))
        return sum(rows.filter(pk__in=some).delete()[0] for some in keys)
