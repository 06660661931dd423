#!/usr/bin/python3
"""L: what is learned from mail that came back through SES. The victim sends through SES; the attacker has received such
mail and sends it on, in parts, again, or with claims of his own."""

import json
import pathlib
import tempfile
import unittest

from attack import ATTACKER, Attack, Letter, need

need("dkim", "python3-dkim")
import keys  # noqa: E402: found on the path that attack sets
import signing  # noqa: E402
from ses_mail import ADDRESS, SesMail  # noqa: E402

SES = {"ip": ADDRESS, "helo": "a8-7.smtp-out.amazonses.com"}
SETTINGS = """
[ses]
region = "us-east-1"
arrivals = "{file}"
[[ses.identity]]
name = "legit.example"
{dkim}
mail_from.domain = "bounce.legit.example"
mail_from.status = "SUCCESS"
"""
SIGNS = 'dkim.status = "SUCCESS"\ndkim.tokens = ["l1", "l2", "l3"]'


class Arrivals(Attack):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        amazon, own = keys.private_key(2048), keys.private_key(2048)
        cls.ses = SesMail(amazon, own)
        cls.zone = SesMail.zone("legit.example", keys.public_key(amazon), keys.public_key(own))

    def setUp(self):
        self.publish({"legit.example": {"TXT": ["v=spf1 -all"]}, **self.zone})
        holder = tempfile.TemporaryDirectory(prefix="sesame-arrivals-")
        self.addCleanup(holder.cleanup)
        self.file = pathlib.Path(holder.name) / "arrivals.json"

    def learning(self, dkim=SIGNS):
        """The daemon, which keeps what it learns in self.file."""
        return self.daemon(SETTINGS.format(file=self.file, dkim=dkim))

    def learned(self):
        """What was kept when the daemon ended, of the one identity there is; None if nothing was."""
        if not self.file.exists():
            return None
        entry, = json.loads(self.file.read_text())["arrivals"]
        self.assertEqual((entry["identity"], entry["region"]), ("legit.example", "us-east-1"))
        return entry

    def emit(self, lines=("From: admin@legit.example",), *, name="legit.example", signs=True, custom=True, ago=0):
        """The letter and envelope sender that SES makes of a message, so many seconds ago."""
        octets = Letter(*lines, "To: rcpt@example.net", "Subject: hello").octets()
        emitted, sender = self.ses.emit(octets, name, signs=signs, custom=custom, ago=ago)
        return Letter.of(emitted), sender

    def deliver(self, daemon, letter, sender, session=None):
        """The event of a letter that SES delivers, or who the session says."""
        daemon.send(letter.fields(), letter.body, **{**(session or SES), "mail_from": sender})
        return daemon.event()

    @staticmethod
    def codes(event):
        return [finding["code"] for finding in event.get("findings", [])]

    @staticmethod
    def without(letter, part):
        return Letter(*[line for line in letter.lines if part not in line], body=letter.body)

    def test_l01_what_ses_delivers_is_learned_and_kept(self):
        with self.learning() as daemon:
            event = self.deliver(daemon, *self.emit())
            self.assertEqual(event["ses"]["domain"], "legit.example")
            self.assertEqual((event["ses"]["signed_domain"], event["ses"]["selector"]), ("legit.example", "l2"))
            self.assertEqual((event["ses"]["dkim_aligned"], event["ses"]["spf_aligned"]), (True, True))
            self.assertEqual(event["ses"]["mail_from_domain"], "bounce.legit.example")
            self.assertEqual(event["ses"]["region"], "us-east-1")
            self.assertEqual(self.codes(event), [])
            self.assertEqual(event["dmarc"]["result"], "pass")
        kept = self.learned()
        self.assertEqual((kept["newest"]["selector"], kept["counts"]["seen"]), ("l2", 1))
        with self.learning() as daemon:
            self.deliver(daemon, *self.emit())
        self.assertEqual(self.learned()["counts"], {"seen": 2, "dkim_aligned": 2, "spf_aligned": 2, "broken": 0})

    def test_l01_what_was_not_foreseen_is_a_finding(self):
        with self.learning() as daemon:
            event = self.deliver(daemon, *self.emit(signs=False))
            self.assertEqual(self.codes(event), ["prediction-contradicted"])
            self.assertIn("without a signature d=legit.example", event["findings"][0]["text"])
            event = self.deliver(daemon, *self.emit(custom=False))
            self.assertIn("from an envelope sender of amazonses.com", event["findings"][0]["text"])
        with self.learning('dkim.signing_enabled = false\ndkim.tokens = ["l1", "l2", "l3"]') as daemon:
            event = self.deliver(daemon, *self.emit())
            self.assertIn("SES is said not to sign", event["findings"][0]["text"])

    def test_l01_the_command_line_draws_on_what_was_learned(self):
        with self.learning() as daemon:
            self.deliver(daemon, *self.emit(signs=False))
        before = self.file.read_bytes()
        config = self.write("sesame.toml", SETTINGS.format(file=self.file, dkim=SIGNS))
        message = Letter("From: admin@legit.example", "To: rcpt@example.net").octets()
        _, answer = self.run_sesame("preflight", "--config", config, message=message)
        self.assertIn("prediction-contradicted", self.codes(answer))
        self.assertEqual(answer["verdict"], "pass", "a finding, and no verdict")
        _, answer = self.run_sesame("doctor", "--config", config, "legit.example")
        self.assertIn("prediction-contradicted", self.codes(answer))
        self.assertEqual(self.file.read_bytes(), before)

    def test_l01_a_selector_seen_stands_in_for_tokens_nobody_told(self):
        config = self.write("sesame.toml", SETTINGS.format(file=self.file, dkim='dkim.status = "SUCCESS"'))
        message = Letter("From: admin@legit.example", "To: rcpt@example.net").octets()
        _, answer = self.run_sesame("preflight", "--config", config, message=message)
        self.assertEqual(answer["legs"]["dkim"]["usable"], "unknown")
        with self.learning('dkim.status = "SUCCESS"') as daemon:
            self.deliver(daemon, *self.emit())
        _, answer = self.run_sesame("preflight", "--config", config, message=message)
        self.assertEqual(answer["legs"]["dkim"]["usable"], True)

    def test_l02_a_signature_taken_out_is_not_missed(self):
        letter, sender = self.emit(ago=60)
        stripped = self.without(letter, "d=legit.example")
        self.assertEqual(len(stripped.lines), len(letter.lines) - 1)
        with self.learning() as daemon:
            self.deliver(daemon, *self.emit(ago=120))
            local = sender.split("@")[0]
            for mail_from in (f"{local}@attack.example", sender, f"{local}@amazonses.com", "bounce@attack.example", ""):
                event = self.deliver(daemon, stripped, mail_from, ATTACKER)
                self.assertEqual(event["dmarc"]["result"], "fail", mail_from)
                self.assertEqual(self.codes(event), [], mail_from)
        kept = self.learned()
        self.assertEqual((kept["newest"]["selector"], kept["counts"]["seen"]), ("l2", 1))

    def test_l02_old_mail_sent_again_teaches_nothing(self):
        with self.learning() as daemon:
            event = self.deliver(daemon, *self.emit(signs=False, ago=90000))
            self.assertEqual(event["ses"]["selector"], None)
            self.assertEqual(self.codes(event), [])
        self.assertIsNone(self.learned())
        with self.learning() as daemon:
            self.deliver(daemon, *self.emit(ago=60))
            event = self.deliver(daemon, *self.emit(signs=False, ago=3600))
            self.assertEqual(self.codes(event), [])
        self.assertEqual(self.learned()["newest"]["selector"], "l2")

    def test_l03_claims_prove_nothing(self):
        letter = Letter("From: admin@legit.example", "Subject: hello", f"X-SES-Outgoing: 2026.01.01-{ADDRESS}",
                        "Message-ID: <id@email.amazonses.com>")
        fake = signing.sign(letter, signing.Key(),
                            signing.tags(d="amazonses.com", s="amazon", h="from:message-id"))
        own = signing.sign(fake, signing.Key(), signing.tags(d="legit.example", s="l2", h="from:message-id"))
        with self.learning() as daemon:
            for letter in (fake, own):
                event = self.deliver(daemon, letter, "id@attack.example", ATTACKER)
                self.assertNotIn("ses", event)
                self.assertNotIn("prediction-contradicted", self.codes(event))
                self.assertEqual(event["dmarc"]["result"], "fail")
            letter, _ = self.emit()
            event = self.deliver(daemon, self.without(letter, "X-SES-Outgoing"), "a@attack.example", ATTACKER)
            self.assertNotIn("ses", event)
        self.assertIsNone(self.learned())

    def test_l03_a_changed_body_is_told_and_proves_nothing(self):
        letter, _ = self.emit()
        letter.body += "footer\r\n"
        with self.learning() as daemon:
            event = self.deliver(daemon, letter, "list@attack.example", ATTACKER)
            self.assertNotIn("ses", event)
            self.assertEqual(self.codes(event), ["dkim-broken-after"])
            self.assertIn("d=legit.example does not verify on arrival: body hash", event["findings"][0]["text"])
        self.assertIsNone(self.learned())

    def test_l03_what_breaks_behind_ses_is_told_and_learned(self):
        letter, sender = self.emit()
        letter.body += "footer\r\n"
        with self.learning() as daemon:
            event = self.deliver(daemon, letter, sender)
            self.assertEqual(self.codes(event), ["dkim-broken-after"])
        kept = self.learned()
        self.assertEqual((kept["newest"]["broken_domain"], kept["counts"]["broken"]), ("legit.example", 1))
        self.assertIn("body hash", kept["newest"]["broken_reason"])

    def test_l04_mail_of_others_is_not_recorded(self):
        with self.learning() as daemon:
            for author in ("a@attack.example", "a@legit.example.attack.example"):
                lines = [f"From: {author}", "Sender: admin@legit.example"]
                mail = self.emit(lines, name="attack.example", signs=False, custom=False)
                event = self.deliver(daemon, *mail)
                self.assertIn("amazonses.com", [each["domain"] for each in event["dkim"] if each["result"] == "pass"])
                self.assertNotIn("ses", event, author)
                self.assertEqual(self.codes(event), [])
            letter, sender = self.emit()
            for more in ("From: b@attack.example", "From: admin@legit.example"):
                self.assertNotIn("ses", self.deliver(daemon, letter.above(more), sender), more)
        self.assertIsNone(self.learned())

    def test_l05_a_file_that_cannot_be_used_stops_nothing(self):
        self.file.write_text("{")
        with self.learning() as daemon:
            self.assertIn("ses.arrivals: begins empty", daemon.logged())
            self.assertEqual(self.deliver(daemon, *self.emit())["ses"]["selector"], "l2")
        self.assertEqual(self.learned()["newest"]["selector"], "l2", "replaced by what was learned since")
        self.file = self.file.parent / "absent" / "arrivals.json"
        with self.learning() as daemon:
            self.assertEqual(self.deliver(daemon, *self.emit())["ses"]["selector"], "l2")


if __name__ == "__main__":
    unittest.main(verbosity=2)
