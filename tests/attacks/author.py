#!/usr/bin/python3
"""F: who the message says wrote it. The attacker's own mail is in order, so whatever names the victim as the author
instead of him, or hides who it is, would be a bypass."""

import unittest

from attack import ATTACKER, LEGIT, Attack, Letter, letter

ATTACKERS_FROM = "From: a@attack.example"
VICTIMS_FROM = "From: admin@legit.example"
OUTBOUND = """
[ses]
region = "us-east-1"
[[ses.identity]]
name = "legit.example"
dkim.status = "SUCCESS"
"""


class Author(Attack):
    def assert_refused(self, *lines, sessions=(ATTACKER, LEGIT)):
        """As sent by the attacker and by the victim."""
        for session in sessions:
            self.assert_permerror(self.verify(Letter(*lines), **session), lines)

    def assert_author(self, author, domain, result, session):
        answer = self.verify(letter(author), **session)
        self.assert_dmarc(answer, result, author)
        self.assertEqual(answer["dmarc"]["from_domain"], domain, author)

    def test_f01_two_from_fields(self):
        for fields in ([ATTACKERS_FROM, VICTIMS_FROM], [VICTIMS_FROM, ATTACKERS_FROM], [VICTIMS_FROM, VICTIMS_FROM],
                       [VICTIMS_FROM, "Subject: x", "FROM: a@attack.example"], [ATTACKERS_FROM, "From:"],
                       [VICTIMS_FROM] * 3):
            self.assert_refused(*fields)

    def test_f01_two_from_fields_on_the_way_to_ses(self):
        message = Letter(VICTIMS_FROM, VICTIMS_FROM, "To: rcpt@example.net")
        config = self.write("sesame.toml", OUTBOUND)
        status, answer = self.run_sesame("preflight", "--config", config, message=message.octets())
        self.assertEqual((status, answer["verdict"]), (1, "refused"), answer["why"])

    def test_f01_a_second_from_behind_a_bare_line_end(self):
        """Readers for which a CR alone ends a line see two."""
        with self.daemon() as daemon:
            for value in (" hello\rFrom: admin@legit.example", " hello\rfrom : admin@legit.example",
                          " hello\r\rFrom: admin@legit.example"):
                fields = [("Subject", value), ("From", " a@attack.example")]
                self.assertIn("dmarc=permerror", daemon.send(fields, **ATTACKER).results(), value)
            fields = [("Subject", " hello\rFromage: admin@legit.example"), ("From", " a@attack.example")]
            self.assertIn("dmarc=pass", daemon.send(fields, **ATTACKER).results())
        octets = b"Subject: hello\rFrom: admin@legit.example\r\nFrom: a@attack.example\r\n\r\nHello.\r\n"
        self.assertEqual(self.verify(octets, **ATTACKER)["dmarc"]["result"], "permerror")

    def test_f02_from_in_disguise_is_counted(self):
        for disguised in ("From : a@attack.example", "From\t: a@attack.example", "from \t : a@attack.example"):
            self.assert_refused(VICTIMS_FROM, disguised)
            self.assert_refused(disguised, VICTIMS_FROM)
            # Alone it is the one From there is.
            answer = self.verify(Letter(disguised), **ATTACKER)
            self.assertEqual((answer["dmarc"]["result"], answer["dmarc"]["from_domain"]), ("pass", "attack.example"))

    def test_f02_from_behind_a_space_or_folded_before_the_colon(self):
        for first in (" From: a@attack.example", "\tFrom: a@attack.example", "From\r\n : a@attack.example"):
            self.assert_refused(first, VICTIMS_FROM)
        # As an MTA would tell of them, had it taken them for fields.
        with self.daemon() as daemon:
            for name in (" From", "\tFrom", "From ", "From\n "):
                fields = [(name, " a@attack.example"), ("From", " admin@legit.example")]
                for order in (fields, fields[::-1]):
                    reply = daemon.send(order, **ATTACKER)
                    self.assertIn("dmarc=permerror", reply.results(), name)

    def test_f02_a_name_without_colon_ends_the_header(self):
        # RFC 5322 Section 4.5 has no fold before the colon, and an MTA puts the empty line there that makes it body.
        hidden = Letter("From: a@attack.example", "From\r\n : admin@legit.example")
        answer = self.verify(hidden, **ATTACKER)
        self.assertEqual((answer["dmarc"]["result"], answer["dmarc"]["from_domain"]), ("pass", "attack.example"))
        signed = Letter("From: admin@legit.example", "From\r\n : a@attack.example")
        self.assert_dmarc(self.verify(signed, **ATTACKER), "fail")

    def test_f03_nobody_stands_in_for_from(self):
        others = ["Sender: admin@legit.example", "Resent-From: admin@legit.example", "Reply-To: admin@legit.example"]
        for fields in (others, ["From:", *others], ["From: Admin", *others], ["From: undisclosed:;", *others],
                       ["From: <>", *others], ["From: (admin@legit.example)", *others], ["X-From: a@legit.example"]):
            self.assert_refused(*fields)

    def test_f04_several_domains(self):
        for author in ("a@attack.example, admin@legit.example", "admin@legit.example, a@attack.example",
                       "Admin <admin@legit.example>, A <a@attack.example>",
                       "team: admin@legit.example, a@attack.example;", "a@attack.example, admin@sub.attack.example"):
            self.assert_refused(f"From: {author}")

    def test_f04_the_number_of_domains_costs_no_queries(self):
        many = ", ".join(f"u@d{i}.example" for i in range(1000))
        self.assert_refused(f"From: {many}")
        self.assertEqual([self.asked("_dmarc"), self.asked("d1")], [[], []])

    def test_f05_several_mailboxes_of_one_domain(self):
        for author in ("a@legit.example, b@legit.example", "A <a@legit.example>, \"B, C\" <b@LEGIT.example>",
                       "team: a@legit.example, b@legit.example;"):
            self.assert_author(author, "legit.example", "pass", LEGIT)
            self.assert_author(author, "legit.example", "fail", ATTACKER)

    def test_f06_second_mailbox_without_domain(self):
        for author in ("a@attack.example, b", "b, a@attack.example", "a@attack.example, b@", "a@attack.example, <b>",
                       "a@attack.example, @", "<a@attack.example>, \"b\"", "a@attack.example, b@[192.0.2.1]"):
            self.assert_refused(f"From: {author}")

    def test_f07_encoded_words_in_an_address(self):
        for author in ("=?utf-8?B?YWRtaW5AbGVnaXQuZXhhbXBsZQ==?=", "<=?utf-8?B?YWRtaW5AbGVnaXQuZXhhbXBsZQ==?=>",
                       "=?utf-8?Q?admin=40legit.example?=", "=?utf-8?Q?admin=40legit.example=00?=@attack.example",
                       "<=?utf-8?Q?=41dmin=40legit.example=2C?=@attack.example>", "admin@=?utf-8?Q?legit.example?=",
                       "=?utf-8?Q?=3Cadmin=40legit.example=3E?="):
            self.assert_refused(f"From: {author}")

    def test_f07_encoded_words_in_a_name_are_not_read(self):
        author = "=?utf-8?B?PGFkbWluQGxlZ2l0LmV4YW1wbGU+LA==?= <a@attack.example>"
        self.assert_author(author, "attack.example", "pass", ATTACKER)

    def test_f08_source_route(self):
        for author in ("<@attack.example,@b.example:admin@legit.example>", "A <@attack.example:admin@legit.example>",
                       "<@attack.example,,@b.example:admin@legit.example>"):
            self.assert_author(author, "legit.example", "fail", ATTACKER)

    def test_f09_specials_outside_quotes(self):
        for author in ("<admin@legit.example>\\,<a@attack.example>", "admin@legit.example\\,a@attack.example",
                       "<a@attack.example>admin@legit.example", "<admin@legit.example><a@attack.example>",
                       "\"admin@legit.example <a@attack.example>", "admin@legit.example <a@attack.example>",
                       "admin@legit.example;a@attack.example", "admin@legit.example:a@attack.example",
                       "[admin@legit.example] <a@attack.example>", "a@attack.example admin@legit.example",
                       "<admin@legit.example,a@attack.example>", "admin@legit.example(, a@attack.example",
                       "a@attack.example@legit.example", "\"admin@legit.example\"a@attack.example"):
            self.assert_refused(f"From: {author}")

    def test_f10_quotes_and_commas_in_the_name(self):
        for author in ("\"Doe\\\", John\" <admin@legit.example>", "\"x, a@attack.example\" <admin@legit.example>",
                       "\"<a@attack.example>\" <admin@legit.example>", "\"\\\\\" <admin@legit.example>",
                       "Doe (\\\"John, a@attack.example) <admin@legit.example>",
                       "\"a@attack.example,\"@legit.example", "(a@attack.example,) admin@legit.example"):
            self.assert_author(author, "legit.example", "fail", ATTACKER)

    def test_f11_unbalanced_brackets(self):
        for author in ("user@attack.example>", "<user@attack.example", "<user@attack.example>>",
                       "<<user@attack.example>>", "User <user@attack.example", "User user@attack.example>",
                       "(User user@attack.example", "User) <user@attack.example>", "\"User <user@attack.example>"):
            self.assert_refused(f"From: {author}")

    def test_f12_control_octets(self):
        for octet in ("\0", "\x01", "\x07", "\x08", "\x0b", "\x1b", "\x7f"):
            for author in (f"admin@legit.example{octet}", f"admin@legit{octet}.example", f"ad{octet}min@legit.example",
                           f"{octet}<admin@legit.example>", f"admin@legit.example{octet}.attack.example",
                           f"\"A{octet}\" <a@attack.example>"):
                self.assert_refused(f"From: {author}", sessions=[ATTACKER])

    def test_f12_one_name_however_it_is_written(self):
        self.publish({"xn--bcher-kva.example": {"TXT": ["v=spf1 ip4:192.0.2.7 -all"]},
                      "_dmarc.xn--bcher-kva.example": {"TXT": ["v=DMARC1; p=reject; adkim=s; aspf=s"]}})
        session = {"ip": "192.0.2.7", "mail_from": "x@xn--bcher-kva.example"}
        for domain in ("bücher.example", "BÜCHER.Example", "xn--bcher-kva.example", "XN--BCHER-KVA.EXAMPLE",
                       "bu\u0308cher.example"):
            self.assert_author(f"a@{domain}", "xn--bcher-kva.example", "pass", session)
            self.assert_author(f"a@{domain}", "xn--bcher-kva.example", "fail", ATTACKER)
        self.assert_author("admin@LEGIT.EXAMPLE", "legit.example", "fail", ATTACKER)
        for domain in ("b\udcfccher.example", "legit\udcff.example", "legit\u200b\ufffd.example"):
            self.assert_refused(f"From: a@{domain}")

    def test_f13_floods_get_a_verdict_and_a_reply(self):
        addresses = ",\r\n ".join(f"user{i}@attack.example" for i in range(3600))
        self.assert_refused(f"From: {addresses}")
        self.assert_refused("From: " + "x" * (1 << 20) + " <a@attack.example>")
        many = letter("a@attack.example", *["X-Many: x"] * 10000)
        self.assert_dmarc(self.verify(many, **ATTACKER), "pass")

    def test_f13_floods_in_the_daemon(self):
        addresses = ",\n ".join(f"user{i}@attack.example" for i in range(3600))
        with self.daemon('[inbound]\non_bad_author = "reject"\n') as daemon:
            for value in (" " + addresses, " " + "x" * (1 << 20) + " <a@attack.example>"):
                reply = daemon.send([("From", value)], **ATTACKER)
                self.assertRegex(reply.text, r"^550 5\.7\.1 DMARC cannot be evaluated: [ -~]{10,480}$")
            reply = daemon.send([("From", " a@attack.example")] + [("X-Many", " x")] * 10000, **ATTACKER)
            self.assertIn("dmarc=pass", reply.results())
            # Far above what it takes, sanitizers included, and far below what copies for each address or octet would.
            self.assertLess(daemon.peak_memory(), 512)

    def test_f14_the_value_on_the_wire_is_judged(self):
        rewritten = [("X-Original-From", " a@attack.example"), ("X-Envelope-From", " a@attack.example"),
                     ("Reply-To", " a@attack.example"), ("Return-Path", " <bounce@attack.example>"),
                     ("X-Google-Original-From", " a@attack.example"), ("Sender", " a@attack.example")]
        macros = {"{mail_addr}": "admin@legit.example", "{mail_host}": "legit.example", "{rcpt_addr}": "x@example.net"}
        with self.daemon() as daemon:
            reply = daemon.send([*rewritten, ("From", " admin@legit.example")], macros=macros, **ATTACKER)
            self.assertIn("dmarc=fail", reply.results())
            self.assertIn("header.from=legit.example", reply.results())
            self.assertIn("spf=pass", reply.results())
            self.assertIn("smtp.mailfrom=attack.example", reply.results())
            event = daemon.event()
            self.assertEqual((event["from_domain"], event["mail_from"]), ("legit.example", "bounce@attack.example"))

    def test_f15_local_names_have_no_policy(self):
        for domain in ("localhost.localdomain", "localhost", "host", "lan.internal"):
            for session in (ATTACKER, {}):
                answer = self.verify(letter(f"root@{domain}"), **session)
                self.assert_dmarc(answer, "none", domain)
                self.assertEqual(answer["dmarc"]["from_domain"], domain)


if __name__ == "__main__":
    unittest.main(verbosity=2)
