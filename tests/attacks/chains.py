#!/usr/bin/python3
"""C: ARC chains, odd, broken and of nobody we know. A chain is information; it never makes DMARC pass."""

import unittest

from attack import ATTACKER, Attack, Letter, letter, need

need("dkim", "python3-dkim")
import signing  # noqa: E402: needs python3-dkim

SEAL = "ARC-Seal: i=1; a=rsa-sha256; cv=none; d=sealer.example; s=s1; b=YWFh"
MESSAGE = "ARC-Message-Signature: i=1; a=rsa-sha256; d=sealer.example; s=s1; h=from; bh=YWFh; b=YWFh"
RESULTS = "ARC-Authentication-Results: i=1; sealer.example; dmarc=pass header.from=legit.example"


class Chains(Attack):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.key = signing.Key()
        cls.message = letter("admin@legit.example")

    def setUp(self):
        self.publish({"s1._domainkey.sealer.example": {"TXT": [self.key.record()]}})

    def seal(self, message=None, **options):
        return signing.seal(message or self.message, self.key, **options)

    def assert_arc(self, result, message, context=None):
        answer = self.verify(message, **ATTACKER)
        self.assertEqual(answer["arc"]["result"], result, (context, answer["arc"]))
        if result == "fail":
            self.assertNotEqual(answer["arc"]["reason"], "", context)
        self.assert_dmarc(answer, "fail", context)

    def assert_unharmed(self, daemon, message, context):
        """The daemon lives, and the chain has changed nothing."""
        self.assertIn("dmarc=fail", daemon.send(message.fields()).results(), context)

    def test_c01_fields_out_of_shape(self):
        with self.daemon() as daemon:
            for fields in (["ARC-Seal: x"], ["ARC-Seal: i=1; none"], ["ARC-Seal:"], ["ARC-Seal: i=1"],
                           ["ARC-Seal: ;;;"],
                           [SEAL], [MESSAGE], [RESULTS], [SEAL, MESSAGE], ["ARC-Authentication-Results: i=1; none"],
                           [SEAL, MESSAGE, RESULTS], [SEAL + ";", MESSAGE + ";", RESULTS + ";"],
                           [SEAL, SEAL, MESSAGE, RESULTS],
                           [SEAL, MESSAGE, "ARC-Authentication-Results: i=1"],
                           [SEAL, MESSAGE, "ARC-Authentication-Results: x"],
                           [SEAL, MESSAGE, "ARC-Authentication-Results: i=1; i=1; i=1"],
                           [SEAL, "ARC-Message-Signature: x", RESULTS],
                           [SEAL.replace("b=YWFh", "b=" + "A" * 100000), MESSAGE, RESULTS], [RESULTS + "; x=y" * 20000],
                           [SEAL.replace("i=1", "i=99999999999999999999"), MESSAGE, RESULTS],
                           [SEAL.replace("i=1", "i=0")],
                           [SEAL.replace("i=1", "i=-1")], [SEAL.replace("i=1", "i=1 1")],
                           ["ARC-Seal: " + "i=1; " * 500],
                           ["ARC-Seal: x"] * 500):
                message = self.message.above(*fields)
                self.assert_arc("fail", message, fields)
                self.assert_unharmed(daemon, message, fields)

    def test_c01_good_chains_with_odd_parts(self):
        for results in ("sealer.example; (null)=pass", "sealer.example; x-unknown=maybe x.y=z", "none",
                        "sealer.example; none",
                        "sealer.example", "=;=;=", "sealer.example; spf=pass (unclosed",
                        "sealer.example; dmarc=pass\udcff"):
            self.assert_arc("pass", self.seal(results=results), results)
        self.assert_arc("pass", self.seal(tail=";"), "trailing ;")
        self.assert_arc("pass", self.seal(tail=" ; "), "trailing ;")

    def test_c01_long_keys(self):
        for bits in (3072, 4096):
            key = signing.Key(bits)
            self.publish({"s1._domainkey.sealer.example": {"TXT": [key.record()]}})
            self.assert_arc("pass", signing.seal(self.message, key), bits)

    def test_c02_no_more_than_fifty_sets(self):
        message = self.message
        for _ in range(50):
            message = self.seal(message)
        self.assert_arc("pass", message, 50)
        self.assert_arc("fail", self.seal(message), 51)

    def test_c02_gaps_and_doubles(self):
        three = self.seal(self.seal(self.seal()))
        self.assert_arc("pass", three)
        for instance in (1, 2, 3):
            rest = [line for line in three.lines if not (line.startswith("ARC-") and f" i={instance};" in line)]
            self.assert_arc("pass" if instance == 3 else "fail", Letter(*rest, body=three.body), instance)
        for line in three.lines[:9]:
            rest = [other for other in three.lines if other != line]
            self.assert_arc("fail", Letter(*rest, body=three.body), line)
            self.assert_arc("fail", three.above(line), line)

    def test_c02_seals_that_break_the_rules(self):
        for more in ("h=from; ", "h=; ", "h=from:to:subject:arc-seal; "):
            self.assert_arc("fail", self.seal(more=more), more)
        for cv in ("pass", "fail", "perhaps"):
            self.assert_arc("fail", self.seal(cv=cv), cv)
        for cv in ("none", "fail"):
            self.assert_arc("fail", self.seal(self.seal(), cv=cv), cv)
        changed = self.seal()
        changed.body += "Pay here instead.\r\n"
        self.assert_arc("fail", changed)

    def test_c02_a_sealer_nobody_trusts_overrides_nothing(self):
        results = "sealer.example; arc=none; dmarc=pass header.from=legit.example; spf=pass smtp.mailfrom=legit.example"
        message = self.seal(results=results)
        self.assert_arc("pass", message)
        reject = '[inbound]\non_policy_reject = "reject"\n'
        for trust in ("", 'trusted_arc_sealers = ["lists.example", "er.example", "sub.sealer.example"]\n'):
            with self.daemon(reject + trust) as daemon:
                reply = daemon.send(message.fields())
                self.assertRegex(reply.text, r"^550 5\.7\.1 DMARC fails for legit\.example ")
        with self.daemon() as daemon:
            self.assertRegex(daemon.send(message.fields()).results(), r"arc=pass .*dmarc=fail ")

    def test_c02_a_trusted_sealer_stands_in_for_the_policy(self):
        passed = "sealer.example; dmarc=pass header.from=legit.example"
        trusted = '[inbound]\non_policy_reject = "reject"\ntrusted_arc_sealers = ["Sealer.Example"]\n'
        with self.daemon(trusted) as daemon:
            reply = daemon.send(self.seal(results=passed).fields())
            self.assertEqual(reply.final, "continue")
            self.assertRegex(reply.results(), r"dmarc=fail \(policy not applied: ARC sealer sealer\.example is trusted\)")
            event = daemon.event()
            self.assertEqual((event["action"], event["trusted_forwarder"]), ("accept", "sealer.example"))
            # What it did not see pass, what was changed since, and what somebody else sealed since.
            changed = self.seal(results=passed)
            changed.body += "Pay here instead.\r\n"
            self.publish({name: {"TXT": [self.key.record()]} for name in
                          ("s1._domainkey.sealer.example", "s1._domainkey.other.example")})
            for message in (self.seal(results=passed.replace("pass", "fail")), self.seal(results="sealer.example; none"),
                            self.seal(results=passed.replace("legit", "attack")), changed,
                            self.seal(self.seal(results=passed), domain="other.example")):
                self.assertRegex(daemon.send(message.fields(), message.body).text, r"^550 5\.7\.1 ")


if __name__ == "__main__":
    unittest.main(verbosity=2)
