#!/usr/bin/python3
"""S: what the SMTP session says of the sender. From names the victim in all of them, and nothing of the victim's may
come to the attacker's help."""

import unittest

from attack import ATTACKER, LEGIT, Attack, letter, need

authres = need("authres", "python3-authres")

LETTER = letter("admin@legit.example")
# Each as it stands between the brackets of MAIL FROM, and none of them an address.
MALFORMED = ("(any@legit.example", "(any@legit.example)", "any", "any@", "@", " ", "<any@legit.example",
             "any@legit.example>", "any@legit.example@", "any@@legit.example", "any@legit..example",
             "any@.legit.example",
             "any legit.example", "any@[192.0.2.1]", "any@legit.example,b@legit.example", "any@legit.example\x01",
             "\"any@legit.example", "any@legit.example (x)")


class Envelope(Attack):
    def assert_no_help(self, answer, context, spf=("none", "permerror")):
        """SPF has not passed for MAIL FROM, nothing aligns, and DMARC fails."""
        self.assertIn(answer["spf"]["result"], spf, context)
        self.assertEqual(answer["spf"]["identity"], "mailfrom", context)
        self.assertIs(answer["dmarc"]["aligned"]["spf"], False, context)
        self.assert_dmarc(answer, "fail", context)

    def results(self, reply):
        """The field the daemon inserts, as another parser reads it."""
        return authres.AuthenticationResultsHeader.parse("Authentication-Results: " + reply.results())

    def result_of(self, reply, method, name):
        """The result with this property, and the property's value; (None, None) when there is none."""
        for result in self.results(reply).results:
            for each in result.properties:
                if result.method == method and each.name == name:
                    return result.result, each.value
        return None, None

    def test_s01_subdomain_that_is_not_there(self):
        for sender in ("any@none.legit.example", "any@a.b.none.legit.example"):
            self.publish({})
            answer = self.verify(LETTER, **{**ATTACKER, "mail_from": sender})
            domain = sender.split("@")[1]
            self.assertEqual((answer["spf"]["result"], answer["spf"]["domain"]), ("none", domain))
            self.assert_no_help(answer, sender)
            self.assertNotIn("legit.example", self.asked("legit.example"), "no climb to the parent")

    def test_s02_malformed_sender(self):
        for session in (LEGIT, ATTACKER):
            for sender in MALFORMED:
                answer = self.verify(LETTER, **{**session, "mail_from": sender})
                self.assert_no_help(answer, sender)

    def test_s02_malformed_sender_in_the_daemon(self):
        with self.daemon() as daemon:
            for sender in MALFORMED:
                reply = daemon.send(LETTER.fields(), **{**LEGIT, "mail_from": sender})
                self.assertIn("dmarc=fail", reply.results(), sender)
                self.assertNotIn("spf=pass smtp.mailfrom", reply.results(), sender)
                # HELO has passed, and is said to be nothing else.
                self.assertEqual(self.result_of(reply, "spf", "helo"), ("pass", "mail.legit.example"), sender)

    def test_s03_two_domains_in_the_sender(self):
        senders = ("any@legit.example(a.attack.example", "any@legit.example'@any.attack.example",
                   "\"any@legit.example\"@any.attack.example", "any@legit.example@any.attack.example",
                   "@legit.example,@b.example:any@any.attack.example", "@legit.example:any@any.attack.example",
                   "any%legit.example@any.attack.example", "any@legit.example;d=attack.example",
                   "any@legit.example\" smtp.mailfrom=x@legit.example@any.attack.example",
                   "legit.example!any@any.attack.example")
        self.publish({"any.attack.example": {"TXT": ["v=spf1 ip4:198.51.100.1 -all"]}})
        with self.daemon() as daemon:
            for sender in senders:
                session = {**ATTACKER, "mail_from": sender}
                answer = self.verify(LETTER, **session)
                self.assertIn(answer["spf"]["domain"], (None, "any.attack.example"), sender)
                self.assert_no_help(answer, sender, ("none", "permerror", "pass"))
                reply = daemon.send(LETTER.fields(), **session)
                self.assertIn("dmarc=fail", reply.results(), sender)
                value = self.result_of(reply, "spf", "mailfrom")[1]
                self.assertIn((value or "").split("@")[-1], ("", "any.attack.example"), sender)

    def test_s04_helo_is_no_sender(self):
        # The attacker sends from an address that passes for the victim's HELO name, as a shared host's may.
        for sender, result in (("any@nothing.example", "none"), ("any@attack.example", "fail")):
            session = {**LEGIT, "mail_from": sender}
            answer = self.verify(LETTER, **session)
            self.assertEqual((answer["spf_helo"]["result"], answer["spf_helo"]["domain"]),
                             ("pass", "mail.legit.example"))
            self.assert_no_help(answer, sender, (result,))
            with self.daemon() as daemon:
                self.assertIn("dmarc=fail", daemon.send(LETTER.fields(), **session).results())

    def test_s05_null_sender(self):
        for sender in ("", "<>"):
            answer = self.verify(LETTER, **{**LEGIT, "mail_from": sender})
            self.assertEqual((answer["spf"]["result"], answer["spf"]["identity"], answer["spf"]["domain"]),
                             ("pass", "helo", "mail.legit.example"))
            self.assert_dmarc(answer, "pass")
            answer = self.verify(LETTER, **{**ATTACKER, "mail_from": sender})
            self.assertEqual((answer["spf"]["result"], answer["spf"]["domain"]), ("pass", "mail.attack.example"))
            self.assert_dmarc(answer, "fail")
        # postmaster@HELO is what is checked.
        self.publish({"mail.legit.example": {"TXT": ["v=spf1 exists:%{l}.at.%{o}.legit.example -all"]},
                      "postmaster.at.mail.legit.example.legit.example": {"A": ["127.0.0.2"]}})
        self.assertEqual(self.spf(mail_from="")["result"], "pass")

    def test_s05_null_sender_in_the_daemon(self):
        with self.daemon() as daemon:
            reply = daemon.send(LETTER.fields(), **{**LEGIT, "mail_from": ""})
            self.assertEqual(self.result_of(reply, "spf", "helo"), ("pass", "mail.legit.example"))
            self.assertEqual(self.result_of(reply, "spf", "mailfrom"), (None, None))
            self.assertEqual(daemon.event()["spf"]["identity"], "helo")

    def test_s05_helo_that_is_no_name(self):
        for helo in ("[192.0.2.1]", "[IPv6:2001:db8::1]", "192.0.2.1", "localhost", "mail", "", "a..example",
                     "(legit.example"):
            answer = self.spf(mail_from="", helo=helo)
            self.assertEqual((answer["result"], answer["identity"]), ("none", "helo"), helo)
            self.assert_dmarc(self.verify(LETTER, ip="192.0.2.1", helo=helo, mail_from=""), "fail", helo)

    def test_s06_verp(self):
        for local in ("bounce+user=other.example", "prvs=1234567890=user", "srs0=abc=t7=attack.example=user",
                      "btv1==1234==user", "list-owner+id-1=2", "a=b", "=", "user+tag", "msprvs1=18aB+c/d=bounces-1-2"):
            sender = f"{local}@legit.example"
            answer = self.verify(LETTER, **{**LEGIT, "mail_from": sender})
            self.assertEqual((answer["spf"]["result"], answer["spf"]["domain"]), ("pass", "legit.example"), sender)
            self.assert_dmarc(answer, "pass", sender)
            answer = self.verify(LETTER, **{**ATTACKER, "mail_from": sender})
            self.assertEqual((answer["spf"]["result"], answer["spf"]["domain"]), ("fail", "legit.example"), sender)


if __name__ == "__main__":
    unittest.main(verbosity=2)
