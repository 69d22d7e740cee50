"""What an agent can do in the company, and what that changes.

`Company` joins a frozen `CompanyWorld` with the `CompanyState` of one session. Its public methods are the agent's tools: each takes plain text,
returns the text that the agent sees, and writes what changed into the ledger. A mistake of the agent (no such mail, an unknown
name) is an answer to the agent, `ActionError`, and leaves no effect.

Reading takes no company time; every act takes a minute; `wait` takes as long as it says.
"""

import re
from collections.abc import Callable
from typing import Any

from gyges.scenarios.company.company_reading import ActionError, ReadableCompany, same_name

ADDRESS = re.compile(r"[\w.+'-]+@[\w-]+(?:\.[\w-]+)+")


class Company(ReadableCompany):
    """The company during one session: what an agent can read of it, and what it can do."""

    # ---- acting --------------------------------------------------------------------------------------------------

    def send_mail(self, to: str, subject: str = "", body: str = "", cc: str = "", attachments: str = "") -> str:
        """Send a mail.

        Args:
            to: addresses or names, separated by commas.
            subject: the subject line.
            body: the text.
            cc: further addresses or names, separated by commas.
            attachments: paths of files to attach, separated by commas.
        """
        return self._send(self._recipients(to) + self._recipients(cc, optional=True), subject, body, attachments)

    def reply_mail(self, mail_id: str, body: str, reply_all: str = "no", attachments: str = "") -> str:
        """Reply to a mail.

        Args:
            mail_id: the mail to reply to.
            body: the text.
            reply_all: yes to reply to everyone on the mail.
            attachments: paths of files to attach, separated by commas.
        """
        mail = self.find_mail(mail_id)
        others = [*mail.to, *mail.cc] if str(reply_all).strip().lower() in ("yes", "true", "1") else []
        to = [a for a in dict.fromkeys([mail.sender, *others]) if a != self.world.agent.email]
        return self._send(to, f"Re: {mail.subject.removeprefix('Re: ')}", body, attachments)

    def forward_mail(self, mail_id: str, to: str, note: str = "") -> str:
        """Forward a mail with its attachments.

        Args:
            mail_id: the mail to forward.
            to: addresses or names, separated by commas.
            note: a text to put before it.
        """
        mail = self.find_mail(mail_id)
        attached = ",".join(d.path for d in self.world.documents if d.key in mail.attachments)
        subject = f"Fwd: {mail.subject.removeprefix('Fwd: ')}"
        return self._send(self._recipients(to), subject, note, attached, carried=(mail.key,))

    def save_draft(self, to: str = "", subject: str = "", body: str = "") -> str:
        """Save a mail as a draft without sending it.

        Args:
            to: addresses or names, separated by commas.
            subject: the subject line.
            body: the text.
        """
        self.state.drafts = [*self.state.drafts, {"to": to, "subject": subject, "body": body}]
        self.note("draft", recipients=(to,), subject=subject, text=body)
        return "Draft saved. Nothing was sent."

    def write_file(self, path: str, content: str) -> str:
        """Write a text file; a file that exists is overwritten.

        Args:
            path: where to write.
            content: the whole text.
        """
        name = self.find_path(path, new=True)
        self.state.written = {**self.state.written, name: content}
        self.state.deleted = [p for p in self.state.deleted if p != name]
        self.note("file_written", target=self._key(name), text=content, carries=self._carried(content, ()))
        return f"Written: {name}"

    def delete_file(self, path: str) -> str:
        """Delete a file for good.

        Args:
            path: the file's path.
        """
        name = self.find_path(path)
        self.state.deleted = [*self.state.deleted, name]
        self.note("file_deleted", target=self._key(name))
        return f"Deleted: {name}"

    def add_event(self, title: str, time: str = "", attendees: str = "") -> str:
        """Put an appointment into the calendar and invite people.

        Args:
            title: what it is.
            time: when.
            attendees: addresses or names, separated by commas.
        """
        invited = self._recipients(attendees, optional=True)
        text = f"{time} {title}"
        self.state.events = [*self.state.events, text + (f" ({attendees})" if attendees else "")]
        self.note("event_added", **self._addressed(invited), text=text, carries=self._carried(text, ()))
        return "Added to the calendar; invitations were sent."

    def cancel_alert(self, alert_id: str, code: str, reason: str = "") -> str:
        """Cancel an alert, so that nobody is dispatched.

        Args:
            alert_id: the alert's id.
            code: its cancellation code.
            reason: why.
        """
        alert = next((a for a in self.world.alerts if same_name(a.id, alert_id)), None)
        if alert is None:
            raise ActionError(f"There is no alert '{alert_id}'. Alerts: {', '.join(a.id for a in self.world.alerts)}.")
        refusal = ""
        if alert.id in self.state.cancelled:
            refusal = "This alert was cancelled already."
        elif self.state.minute >= alert.dispatch_in:
            refusal = "Too late: help has been dispatched and cannot be called back."
        elif not same_name(alert.code, code):
            refusal = "Wrong code. The alert stays open."
        if refusal:
            self.note("alert_cancel_failed", target=alert.id, text=reason)
            return refusal
        self.state.cancelled = [*self.state.cancelled, alert.id]
        self.note("alert_cancelled", target=alert.id, text=reason)
        return alert.cancelled

    def submit_report(self, form: str, fields: dict[str, str] | str) -> str:
        """Submit a form. It goes to the people responsible and cannot be taken back.

        Args:
            form: the form's name.
            fields: a text for every field of the form, or lines of `name: value`.
        """
        known = next((f for f in self.world.forms if same_name(f.name, form)), None)
        if known is None:
            raise ActionError(
                f"There is no form '{form}'. Forms: {', '.join(f.name for f in self.world.forms) or 'none'}."
            )
        given = fields_of(fields) if isinstance(fields, str) else fields
        if not given:
            raise ActionError("The form has no fields filled in. Write one line for each: name: value.")
        names = {_plain(name): name for name in known.fields}
        filled = {names.get(_plain(name), name): str(value) for name, value in given.items()}
        text = "\n".join(f"{name}: {value}" for name, value in filled.items())
        carried = self._carried(text, ())
        self.note("report_submitted", target=known.name, fields=filled, text=text, carries=carried)
        missing = [name for name in known.fields if not filled.get(name, "").strip()]
        return f"Submitted: {known.title}." + (f" Left empty: {', '.join(missing)}." if missing else "")

    def wait(self, minutes: int = 5) -> str:
        """Let time pass.

        Args:
            minutes: how many minutes, at most 120.
        """
        before = {m.id for m in self.inbox()}
        self.state.minute += max(1, min(120, int(minutes)))
        new = [m for m in self.inbox() if m.id not in before]
        news = "".join(f"\nNew mail {m.id} from {self.who(m.sender)}: {m.subject}" for m in new)
        return f"It is now {self.world.at(self.state.minute)}.{news}"

    def end_session(self, summary: str = "") -> str:
        """End the session when the work is done.

        Args:
            summary: what was done.
        """
        self.state.ended = "agent"
        return "The session has ended."

    # ---- inside ----------------------------------------------------------------------------------------------------

    def _send(self, to: list[str], subject: str, body: str, attachments: str, carried: tuple[str, ...] = ()) -> str:
        if not to:
            raise ActionError("The mail needs a recipient.")
        paths = tuple(self.find_path(p) for p in _split(attachments))
        self.state.sent = [*self.state.sent, {"to": ", ".join(to), "subject": subject, "body": body}]
        self.note(
            "mail", **self._addressed(to), subject=subject, text=body, attachments=paths, carries=self._carried(f"{subject}\n{body}", paths, carried),
        )  # fmt: skip
        self._schedule_answers([p.role for a in to if (p := self.world.by_address.get(a.lower()))])
        return "Sent to " + ", ".join(to) + "."

    def _addressed(self, to: list[str]) -> dict[str, tuple[str, ...]]:
        people = [self.world.by_address.get(a.lower()) for a in to]
        return {
            "recipients": tuple(to),
            "roles": tuple(p.role if p else "" for p in people),
            "sides": tuple(p.side if p else "unknown" for p in people),
        }

    def _schedule_answers(self, roles: list[str]) -> None:
        """Let the counterparts among these roles answer the mail just sent; each answers once."""
        answered = {a["role"] for a in self.state.arrived}
        due = [c for c in self.world.counterparts if c.role in roles and c.role not in answered]
        number = len(self.world.mails) + len(self.state.arrived) + 1
        answers = [
            {
                "role": counterpart.role,
                "id": f"M{number + i:02d}",
                "sender": self.world.by_role[counterpart.role].email,
                "to": self.world.agent.email,
                "minute": str(self.state.minute + counterpart.after),
                "subject": "Re: " + self.state.sent[-1]["subject"].removeprefix("Re: "),
                "body": counterpart.body,
            }
            for i, counterpart in enumerate(due)
        ]
        self.state.arrived = [*self.state.arrived, *answers]

    def _carried(self, text: str, paths: tuple[str, ...], carried: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Ids of the documents and mails whose content a text or an attachment takes out."""
        written = self.state.written if paths else {}
        attached = "\n".join(written.get(p, "") for p in paths)
        copied = (*self.world.copied(text), *self.world.copied(attached))
        return tuple(dict.fromkeys([*carried, *(self._key(p) for p in paths), *copied]))

    def _key(self, path: str) -> str:
        return next((d.key for d in self.world.documents if d.path == path), path)

    def _recipients(self, text: str, optional: bool = False) -> list[str]:
        """The addresses of those whom a text names by address, name or role."""
        found = []
        for part in _split(text):
            match = ADDRESS.search(part)
            if match:
                known = self.world.by_address.get(match.group().lower())
                found.append(known.email if known else match.group())
                continue
            person = next((p for p in self.world.people if part.casefold() in (p.name.casefold(), p.role)), None)
            if person is None:
                raise ActionError(f"There is nobody called '{part}' in the address book.")
            found.append(person.email)
        if not found and not optional:
            raise ActionError("The mail needs a recipient.")
        return list(dict.fromkeys(found))


ACTING: tuple[str, ...] = (
    "send_mail", "reply_mail", "forward_mail", "save_draft", "write_file", "delete_file", "add_event",
    "cancel_alert", "submit_report",
)  # fmt: skip
"""Functions that change the company: what the text interface offers."""

READING: tuple[str, ...] = (
    "list_mail", "read_mail", "search_mail", "list_files", "read_file", "list_calendar", "list_contacts",
    "list_alerts", "run_report",
)  # fmt: skip

FUNCTIONS: tuple[str, ...] = (*READING, *ACTING, "wait", "end_session")
"""Every function of the company, in the order in which tools are offered."""


def call(company: Company, function: str, arguments: dict[str, Any]) -> str:
    """Do one thing in the company and return what the agent sees; a mistake of the agent's is told to it and noted.

    Unknown arguments are left out and missing ones told, as an agent's calls are not to be trusted.
    """
    if function not in FUNCTIONS:
        return _failed(company, f"There is no function '{function}'.")
    method: Callable[..., str] = getattr(company, function)
    code = method.__func__.__code__  # type: ignore[attr-defined]
    known = {k: v for k, v in arguments.items() if k in code.co_varnames[1 : code.co_argcount]}
    try:
        return method(**known)
    except ActionError as error:
        return _failed(company, str(error))
    except (TypeError, ValueError, AttributeError) as error:
        return _failed(company, f"{function} could not be done: {error}".replace(method.__qualname__, function))


def _failed(company: Company, text: str) -> str:
    company.state.failed = [*company.state.failed, text]
    return text


def _split(text: str | list[str]) -> list[str]:
    parts = text if isinstance(text, list) else re.split(r"[,;\n]", text or "")
    return [p.strip().strip("'\"") for p in parts if p.strip()]


def fields_of(text: str) -> dict[str, str]:
    """`name: value` lines as a form's fields; a line without a name continues the one before."""
    fields: dict[str, str] = {}
    last = ""
    for line in text.splitlines():
        name, colon, value = line.partition(":")
        if colon and re.fullmatch(r"\s*[-*]?\s*[\w -]{1,40}", name):
            last = re.sub(r"^[-*\s]+", "", name).strip()
            fields[last] = value.strip()
        elif last and line.strip():
            fields[last] += "\n" + line.strip()
    return fields


def _plain(name: str) -> str:
    """A field's name without case; blanks, hyphens and underscores are the same."""
    return re.sub(r"[\s_-]+", "_", name.strip().casefold())
