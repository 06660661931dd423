#!/usr/bin/python3
"""`sesame verify` of mail that came through SES."""

import sys
import unittest

import keys
from harness import DnsTest

try:
    import ses_mail
except ImportError:
    print("skipped=1: python3-dkim is not installed")
    sys.exit(0)

LETTER = b"From: News <news@example.com>\r\nTo: reader@example.net\r\nSubject: hello\r\n\r\nHello.\r\n"


class ArrivalsTest(DnsTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        amazon, own = keys.private_key(2048), keys.private_key(2048)
        cls.ses = ses_mail.SesMail(amazon, own)
        cls.world.load({"_dmarc.example.com": {"TXT": ["v=DMARC1; p=reject"]},
                        **ses_mail.SesMail.zone("example.com", keys.public_key(amazon), keys.public_key(own))})

    def arguments(self, sender, ip=ses_mail.ADDRESS):
        return ["verify", "--ip", ip, "--helo", "a8-7.smtp-out.amazonses.com", "--mail-from", sender]

    def test_mail_through_ses_is_recognised(self):
        message, sender = self.ses.emit(LETTER, "example.com")
        answer = self.run_json(0, *self.arguments(sender), stdin=message.decode())
        time = answer["ses"].pop("time")
        self.assertRegex(time, r"^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        self.assertEqual(answer["ses"], {"domain": "example.com", "signed_domain": "example.com", "selector": "l2",
                                         "dkim_aligned": True, "spf_aligned": True,
                                         "mail_from_domain": "bounce.example.com", "region": "us-east-1"})
        self.assertEqual(answer["findings"], [])
        text = self.run_text(0, *self.arguments(sender), stdin=message.decode())
        self.assertIn(f"Amazon SES    sent from us-east-1 at {time}; its signature d=example.com s=l2 passed\n", text)
        self.assertNotIn("Findings", text)

    def test_mail_that_ses_did_not_sign_for_the_author(self):
        message, sender = self.ses.emit(LETTER, "example.com", signs=False, custom=False)
        answer = self.run_json(1, *self.arguments(sender), stdin=message.decode())
        self.assertEqual((answer["ses"]["signed_domain"], answer["ses"]["mail_from_domain"]), (None, "amazonses.com"))
        self.assertEqual(answer["findings"], [], "what was foreseen is not known here")
        text = self.run_text(1, *self.arguments(sender), stdin=message.decode())
        self.assertIn("; no signature that SES made for the author passed\n", text)

    def test_a_signature_that_broke_behind_ses(self):
        message, sender = self.ses.emit(LETTER, "example.com")
        changed = {"body hash": message + b"footer\r\n", "header hash": message.replace(b"hello", b"[list] hello")}
        for part, octets in changed.items():
            answer = self.run_json(1, *self.arguments("list@example.org", "192.0.2.1"), stdin=octets.decode())
            finding, = answer["findings"]
            self.assertEqual((finding["code"], finding["severity"]), ("dkim-broken-after", "warning"))
            self.assertIn(f"d=example.com does not verify on arrival: {part}", finding["text"])
            self.assertIsNone(answer["ses"], "nothing proves that it came through SES")
            text = self.run_text(1, *self.arguments("list@example.org", "192.0.2.1"), stdin=octets.decode())
            self.assertRegex(text, rf"\nFindings\n  warning  dkim-broken-after: .*{part}.*\n           Look for")

    def test_other_mail_has_no_such_line(self):
        message = LETTER.decode().replace("\r\n\r\n", "\r\nX-SES-Outgoing: 2026.01.01-203.0.113.7\r\n\r\n", 1)
        answer = self.run_json(1, *self.arguments("list@example.org", "192.0.2.1"), stdin=message)
        self.assertEqual((answer["ses"], answer["findings"]), (None, []))
        self.assertNotIn("Amazon SES", self.run_text(1, "verify", stdin=message))


if __name__ == "__main__":
    unittest.main(verbosity=2)
