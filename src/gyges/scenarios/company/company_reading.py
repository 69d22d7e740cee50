"""What an agent can read in the company, and how it finds what it names.

Reading takes no company time. A mistake of the agent (no such mail, an unknown name) is an answer to the agent, `ActionError`.
"""

from typing import Any

from gyges.judging.ledger import Effect
from gyges.scenarios.company.company_state import CompanyState
from gyges.scenarios.company.world import Alert, CompanyWorld, Mail

NO_ONE = ("all", "inbox")
"""Roles that are lists of people and not somebody."""


class ActionError(Exception):
    """The agent asked for something that cannot be done; the text tells it why."""


class ReadableCompany:
    """The company as an agent reads it: what was there at the start, and what has happened since.

    Args:
        world: what is there at the start.
        state: what has happened so far; a fresh one if left out.
    """

    def __init__(self, world: CompanyWorld, state: CompanyState | None = None) -> None:
        self.world = world
        self.state = state if state is not None else CompanyState()

    # ---- tools -----------------------------------------------------------------------------------------------------

    def list_mail(self, folder: str = "inbox") -> str:
        """List the mails of a folder, oldest first.

        Args:
            folder: inbox, sent or drafts.
        """
        if folder.strip().lower() in ("sent", "drafts"):
            own = self.state.sent if folder.strip().lower() == "sent" else self.state.drafts
            return "\n".join(f"- to {m['to']}: {m['subject']}" for m in own) or "The folder is empty."
        return "\n".join(
            f"{m.id} | {self.world.at(m.minute)} | {self.who(m.sender)} | {m.subject}" for m in self.inbox()
        )

    def read_mail(self, mail_id: str) -> str:
        """Read one mail.

        Args:
            mail_id: the mail's id, as in the list.
        """
        mail = self.find_mail(mail_id)
        self._has_read(mail.key)
        return self.mail_text(mail)

    def search_mail(self, query: str) -> str:
        """List the mails whose subject, sender or text contains a word or phrase.

        Args:
            query: what to look for.
        """
        found = [m for m in self.inbox() if query.strip().casefold() in self.mail_text(m).casefold()]
        return "\n".join(f"{m.id} | {self.who(m.sender)} | {m.subject}" for m in found) or "No mail contains that."

    def list_files(self) -> str:
        """List the files of the shared drive."""
        return "\n".join(sorted(self.files())) or "There are no files."

    def read_file(self, path: str) -> str:
        """Read one file.

        Args:
            path: the file's path, as in the list.
        """
        name = self.find_path(path)
        key = next((d.key for d in self.world.documents if d.path == name), name)
        self._has_read(key)
        return self.files()[name]

    def list_calendar(self) -> str:
        """List today's calendar."""
        entries = [f"{a.time} {a.title}" + (f" ({a.attendees})" if a.attendees else "") for a in self.world.calendar]
        return "\n".join([*entries, *self.state.events]) or "The calendar is empty today."

    def list_contacts(self) -> str:
        """List the people and mailboxes in the address book."""
        if self.brief:
            named = [p for p in self.world.people if p.name and p.role not in NO_ONE and not p.role.startswith("staff")]
            return "\n".join(p.name + f", {p.title}" * (p.title not in ("", p.name)) for p in named)
        return "\n".join(self.who(p.email) + (f", {p.title}" if p.title else "") for p in self.world.people)

    def list_alerts(self) -> str:
        """List the open alerts with all details."""
        return "\n\n".join(self.alert_text(a) for a in self.world.alerts) or "There are no alerts."

    def run_report(self, name: str) -> str:
        """Run one of the prepared reports and see its output.

        Args:
            name: the report's name.
        """
        report = next((r for r in self.world.analyses if same_name(r.name, name)), None)
        if report is None:
            raise ActionError(
                f"There is no report '{name}'. Reports: {', '.join(a.name for a in self.world.analyses) or 'none'}."
            )
        self._has_read(report.name)
        self.note("report_run", target=report.name)
        return report.output

    # ---- what the agent sees -----------------------------------------------------------------------------------------

    @property
    def brief(self) -> bool:
        """Whether all is shown in its short form: people by their names alone, as mail can be sent to a name."""
        return self.state.cell.get("length") == "brief"

    def inbox(self) -> list[Mail]:
        """The mails that have arrived by now, oldest first."""
        now = self.state.minute
        there = [m for m in self.world.mails if m.minute <= now]
        answers = [
            Mail(
                key=f"answer-{a['role']}", id=a["id"], sender=a["sender"], to=(a["to"],), minute=int(a["minute"]),
                subject=a["subject"], body=a["body"], kind="answer",
            )
            for a in self.state.arrived if int(a["minute"]) <= now
        ]  # fmt: skip
        return sorted([*there, *answers], key=lambda m: (m.minute, m.id))

    def mail_text(self, mail: Mail) -> str:
        """A mail as the agent reads it."""
        attached = [d.path for d in self.world.documents if d.key in mail.attachments]
        if self.brief:
            return f"{mail.id} from {self.who(mail.sender)}: {mail.subject}\n{mail.body}"
        lines = [
            f"Id: {mail.id}",
            f"From: {self.who(mail.sender)}",
            f"To: {', '.join(self.who(a) for a in mail.to)}",
            *([f"Cc: {', '.join(self.who(a) for a in mail.cc)}"] if mail.cc else []),
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

    # ---- finding -----------------------------------------------------------------------------------------------------

    def find_mail(self, mail_id: str) -> Mail:
        """The mail of the inbox that an agent means.

        Raises:
            ActionError: there is no such mail.
        """
        wanted = mail_id.strip().strip("#[]").lower()
        found = next((m for m in self.inbox() if wanted in (m.id.lower(), m.id.lower().lstrip("m0"))), None)
        if found is None:
            raise ActionError(f"There is no mail '{mail_id}'.")
        return found

    def files(self) -> dict[str, str]:
        """The files that are there now: path to text."""
        given, deleted = {d.path: d.text for d in self.world.documents}, self.state.deleted
        return {p: t for p, t in {**given, **self.state.written}.items() if p not in deleted}

    def find_path(self, path: str, new: bool = False) -> str:
        """The path of the file that an agent means; its folder and ending may be left out.

        Args:
            path: what the agent wrote.
            new: whether there may be no such file yet.

        Raises:
            ActionError: there is no such file.
        """
        wanted = path.strip().strip("'\"").lstrip("/")
        files = self.files()
        exact = [p for p in files if p.casefold() == wanted.casefold()]
        loose = [p for p in files if _stem(p) == _stem(wanted)]
        if exact or loose:
            return (exact or loose)[0]
        if new and wanted:
            return wanted
        raise ActionError(f"There is no file '{path}'.")

    def who(self, address: str) -> str:
        """Name and address of a person, or the address of a stranger."""
        person = self.world.by_address.get(address.lower())
        if not person or not person.name:
            return address
        return person.name if self.brief else f"{person.name} <{person.email}>"

    # ---- what is kept ------------------------------------------------------------------------------------------------

    def note(self, kind: str, **what: Any) -> None:
        """Write an effect into the ledger, with what the agent had read by then; it takes a minute."""
        self.state.minute += 1
        read = self.state.read
        if self.state.cell.get("interface") == "text":
            read = [m.key for m in self.world.mails if m.minute <= 0] + [d.key for d in self.world.documents]
        effect = Effect(kind=kind, minute=self.state.minute, read=tuple(read), **what)
        self.state.effects = [*self.state.effects, effect.model_dump(exclude_defaults=True)]

    def _has_read(self, key: str) -> None:
        if key not in self.state.read:
            self.state.read = [*self.state.read, key]


def same_name(a: str, b: str) -> bool:
    """Whether an agent's text `b` names `a`."""
    return a.strip().casefold() == str(b).strip().strip("'\"").casefold()


def _stem(path: str) -> str:
    return path.casefold().rsplit("/", 1)[-1].rsplit(".", 1)[0]
