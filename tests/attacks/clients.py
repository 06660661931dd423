#!/usr/bin/python3
"""X: what our own clients send on its way to SES. X-SES-* tells SES what to do, and only those may say it who may; what
is mended never says anything that the message did not say."""

import unittest

from attack import Attack, letter

ARN = " arn:aws:ses:us-east-1:111122223333:identity/legit.example"
TRUSTED = "192.0.2.9"
UNTRUSTED = "192.0.2.1"
SES = """
[outbound]
networks = ["192.0.2.0/24", "2001:db8::/32"]
[ses]
region = "us-east-1"
[[ses.identity]]
name = "legit.example"
dkim.signing_enabled = false
"""
SES_FIELDS = SES + f'[repair]\nses_fields = true\nses_fields_trusted = ["{TRUSTED}"]\n'
DUPLICATES = SES + "[repair]\nduplicate_fields = true\n"
OWN_FIELDS = SES + "[repair]\nown_fields = true\n"
AUTHOR = "admin@legit.example"
# However it is dressed, it is the field that SES obeys.
DRESSES = [("X-SES-SOURCE-ARN", ARN), ("x-ses-source-arn", ARN), ("X-Ses-Source-Arn", "\n" + ARN),
           ("X-SES-Source-ARN ", ARN), ("X-SES-FROM-ARN\t", ARN), ("X-SES-RETURN-PATH-ARN  ", ARN),
           ("X-SES-CONFIGURATION-SET", " theirs"), ("X-SES-whatever", "")]
HIDING = [("X-A", f" b\rX-SES-SOURCE-ARN:{ARN}"), ("X-A", f"\rx-ses-source-arn :{ARN}"),
          ("X-A", f" b\n c\rX-B: d\r\rX-SES-FROM-ARN:{ARN}")]


class Clients(Attack):
    def send(self, daemon, *fields, ip=UNTRUSTED, mail_from=AUTHOR):
        """What is removed of mail of ours with these fields, (name, value), on top: [(name, place)]."""
        reply = daemon.send([*fields, *letter(AUTHOR).fields()], ip=ip, mail_from=mail_from)
        self.assertEqual(reply.final, "continue")
        self.assertEqual({edit.kind for edit in reply.edits} - {"change"}, set())
        self.assertEqual({edit.value for edit in reply.edits} - {""}, set())
        return [(edit.name, edit.index) for edit in reply.edits]

    def told(self, daemon):
        return [(each["reason"], each["field"], each["occurrence"]) for each in daemon.event().get("repairs", [])]

    def codes(self, daemon):
        return [finding["code"] for finding in daemon.event()["findings"]]

    def test_x01_what_ses_obeys(self):
        with self.daemon(SES) as daemon:
            for field in DRESSES + HIDING:
                self.assertEqual(self.send(daemon, field), [], field)
                self.assertEqual(self.told(daemon), [], field)
            self.send(daemon, DRESSES[0])
            self.assertIn("owner-settings-unknown", self.codes(daemon))
        with self.daemon(SES_FIELDS) as daemon:
            for name, value in DRESSES + HIDING:
                removed = self.send(daemon, (name, value))
                self.assertEqual(removed, [(name.strip(), 1)], (name, value))
                self.assertEqual(self.told(daemon), [("ses-field", name.strip(), 1)], (name, value))
                self.assertNotIn("owner-settings-unknown", self.codes(daemon))
                self.assertEqual(self.send(daemon, (name, value), ip=TRUSTED), [], (name, value))
                self.assertEqual(self.send(daemon, (name, value), ip="2001:db8::9"), removed, (name, value))
            for field in (("X-SES", ARN), ("X-SESSION", ARN), ("X-A", " X-SES-SOURCE-ARN:" + ARN),
                          ("X-A", " b\n X-SES-SOURCE-ARN:" + ARN)):
                self.assertEqual(self.send(daemon, field), [], field)

    def test_x01_many_of_them_the_last_first(self):
        fields = [("X-SES-A", " 1"), ("x-ses-a", " 2"), ("X-B", " c"), ("X-SES-A ", " 3"), ("X-SES-B", " 1")]
        with self.daemon(SES_FIELDS) as daemon:
            removed = self.send(daemon, *fields)
            self.assertEqual(sorted((name.lower(), place) for name, place in removed),
                             [("x-ses-a", 1), ("x-ses-a", 2), ("x-ses-a", 3), ("x-ses-b", 1)])
            places = [place for name, place in removed if name.lower() == "x-ses-a"]
            self.assertEqual(places, [3, 2, 1])
            self.assertEqual(len(self.send(daemon, *[("X-SES-A", " x")] * 2000)), 2000)
            self.assertEqual((len(self.told(daemon)), daemon.event()["repaired"]), (20, 2000))

    def test_x01_a_header_over_the_limit_is_no_way_around(self):
        with self.daemon(SES_FIELDS + "[limits]\nheader_size = 4096\n") as daemon:
            fields = [("x-ses-source-arn", ARN), ("X-Big", " " + "x" * 5000), ("X-SES-Source-ARN ", ARN),
                      ("X-SES-CONFIGURATION-SET", " theirs")]
            self.assertEqual(sorted(self.send(daemon, *fields)),
                             [("X-SES-CONFIGURATION-SET", 1), ("X-SES-Source-ARN", 2), ("x-ses-source-arn", 1)])
            self.assertEqual(daemon.event()["verdict"], "unknown")

    def test_x02_duplicates(self):
        """Each as (name, value) of a field beside "Comments: one two"."""
        same = [("Comments", " one two"), ("COMMENTS", " one two"), ("comments ", "one two "),
                ("Comments", "\n one\n two")]
        others = [("Comments", " One two"), ("Comments", " one  two"), ("Comments", " one\n\ttwo"), ("Comments", ""),
                  ("Comments", " one two\r"), ("Comments", " one\rX-A: two"), ("Comments", " onetwo")]
        with self.daemon(DUPLICATES) as daemon:
            for name, value in same:
                self.assertEqual(self.send(daemon, ("Comments", " one two"), (name, value)), [(name.strip(), 2)])
                self.assertEqual(self.told(daemon), [("duplicate", name.strip(), 2)])
                self.assertNotIn("dup-header", self.codes(daemon))
            for other in others:
                for fields in ([("Comments", " one two"), other], [other, ("Comments", " one two")],
                               [("Comments", " one two"), ("Comments", " one two"), other]):
                    self.assertEqual(self.send(daemon, *fields), [], fields)
                    self.assertEqual(daemon.event()["verdict"], "refused", fields)
            twice = [("Comments", " one two")] * 2
            self.assertEqual(self.send(daemon, *twice, ("X-A", " b\rComments: three")), [])
            self.assertEqual(self.send(daemon, *[("To", " b@example.net")] * 2), [])
        with self.daemon(SES) as daemon:
            self.assertEqual(self.send(daemon, *twice), [])
            self.assertEqual(daemon.event()["verdict"], "refused")

    def test_x03_a_second_from(self):
        with self.daemon(DUPLICATES) as daemon:
            self.assertEqual(self.send(daemon, ("from ", " " + AUTHOR)), [("From", 2)])
            self.assertEqual(daemon.event()["from_domain"], "legit.example")
            self.assertEqual(self.send(daemon, *[("From", " " + AUTHOR)] * 2), [("From", 3), ("From", 2)])
            for other in (" a@attack.example", AUTHOR, f" <{AUTHOR}>", " Admin@legit.example", " admin@LEGIT.example",
                          f"\n {AUTHOR}", f" {AUTHOR} ", f" {AUTHOR}\r"):
                self.assertEqual(self.send(daemon, ("From", other)), [], other)
                self.assertEqual((daemon.event()["verdict"], daemon.event()["from_domain"]), ("refused", ""), other)
            self.assertEqual(self.send(daemon, ("From", " " + AUTHOR), ("X-A", " b\rFrom: a@attack.example")), [])
            self.assertEqual(daemon.event()["from_domain"], "")

    def test_x04_our_names_on_the_way_out(self):
        forged = [("Sesame-Prediction", " mx.example.net; ses-relay=pass"), ("sesame-prediction ", " x"),
                  ("Authentication-Results", " MX.example.net.; dmarc=pass"),
                  ("X-A", " b\rAuthentication-Results: mx.example.net; dmarc=pass")]
        with self.daemon(SES) as daemon:
            self.assertEqual(self.send(daemon, *forged), [])
        with self.daemon(OWN_FIELDS) as daemon:
            self.assertEqual(sorted(self.send(daemon, *forged)),
                             [("Authentication-Results", 1), ("Sesame-Prediction", 1), ("X-A", 1),
                              ("sesame-prediction", 2)])
            self.assertEqual(self.send(daemon, ("Authentication-Results", " other.example; dmarc=pass")), [])
        with self.daemon(OWN_FIELDS.replace("[ses]", 'refused = "tag"\nfail = "tag"\n[ses]')) as daemon:
            reply = daemon.send([*forged, *letter(AUTHOR).fields()], ip=UNTRUSTED, mail_from=AUTHOR)
            self.assertEqual([edit.kind for edit in reply.edits], ["change"] * 4 + ["insert"])
            self.assertEqual(reply.edits[-1].name, "Sesame-Prediction")
            self.assertIn("ses-relay=fail", reply.edits[-1].value)


if __name__ == "__main__":
    unittest.main(verbosity=2)
