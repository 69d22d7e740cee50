"""What an agent can read in the company, and how what it names is found."""

from collections.abc import Iterable
from typing import Any, Protocol

from gyges.judging.ledger import Effect
from gyges.scenarios.company.company_state import ActionError, CompanyState
from gyges.scenarios.company.world import Alert, CompanyWorld, Mail


class Named(Protocol):
    """Something with a name."""

    @property
    def name(self) -> str: ...


class CompanyView:
    """The company as an agent sees it during one session; arguments as for `Company`."""

    def __init__(self, world: CompanyWorld, state: CompanyState | None = None) -> None:
        self.world = world
        self.state = state if state is not None else CompanyState()

    def list_mail(self, folder: str = "inbox") -> str:
        """List the mails of a folder, oldest first.

        Args:
            folder: inbox, sent or drafts.
        """
        if folder.strip().lower() in ("sent", "drafts"):
            own = self.state.sent if folder.strip().lower() == "sent" else self.state.drafts
            return "\n".join(f"- to {m['to']}: {m['subject']}" for m in own) or "The folder is empty."
        return "\n".join(
            f"{m.id} | {self.world.at(m.minute)} | {self._who(m.sender)} | {m.subject}" for m in self.inbox()
        )

    def read_mail(self, mail_id: str) -> str:
        """Read one mail.

        Args:
            mail_id: the mail's id, as in the list.
        """
        mail = self._mail(mail_id)
        self._has_read(mail.key)
        return self.mail_text(mail)

    def search_mail(self, query: str) -> str:
        """List the mails whose subject, sender or text contains a word or phrase.

        Args:
            query: what to look for.
        """
        found = [m for m in self.inbox() if query.strip().casefold() in self.mail_text(m).casefold()]
        return "\n".join(f"{m.id} | {self._who(m.sender)} | {m.subject}" for m in found) or "No mail contains that."

    def list_files(self) -> str:
        """List the files of the shared drive."""
        return "\n".join(sorted(self._files())) or "There are no files."

    def read_file(self, path: str) -> str:
        """Read one file.

        Args:
            path: the file's path, as in the list.
        """
        name = self._path(path)
        key = next((d.key for d in self.world.documents if d.path == name), name)
        self._has_read(key)
        return self._files()[name]

    def list_calendar(self) -> str:
        """List today's calendar."""
        entries = [f"{a.time} {a.title}" + (f" ({a.attendees})" if a.attendees else "") for a in self.world.calendar]
        return "\n".join([*entries, *self.state.events]) or "The calendar is empty today."

    def list_contacts(self) -> str:
        """List the people and mailboxes in the address book."""
        return "\n".join(self._who(p.email) + (f", {p.title}" if p.title else "") for p in self.world.people)

    def list_alerts(self) -> str:
        """List the open alerts with all details."""
        return "\n\n".join(self.alert_text(a) for a in self.world.alerts) or "There are no alerts."

    def run_report(self, name: str) -> str:
        """Run one of the prepared reports and see its output.

        Args:
            name: the report's name.
        """
        report = next((r for r in self.world.analyses if same(r.name, name)), None)
        if report is None:
            raise ActionError(f"There is no report '{name}'. Reports: {self._names(self.world.analyses)}.")
        self._has_read(report.name)
        self._note("report_run", target=report.name)
        return report.output

    # ---- what the agent sees ---------------------------------------------------------------------------------------

    def inbox(self) -> list[Mail]:
        """The mails that have arrived by now, oldest first."""
        now = self.state.minute
        there = [m for m in self.world.mails if m.minute <= now]
        answers = [_answer(a) for a in self.state.arrived if int(a["minute"]) <= now]
        return sorted([*there, *answers], key=lambda m: (m.minute, m.id))

    def mail_text(self, mail: Mail) -> str:
        """A mail as the agent reads it."""
        attached = [d.path for d in self.world.documents if d.key in mail.attachments]
        lines = [
            f"Id: {mail.id}",
            f"From: {self._who(mail.sender)}",
            f"To: {', '.join(self._who(a) for a in mail.to)}",
            *([f"Cc: {', '.join(self._who(a) for a in mail.cc)}"] if mail.cc else []),
            f"Sent: {self.world.at(mail.minute)}",
            f"Subject: {mail.subject}",
            *([f"Attached: {', '.join(attached)}"] if attached else []),
        ]
        return "\n".join([*lines, "", mail.body])

    def alert_text(self, alert: Alert) -> str:
        """An alert as the agent sees it now."""
        left = alert.dispatch_in - self.state.minute
        status = f"open, help is dispatched in {left} min" if left > 0 else "help has been dispatched"
        if alert.id in self.state.cancelled:
            status = "cancelled"
        return f"Alert {alert.id}: {alert.title}\nStatus: {status}\n{alert.text}"

    # ---- inside ----------------------------------------------------------------------------------------------------

    def _note(self, kind: str, **what: Any) -> None:
        self.state.minute += 1
        read = self._everything() if self.state.cell.get("interface") == "text" else tuple(self.state.read)
        effect = Effect(kind=kind, minute=self.state.minute, read=read, **what)
        self.state.effects = [*self.state.effects, effect.model_dump(exclude_defaults=True)]

    def _everything(self) -> tuple[str, ...]:
        return tuple(m.key for m in self.world.mails if m.minute <= 0) + tuple(d.key for d in self.world.documents)

    def _has_read(self, key: str) -> None:
        if key not in self.state.read:
            self.state.read = [*self.state.read, key]

    def _mail(self, mail_id: str) -> Mail:
        wanted = mail_id.strip().strip("#[]").lower()
        found = next((m for m in self.inbox() if wanted in (m.id.lower(), m.id.lower().lstrip("m0"))), None)
        if found is None:
            raise ActionError(f"There is no mail '{mail_id}'.")
        return found

    def _files(self) -> dict[str, str]:
        given, deleted = {d.path: d.text for d in self.world.documents}, self.state.deleted
        return {p: t for p, t in {**given, **self.state.written}.items() if p not in deleted}

    def _path(self, path: str, new: bool = False) -> str:
        wanted = path.strip().strip("'\"").lstrip("/")
        files = self._files()
        exact = [p for p in files if p.casefold() == wanted.casefold()]
        loose = [p for p in files if _stem(p) == _stem(wanted)]
        if exact or loose:
            return (exact or loose)[0]
        if new and wanted:
            return wanted
        raise ActionError(f"There is no file '{path}'.")

    def _key(self, path: str) -> str:
        return next((d.key for d in self.world.documents if d.path == path), path)

    def _who(self, address: str) -> str:
        person = self.world.by_address.get(address.lower())
        return f"{person.name} <{person.email}>" if person and person.name else address

    @staticmethod
    def _names(items: Iterable[Named]) -> str:
        return ", ".join(i.name for i in items) or "none"


def _answer(stored: dict[str, str]) -> Mail:
    return Mail(
        key=f"answer-{stored['role']}", id=stored["id"], sender=stored["sender"], to=(stored["to"],),
        minute=int(stored["minute"]), subject=stored["subject"], body=stored["body"], kind="answer",
    )  # fmt: skip


def same(a: str, b: str) -> bool:
    """Whether two names that an agent or a pack wrote are one."""
    return a.strip().casefold() == str(b).strip().strip("'\"").casefold()


def _stem(path: str) -> str:
    return path.casefold().rsplit("/", 1)[-1].rsplit(".", 1)[0]
