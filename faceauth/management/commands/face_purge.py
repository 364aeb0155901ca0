"""Command ``face_purge``: delete data that has been kept long enough."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand
from django.db.models import QuerySet
from tqdm import tqdm

from faceauth import conf, enrolment, faces
from faceauth.audit import events
from faceauth.db import BATCH, batches
from faceauth.enrolment import planned_removal
from faceauth.liveness import replay
from faceauth.lockout import counters
from faceauth.privacy import export, retention, sessions
from faceauth.users import username


def days(text: str) -> int:
    """Return a number of days from the command line."""
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"{text!r} is not a positive whole number")
    return int(text)


class Command(BaseCommand):
    """Delete expired rows in batches, and remove unused faces one by one."""

    help = (
        "Delete data that has been kept long enough: faces that have not been used to log in "
        "for a long time, or whose owners asked for it by email, old events and times of logins, "
        "expired counts, codes and sessions, devices that are no longer used, and the distances of "
        "faces that have been removed since. "
        "The owner of a removed face is notified by email, and an event is kept. "
        "Run it once a day; a run that was interrupted is continued by the next one. Exit with "
        "status 0 if all is done."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        settings = conf.get()
        parser.add_argument(
            "--dry-run",
            action="store_true",
            help="show what would be deleted and whose faces, and delete nothing",
        )
        parser.add_argument(
            "--unused-days",
            type=days,
            metavar="N",
            default=settings.KEEP_UNUSED_FACES_DAYS,
            help="use N instead of KEEP_UNUSED_FACES_DAYS (now: %(default)s)",
        )
        parser.add_argument(
            "--event-days",
            type=days,
            metavar="N",
            default=settings.KEEP_EVENTS_DAYS,
            help="use N instead of KEEP_EVENTS_DAYS (now: %(default)s)",
        )
        parser.add_argument(
            "--even-without-password",
            action="store_true",
            help=(
                "remove faces of people without a password too: they can log in again only if "
                "the site emails a new password to people who never had one"
            ),
        )

    def handle(self, **options: Any) -> None:
        self.dry_run: bool = options["dry_run"]
        if self.dry_run:
            self.stdout.write("Dry run: nothing is deleted.")
        # In this order, a dry run counts the same as a real one: no step deletes rows that a later
        # step counts.
        self._erase_scores()
        self._delete_expired()
        self._delete_devices(conf.get().TRUSTED_DEVICE_DAYS)
        self._delete_sessions()
        self._delete_events(options["event_days"])
        self._delete_takes()
        self._remove_planned()
        self._remove_faces(options["unused_days"], options["even_without_password"])

    def _erase_scores(self) -> None:
        """Erase the scores of attempts that were in progress when the face was removed."""
        removed = {
            f"user__{faces.user_lookup('face_encodings')}__isnull": True,
            "user__isnull": False,
        }
        count = export.erase_scores(**removed, dry_run=self.dry_run)
        hashes = retention.hashes_of_removed_faces()
        for some in (hashes[at : at + BATCH] for at in range(0, len(hashes), BATCH)):
            count += export.erase_scores(nearest__in=some, dry_run=self.dry_run)
        self.stdout.write(f"Events whose scores of removed faces were erased: {count}.")

    def _delete_expired(self) -> None:
        expired = [counters.expired_counts(), *retention.expired_rows()]
        count = sum(self._delete(rows) for rows in expired)
        self.stdout.write(f"Expired counts, codes and used challenges deleted: {count}.")

    def _delete_devices(self, days: int) -> None:
        # A dry run would count the same devices: they are those that have no other trust.
        trusts = self._delete(retention.unused_trusts(days))
        devices = self._delete(retention.unused_devices(days))
        self.stdout.write(f"Trusts in devices not used for {days} days deleted: {trusts}.")
        self.stdout.write(f"Devices that nobody trusts any more deleted: {devices}.")

    def _delete_sessions(self) -> None:
        model = sessions.model()
        if model is None:
            self.stdout.write(
                "Sessions are not in the database. Run manage.py clearsessions if their engine "
                "keeps those that have expired."
            )
            return
        count = self._delete(sessions.expired(model))
        for keys in sessions.of_deleted_users(model):
            count += self._delete(model._default_manager.filter(pk__in=keys))
        self.stdout.write(f"Sessions that expired or whose user was deleted: {count}.")

    def _delete_events(self, days: int | None) -> None:
        if days is None:
            self.stdout.write("Events are kept forever: KEEP_EVENTS_DAYS is None.")
            return
        count = self._delete(retention.old_events(days))
        self.stdout.write(f"Events older than {days} days deleted: {count}.")
        count = self._delete(retention.old_timings(days))
        self.stdout.write(f"Times of logins older than {days} days deleted: {count}.")

    def _delete_takes(self) -> None:
        count = self._delete(retention.old_takes())
        self.stdout.write(f"Movements at logins more than {replay.DAYS} days ago deleted: {count}.")

    def _remove_planned(self) -> None:
        """Remove the faces whose owners have asked for it by email, and have not cancelled it."""
        removed = []
        for batch in batches(planned_removal.users_due()):
            for user in batch:
                if self.dry_run or planned_removal.carry_out(user):
                    removed.append(username(user))
        self.stdout.write(f"Faces removed as their owners planned by email: {len(removed)}.")
        self._list(removed)

    def _remove_faces(self, days: int | None, even_without_password: bool) -> None:
        if days is None:
            self.stdout.write("Faces are kept forever: KEEP_UNUSED_FACES_DAYS is None.")
            return
        unused = retention.unused_faces(days)
        users = get_user_model()._base_manager.filter(faces.user_condition(unused))
        removed, spared = [], []
        with tqdm(total=users.count(), unit=" faces", disable=None) as progress:
            for batch in batches(faces.with_faces(users)):
                for user in batch:
                    if not even_without_password and not user.has_usable_password():
                        spared.append(username(user))
                    elif self.dry_run or enrolment.remove(user, unused, reason=events.UNUSED):
                        removed.append(username(user))
                    progress.update()
        self.stdout.write(f"Faces not used for {days} days removed: {len(removed)}.")
        self._list(removed)
        if spared:
            self.stdout.write(
                "Faces kept because their owners have no password and no other way in: "
                f"{len(spared)}. See --even-without-password."
            )
            self._list(spared)

    def _list(self, names: list[str]) -> None:
        """In a dry run, print whose faces were counted."""
        for name in names if self.dry_run else ():
            self.stdout.write(f"  {name}")

    def _delete(self, rows: QuerySet) -> int:
        """Delete the rows, each batch in a transaction, and return their number."""
        if self.dry_run:
            return rows.count()
        keys = batches(rows.values_list("pk", flat=True))
        return sum(rows.filter(pk__in=some).delete()[0] for some in keys)
