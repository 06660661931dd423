"""What is Sendmail's own: seen by the daemon behind a real one. `protocol.py BUILD`; status 77 means skipped."""

import pathlib
import re
import smtplib
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[1:1] = [str(HERE.parent / "e2e")]

import dkim  # noqa: E402: found on the paths above

import postfix  # noqa: E402
import rows  # noqa: E402
import sendmail  # noqa: E402
from sendmail_world import SendmailWorld  # noqa: E402

SKIPPED = 77
SIGNER = "upstream.example"
TO = f"protocol@{rows.INBOX}"


class Protocol:
    def __init__(self, world):
        self.world = world
        self.key = next(each.key for each in world.account.identities if each.name == SIGNER).encode()
        self.faults = []

    def expect(self, condition, otherwise):
        if not condition:
            self.faults.append(otherwise)

    def event_of(self, reply):
        queue_id = self.world.sender.queue_id_of(reply, TO)
        for _ in range(50):
            event = self.world.events(self.world.outbound_log).get(queue_id)
            if event:
                return event
            time.sleep(0.1)
        self.faults.append(f"no event for {reply!r}")
        return {}

    def client(self):
        return smtplib.SMTP("127.0.0.1", self.world.sender.port, local_hostname="client.sender.test", timeout=60)

    def message(self, author, *fields, body=b"Hello.\r\n"):
        lines = [f"From: <{author}>", f"To: {TO}", "Date: Mon, 02 Nov 2026 09:00:00 +0000", *fields]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body

    @staticmethod
    def transact(client, message, sender):
        client.ehlo_or_helo_if_needed()
        client.mail(sender, ["BODY=8BITMIME"])
        client.rcpt(TO, ["NOTIFY=NEVER"])
        code, text = client.data(message)
        return code, text.decode(errors="replace")

    def signed(self, message):
        """As signed before it came here: every octet of the header counts."""
        return dkim.sign(message, b"own", SIGNER.encode(), self.key, include_headers=[b"From", b"To", b"Subject"],
                         canonicalize=(b"simple", b"simple"), linesep=b"\r\n") + message

    def verdict_of(self, *fields, body=b"Hello.\r\n"):
        with self.client() as client:
            message = self.signed(self.message(f"a@{SIGNER}", *fields, body=body))
            code, text = self.transact(client, message, f"a@{SIGNER}")
        self.expect(code == 250, f"{code} {text}")
        return self.event_of(text).get("verdict")

    def leading_space(self):
        """Sendmail strips the first space of a value unless it is asked to keep it (SMFIP_HDR_LEADSPC)."""
        for field in ("Subject: one", "Subject:none", "Subject:  two", "Subject:\ttab", "Subject: a\r\n  fold",
                      "Subject:\r\n fold first"):
            verdict = self.verdict_of(field)
            self.expect(verdict == "pass", f"{field!r}: a signature over it is judged {verdict}")

    def large_bodies(self):
        """In pieces, at the borders of which nothing may get lost; octets of any value but NUL, CR and LF alone."""
        octets = bytes(set(range(1, 256)) - {10, 13}) + b"\r\n"
        for size in (65533, 65535, 65537, 400_000):
            body = (octets * (size // len(octets) + 1))[: size - 2] + b"\r\n"
            body = re.sub(rb"\r(?!\n)|(?<!\r)\n", b"x", body)
            verdict = self.verdict_of("Subject: large", body=body)
            self.expect(verdict == "pass", f"a body of {size} octets is judged {verdict}")

    def one_after_the_other(self):
        """MAIL, RSET, MAIL, and several messages on one connection: nothing of one reaches the next."""
        with self.client() as client:
            client.ehlo_or_helo_if_needed()
            client.mail("dropped@held.example")
            client.rcpt(TO)
            client.rset()
            for author in ("news@example.com", "news@neither.example", "news@example.org"):
                code, text = self.transact(client, self.message(author, "Subject: next"), author)
                self.expect(code == 250, f"{code} {text}")
                event = self.event_of(text)
                self.expect(event.get("mail_from") == author, f"{author}: MAIL FROM is {event.get('mail_from')}")
                self.expect(event.get("from_domain") == author.split("@")[1], f"{author}: {event.get('from_domain')}")
                self.expect(event.get("client") == "127.0.0.1", f"{author}: the client is {event.get('client')}")
                self.expect(event.get("direction") == "outbound", f"{author}: judged as {event.get('direction')}")

    def reply_of_a_rejection(self):
        """The reason reaches the client whole, and the next message on the connection is judged for itself."""
        with self.client() as client:
            code, text = self.transact(client, self.message("a@rejected.example", "Subject: no"), "a@rejected.example")
            self.expect(code == 550 and text.startswith("5.7.1 DMARC will fail for rejected.example"), f"{code} {text}")
            code, text = self.transact(client, self.message("a@example.com", "Subject: yes"), "a@example.com")
            self.expect(code == 250 and self.event_of(text).get("verdict") == "pass", f"then {code} {text}")


def main():
    why_not = postfix.missing() or sendmail.missing()
    if why_not:
        print(f"skipped: {why_not}")
        return SKIPPED
    with SendmailWorld(sys.argv[1]) as world:
        protocol = Protocol(world)
        for part in (protocol.leading_space, protocol.large_bodies, protocol.one_after_the_other,
                     protocol.reply_of_a_rejection):
            part()
        if not world.wait_idle():
            protocol.faults.append("mail is stuck")
    print("\n".join(protocol.faults) or "no fault")
    return 1 if protocol.faults else 0


if __name__ == "__main__":
    sys.exit(main())
