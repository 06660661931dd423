#!/usr/bin/python3
"""R: what a domain owner may publish as SPF. A record that is wrong, huge, looping or slow is never a pass, never a
fail it did not say, and never holds mail up."""

import threading
import unittest

from attack import LEGIT, Attack, letter

MATCH = "ip4:192.0.2.1"  # the client of every check here, unless it says otherwise


def octets(text):
    """A TXT string that is not text."""
    return {"hex": text.encode("latin-1").hex()}


class Records(Attack):
    def judge(self, *texts, zone=None, **session):
        """What becomes of the sender when legit.example has these TXT records."""
        self.publish({"legit.example": {"TXT": list(texts)}, **(zone or {})})
        return self.spf(**session)

    def assert_spf(self, result, *texts, zone=None, **session):
        answer = self.judge(*texts, zone=zone, **session)
        self.assertEqual(answer["result"], result, (texts, answer))
        if result in ("permerror", "temperror"):
            self.assertNotEqual(answer["reason"], "", texts)
        return answer

    def test_r01_which_text_is_the_record(self):
        for result, texts in (("permerror", [f"v=spf1 {MATCH} -all", f"v=spf1 {MATCH} -all"]),
                              ("permerror", [f"v=spf1 {MATCH} -all", "V=SPF1 -all"]),
                              ("permerror", ["v=spf1", "v=spf1"]),
                              ("none", [f"v=spf10 {MATCH} -all"]), ("none", [f"v=spf1a {MATCH}"]),
                              ("none", ["v=spf 1"]),
                              ("none", [f" v=spf1 {MATCH}"]), ("none", [f"\tv=spf1 {MATCH}"]),
                              ("none", ["v=spf1\t-all"]),
                              ("none", [f'"v=spf1 {MATCH}"']), ("none", ["spf1 -all"]),
                              ("pass", [f"V=SpF1 {MATCH} -ALL"]),
                              ("pass", [f"v=spf1 {MATCH} -all", "v=spf10 -all", "v=spf2.0/mfrom -all", "other"]),
                              ("pass", [[f"v=sp", f"f1 {MATCH} -", "all"]]), ("neutral", ["v=spf1"])):
            self.assert_spf(result, *texts)

    def test_r02_ten_terms_with_lookups(self):
        zone = {f"a{i}.example": {"A": ["203.0.113.1"]} for i in range(1, 12)}
        ten = " ".join(f"a:a{i}.example" for i in range(1, 11))
        self.assertEqual(self.assert_spf("fail", f"v=spf1 {ten} -all", zone=zone)["lookup_terms"], 10)
        self.assert_spf("permerror", f"v=spf1 {ten} a:a11.example -all", zone=zone)
        self.assert_spf("permerror", f"v=spf1 {ten} a:a11.example {MATCH} -all", zone=zone)
        self.assert_spf("pass", f"v=spf1 {ten} {MATCH} a:a11.example -all", zone=zone)
        zone["a10.example"] = {"A": ["192.0.2.1"]}
        self.assert_spf("pass", f"v=spf1 {ten} a:a11.example -all", zone=zone)

    def test_r02_ten_terms_over_includes_and_redirects(self):
        chain = {f"i{i}.example": {"TXT": [f"v=spf1 include:i{i + 1}.example -all"]} for i in range(1, 10)}
        chain["i10.example"] = {"TXT": [f"v=spf1 {MATCH} -all"]}
        self.assert_spf("pass", "v=spf1 include:i1.example -all", zone=chain)
        chain["i10.example"] = {"TXT": ["v=spf1 include:i11.example -all"]}
        chain["i11.example"] = {"TXT": [f"v=spf1 {MATCH} -all"]}
        self.assert_spf("permerror", "v=spf1 include:i1.example -all", zone=chain)
        chain = {f"r{i}.example": {"TXT": [f"v=spf1 redirect=r{i + 1}.example"]} for i in range(1, 12)}
        chain["r12.example"] = {"TXT": ["v=spf1 -all"]}
        self.assert_spf("permerror", "v=spf1 redirect=r1.example", zone=chain)

    def test_r03_two_void_lookups(self):
        self.assertEqual(self.assert_spf("pass", f"v=spf1 a:v1.example a:v2.example {MATCH} -all")["void_lookups"], 2)
        answer = self.assert_spf("permerror", f"v=spf1 a:v1.example a:v2.example exists:v3.example {MATCH} -all")
        self.assertEqual(answer["void_lookups"], 3)
        empty = {"v1.example": {"TXT": ["no address"]}, "v2.example": {"TXT": ["nor here"]}}
        self.assert_spf("permerror", f"v=spf1 a:v1.example mx:v2.example a:v3.example {MATCH} -all", zone=empty)

    def test_r04_ten_names_of_an_mx(self):
        for count, result in ((10, "pass"), (11, "permerror"), (200, "permerror")):
            zone = {f"m{i}.example": {"A": ["203.0.113.1"]} for i in range(count)}
            zone[f"m{min(count, 10) - 1}.example"] = {"A": ["192.0.2.1"]}
            zone["mx.example"] = {"MX": [[10, f"m{i}.example"] for i in range(count)]}
            self.assert_spf(result, "v=spf1 mx:mx.example -all", zone=zone)
        self.assertLess(len(self.asked("example", "A")), 12)

    def test_r04_ten_names_of_a_client(self):
        for place, result in ((9, "pass"), (10, "fail"), (150, "fail")):
            names = [f"p{i}.other.example" for i in range(200)]
            names[place] = "mail.legit.example"
            zone = {name: {"A": ["192.0.2.1"]} for name in names}
            zone["1.2.0.192.in-addr.arpa"] = {"PTR": names}
            self.assert_spf(result, "v=spf1 ptr:legit.example -all", zone=zone)
            self.assertLess(len(self.asked("example", "A")), 12)

    def test_r05_loops_and_dead_ends(self):
        for text, zone in (("v=spf1 include:legit.example -all", {}), ("v=spf1 redirect=legit.example", {}),
                           ("v=spf1 include:b.example -all", {"b.example": {"TXT": ["v=spf1 include:legit.example"]}}),
                           ("v=spf1 redirect=b.example", {"b.example": {"TXT": ["v=spf1 redirect=legit.example"]}}),
                           ("v=spf1 redirect=none.example", {}), ("v=spf1 include:none.example +all", {}),
                           ("v=spf1 redirect=b.example", {"b.example": {"TXT": ["no SPF"]}}),
                           ("v=spf1 include:b.example +all", {"b.example": {"TXT": ["v=spf1 redirect=none.example"]}})):
            self.assert_spf("permerror", text, zone=zone)

    def test_r05_include_and_redirect_in_their_order(self):
        zone = {"no.example": {"TXT": ["v=spf1 -all"]}, "yes.example": {"TXT": [f"v=spf1 {MATCH} -all"]},
                "soft.example": {"TXT": ["v=spf1 ~all"]}}
        for result, text in (("pass", "v=spf1 redirect=yes.example include:no.example"),
                             ("pass", "v=spf1 redirect=no.example include:yes.example"),
                             ("fail", "v=spf1 redirect=yes.example include:no.example -all"),
                             ("softfail", "v=spf1 include:no.example redirect=soft.example"),
                             ("permerror", "v=spf1 redirect=yes.example redirect=yes.example")):
            self.assert_spf(result, text, zone=zone)

    def test_r06_slow_answers_end_in_the_budget(self):
        # Each answer is late by less than the time one question may take, most of it by aliases on the way.
        zone, faults = {}, []
        for i in range(10):
            zone[f"s{i}.slow.example"] = {"CNAME": [f"c{i}.slow.example"]}
            zone[f"c{i}.slow.example"] = {"CNAME": [f"t{i}.slow.example"]}
            zone[f"t{i}.slow.example"] = {"A": ["203.0.113.1"]}
            faults += [{"name": f"{kind}{i}.slow.example", "fault": "SLOW", "ms": 140} for kind in "sct"]
        zone["slow.example"] = {"TXT": ["v=spf1 " + " ".join(f"a:s{i}.slow.example" for i in range(10)) + " -all"]}
        zone["_dmarc.slow.example"] = {"TXT": ["v=DMARC1; p=reject"]}
        self.publish(zone, faults)
        with self.daemon(dns="timeout = 0.5\ntries = 2\nbudget = 1.0\n") as daemon:
            replies = []
            slow = threading.Thread(target=lambda: replies.append(
                daemon.send(letter("a@slow.example").fields(), mail_from="a@slow.example")))
            slow.start()
            other = daemon.send(letter("a@legit.example").fields(), **LEGIT)
            slow.join()
            self.assertIn("dmarc=pass", other.results(), "other mail does not wait")
            self.assertIn("spf=temperror", replies[0].results())
            self.assertIn("dmarc=temperror", replies[0].results())
            self.assertEqual(replies[0].final, "continue")

    def test_r06_silence_ends_in_the_budget(self):
        self.publish({"dead.example": {"FAULT": "TIMEOUT"}})
        with self.daemon(dns="timeout = 0.2\ntries = 1\nbudget = 1.0\n") as daemon:
            reply = daemon.send(letter("a@legit.example").fields(), mail_from="a@dead.example")
            self.assertIn("spf=temperror", reply.results())
            self.assertEqual(reply.final, "continue")

    def test_r07_macros_expand_exactly(self):
        local = "a.b-c"
        for macro, name in (("%{ir}.%{v}._spf.%{d2}", "1.2.0.192.in-addr._spf.legit.example"),
                            ("%{lr-}.%{d1}", "c.a.b.example"), ("%{L}.%{h}", "a.b-c.mail.legit.example"),
                            ("%{o}.%{d}", "legit.example.legit.example"), ("%{h1}.%{dr}.x", "example.example.legit.x"),
                            ("%{d99999999999999999999r}.x", "example.legit.x"), ("%{d128}.x", "legit.example.x"),
                            ("%{d0000001}.x", "example.x"), ("%{i4r}.x", "1.2.0.192.x"),
                            ("%%%_%-x.example", "% %20x.example"),
                            ("%{s}.x", "a.b-c@legit.example.x"), ("%{l1r-}.x", "a.b.x")):
            self.publish({"legit.example": {"TXT": [f"v=spf1 exists:{macro} -all"]}})
            self.assertEqual(self.spf(mail_from=f"{local}@legit.example")["result"], "fail", macro)
            self.assertEqual([query[1] for query in self.world.queries() if query[0] == "A"], [name], macro)

    def test_r07_long_expansions_are_cut_at_the_left(self):
        local = ".".join(["abcdefghi"] * 6)
        self.publish({"legit.example": {"TXT": ["v=spf1 exists:%{l}.%{l}.%{l}.%{l}.%{l}.%{d} -all"]}})
        self.assertEqual(self.spf(mail_from=f"{local}@legit.example")["result"], "fail")
        name, = [query[1] for query in self.world.queries() if query[0] == "A"]
        whole = ".".join([local] * 5) + ".legit.example"
        self.assertTrue(whole.endswith("." + name), name)
        self.assertLess(243, len(name))
        self.assertLessEqual(len(name), 253)

    def test_r07_the_domain_of_an_include_is_its_own(self):
        zone = {"inc.example": {"TXT": ["v=spf1 exists:%{l}.%{d}.test exists:%{o}.test -all"]}}
        self.assert_spf("fail", "v=spf1 include:inc.example -all", zone=zone)
        self.assertEqual(self.asked(".test", "A"), ["legit.example.test", "user.inc.example.test"])

    def test_r07_wrong_macros(self):
        for macro in ("%{d0}", "%{x}", "%{d", "%d}", "%", "%{}", "%{d2rr}", "%{dr2}", "%{d-1}", "%{d2,!}", "%{p2}%{",
                      "%{c}", "%{t}", "%{r}", "%(d)"):
            self.assert_spf("permerror", f"v=spf1 exists:{macro}.example {MATCH} -all")

    def test_r07_labels_no_name_may_have(self):
        # Over 63 octets, or empty: no such name can be asked for, so nothing matches.
        for local in ("a" * 64, "a" * 300, "a..b", ".a"):
            self.assertEqual(self.judge("v=spf1 exists:%{l}.example -all",
                                        mail_from=f"{local}@legit.example")["result"],
                             "fail", local)

    def test_r08_odd_octets(self):
        for text in (f"v=spf1 {MATCH}\x0a -all", f"v=spf1 {MATCH}\010 -all", f"v=spf1 {MATCH}\0 -all",
                     f"v=spf1 {MATCH}\\010 -all", f"v=spf1\0", f"v=spf1 {MATCH}\xe2\x80\x8b -all",
                     "v=spf1 +all\xe2\x80\x8b",
                     f"v=spf1 {MATCH}\t-all", f"v=spf1 {MATCH}\r\n -all", f"v=spf1 \xa0{MATCH}", "v=spf1 +all\x7f",
                     f"v=spf1 ip4:192.0.2.1\xff"):
            # "v=spf1" that no space follows is no SPF record at all, RFC 7208 Section 4.5.
            wanted = "none" if text == "v=spf1\0" else "permerror"
            self.assert_spf(wanted, octets(text))
        for result, text in (("pass", f"v=spf1 {MATCH} -all   "), ("pass", f"v=spf1   {MATCH}   -all"), ("none", ""),
                             ("neutral", "v=spf1 ")):
            self.assert_spf(result, text)
        self.assert_spf("pass", "", f"v=spf1 {MATCH} -all")

    def test_r09_fifty_texts_at_one_name(self):
        others = [f"verification-{i}=" + "x" * 200 for i in range(50)]
        self.assert_spf("pass", *others[:25], f"v=spf1 {MATCH} -all", *others[25:])
        self.assertIn(("TXT", "legit.example", "tcp"), self.world.queries())

    def test_r10_wide_records_pass_and_are_flagged(self):
        wide = ("+all", "all", "ip4:0.0.0.0/0", "ip4:0.0.0.0/1 ip4:128.0.0.0/1", "ip4:192.0.2.1/2 -all",
                "ip4:192.0.0.0/4",
                "a:mail.legit.example/0")
        with self.daemon() as daemon:
            for text in wide:
                answer = self.assert_spf("pass", f"v=spf1 {text}")
                self.assertNotEqual(answer["reason"], "", text)
            self.publish({"wide.example": {"TXT": ["v=spf1 +all"]},
                          "cloud.example": {"TXT": [f"v=spf1 {MATCH}/24 -all"]}})
            daemon.send(letter("a@wide.example").fields(), mail_from="a@wide.example")
            self.assertEqual(daemon.event()["spf"]["result"], "pass")
            self.assertNotEqual(daemon.event()["spf"]["reason"], "")
        answer = self.assert_spf("pass", "v=spf1 ip6:::/0 -all", ip="2001:db8::1")
        self.assertNotEqual(answer["reason"], "")
        self.assertEqual(self.assert_spf("pass", f"v=spf1 {MATCH}/24 -all")["reason"], "")


if __name__ == "__main__":
    unittest.main(verbosity=2)
