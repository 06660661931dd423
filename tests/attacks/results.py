#!/usr/bin/python3
"""A: Authentication-Results, forged and our own. Nothing that arrives counts as a result, nothing that claims our name
stays, and what we write has one reading. Ours is mx.example.net."""

import unittest

from attack import ATTACKER, LEGIT, Attack, letter, need

authres = need("authres", "python3-authres")

OURS = "mx.example.net"
PASS = "dmarc=pass header.from=legit.example; spf=pass smtp.mailfrom=legit.example; dkim=pass header.d=legit.example"
NAME = "Authentication-Results"


class Results(Attack):
    def send(self, daemon, *fields, session=ATTACKER):
        """The reply to mail in the victim's name with these fields, (name, value), on top."""
        return daemon.send([*fields, *letter("admin@legit.example").fields()], **session)

    def assert_removed(self, daemon, values):
        """Each of these Authentication-Results alone, and all of them together, are removed, the last first."""
        for value in values:
            reply = self.send(daemon, (NAME, value))
            self.assertEqual(reply.removed(), [1], value[:200])
            self.assertIn("dmarc=fail", reply.results())
        reply = self.send(daemon, *[(NAME, value) for value in values])
        self.assertEqual(reply.removed(), list(range(len(values), 0, -1)))

    def assert_kept(self, daemon, values):
        for value in values:
            reply = self.send(daemon, (NAME, value))
            self.assertEqual(reply.removed(), [], value[:200])
            self.assertIn("dmarc=fail", reply.results(), "never an input")

    def test_a01_forged_fields_are_removed_the_last_first(self):
        with self.daemon() as daemon:
            fields = [(NAME, f" {OURS}; {PASS}"), ("Received", " from x by y; date"),
                      (NAME, " other.example; spf=pass"),
                      ("authentication-results", f" {OURS}; {PASS}"), (NAME, f"\n {OURS}; {PASS}"),
                      (NAME, " third.example; none"), ("AUTHENTICATION-RESULTS", f" {OURS}; none")]
            reply = self.send(daemon, *fields)
            self.assertEqual(reply.removed(), [6, 4, 3, 1])
            self.assertEqual({edit.name.lower() for edit in reply.edits}, {NAME.lower()})
            self.assertIn("dmarc=fail", reply.results())
            # Removals first: an insertion would move the places.
            self.assertEqual([edit.kind for edit in reply.edits], ["change"] * 4 + ["insert"])
            self.assertEqual(daemon.event()["forged_removed"], 4)
            reply = self.send(daemon, *[(NAME, f" {OURS}; {PASS}")] * 300)
            self.assertEqual(reply.removed(), list(range(300, 0, -1)))

    def test_a02_our_name_in_every_dress(self):
        with self.daemon('[inbound]\nown_ids = ["relay.example.net"]\n') as daemon:
            self.assert_removed(daemon, [text.format(name, PASS) for name in (OURS, "relay.example.net") for text in (
                " {}.; {}", " {}. 1; {}", " {} 1; {}", " {}/1; {}", " (hello) {}; {}", " (a (b) \\) c){}; {}",
                " \"{}\"; {}",
                "\n {};\n {}", "\t{} ;{}", "{}; {}", " {}(x); {}", " \"{}.\" 1; {}", " (x)\n (y) {}; {}", " {}\n; {}",
                " ; {}; {}", " {}:{}", " {} {}", " =?utf-8?q?{}?=; {}", " {}.. ; {}")])
            self.assert_removed(daemon, [f" {text}; {PASS}" for text in (
                "MX.EXAMPLE.NET", "Mx.Example.Net", "\"mx\\.example.net\"", "mx.example.net\\", "\"m\"x.example.net",
                "mx(x).example.net",
                "(unclosed mx.example.net")])

    def test_a02_the_name_of_the_field_in_every_dress(self):
        with self.daemon() as daemon:
            for name in (NAME + " ", NAME + "\t", " " + NAME, "authentication-RESULTS \t"):
                reply = self.send(daemon, (name, f" {OURS}; {PASS}"))
                self.assertEqual(reply.removed(), [1], name)

    def test_a02_our_name_behind_a_bare_line_end(self):
        """Readers for which a CR alone ends a line see a field of its own."""
        with self.daemon() as daemon:
            for carrier in ("Subject", "X-Any", "Received"):
                reply = self.send(daemon, (carrier, " one"), (carrier, f" two\r{NAME}: {OURS}; {PASS}"))
                removed = [(edit.name, edit.index) for edit in reply.edits if edit.kind == "change"]
                self.assertEqual(removed, [(carrier, 2)])
                self.assertIn("dmarc=fail", reply.results())
            reply = self.send(daemon, ("Subject", f" two\r{NAME}: other.example; {PASS}"))
            self.assertEqual(reply.removed(), [])

    def test_a03_oversized_and_unparsable(self):
        with self.daemon() as daemon:
            self.assert_removed(daemon, [f" {OURS}" + rest for rest in (
                ";" * 1000, "; dmarc", "; =pass", "; dmarc=pass (unclosed", "; \"", " 99; dmarc=pass", "",
                "; dmarc=pass reason=\"",
                "; spf=pass smtp.mailfrom=\udcff", "; " + "x" * 300000, "; " + PASS * 500)])
            reply = self.send(daemon, (NAME, " (" + "(" * 100000 + f" {OURS}; {PASS}"))
            self.assertEqual(reply.removed(), [1])
            # Beyond the size of header that is judged, too.
            reply = self.send(daemon, ("X-Big", " " + "x" * (1 << 20)), (NAME, f" {OURS}; {PASS}"))
            self.assertEqual(reply.removed(), [1])
            self.assertIn("dmarc=permerror", reply.results())

    def test_a04_ten_thousand_results(self):
        many = "; ".join(f"x-m{i}=pass header.d=legit.example" for i in range(10000))
        with self.daemon() as daemon:
            self.assert_removed(daemon, [f" {OURS}; {many}"])
            self.assert_kept(daemon, [f" other.example; {many}"])

    def test_a05_fields_without_a_name(self):
        with self.daemon() as daemon:
            self.assert_kept(daemon, [f" {PASS}",
                                      " spf=pass (sender IP is 192.0.2.1)\n smtp.mailfrom=legit.example; dkim=pass",
                                      " other.example; none", " other.example", " none", "", " ;",
                                      " dmarc=pass action=none",
                                      " mx.example.net.attack.example; " + PASS, " notmx.example.net; " + PASS,
                                      " example.net; " + PASS, f" other.example; x=y reason=\"{OURS}\""])

    def test_a06_what_others_wrote_is_no_input(self):
        others = [("Received-SPF", " pass (mx.example.net: domain of legit.example designates 198.51.100.1)"),
                  ("Received-SPF",
                   " Pass client-ip=192.0.2.1; envelope-from=\"admin@legit.example\"; helo=mail.legit.example;"),
                  ("X-Authentication-Results", f" {OURS}; {PASS}"), ("X-DMARC-Result", " pass"),
                  ("X-Originating-IP", " 192.0.2.1"),
                  ("X-Sender", " admin@legit.example"), ("X-Forwarded-For", " 192.0.2.1"),
                  ("X-Client-IP", " 192.0.2.1"),
                  ("ARC-Authentication-Results", f" i=1; {OURS}; {PASS}"),
                  ("Sesame-Prediction", f" {OURS}; ses-relay=pass"),
                  ("X-SES-DKIM-SIGNATURE", " v=1; a=rsa-sha256; d=legit.example"),
                  ("Return-Path", " <admin@legit.example>"),
                  ("Received",
                   " from mail.legit.example ([192.0.2.1]) by mx.example.net; Mon, 21 Sep 2026 14:13:20 +0000"),
                  ("Authentication-Results-Original", f" {OURS}; {PASS}"), ("Auto-Submitted", " no")]
        with self.daemon() as daemon:
            self.assertIn("dmarc=fail", self.send(daemon, *others).results())
            session = {**ATTACKER, "mail_from": "a@legit.example"}
            self.assertIn("spf=fail", self.send(daemon, *others, session=session).results())
            for field in others:
                self.assertIn("dmarc=fail", self.send(daemon, field).results(), field)
            # Nor do they hurt.
            self.assertIn("dmarc=pass", self.send(daemon, *others, session=LEGIT).results())

    def test_a07_our_own_field(self):
        senders = ("bounce@legit.example", "", "\"a b;c\\\"d(e)\"@legit.example", "a'b@legit.example",
                   "a=b+c@legit.example",
                   "\udcff@legit.example", "(@legit.example", "a" * 300 + "@legit.example",
                   "x@" + "a." * 120 + "example",
                   "x; dmarc=pass@legit.example")
        helos = ("mail.legit.example", "[192.0.2.1]", "a;dmarc=pass", "\"; dmarc=pass", "(", "", "x" * 500, "a\udcffb")
        with self.daemon() as daemon:
            for sender in senders:
                for helo in helos:
                    reply = daemon.send(letter("admin@legit.example").fields(), ip="192.0.2.1", helo=helo,
                                        mail_from=sender)
                    field, = reply.inserted()
                    self.assertEqual((field.index, field.name), (0, NAME))
                    for line in field.value.split("\n"):
                        self.assertRegex(line, r"^[ \t][ -~]*[!-~]$")
                        self.assertLess(len(line), 900)
                    read = authres.AuthenticationResultsHeader.parse(f"{NAME}: {reply.results()}")
                    self.assertEqual(read.authserv_id, OURS)
                    self.assertEqual(sum(result.method == "dmarc" for result in read.results), 1, reply.results())
                    dmarc, = (result for result in read.results if result.method == "dmarc")
                    self.assertEqual(dmarc.result, daemon.event()["dmarc"]["result"], reply.results())

    def test_a07_text_from_dns(self):
        hostile = ('"; dmarc=pass', "\\\"; dmarc=pass header.from=legit.example; x=\"", "(; dmarc=pass",
                   "\r\nX-Injected: yes",
                   "x\n\tX-Injected: yes", "\u2028; dmarc=pass", "%0d%0a" * 50)
        signature = ("DKIM-Signature", " v=1; a=rsa-sha256; d=sub.legit.example; s=s1; h=from; b=YWFh;\n"
                     " bh=yZQq1c8wjBl0fZ4Wc/oraMCAG1mZJv5v/hlvyFy+t6A=")
        with self.daemon() as daemon:
            for place, text in enumerate(hostile):
                domain = f"d{place}.example"  # the daemon remembers what it has asked
                self.publish({domain: {"TXT": [f"v=spf1 exp=why.{domain} {'' if place % 2 else text} -all"]},
                              f"why.{domain}": {"TXT": [text]},
                              f"_dmarc.{domain}": {"TXT": ["v=DMARC1; p=reject; x=" + text]},
                              f"s1._domainkey.{domain}": {"TXT": ["v=DKIM1; p=YWFh; k=" + text]}})
                fields = [(signature[0], signature[1].replace("sub.legit.example", domain))]
                reply = daemon.send([*fields, *letter(f"a@{domain}").fields()], ip="192.0.2.9", mail_from=f"a@{domain}")
                field, = reply.inserted()
                for line in field.value.split("\n"):
                    self.assertRegex(line, r"^[ \t][ -~]*[!-~]$")
                read = authres.AuthenticationResultsHeader.parse(f"{NAME}: {reply.results()}")
                self.assertEqual([each.result for each in read.results if each.method == "dmarc"], ["fail"], text)

    def test_a07_authors_nobody_can_read(self):
        with self.daemon() as daemon:
            for author in ("a@legit.example; dmarc=pass", "a\"; dmarc=pass header.from=legit.example", "(; dmarc=pass",
                           "\udcff\x01",
                           "=?utf-8?q?;_dmarc=3Dpass?="):
                reply = daemon.send([("From", " " + author)], **LEGIT)
                read = authres.AuthenticationResultsHeader.parse(f"{NAME}: {reply.results()}")
                self.assertEqual([result.result for result in read.results if result.method == "dmarc"], ["permerror"],
                                 author)


if __name__ == "__main__":
    unittest.main(verbosity=2)
