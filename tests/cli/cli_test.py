#!/usr/bin/python3
"""The interface of `sesame`: what each subcommand answers, in JSON and for people, and its exit status."""

import json
import os
import subprocess
import time
import unittest

import harness
import keys
from harness import DnsTest, RUN_S, sesame

SUBCOMMANDS = ("spf", "verify", "dmarc", "preflight", "doctor", "sync", "config")
MESSAGE = "From: User <user@example.com>\nTo: rcpt@example.org\nSubject: test\n\nHello.\n"



class Spf(DnsTest):
    zone = {
        "example.com": {"TXT": ["v=spf1 ip4:192.0.2.1 ?ip4:192.0.2.2 ~ip4:192.0.2.3 exp=why.example.com -all"]},
        "why.example.com": {"TXT": ["%{i} may not send"]},
        "helo.example.com": {"TXT": ["v=spf1 ip4:192.0.2.7 -all"]},
        "bad.example.com": {"TXT": ["v=spf1 ipv4:192.0.2.1 -all"]},
        "down.example.com": {"FAULT": "SERVFAIL"},
        "ptr.example.com": {"TXT": ["v=spf1 ptr a:ok.example.com -all"]},
        "9.2.0.192.in-addr.arpa": {"FAULT": "TIMEOUT"},
        "ok.example.com": {"A": ["192.0.2.9"]},
    }

    def spf(self, status, ip, mail_from):
        return self.run_json(status, "spf", "--ip", ip, "--helo", "helo.example.com", "--mail-from", mail_from)

    def test_pass_is_fine(self):
        answer = self.spf(0, "192.0.2.1", "user@example.com")
        self.assertEqual(answer["result"], "pass")
        self.assertEqual(answer["explanation"], "")

    def test_neutral_is_fine(self):
        self.assertEqual(self.spf(0, "192.0.2.2", "user@example.com")["result"], "neutral")

    def test_none_is_fine(self):
        self.assertEqual(self.spf(0, "192.0.2.1", "user@example.org")["result"], "none")

    def test_softfail_is_bad(self):
        self.assertEqual(self.spf(1, "192.0.2.3", "user@example.com")["result"], "softfail")

    def test_fail_is_bad_and_explained(self):
        answer = self.spf(1, "192.0.2.9", "user@example.com")
        self.assertEqual(answer["result"], "fail")
        self.assertEqual(answer["explanation"], "192.0.2.9 may not send")

    def test_permerror_is_bad(self):
        self.assertEqual(self.spf(1, "192.0.2.1", "user@bad.example.com")["result"], "permerror")

    def test_temperror_is_undecided(self):
        self.assertEqual(self.spf(75, "192.0.2.1", "user@down.example.com")["result"], "temperror")

    def test_a_silent_name_leaves_time_for_the_others(self):
        # RFC 7208 Section 5.5: a PTR look-up that fails is no match, and the record goes on.
        self.assertEqual(self.spf(0, "192.0.2.9", "user@ptr.example.com")["result"], "pass")

    def test_both_ways_to_write_the_empty_sender_judge_helo(self):
        for sender in ("<>", ""):
            answer = self.spf(0, "192.0.2.7", sender)
            self.assertEqual((answer["result"], answer["identity"]), ("pass", "helo"))

    def test_without_sender_helo_is_judged(self):
        answer = self.run_json(1, "spf", "--ip", "192.0.2.8", "--helo", "helo.example.com")
        self.assertEqual((answer["result"], answer["domain"]), ("fail", "helo.example.com"))

    def test_text_for_people(self):
        text = self.run_text(1, "spf", "--ip", "192.0.2.9", "--helo", "h", "--mail-from", "user@example.com")
        self.assertIn("spf: fail\n", text)
        self.assertIn("192.0.2.9 may not send", text)

    def test_bad_arguments(self):
        for arguments in (["--mail-from", "user@example.com"], ["--ip", "192.0.2.1"],
                          ["--ip", "192.0.2", "--mail-from", "user@example.com"]):
            done = sesame("--dns", self.dns, "spf", *arguments)
            self.assertEqual(done.returncode, 2, arguments)
            self.assertTrue(done.stderr.startswith(b"sesame: "), done.stderr)


class Verify(DnsTest):
    zone = {
        "example.com": {"TXT": ["v=spf1 ip4:192.0.2.1 -all"]},
        "_dmarc.example.com": {"TXT": ["v=DMARC1; p=reject"]},
        "_dmarc.down.example": {"FAULT": "SERVFAIL"},
        "_dmarc.host.example": {"TXT": ["v=DMARC1; p=quarantine"]},
        "_dmarc.psd.example": {"TXT": ["v=DMARC1; p=none; psd=y"]},
        "when.example": {"TXT": ["v=spf1 exp=why.when.example -all"]},
        "why.when.example": {"TXT": ["not at %{t}"]},
    }

    session = ("--helo", "mail.example.com", "--mail-from", "user@example.com")

    @classmethod
    def setUpClass(cls):
        cls.weak = keys.private_key(512)  # RFC 8301 has verifiers refuse it
        record = "v=DKIM1; p=" + keys.public_key(cls.weak)
        cls.zone = {**cls.zone, "weak._domainkey.example.com": {"TXT": [record]}}
        super().setUpClass()

    def test_names_of_the_answer(self):
        answer = self.run_json(0, "verify", "--ip", "192.0.2.1", *self.session, stdin=MESSAGE)
        self.assertEqual(answer["spf"]["result"], "pass")
        self.assertEqual(answer["dkim"], [])
        self.assertEqual(answer["arc"]["result"], "none")
        for name in ("dmarc", "dmarc_rfc7489"):
            dmarc = answer[name]
            self.assertEqual((dmarc["result"], dmarc["policy"]), ("pass", "reject"), name)
            self.assertEqual((dmarc["from_domain"], dmarc["org_domain"]), ("example.com", "example.com"), name)

    def test_without_ip_spf_is_none(self):
        answer = self.run_json(1, "verify", *self.session, stdin=MESSAGE)
        self.assertEqual(answer["spf"]["result"], "none")
        self.assertEqual(answer["dmarc"]["result"], "fail")

    def test_signatures_are_in_message_order_and_a_broken_one_has_no_domain(self):
        message = ("DKIM-Signature: v=1; nonsense\n"
                   "DKIM-Signature: v=1; a=rsa-sha256; d=example.com; s=gone; h=from; bh=YQ==; b=YQ==\n" + MESSAGE)
        answer = self.run_json(1, "verify", stdin=message)
        first, second = answer["dkim"]
        self.assertIsNone(first["domain"])
        self.assertEqual((second["domain"], second["selector"]), ("example.com", "gone"))
        for signature in (first, second):
            self.assertNotEqual(signature["result"], "pass")
            self.assertNotEqual(signature["reason"], "")

    def test_lax_keys_admits_a_short_key(self):
        message = self.signed(MESSAGE)
        strict = self.run_json(1, "verify", stdin=message)
        self.assertNotEqual(strict["dkim"][0]["result"], "pass")
        self.assertEqual(strict["dmarc"]["result"], "fail")
        lax = self.run_json(0, "verify", "--lax-keys", stdin=message)
        self.assertEqual((lax["dkim"][0]["result"], lax["dmarc"]["result"]), ("pass", "pass"))

    def test_now_is_the_time_for_signatures(self):
        message = self.signed(MESSAGE)
        answer = self.run_json(1, "verify", "--lax-keys", "--now", "1", stdin=message)
        self.assertNotEqual(answer["dkim"][0]["result"], "pass")

    def test_now_is_the_time_of_spf(self):
        answer = self.run_json(1, "verify", "--ip", "192.0.2.1", "--mail-from", "a@when.example", "--now", "1700000000",
                               stdin=MESSAGE)
        self.assertEqual(answer["spf"]["explanation"], "not at 1700000000")

    def signed(self, message):
        try:
            import dkim
        except ImportError:
            self.skipTest("python3-dkim is not installed")
        text = message.replace("\n", "\r\n").encode()
        field = dkim.sign(text, b"weak", b"example.com", self.weak, linesep=b"\r\n")
        # Bare line feeds, as a file on disk has them.
        return (field + text).decode().replace("\r\n", "\n")

    def test_dmarc_mode_reports_one_standard(self):
        # A public suffix domain that says so is no organizational domain for the newer standard; the list knows nothing.
        message = MESSAGE.replace("example.com", "a.b.psd.example")
        for mode, domain in (("rfc9989", "b.psd.example"), ("rfc7489", "psd.example")):
            answer = self.run_json(1, "verify", "--dmarc-mode", mode, stdin=message)
            self.assertEqual(answer["dmarc"]["org_domain"], domain)
            self.assertNotIn("dmarc_rfc7489", answer)

    def test_psl_file_decides_the_organizational_domain(self):
        psl = self.write("psl.dat", "example\nhost.example\n")
        message = MESSAGE.replace("example.com", "a.sub.host.example")
        answer = self.run_json(0, "verify", "--dmarc-mode", "rfc7489", "--psl", psl, stdin=message)
        self.assertEqual((answer["dmarc"]["result"], answer["dmarc"]["org_domain"]), ("none", "sub.host.example"))
        self.assertIn("no DMARC policy", answer["why"])
        answer = self.run_json(1, "verify", "--dmarc-mode", "rfc7489", stdin=message)
        self.assertEqual(answer["dmarc"]["org_domain"], "host.example")

    def test_no_answer_is_undecided(self):
        answer = self.run_json(75, "verify", stdin=MESSAGE.replace("example.com", "down.example"))
        self.assertEqual(answer["dmarc"]["result"], "temperror")

    def test_two_from_fields_or_none_get_a_verdict(self):
        for message in ("From: a@example.com\n" + MESSAGE, "Subject: none\n\nbody\n", ""):
            answer = self.run_json(1, "verify", stdin=message)
            self.assertNotEqual(answer["dmarc"]["result"], "pass")
            self.assertNotEqual(answer["dmarc"]["reason"], "")

    def test_a_huge_header_gets_a_verdict(self):
        answer = self.run_json(1, "verify", stdin="X-Long: " + "x" * (2 << 20) + "\n" + MESSAGE)
        self.assertEqual(answer["dmarc"]["result"], "permerror")

    def test_file_and_dash(self):
        path = self.write("message.eml", MESSAGE)
        for file in (path, "-"):
            self.assertIn("example.com", self.run_text(1, "verify", file, stdin=MESSAGE))

    def test_bad_arguments(self):
        for arguments in (["/nonexistent"], ["--ip", "x"], ["--now", "x"], ["--dmarc-mode", "rfc1"],
                          ["--psl", "/nonexistent"], [str(self.directory)]):
            done = sesame("--dns", self.dns, "verify", *arguments, stdin=MESSAGE)
            self.assertEqual(done.returncode, 2, arguments)
            self.assertTrue(done.stderr.startswith(b"sesame: "), done.stderr)
            self.assertEqual(done.stdout, b"")

    def test_more_than_64_mib_is_refused(self):
        path = self.directory / "huge.eml"
        with open(path, "wb") as file:
            file.truncate((64 << 20) + 1)
        done = sesame("--dns", self.dns, "verify", path)
        self.assertEqual(done.returncode, 2)
        self.assertIn(b"larger than 64 MiB", done.stderr)


class Dmarc(DnsTest):
    zone = {
        "_dmarc.example.com": {"TXT": ["v=DMARC1; p=reject; sp=quarantine; adkim=s"]},
        "_dmarc.twice.example": {"TXT": ["v=DMARC1; p=none", "v=DMARC1; p=reject"]},
        "_dmarc.wrong.example": {"TXT": ["v=DMARC1; p=maybe"]},
        "_dmarc.down.example": {"FAULT": "SERVFAIL"},
    }

    def test_both_standards_with_policy_and_place(self):
        answer = self.run_json(0, "dmarc", "mail.example.com")
        self.assertEqual(answer["domain"], "mail.example.com")
        for vintage in ("rfc9989", "rfc7489"):
            found = answer[vintage]
            self.assertEqual((found["state"], found["policy"]), ("found", "quarantine"), vintage)
            self.assertEqual((found["record_domain"], found["org_domain"]), ("example.com", "example.com"), vintage)
            self.assertEqual(found["record"]["adkim"], "s")
            self.assertEqual(found["problems"], [])
        self.assertRegex(answer["public_suffix_list"], r"^20\d\d-\d\d-\d\d$")

    def test_absent_is_fine(self):
        answer = self.run_json(0, "dmarc", "nothing.example")
        self.assertEqual((answer["rfc9989"]["state"], answer["rfc9989"]["policy"]), ("absent", None))

    def test_a_record_that_cannot_be_used_is_bad(self):
        for domain in ("twice.example", "wrong.example"):
            found = self.run_json(1, "dmarc", domain)["rfc9989"]
            self.assertEqual((found["state"], found["policy"]), ("invalid", None))
            self.assertNotEqual(found["problems"], [])

    def test_no_answer_is_undecided(self):
        self.assertEqual(self.run_json(75, "dmarc", "down.example")["rfc9989"]["state"], "temperror")

    def test_names_are_taken_in_any_script(self):
        self.assertEqual(self.run_json(0, "dmarc", "Bücher.Example")["domain"], "xn--bcher-kva.example")

    def test_text_for_people(self):
        text = self.run_text(0, "dmarc", "mail.example.com")
        for part in ("RFC 9989", "RFC 7489", "_dmarc.example.com", "quarantine", "organizational domain"):
            self.assertIn(part, text)

    def test_bad_arguments(self):
        for arguments in ([], ["exa mple"], ["a", "b"]):
            self.assertEqual(sesame("--dns", self.dns, "dmarc", *arguments).returncode, 2, arguments)


SES_ZONE = {
    "_dmarc.example.com": {"TXT": ["v=DMARC1; p=reject"]},
    "bounce.example.com": {"TXT": ["v=spf1 include:amazonses.com -all"],
                           "MX": [[10, "feedback-smtp.us-east-1.amazonses.com"]]},
    "amazonses.com": {"TXT": ["v=spf1 ip4:198.51.100.0/24 -all"]},
    "feedback-smtp.us-east-1.amazonses.com": {"A": ["198.51.100.1"]},
    "_dmarc.none.example": {"TXT": ["v=DMARC1; p=reject"]},
    "_dmarc.down.example": {"FAULT": "SERVFAIL"},
}

SES_CONFIG = """
[ses]
region = "us-east-1"
[[ses.identity]]
name = "example.com"
dkim.status = "SUCCESS"
dkim.tokens = ["t1", "t2", "t3"]
mail_from.domain = "bounce.example.com"
mail_from.status = "SUCCESS"
[[ses.identity]]
name = "none.example"
dkim.signing_enabled = false
[[ses.identity]]
name = "down.example"
dkim.signing_enabled = false
[outbound]
fail = "hold"
refused = "reject"
"""


class Preflight(DnsTest):
    @classmethod
    def setUpClass(cls):
        record = "v=DKIM1; k=rsa; p=" + keys.public_key(keys.private_key(2048))
        cls.zone = dict(SES_ZONE)
        for token in ("t1", "t2", "t3"):
            cls.zone[f"{token}._domainkey.example.com"] = {"CNAME": [f"{token}.dkim.amazonses.com"]}
            cls.zone[f"{token}.dkim.amazonses.com"] = {"TXT": [record]}
        super().setUpClass()

    def preflight(self, status, *arguments, message=MESSAGE):
        config = self.write("sesame.toml", SES_CONFIG)
        return self.run_json(status, "preflight", "--config", config, *arguments, stdin=message)

    def test_names_of_the_answer(self):
        answer = self.preflight(0, "--rcpt", "a@example.org", "--rcpt", "b@example.org")
        self.assertEqual((answer["verdict"], answer["confidence"]), ("pass", "confirmed"))
        self.assertEqual(answer["identity"]["name"], "example.com")
        self.assertEqual(answer["identity"]["kind"], "domain")
        dkim, spf = answer["legs"]["dkim"], answer["legs"]["spf"]
        self.assertEqual((dkim["domain"], dkim["usable"]), ("example.com", True))
        self.assertEqual((spf["domain"], spf["result"]), ("bounce.example.com", "pass"))
        for leg in (dkim, spf):
            self.assertEqual(leg["aligned"], {"rfc9989": True, "rfc7489": True})
        for vintage in ("rfc9989", "rfc7489"):
            self.assertEqual(answer["dmarc"][vintage]["result"], "pass")
            self.assertEqual(answer["dmarc"][vintage]["policy"], "reject")
        for finding in answer["findings"]:
            self.assertLessEqual({"code", "severity", "text", "advice"}, set(finding))
        self.assertIn("dkim-ok", [finding["code"] for finding in answer["findings"]])
        self.assertEqual(answer["action"], "accept")

    def test_fail_is_bad_and_says_what_would_be_done(self):
        answer = self.preflight(1, message=MESSAGE.replace("example.com", "none.example"))
        self.assertEqual((answer["verdict"], answer["action"]), ("fail", "hold"))

    def test_empty_sender_is_refused(self):
        for sender in ("<>", ""):
            answer = self.preflight(1, "--mail-from", sender)
            self.assertEqual((answer["verdict"], answer["action"]), ("refused", "reject"))
            self.assertIn("null-sender", [finding["code"] for finding in answer["findings"]])

    def test_sender_is_the_author_where_none_is_given(self):
        answer = self.preflight(0)
        self.assertNotIn("null-sender", [finding["code"] for finding in answer["findings"]])

    def test_no_answer_is_undecided(self):
        answer = self.preflight(75, message=MESSAGE.replace("example.com", "down.example"))
        self.assertEqual(answer["verdict"], "unknown")

    def test_a_message_follows_recipients(self):
        message = self.write("message.eml", MESSAGE)
        self.preflight(0, "--rcpt", "a@example.org", message, message="")

    def test_two_from_fields_or_none_get_a_verdict(self):
        config = self.write("sesame.toml", SES_CONFIG)
        for message in ("From: a@example.com\n" + MESSAGE, "Subject: none\n\nbody\n"):
            done = sesame("--dns", self.dns, "preflight", "--json", "--config", config, stdin=message)
            self.assertIn(done.returncode, (1, 75))
            self.assertNotEqual(json.loads(done.stdout)["why"], "")

    def test_text_for_people(self):
        config = self.write("sesame.toml", SES_CONFIG)
        text = self.run_text(0, "preflight", "--config", config, stdin=MESSAGE)
        self.assertIn("pass", text)
        self.assertIn("example.com", text)

    def test_dns_may_stand_behind(self):
        config = self.write("sesame.toml", SES_CONFIG)
        done = sesame("preflight", "--config", config, "--json", "--dns", self.dns, stdin=MESSAGE)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_bad_arguments(self):
        bad = self.write("bad.toml", "[dns]\ntimeot = 1\n")
        for arguments in ([], ["--config", "/nonexistent"], ["--config", bad]):
            done = sesame("--dns", self.dns, "preflight", *arguments, stdin=MESSAGE)
            self.assertEqual(done.returncode, 2, arguments)
            self.assertTrue(done.stderr.startswith(b"sesame: "), done.stderr)

    def snapshot(self, status, **region):
        """The path of a snapshot in which example.com has this DKIM status."""
        answer = {"DkimAttributes": {"Status": status, "Tokens": ["t1", "t2", "t3"]},
                  "MailFromAttributes": {"MailFromDomain": "bounce.example.com", "MailFromDomainStatus": "SUCCESS"}}
        identity = {"IdentityName": "example.com", "GetEmailIdentity": answer}
        region = {"region": "us-east-1", "fetched": time.time() - 7200, "identities": [identity], **region}
        return self.write("ses.json", json.dumps({"version": 1, "regions": [region]}))

    def with_snapshot(self, status, path, *arguments, more="", settings=""):
        config = self.write("snapshot.toml", f'[ses]\nregion = "us-east-1"\nsnapshot = "{path}"\n{settings}{more}')
        done = sesame("--dns", self.dns, "preflight", "--config", config, *arguments, stdin=MESSAGE)
        self.assertEqual(done.returncode, status, done.stdout.decode() + done.stderr.decode())
        return done.stdout.decode(), done.stderr.decode()

    def test_what_the_snapshot_says_decides_and_its_age_is_told(self):
        answer = json.loads(self.with_snapshot(0, self.snapshot("SUCCESS"), "--json")[0])
        self.assertEqual((answer["verdict"], answer["confidence"]), ("pass", "confirmed"))
        self.assertEqual((answer["grade"], answer["account"]), ("both-legs", None))
        self.assertIn(answer["snapshot_age_s"], range(7199, 7199 + RUN_S))
        self.assertRegex(answer["as_of"], "^[0-9-]{10}T[0-9:]{8}Z$")
        text, complaints = self.with_snapshot(0, self.snapshot("SUCCESS"))
        self.assertRegex(text, r"Account +state of [0-9-]{10}T[0-9:]{8}Z \((120 minutes|2 hours) ago\)")
        self.assertEqual(complaints, "")

    def test_an_old_snapshot_confirms_nothing(self):
        settings = "snapshot_max_age = 3600\n"
        answer = json.loads(self.with_snapshot(0, self.snapshot("SUCCESS"), "--json", settings=settings)[0])
        self.assertEqual((answer["verdict"], answer["confidence"]), ("pass", "likely"))

    def test_a_snapshot_that_cannot_be_used_is_told_and_the_settings_go_on(self):
        identity = '[[ses.identity]]\nname = "example.com"\ndkim.status = "SUCCESS"\ndkim.tokens = ["t1", "t2", "t3"]\n'
        for path, complaint in ((self.write("bad.json", '{"version": 2}'), "bad.json: version: is 2; expected 1"),
                                (self.directory / "none.json", "none.json: cannot be read: No such file")):
            text, complaints = self.with_snapshot(0, path, more=identity)
            self.assertIn("Verdict    pass", text)
            self.assertIn("sesame: warning: ses.snapshot: ", complaints)
            self.assertIn(complaint, complaints)

    def test_the_settings_are_good_whatever_the_snapshot(self):
        path = self.snapshot("THINKING")
        config = self.write("snapshot.toml", f'[ses]\nregion = "us-east-1"\nsnapshot = "{path}"\n')
        done = sesame("config", "test", "--config", config)
        self.assertEqual(done.returncode, 0)
        self.assertIn('DkimAttributes.Status: is "THINKING"', done.stderr.decode())
        path.unlink()
        done = sesame("config", "test", "--config", config)
        self.assertEqual(done.returncode, 0)
        self.assertIn("ses.json: cannot be read", done.stderr.decode())

    def test_relays_lead_to_their_routes(self):
        route = ('[[ses.route]]\nrelay = "smtp.eu.example"\nregion = "eu-west-1"\naccount = "second"\n'
                 'configuration_set = "gold"\n[[ses.identity]]\nname = "other.example"\naccount = "second"\n'
                 'region = "eu-west-1"\n')
        path = self.snapshot("SUCCESS")
        text, _ = self.with_snapshot(0, path, "--relay", "[smtp.us.example]:587", more=route)
        self.assertIn("in us-east-1", text)
        answer = json.loads(self.with_snapshot(1, path, "--json", "--relay", "[SMTP.eu.example]:587", more=route)[0])
        self.assertEqual((answer["verdict"], answer["region"], answer["account"], answer["configuration_set"]),
                         ("refused", "eu-west-1", "second", "gold"))
        text, _ = self.with_snapshot(75, path, "--relay", "smtp.us.example", "--relay", "smtp.eu.example", more=route)
        self.assertIn("depends on the relay (us-east-1: pass; second eu-west-1 gold: refused)", text)
        text, _ = self.with_snapshot(75, path, more=route)
        self.assertIn("depends on the relay (us-east-1: pass; second eu-west-1 gold: refused)", text)


class Config(unittest.TestCase):
    def test_each_fault_is_told_with_its_place(self):
        text = 'nonsense = 1\n[dns]\ntimeout = "2s"\n[outbound]\nnetworks = ["10.0.0.1/8"]\n'
        done = sesame("config", "test", "--config", "/dev/stdin", stdin=text)
        self.assertEqual(done.returncode, 2)
        lines = done.stderr.decode().splitlines()
        self.assertEqual(len(lines), 3, lines)
        for line, place in zip(lines, (":1:1: nonsense: ", ":3:11: dns.timeout: ", ":5:13: outbound.networks: ")):
            self.assertIn(place, line)
            self.assertIn("expected", line)

    def test_the_sample_has_no_faults(self):
        done = sesame("config", "test", "--config", harness.SOURCE / "conf/sesame.toml")
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_print_of_a_print_is_the_same(self):
        first = sesame("config", "print", "--config", harness.SOURCE / "conf/sesame.toml")
        self.assertEqual(first.returncode, 0, first.stderr)
        again = sesame("config", "print", "--config", "/dev/stdin", stdin=first.stdout.decode())
        self.assertEqual(again.stdout, first.stdout)

    def test_print_defaults_is_the_sample(self):
        done = sesame("config", "print", "--defaults")
        self.assertEqual(done.stdout, (harness.SOURCE / "conf/sesame.toml").read_bytes())

    def test_dns_overrides_the_servers(self):
        done = sesame("config", "print", "--config", "/dev/null", "--dns", "127.0.0.1:5353")
        self.assertIn(b'servers = ["127.0.0.1:5353"]', done.stdout)

    def test_a_list_that_is_not_there_is_a_fault(self):
        done = sesame("config", "test", "--config", "/dev/stdin", stdin='public_suffix_list = "/nonexistent"\n')
        self.assertEqual(done.returncode, 2)
        self.assertIn(b"/nonexistent", done.stderr)

    def test_bad_arguments(self):
        for arguments in ([], ["show"], ["test", "--config", "/nonexistent"], ["test", "--unknown"]):
            self.assertEqual(sesame("config", *arguments).returncode, 2, arguments)


class Usage(unittest.TestCase):
    def test_no_or_unknown_command_is_bad_usage(self):
        for arguments in ([], ["unknown"], ["--unknown"]):
            done = sesame(*arguments)
            self.assertEqual(done.returncode, 2, arguments)
            self.assertTrue(done.stderr.startswith(b"sesame: "), done.stderr)
            self.assertEqual(done.stdout, b"")
        self.assertIn(b"unknown command dmrac", sesame("dmrac", "example.com").stderr)

    def test_help_has_examples(self):
        for arguments in ([], *([name] for name in SUBCOMMANDS)):
            done = sesame(*arguments, "--help")
            self.assertEqual(done.returncode, 0, arguments)
            self.assertIn(b"Example", done.stdout)
            if arguments != ["sync"]:  # which asks no DNS of ours
                self.assertIn(b"--dns", done.stdout)

    def test_version(self):
        done = sesame("--version")
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stdout, rb"^sesame \d+\.\d+\.\d+\n$")

    def test_a_bad_dns_server_is_bad_usage(self):
        for server in ("nonsense", "127.0.0.1:0", "127.0.0.1:x"):
            done = sesame("dmarc", "example.com", "--dns", server)
            self.assertEqual(done.returncode, 2, server)
            self.assertTrue(done.stderr.startswith(b"sesame: "), done.stderr)

    def test_a_reader_that_goes_away_is_no_error(self):
        read, write = os.pipe()
        os.close(read)
        done = subprocess.run([harness.BIN / "sesame", "config", "print", "--defaults"], stdout=write,
                              stderr=subprocess.PIPE, timeout=harness.RUN_S, check=False)
        os.close(write)
        self.assertEqual((done.returncode, done.stderr), (0, b""))

    def test_an_answer_that_cannot_be_written_is_an_error(self):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([harness.BIN / "sesame", "config", "print", "--defaults"], stdout=full,
                                  stderr=subprocess.PIPE, timeout=harness.RUN_S, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertTrue(done.stderr.startswith(b"sesame: "), done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
