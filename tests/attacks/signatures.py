#!/usr/bin/python3
"""D: DKIM signatures and keys, wrong on purpose. A signature counts for what it covers and for nobody else, and a
hostile one costs next to nothing."""

import base64
import hashlib
import time
import unittest

from attack import ATTACKER, LEGIT, Attack, Letter, letter, need

need("dkim", "python3-dkim")
import signing  # noqa: E402: needs python3-dkim
from signing import tags  # noqa: E402

BH = "frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY="
NOW = 1790000000
EMPTY = ("", "\r\n", "\r\n\r\n\r\n")


def fake(tags="v=1; a=rsa-sha256; c=relaxed/relaxed; d=legit.example; s=s1; h=from:to", rest=f"bh={BH}; b=YWFh"):
    """A DKIM-Signature nobody made."""
    return f"DKIM-Signature: {tags}; {rest}"


class Signatures(Attack):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.key = signing.Key()

    def publish(self, zone, faults=()):
        super().publish({"s1._domainkey.legit.example": {"TXT": [self.key.record()]}, **zone}, faults)

    def signed(self, text=tags(), message=None, **options):
        return signing.sign(message or letter("admin@legit.example"), self.key, text, **options)

    def judge(self, message, *options):
        """The outcome of the top signature, sent from nowhere in particular; DMARC follows it."""
        answer = self.verify(message, *options, **ATTACKER)
        outcome = answer["dkim"][0]
        wanted = {"pass": "pass", "temperror": "temperror"}.get(outcome["result"], "fail")
        self.assert_dmarc(answer, wanted, outcome)
        if outcome["result"] != "pass":
            self.assertNotEqual(outcome["reason"], "")
        return outcome

    def assert_dkim(self, result, message, *options, reason="", context=None):
        outcome = self.judge(message, *options)
        self.assertEqual(outcome["result"], result, (context, outcome))
        self.assertIn(reason, outcome["reason"], context)

    def assert_never_asked(self, field, result="permerror"):
        """Refused before any DNS."""
        self.publish({})
        answer = self.verify(letter("a@attack.example").above(field))
        self.assertEqual(answer["dkim"][0]["result"], result, field)
        self.assertEqual(self.asked("_domainkey"), [], field)

    def test_d01_domains_that_are_none(self):
        for domain in ("legit.example(.attack.example", "legit.example'.attack.example",
                       "legit.example\0.attack.example",
                       "legit.example .attack.example", "legit.example/.attack.example",
                       "legit.example\t.attack.example",
                       "legit..example", ".legit.example", "example", "", "legit.example\".attack.example",
                       "a" * 64 + ".example",
                       "legit.example)", "legit,example", "@legit.example", "admin@legit.example", "[192.0.2.1]"):
            self.assert_never_asked(fake(f"v=1; a=rsa-sha256; d={domain}; s=s1; h=from"))

    def test_d02_selectors_that_lead_elsewhere(self):
        for selector in ("s1.attack.example.\0", "\0", "s1\0x", "s1..x", ".s1", "", "s1 x", "s1/x", "s1(x",
                         "a.b.attack.example\0",
                         "a" * 64, ".".join(["a" * 63] * 4), "*", "s1\\000", "s1@x", "s1\udcff"):
            self.assert_never_asked(fake(f"v=1; a=rsa-sha256; d=legit.example; s={selector}; h=from"))
        self.publish({})
        self.verify(letter("a@attack.example").above(fake("v=1; a=rsa-sha256; d=legit.example; s=A.b_c; h=from")))
        self.assertEqual(self.asked("legit.example", "TXT"), ["a.b_c._domainkey.legit.example"])

    def test_d03_line_ends_in_tags_go_nowhere(self):
        injected = "=0D=0AX-Injected:=20yes=0D=0A"
        fields = [fake(f"v=1; a=rsa-sha256; d=legit.example; s=s1; i={injected}@legit.example; h=from"),
                  fake("v=1; a=rsa-sha256; d=legit.example\r\n X-Injected: yes; s=s1; h=from"),
                  fake("v=1; a=rsa-sha256; d=legit.example; s=s1\r\n X-Injected: yes; h=from"),
                  fake("v=1; a=rsa-sha256; d=legit.example; s=s1; i=\r\n X-Injected: yes@legit.example; h=from"),
                  fake("v=1; a=rsa\r\n X-Injected: yes; d=legit.example; s=s1; h=from"),
                  fake("v=1; a=rsa-sha256; d=legit.example; s=s1; h=from", f"bh={BH}; b=X-In\r\n jected:")]
        fields.append(self.signed(tags(f"i={injected}@legit.example")).lines[0])
        message = letter("admin@legit.example", "To: \udcff").above(*fields)
        with self.daemon() as daemon:
            reply = daemon.send(message.fields(), mail_from="a\r\nX-Injected: yes@attack.example")
            field, = reply.inserted()
            for line in field.value.split("\n")[1:]:
                self.assertRegex(line, r"^[ \t][ -~]+$")
            self.assertNotIn("\r", field.value)
            self.assertEqual(len(daemon.events()), 1, "every line of the log can be read, and one is the message's")

    def test_d04_length_shorter_than_the_body(self):
        body = "Hello.\r\n"
        for length, result in ((len(body), "pass"), (len(body) - 3, "policy"), (0, "policy")):
            self.assert_dkim(result, self.signed(tags(f"l={length}")), reason="" if result == "pass" else "l=")
        message = self.signed(tags(f"l={len(body)}"))
        message.body += "<h1>Pay here instead</h1>\r\n"
        self.assert_dkim("policy", message, reason="l=")
        for length in ("9", "999999999999999999999999999", "-1", "x", "", "1" * 77):
            self.assert_dkim("permerror", letter("admin@legit.example").above(
                fake(f"v=1; a=rsa-sha256; d=legit.example; s=s1; l={length}; h=from")), reason="l=", context=length)

    def test_d05_oversized_body_hash(self):
        for algorithm in ("ed25519-sha256", "rsa-sha256"):
            for size in (500, 33, 31, 1, 100000):
                bh = "A" * (size * 4 // 3 // 4 * 4 or 4)
                self.assert_never_asked(fake(f"v=1; a={algorithm}; d=legit.example; s=s1; h=from", f"bh={bh}; b=YWFh"))
                self.assert_never_asked(fake(f"v=1; a={algorithm}; d=legit.example; s=s1; h=from", "bh=YWFh; b=" + bh),
                                        "permerror")

    def test_d06_lists_of_signed_fields(self):
        for names in (":" * 20000, "from" + ":" * 20000, "from:" + "x:" * 20000, "to:subject", "", "resent-from",
                      "fromm",
                      "from to", "from:b d"):
            self.assert_never_asked(fake(f"v=1; a=rsa-sha256; d=legit.example; s=s1; h={names}"))

    def test_d07_two_hundred_signatures(self):
        message = letter("admin@legit.example")
        right = base64.b64encode(hashlib.sha256(message.body.encode()).digest()).decode()
        fields = [fake(f"v=1; a=rsa-sha256; d=d{i}.example; s=s{i}; h=from", f"bh={right}; b=YWFh") for i in range(200)]
        answer = self.verify(message.above(*fields))
        self.assertEqual(len(answer["dkim"]), 200)
        self.assertEqual(sum("not tried" in outcome["reason"] for outcome in answer["dkim"]), 190)
        self.assertLessEqual(len(self.asked("_domainkey")), 20)
        # Each wants a hash of its own of the body: as many are made, and no more.
        fields = [fake(f"v=1; a=rsa-sha256; d=d{i}.example; s=s{i}; h=from; l={i}") for i in range(200)]
        answer = self.verify(letter("admin@legit.example", body="x" * 300 + "\r\n").above(*fields))
        self.assertEqual(sum("not tried" in outcome["reason"] for outcome in answer["dkim"]), 190)

    def test_d08_decoys_do_not_displace_the_real_signature(self):
        real = self.signed()
        rest = f"bh={signing.value_of(real.lines[0], 'bh')}; b=YWFh"
        for domain in ("d{i}.example", "attack.example", "sub{i}.legit.example", "legit{i}.example"):
            decoys = [fake(f"v=1; a=rsa-sha256; c=relaxed/relaxed; d={domain.format(i=i)}; s=s{i}; h=from", rest)
                      for i in range(99)]
            for message in (real.above(*decoys), Letter(*real.lines, *decoys, body=real.body)):
                answer = self.verify(message, **ATTACKER)
                passed = [outcome["domain"] for outcome in answer["dkim"] if outcome["result"] == "pass"]
                self.assertEqual(passed, ["legit.example"], domain)
                self.assert_dmarc(answer, "pass", domain)

    def test_d08_decoys_of_the_authors_own_domain(self):
        """With another body's hash, which tells them from the real one before any key is needed."""
        real = self.signed()
        rest = f"bh={base64.b64encode(hashlib.sha256(b'other').digest()).decode()}; b=YWFh"
        decoys = [fake(f"v=1; a=rsa-sha256; c=relaxed/relaxed; d=legit.example; s=s{i}; h=from", rest) for i in range(99)]
        answer = self.verify(real.above(*decoys), **ATTACKER)
        self.assertEqual([outcome["result"] for outcome in answer["dkim"]], ["fail"] * 99 + ["pass"])
        self.assert_dmarc(answer, "pass")
        self.assertLessEqual(len(self.asked("_domainkey")), 20)

    def test_d08_slow_decoys_take_no_time_from_the_real_one(self):
        real = self.signed()
        rest = f"bh={signing.value_of(real.lines[0], 'bh')}; b=YWFh"
        decoys = [fake(f"v=1; a=rsa-sha256; c=relaxed/relaxed; d=dead.example; s=s{i}; h=from", rest) for i in range(9)]
        self.publish({f"s{i}._domainkey.dead.example": {"FAULT": "TIMEOUT"} for i in range(9)})
        with self.daemon(dns="timeout = 0.2\ntries = 1\nbudget = 2.0\n") as daemon:
            self.assertIn("dmarc=pass", daemon.send(real.above(*decoys).fields()).results())

    def test_d09_oversized_keys(self):
        message = self.signed()
        for record in ("v=DKIM1; p=" + "A" * 60000, "v=DKIM1; p=" + signing.public_key_of(16384),
                       self.key.record("v=DKIM1; n=" + "x" * 60000), "v=DKIM1; p=" + "A" * 60000 + "="):
            self.publish({"s1._domainkey.legit.example": {"TXT": [record]}})
            self.assert_dkim("permerror", message, reason="key: ", context=len(record))
        # The largest that is taken, and an answer of more than 8 KiB that has the right key in it.
        self.publish({"s1._domainkey.legit.example": {"TXT": ["v=DKIM1; p=" + signing.public_key_of(8192)]}})
        self.assert_dkim("fail", message)
        self.publish({"s1._domainkey.legit.example": {"TXT": ["x" * 9000, self.key.record()]}})
        self.assert_dkim("pass", message)

    def test_d10_keys_that_may_not_be_used(self):
        other = signing.Key()
        for result, reason, texts in (
                ("permerror", "revoked", ["v=DKIM1; k=rsa; p="]),
                ("permerror", "unknown key type", [self.key.record("k=dsa")]),
                ("permerror", "s=", [self.key.record("v=DKIM1; s=tlsrpt")]),
                ("permerror", "v=", [self.key.record("v=DKIM2")]),
                ("permerror", "k=ed25519", ["v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="]),
                ("permerror", "h=", [self.key.record("h=sha1")]), ("permerror", "no p=", ["v=DKIM1; k=rsa"]),
                ("permerror", "", ["v=spf1 -all"]), ("permerror", "", [""]), ("permerror", "base64", ["p=!!!!"]),
                # Several records at one name: the one that verifies is used, whatever the order.
                ("pass", "", [self.key.record(), other.record()]), ("pass", "", [other.record(), self.key.record()]),
                ("pass", "", ["v=DKIM1; p=", self.key.record()]), ("fail", "header hash differs", [other.record()])):
            self.publish({"s1._domainkey.legit.example": {"TXT": texts}})
            self.assert_dkim(result, self.signed(), reason=reason, context=texts)
        self.publish({"s1._domainkey.legit.example": {}})
        self.assert_dkim("permerror", self.signed(), reason="no key")

    def test_d11_weak_signatures(self):
        sha1 = self.signed(tags(a="rsa-sha1"), hasher=hashlib.sha1)
        self.assert_dkim("permerror", sha1, reason="rsa-sha1")
        for bits in (512, 768, 1023):
            weak = signing.Key(bits)
            self.publish({"s1._domainkey.legit.example": {"TXT": [weak.record()]}})
            message = signing.sign(letter("admin@legit.example"), weak)
            self.assert_dkim("permerror", message, reason=f"{bits} bits")

    def test_d12_times(self):
        for result, times in (("pass", "t=1790000000"), ("pass", "x=1790000001"), ("pass", "x=1789999800"),
                              ("fail", "x=1789999000"), ("fail", "t=1789990000 x=1789999000"), ("fail", "x=1"),
                              ("pass", "t=1790000200"), ("fail", "t=1790001000"),
                              ("permerror", "t=1789990000 x=1789989999"),
                              ("permerror", "x=-1"), ("permerror", "t=9999999999999"), ("permerror", "x=now"),
                              ("fail", "t=999999999999"), ("pass", "x=999999999999")):
            self.assert_dkim(result, self.signed(tags(*times.split())), "--now", NOW, context=times)

    def test_d12_the_skew_is_configurable(self):
        message = self.signed(tags(f"x={int(time.time()) - 3600}"))
        for settings, wanted in (("[limits]\nclock_skew = 86400\n", "dkim=pass"), ("", "dkim=fail")):
            with self.daemon(settings) as daemon:
                self.assertIn(wanted, daemon.send(message.fields()).results())

    def test_d13_identity_outside_the_domain(self):
        for identity, result in (("@legit.example", "pass"), ("user@sub.legit.example", "pass"),
                                 ("a@attack.example", "permerror"),
                                 ("@notlegit.example", "permerror"), ("@example", "permerror"), ("admin", "permerror"),
                                 ("a@attack.example@legit.example", "pass"),
                                 ("a@legit.example@attack.example", "permerror"),
                                 ("@legit.example.attack.example", "permerror"), ("", "permerror")):
            self.assert_dkim(result, self.signed(tags(f"i={identity}")), context=identity)

    def test_d13_strict_identity(self):
        self.publish({"s1._domainkey.legit.example": {"TXT": [self.key.record("v=DKIM1; t=s")]}})
        for identity, result in (("user@legit.example", "pass"), ("user@sub.legit.example", "permerror")):
            self.assert_dkim(result, self.signed(tags(f"i={identity}")), context=identity)

    def test_d14_fields_are_taken_from_the_bottom(self):
        message = letter("admin@legit.example", "X-Many: lower")
        signed = self.signed(tags(h="from:to:subject:x-many"), message)
        self.assert_dkim("pass", signed.above("X-Many: upper"))
        self.assert_dkim("fail", Letter(*signed.lines, "X-Many: lowest", body=signed.body))
        both = self.signed(tags(h="from:x-many:x-many"), letter("admin@legit.example", "X-Many: 1", "X-Many: 2"))
        self.assert_dkim("pass", both)
        swapped = Letter(*both.lines[:-2], both.lines[-1], both.lines[-2], body=both.body)
        self.assert_dkim("fail", swapped)

    def test_d14_oversigned_fields_cannot_be_added(self):
        message = self.signed(tags(h="from:from:subject:subject:reply-to:date:date"))
        self.assert_dkim("pass", message)
        for added in ("Subject: another", "Reply-To: a@attack.example", "Date: never", "SUBJECT : another"):
            self.assert_dkim("fail", message.above(added), reason="header hash", context=added)
        answer = self.verify(message.above("From: a@attack.example"), **ATTACKER)
        self.assertEqual(answer["dkim"][0]["result"], "fail")
        self.assert_permerror(answer, "added From")

    def test_d15_odd_bodies_and_folds(self):
        bodies = (*EMPTY, " \r\n", "\t\r\n \r\n\r\n", "a \t b \r\n\r\n \r\n", "a", "a\r\n\r\n", " a\r\n.\r\n..\r\n",
                  "\r\na")
        for form in ("relaxed/relaxed", "relaxed/simple", "simple/relaxed", "simple/simple"):
            for body in bodies:
                # A body without a line end at its end does not come through SMTP; python3-dkim signs it as with one.
                message = letter("admin@legit.example", "To:\r\n\tb@example.net,\r\n  c@example.net", body=body)
                self.assert_dkim("pass", self.signed(tags(c=form), message), context=(form, body))
            folded = letter("admin@legit.example")
            folded.lines[2] = "Subject:\r\n folded  right\r\n\taway "
            self.assert_dkim("pass", self.signed(tags(c=form), folded), context=form)

    def test_d15_every_way_to_split_a_body(self):
        body = "Hello \t world \r\n\r\n  x\r\r\n \r\n\t\r\n end\r\n \r\n\r\n"
        with self.daemon() as daemon:
            connection = daemon.connect()
            for form in ("relaxed/relaxed", "relaxed/simple"):
                message = self.signed(tags(c=form), letter("admin@legit.example", body=body))
                splits = [[body[:at], body[at:]] for at in range(1, len(body))] + [list(body)]
                for chunks in splits:
                    reply = connection.send(message.fields(), chunks=chunks, mail_from=ATTACKER["mail_from"])
                    self.assertIn("dmarc=pass", reply.results(), (form, chunks))
            connection.close()

    def test_d16_tags_unknown_doubled_and_spaced(self):
        spaced = tags().replace("; ", " ;\r\n\t").replace("=", " = ")
        for text in (tags("r=y"), tags("x-odd=1", "zz="), tags().replace("; ", ";"), spaced,
                     tags(h="From : to\r\n :\tSubject")):
            self.assert_dkim("pass", self.signed(text), context=text)
        for twice in ("d=legit.example; d=attack.example", "d=attack.example; d=legit.example", "d=legit.example; v=1",
                      "d=legit.example; r=y; r=y", "d=legit.example;; t=1", "d=legit.example; t",
                      "d=legit.example; 1x=y"):
            self.assert_never_asked(fake(f"v=1; a=rsa-sha256; {twice}; s=s1; h=from"))

    def test_d17_no_answer_for_the_key(self):
        for fault in ("SERVFAIL", "REFUSED"):
            self.publish({"s1._domainkey.legit.example": {"FAULT": fault}})
            self.assert_dkim("temperror", self.signed(), context=fault)
        self.publish({"s1._domainkey.legit.example": {"FAULT": "TIMEOUT"}})
        for settings, final in (("", "continue"), ("[inbound]\ntempfail_on_temperror = true\n", "reply")):
            with self.daemon(settings, dns="timeout = 0.2\ntries = 1\nbudget = 2.0\n") as daemon:
                reply = daemon.send(self.signed().fields())
                self.assertEqual(reply.final, final)
                self.assertEqual(daemon.event()["dkim"][0]["result"], "temperror")
                self.assertEqual(daemon.event()["dmarc"]["result"], "temperror")
                if final == "reply":
                    self.assertRegex(reply.text, r"^451 4\.7\.1 ")

    def test_d18_amazonses_alone_aligns_with_nobody(self):
        self.publish({"s1._domainkey.amazonses.com": {"TXT": [self.key.record()]},
                      "amazonses.com": {"TXT": ["v=spf1 ip4:198.51.100.0/24 -all"]}})
        message = self.signed(tags(d="amazonses.com"))
        answer = self.verify(message, **{**ATTACKER, "mail_from": "0100-0000@amazonses.com"})
        self.assertEqual((answer["dkim"][0]["result"], answer["spf"]["result"]), ("pass", "pass"))
        self.assertEqual(answer["dmarc"]["aligned"], {"dkim": False, "spf": False})
        self.assert_dmarc(answer, "fail")

    def test_d19_bare_line_ends_are_counted(self):
        for body, bare_cr, bare_lf in (("a\r\nb\r\n", 0, 0), ("a\nb\r\n", 0, 1), ("a\rb\r\n", 1, 0),
                                       ("\n.\n\r.\r\r\n", 2, 2),
                                       ("a\n\r\n", 0, 1)):
            answer = self.verify(letter("admin@legit.example", body=body), **LEGIT)
            self.assertEqual(answer["body"], {"bare_cr": bare_cr, "bare_lf": bare_lf}, body)
        # A file with the line ends of Unix has no bare LF, but may have a bare CR.
        unix = letter("admin@legit.example", body="a\rb\r\n").octets().replace(b"\r\n", b"\n")
        self.assertEqual(self.verify(unix, **LEGIT)["body"], {"bare_cr": 1, "bare_lf": 0})

    def test_d19_smuggled_messages_are_one_body(self):
        smuggled = ("MAIL FROM:<bounce@legit.example>\r\nRCPT TO:<rcpt@example.net>\r\nDATA\r\n"
                    "From: admin@legit.example\r\n\r\nPay here.\r\n")
        for dots in ("\n.\r\n", "\n.\n", "\r.\r", "\r\n.\r", "\r\n.\n", "\r.\r\n"):
            with self.daemon() as daemon:
                message = letter("a@attack.example", body="Hello.\r\n" + dots + smuggled)
                reply = daemon.send(message.fields(), message.body, **ATTACKER)
                self.assertIn("dmarc=pass header.from=attack.example", reply.results())
                event, = daemon.events()
                self.assertGreater(event["body"]["bare_cr"] + event["body"]["bare_lf"], 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
