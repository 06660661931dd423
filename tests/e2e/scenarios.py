"""Sends every row's message through the world and holds what Sesame predicted against what happened."""

import json
import re
import time
from dataclasses import asdict, dataclass, field
from email.parser import BytesHeaderParser

import authres
import dkim

import rows
import verifier

SCREEN = 24  # lines
BODY = "A message of the end-to-end test.\r\n"


@dataclass
class Result:
    name: str
    title: str
    prediction: str = ""      # in words, short
    reality: str = ""         # in words, short
    why: str = ""             # Sesame's sentence
    disagreements: list = field(default_factory=list)
    event: dict = field(default_factory=dict)  # Sesame's log event
    seen: dict = field(default_factory=dict)   # the independent verifier's finding
    evidence: list = field(default_factory=list)  # lines worth showing: replies, the queue

    @property
    def agree(self):
        return not self.disagreements

    def expect(self, condition, otherwise):
        if not condition:
            self.disagreements.append(otherwise)

    def as_json(self):
        return {**asdict(self), "agree": self.agree}


def compose(row, account):
    lines = [
        *row.fields,
        f"From: Sesame <{row.author}>",
        f"To: {row.name}@{rows.INBOX}",
        f"Subject: {row.title}",
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=us-ascii",
        f"Message-ID: <{row.name}@{row.author.split('@')[1]}>",
        "Date: Mon, 02 Nov 2026 09:00:00 +0000",
    ]
    message = ("\r\n".join(lines) + "\r\n\r\n" + BODY).encode()
    if row.signed_by:
        key = next(each.key for each in account.identities if each.name == row.signed_by)
        signed = [b"From", b"To", b"Subject"]
        message = dkim.sign(message, b"own", row.signed_by.encode(), key.encode(), include_headers=signed,
                            canonicalize=(b"relaxed", b"relaxed"), linesep=b"\r\n") + message
    return message


class Run:
    def __init__(self, world):
        self.world = world
        self.resolver = verifier.Resolver(world.dns_port)
        self.submissions = {}  # row name -> (code, text) of the reply to the message

    def all(self):
        for row in rows.ROWS:
            self._send(row)
        if not self.world.wait_idle():
            raise RuntimeError("mail is stuck:\n" + self.world.sender.queue() + self.world.receiver.queue())
        return [self._judge(row) for row in rows.ROWS]

    def _send(self, row):
        message = compose(row, self.world.account)
        sender = row.author if row.envelope is None else row.envelope
        recipient = f"{row.name}@{rows.INBOX}"
        if row.action == "inbound":
            helo = f"mx.{sender.split('@')[1]}"
            reply = self.world.deliver_directly(message, sender, recipient, row.client, helo)
        else:
            reply = self.world.submit(message, sender, recipient)
        self.submissions[row.name] = reply

    def _queue_id(self, row):
        mta = self.world.receiver if row.action == "inbound" else self.world.sender
        return mta.queue_id_of(self.submissions[row.name][1], f"{row.name}@{rows.INBOX}")

    def _event(self, path, queue_id):
        """Sesame's event about a message; {} when there is none. The line may come just after the MTA's reply."""
        for _ in range(20):
            event = self.world.events(path).get(queue_id)
            if event:
                return event
            time.sleep(0.1)
        return {}

    def _judge(self, row):
        result = Result(row.name, row.title)
        log = self.world.inbound_log if row.action == "inbound" else self.world.outbound_log
        result.event = self._event(log, self._queue_id(row))
        result.expect(result.event, "Sesame logged no event for it")
        result.why = result.event.get("why", "")
        if row.action != "inbound":
            self._judge_prediction(row, result)
        if row.examined:
            self._examine(row, result)
        judge = {
            "send": self._judge_sent,
            "hold": self._judge_held,
            "reject": self._judge_rejected,
            "inbound": self._judge_inbound,
        }
        judge[row.action](row, result)
        return result

    def _examine(self, row, result):
        """The doctor has to find what the prediction names, and to say so on the first screen."""
        try:
            found = json.loads(self.world.doctor(row.examined, "--json"))
        except ValueError as error:
            found = {}
            result.expect(False, f"the doctor's answer is not JSON: {error}")
        codes = [each["code"] for each in found.get("findings", [])]
        result.expect(row.finding in codes, f"the doctor does not name {row.finding} among {codes}")
        screen = self.world.doctor(row.examined).splitlines()[:SCREEN]
        result.expect(any(row.finding in each for each in screen), "the doctor's first screen does not tell")
        result.evidence += [f"sesame doctor {row.examined}", *screen]

    @staticmethod
    def _judge_prediction(row, result):
        event = result.event
        verdict = event.get("verdict", "nothing")
        legs = [name for name in ("dkim", "spf") if carries(event, name)]
        result.prediction = verdict
        if verdict in ("pass", "fail", "none"):
            result.prediction += f" ({' + '.join(legs) or 'no leg'})"
        result.expect(verdict == row.verdict, f"predicted {verdict}, must be {row.verdict}")
        if row.finding:
            codes = [each["code"] for each in event.get("findings", [])]
            result.expect(row.finding in codes, f"does not name {row.finding} among {codes}")
        undecided = event.get("confidence") == "unknown"
        result.expect(undecided == (verdict == "unknown"), f"{verdict} with confidence {event.get('confidence')}")
        result.expect(event.get("direction") == "outbound", f"judged as {event.get('direction')}")
        result.expect(bool(result.why), "gives no why-line")
        repaired = [each["field"] for each in event.get("repairs", [])]
        result.expect(sorted(repaired) == sorted(row.repairs), f"repaired {repaired}, not {row.repairs}")
        for each in row.why:
            result.expect(each in result.why, f"the why-line does not name {each}")

    def _judge_sent(self, row, result):
        recipient = f"{row.name}@{rows.INBOX}"
        status, text = self.world.sender.delivery_of(self._queue_id(row), recipient) or ("nothing", "")
        if row.verdict == "refused":
            refusal = re.match(r"5\d\d ", text)
            result.reality = f"SES: {text}" if refusal else f"SES took it ({status})"
            result.expect(status == "bounced" and refusal, f"SES did not refuse it: {status} {text}")
            result.expect(not self.world.delivered(row.name), "it was delivered")
            return
        result.expect(status == "sent", f"SES did not take it: {status} {text}")
        self._judge_received(row, result)

    def _judge_received(self, row, result):
        copies = self.world.delivered(row.name)
        result.expect(len(copies) == 1, f"delivered {len(copies)} times")
        if not copies:
            result.reality = result.reality or "not delivered"
            return
        finding = verifier.verify(copies[0], self.resolver)
        result.seen = asdict(finding)
        legs = [name for name, holds in (("dkim", finding.dkim_aligned), ("spf", finding.spf_aligned)) if holds]
        result.reality = f"{finding.dmarc} ({' + '.join(legs) or 'no leg'})"
        if row.verdict == "unknown":
            result.expect(finding.dmarc == "temperror", f"receiver found {finding.dmarc}")
        else:
            result.expect(finding.dmarc == row.verdict, f"receiver found {finding.dmarc}")
        if row.action != "inbound" and row.verdict != "unknown":
            for name, holds in (("dkim", finding.dkim_aligned), ("spf", finding.spf_aligned)):
                result.expect(carries(result.event, name) == holds, f"{name} leg: receiver found {holds}")
        self._compare_with_sesame(copies[0], finding, result)

    @staticmethod
    def _compare_with_sesame(message, finding, result):
        """Sesame at the receiver has to conclude what the independent verifier does."""
        own = results_of(message, rows.RECEIVER_ID)
        result.expect(len(own) == 1, f"{len(own)} Authentication-Results of the receiver")
        if len(own) != 1:
            return
        by_method = {}
        for each in authres.AuthenticationResultsHeader.parse(f"Authentication-Results: {own[0]}").results:
            by_method.setdefault(each.method, []).append(each)
        found = [each.result for each in by_method.get("dmarc", [])]
        result.expect(found == [finding.dmarc], f"Sesame at the receiver found dmarc={found}")
        found = [each.result for each in by_method.get("spf", []) if each.smtp_mailfrom is not None]
        result.expect(found == [finding.spf], f"Sesame at the receiver found spf={found}, not {finding.spf}")
        passed = sorted(each.header_d for each in by_method.get("dkim", []) if each.result == "pass")
        result.expect(passed == sorted(finding.dkim), f"Sesame at the receiver verified {passed}, not {finding.dkim}")

    def _judge_held(self, row, result):
        queue_id = self._queue_id(row)
        result.expect(result.event.get("action") == "hold", f"Sesame's action was {result.event.get('action')}")
        # A queue run must not move it.
        self.world.sender.run_queue()
        time.sleep(1)
        result.expect(self.world.sender.is_held(queue_id), "not on hold")
        result.expect(not self.world.delivered(row.name), "delivered in spite of the hold")
        result.evidence = [f"{self.world.sender.LISTING}:", *self.world.sender.queue().strip().splitlines()]
        # Let go by the administrator, it must meet the end that was predicted.
        self.world.sender.release(queue_id)
        self.world.wait_idle()
        self._judge_received(row, result)
        result.reality = f"held; once released: {result.reality}"

    def _judge_rejected(self, row, result):
        code, text = self.submissions[row.name]
        result.reality = f"{code} {text}"
        result.expect(result.event.get("action") == "reject", f"Sesame's action was {result.event.get('action')}")
        result.expect(code == 550 and re.match(r"5\.7\.\d+ ", text), f"the reply was {code} {text}")
        result.expect(text.split(" ", 1)[-1][:40] in result.why, f"the reply does not give the why-line: {text}")
        result.expect(not self.world.delivered(row.name), "delivered in spite of the rejection")
        result.evidence = [f"reply to DATA: {code} {text}"]

    def _judge_inbound(self, row, result):
        self._judge_received(row, result)
        result.expect(result.event.get("direction") == "inbound", f"judged as {result.event.get('direction')}")
        logged = result.event.get("dmarc", {}).get("result")
        result.expect(logged == row.verdict, f"logged dmarc={logged}")
        result.prediction = f"verified: {logged}"
        copies = self.world.delivered(row.name)
        ours = results_of(copies[0], rows.RECEIVER_ID) if copies else []
        named = rf"iprev=pass \(\S+\) policy\.iprev={re.escape(row.client)};"
        result.expect(any(re.search(named, each) for each in ours), f"the client's name is not told: {ours}")
        if any(rows.FORGED in each for each in row.fields) and copies:
            forged = any("bank.example" in each for each in results_of(copies[0], rows.RECEIVER_ID))
            foreign = len(results_of(copies[0], "mx.elsewhere.example"))
            result.expect(not forged, "the forged Authentication-Results is still there")
            result.expect(foreign == 1, "the foreign Authentication-Results is gone")
            result.reality += "; forged result gone" if not forged else "; forged result STILL THERE"


def carries(event, name):
    """Whether Sesame said that this leg will align and pass."""
    leg = event.get("legs", {}).get(name)
    return leg is not None and leg["usable"] is True and leg["aligned"]["rfc9989"] is True


def results_of(message, authserv_id):
    """The Authentication-Results fields of one authserv-id, unfolded."""
    fields = BytesHeaderParser().parsebytes(message).get_all("Authentication-Results", [])
    unfolded = [re.sub(r"\s+", " ", each).strip() for each in fields]
    return [each for each in unfolded if re.match(rf"{re.escape(authserv_id)}\b", each)]
