#!/usr/bin/python3
"""M: what a domain owner publishes as DMARC, and what becomes of mail that does or does not align."""

import unittest

from attack import ATTACKER, LEGIT, Attack, letter, need

need("dkim", "python3-dkim")
import signing  # noqa: E402: needs python3-dkim

WALK = ("--dmarc-mode", "rfc9989")


class Policies(Attack):
    def found(self, domain):
        """What `sesame dmarc` finds by the tree walk."""
        return self.run_sesame("dmarc", domain)[1]["rfc9989"]

    def records(self, **texts):
        """Publishes DMARC records: the names with "_" for ".", the texts after the version."""
        self.publish({"_dmarc." + name.replace("_", "."): {"TXT": ["v=DMARC1; " + text]}
                      for name, text in texts.items()})

    def publish_host(self, domain, record=None):
        """A domain that the attacker's client may use, perhaps with a policy."""
        zone = {domain: {"TXT": ["v=spf1 ip4:198.51.100.1 -all"]}}
        if record:
            zone["_dmarc." + domain] = {"TXT": ["v=DMARC1; " + record]}
        return zone

    def judge(self, author, sender="bounce@attack.example", *options):
        """DMARC by the tree walk, of mail from the attacker's client."""
        return self.verify(letter(f"a@{author}"), *(options or WALK), **{**ATTACKER, "mail_from": sender})["dmarc"]

    def test_m01_record_at_the_parent_only(self):
        self.records(org_example="p=reject; sp=quarantine")
        for author, policy in (("org.example", "reject"), ("mail.org.example", "quarantine"),
                               ("a.b.c.d.org.example", "quarantine")):
            answer = self.judge(author)
            self.assertEqual((answer["result"], answer["policy"], answer["org_domain"]),
                             ("fail", policy, "org.example"))

    def test_m01_record_at_a_public_suffix_domain(self):
        self.records(psd_example="p=reject; psd=y")
        found = self.found("mail.org.psd.example")
        self.assertEqual((found["state"], found["policy"], found["record_domain"]), ("found", "reject", "psd.example"))
        self.assertEqual(found["org_domain"], "org.psd.example")
        self.assertEqual(self.found("psd.example")["org_domain"], "psd.example")

    def test_m01_twenty_labels_cost_eight_queries(self):
        labels = [f"l{i}" for i in range(18)] + ["org", "example"]
        self.records(org_example="p=reject")
        answer = self.judge(".".join(labels))
        self.assertEqual((answer["result"], answer["org_domain"]), ("fail", "org.example"))
        names = {".".join(labels[-count:]) for count in (20, 7, 6, 5, 4, 3, 2, 1)}
        self.assertEqual(set(self.asked("_dmarc.")), {"_dmarc." + name for name in names})

    def test_m01_author_then_organization_then_suffix(self):
        zone = {"a_b_org_psd_example": "p=none", "b_org_psd_example": "p=quarantine", "org_psd_example": "p=reject",
                "psd_example": "p=quarantine; psd=y"}
        for name, record_domain, policy in (("a_b_org_psd_example", "a.b.org.psd.example", "none"),
                                            ("b_org_psd_example", "org.psd.example", "reject"),
                                            ("org_psd_example", "org.psd.example", "reject"),
                                            ("psd_example", "psd.example", "quarantine")):
            # Without the records of the author and of what lies between, the next in the order applies.
            self.records(**zone)
            found = self.found("a.b.org.psd.example")
            self.assertEqual((found["record_domain"], found["policy"], found["org_domain"]),
                             (record_domain, policy, "org.psd.example"))
            del zone[name]

    def test_m01_psd_stops_the_walk(self):
        self.records(sub_org_example="p=quarantine; psd=n", org_example="p=reject")
        found = self.found("a.sub.org.example")
        self.assertEqual((found["record_domain"], found["org_domain"]), ("sub.org.example", "sub.org.example"))
        self.assertEqual(self.asked("_dmarc.org.example"), ["_dmarc.org.example"], "by the older standard alone")

    def test_m01_each_standard_asks_its_own_names_in_order(self):
        def names(author, mode, **texts):
            self.records(**texts)
            self.judge(author, "bounce@attack.example", "--dmarc-mode", mode)
            return [name for _, name, _ in self.world.queries() if name.startswith("_dmarc.")]
        walk = ["_dmarc.a.sub.org.example", "_dmarc.sub.org.example", "_dmarc.org.example", "_dmarc.example"]
        self.assertEqual(names("a.sub.org.example", "rfc9989", org_example="p=reject"), walk)
        for psd, stop in (("n", 2), ("y", 2), ("u", 4)):
            texts = {"sub_org_example": f"p=quarantine; psd={psd}", "org_example": "p=reject"}
            self.assertEqual(names("a.sub.org.example", "rfc9989", **texts), walk[:stop], psd)
        self.assertEqual(names("org.example", "rfc9989", org_example="p=reject; psd=n"), ["_dmarc.org.example"])
        self.assertEqual(names("a.sub.org.example", "rfc7489", org_example="p=reject"), [walk[0], walk[2]])
        self.assertEqual(names("org.example", "rfc7489", org_example="p=reject"), ["_dmarc.org.example"])

    def test_m02_strict_alignment(self):
        for domain, strict, result in (("org.example", "", "pass"), ("org.example", "aspf=s", "pass"),
                                       ("mail.org.example", "", "pass"),
                                       ("mail.org.example", "aspf=s", "fail"),
                                       ("org.example.attack.example", "", "fail"),
                                       ("xorg.example", "", "fail"), ("attack.example", "", "fail")):
            zone = {"_dmarc.org.example": {"TXT": ["v=DMARC1; p=reject; " + strict]}, **self.publish_host(domain)}
            self.publish(zone)
            answer = self.verify(letter("a@org.example"), **{**ATTACKER, "mail_from": f"x@{domain}"})
            self.assertEqual(answer["spf"]["result"], "pass")
            self.assert_dmarc(answer, result, (domain, strict))

    def test_m02_strict_alignment_of_signatures(self):
        key = signing.Key()
        for domain, strict, result in (("legit.example", "adkim=s", "pass"), ("sub.legit.example", "", "pass"),
                                       ("sub.legit.example", "adkim=s", "fail"), ("notlegit.example", "", "fail"),
                                       ("legit.example.attack.example", "", "fail")):
            self.publish({"_dmarc.legit.example": {"TXT": ["v=DMARC1; p=reject; " + strict]},
                          f"s1._domainkey.{domain}": {"TXT": [key.record()]}})
            answer = self.verify(signing.sign(letter("a@legit.example"), key, signing.tags(d=domain)), **ATTACKER)
            self.assertEqual(answer["dkim"][0]["result"], "pass")
            self.assert_dmarc(answer, result, (domain, strict))

    def test_m03_each_identifier_has_its_own_organization(self):
        # The author's walk ends at psd=n; those of a sibling and of the parent go on to another Organizational Domain.
        self.publish({"_dmarc.org.example": {"TXT": ["v=DMARC1; p=reject"]},
                      "_dmarc.unit.org.example": {"TXT": ["v=DMARC1; p=reject; psd=n"]},
                      **self.publish_host("sub.unit.org.example"), **self.publish_host("other.org.example"),
                      **self.publish_host("org.example"), **self.publish_host("own.org.example", "p=none; psd=n")})
        for author, sender, result in (("unit.org.example", "sub.unit.org.example", "pass"),
                                       ("unit.org.example", "other.org.example", "fail"),
                                       ("other.org.example", "sub.unit.org.example", "fail"),
                                       ("other.org.example", "own.org.example", "fail"),
                                       ("a.unit.org.example", "org.example", "fail")):
            self.assertEqual(self.judge(author, f"x@{sender}")["result"], result, (author, sender))

    def test_m04_two_records_are_none(self):
        self.publish({"_dmarc.org.example": {"TXT": ["v=DMARC1; p=none", "v=DMARC1; p=reject"]},
                      "_dmarc.sub.full.example": {"TXT": ["v=DMARC1; p=none", "v=DMARC1; p=none"]},
                      "_dmarc.full.example": {"TXT": ["v=DMARC1; p=reject", "other text", "v=DMARC10; p=none"]}})
        answer = self.verify(letter("a@org.example"), **ATTACKER)
        self.assert_dmarc(answer, "none")
        self.assertIn("2 DMARC records", answer["why"])
        found = self.run_sesame("dmarc", "sub.full.example")[1]["rfc9989"]
        self.assertEqual((found["state"], found["policy"], found["record_domain"]), ("found", "reject", "full.example"))
        self.assertIn("2 DMARC records", found["problems"][0])
        with self.daemon() as daemon:
            daemon.send(letter("a@org.example").fields(), **ATTACKER)
            self.assertIn("2 DMARC records", daemon.event()["why"])

    def test_m05_nothing_passes(self):
        for session in (ATTACKER, {"ip": "203.0.113.9", "helo": "x", "mail_from": ""},
                        {"mail_from": "a@legit.example"}):
            answer = self.verify(letter("admin@legit.example"), **session)
            self.assert_dmarc(answer, "fail")
            self.assertEqual(answer["dmarc"]["disposition"], "reject")
        for record in ("p=none", "p=quarantine", "p=reject"):
            self.publish({"_dmarc.legit.example": {"TXT": ["v=DMARC1; " + record]}})
            self.assert_dmarc(self.verify(letter("admin@legit.example"), **ATTACKER), "fail", record)

    def test_m06_a_failed_aligned_and_a_passing_unaligned_signature(self):
        key = signing.Key()
        self.publish({"s1._domainkey.legit.example": {"TXT": [signing.Key().record()]},
                      "s1._domainkey.attack.example": {"TXT": [key.record()]}})
        message = letter("admin@legit.example")
        for order in (("legit.example", "attack.example"), ("attack.example", "legit.example")):
            signed = message
            for domain in order:
                signed = signing.sign(signed, key, signing.tags(d=domain))
            answer = self.verify(signed, **ATTACKER)
            self.assertEqual({outcome["domain"]: outcome["result"] for outcome in answer["dkim"]},
                             {"legit.example": "fail", "attack.example": "pass"})
            self.assertEqual(answer["dmarc"]["aligned"], {"dkim": False, "spf": False})
            self.assert_dmarc(answer, "fail")

    def test_m07_records_out_of_shape(self):
        many = "; ".join(f"rua=mailto:r{i}@legit.example" for i in range(60))
        for text, result, policy in (("v=DMARC1; p=reject; rf=afrfruf=mailto:x@legit.example", "fail", "reject"),
                                     (f"v=DMARC1; p=reject; {many}", "fail", "reject"),
                                     ("v=DMARC1; p=reject;;;", "fail", "reject"),
                                     ("v=DMARC1;p=reject;rua=" + ",".join(["mailto:r@legit.example"] * 60), "fail",
                                      "reject"),
                                     ("v=DMARC1 ; p = reject ; x=" + "y" * 5000, "fail", "reject"),
                                     ("v=DMARC1; p=reject; rua=" + "," * 5000, "fail", "reject"),
                                     ("v=DMARC1; p=reject rua=mailto:r@legit.example", "none", None),
                                     ("v=DMARC1 p=reject", "none", None), ("v=DMARC1p=reject", "none", None),
                                     ("v=DMARC1; p=", "none", None), ("v=DMARC1; =reject", "none", None),
                                     ("v=DMARC1", "none", None),
                                     ("v=DMARC1; p=reject;" + ";" * 5000, "fail", "reject"),
                                     ("p=reject; v=DMARC1", "none", None),
                                     ("v=DMARC1; p=nonsense; rua=mailto:r@legit.example", "fail", "none")):
            self.publish({"_dmarc.legit.example": {"TXT": [text]}})
            answer = self.verify(letter("admin@legit.example"), *WALK, **ATTACKER)
            self.assertEqual((answer["dmarc"]["result"], answer["dmarc"]["policy"]), (result, policy), text[:100])

    def test_m08_historic_and_new_tags(self):
        for record, policy, disposition in (("p=reject; pct=0; rf=iodef; ri=1", "reject", "reject"),
                                            ("p=reject; pct=x; ri=-1", "reject", "reject"),
                                            ("p=reject; t=y", "reject", "quarantine"),
                                            ("p=quarantine; t=y", "quarantine", "none"),
                                            ("p=none; t=y", "none", "none"),
                                            ("p=reject; t=n", "reject", "reject")):
            self.records(org_example=record)
            answer = self.judge("org.example")
            self.assertEqual((answer["result"], answer["policy"], answer["disposition"]), ("fail", policy, disposition),
                             record)

    def test_m08_policy_for_names_that_are_not_there(self):
        self.publish({"_dmarc.org.example": {"TXT": ["v=DMARC1; p=none; sp=quarantine; np=reject"]},
                      "there.org.example": {"A": ["192.0.2.1"]}, "below.empty.org.example": {"A": ["192.0.2.1"]}})
        for author, policy in (("org.example", "none"), ("there.org.example", "quarantine"),
                               ("empty.org.example", "quarantine"),
                               ("gone.org.example", "reject")):
            self.assertEqual(self.judge(author)["policy"], policy, author)

    def test_m09_no_answer_is_no_absence(self):
        for fault in ("SERVFAIL", "REFUSED", "NOTIMP"):
            self.publish({"_dmarc.legit.example": {"FAULT": fault}})
            self.assert_dmarc(self.verify(letter("admin@legit.example"), **ATTACKER), "temperror", fault)
        self.publish({"_dmarc.org.example": {"TXT": ["v=DMARC1; p=reject"]},
                      "_dmarc.bad.org.example": {"FAULT": "SERVFAIL"},
                      "_dmarc.down.example": {"FAULT": "SERVFAIL"}})
        self.assertEqual(self.judge("a.down.example")["result"], "temperror")
        # What has passed might align, had its walk been answered.
        self.publish({**self.publish_host("bad.legit.example"), "_dmarc.bad.legit.example": {"FAULT": "SERVFAIL"}})
        self.assertEqual(self.judge("legit.example", "x@bad.legit.example")["result"], "temperror")

    def test_m09_one_bad_name_harms_no_sibling(self):
        self.publish({"_dmarc.org.example": {"TXT": ["v=DMARC1; p=reject"]},
                      "_dmarc.bad.org.example": {"FAULT": "SERVFAIL"}})
        with self.daemon() as daemon:
            for _ in range(3):
                self.assertIn("dmarc=temperror", daemon.send(letter("a@bad.org.example").fields()).results())
                self.assertIn("dmarc=fail", daemon.send(letter("a@good.org.example").fields()).results())
                self.assertIn("dmarc=fail", daemon.send(letter("a@org.example").fields()).results())
                self.assertIn("dmarc=pass", daemon.send(letter("a@legit.example").fields(), **LEGIT).results())


if __name__ == "__main__":
    unittest.main(verbosity=2)
