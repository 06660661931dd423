#!/usr/bin/python3
"""`sesame doctor`: the questions users of SES are stranded with find their answer on the first screen."""

import copy
import datetime
import json
import os
import pty
import subprocess
import unittest

import harness
import keys
from harness import DnsTest, sesame

SCREEN_LINES = 24
SCREEN_COLUMNS = 100

ZONE = {
    "amazonses.com": {"TXT": ["v=spf1 ip4:198.51.100.0/24 -all"]},
    "eu-west-1.amazonses.com": {"TXT": ["v=spf1 include:amazonses.com -all"]},
    "example.com": {"TXT": ["v=spf1 include:amazonses.com -all"]},
    "bounce.example.com": {"MX": [[10, "feedback-smtp.us-east-1.amazonses.com"]],
                           "TXT": ["v=spf1 include:amazonses.com ~all"]},
    "_dmarc.example.com": {"TXT": ["v=DMARC1; p=reject"]},
    **{f"{t}._domainkey.example.com": {"CNAME": [f"{t}.dkim.amazonses.com"]} for t in ("t1", "t2", "t3")},
    "t2.dkim.amazonses.com": {"TXT": [""]},
    "t3.dkim.amazonses.com": {"TXT": [""]},
}

HEALTHY = {"name": '"example.com"', "dkim.status": '"SUCCESS"', "dkim.tokens": '["t1", "t2", "t3"]',
           "mail_from.domain": '"bounce.example.com"', "mail_from.status": '"SUCCESS"'}
TOKENS = [word for token in ("t1", "t2", "t3") for word in ("--token", token)]


class DoctorTest(DnsTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.key = "p=" + keys.public_key(keys.private_key(2048))

    def setUp(self):
        self.change_dns()

    def change_dns(self, zone=None, faults=()):
        """Serves the healthy zone with these names replaced; None takes one out."""
        served = copy.deepcopy(ZONE)
        served["t1.dkim.amazonses.com"] = {"TXT": [self.key]}
        for name, records in (zone or {}).items():
            served.pop(name, None)
            if records is not None:
                served[name] = records
        self.world.load(served, faults)

    def settings(self, *identities, region="us-east-1", more=""):
        text = f'[ses]\nregion = "{region}"\n{more}\n'
        for identity in identities:
            text += "[[ses.identity]]\n" + "".join(f"{key} = {value}\n" for key, value in identity.items())
        return self.write("sesame.toml", text)

    def doctor(self, status, *arguments):
        return self.run_json(status, "doctor", *arguments)

    def identity(self, **changes):
        changed = dict(HEALTHY)
        for key, value in changes.items():
            changed[key.replace("__", ".")] = value
        return {key: value for key, value in changed.items() if value is not None}

    def first_screen(self, status, *arguments):
        """What a reader sees without scrolling."""
        text = self.run_text(status, "doctor", *arguments)
        screen = text.splitlines()[:SCREEN_LINES]
        for line in screen:
            self.assertLessEqual(len(line), SCREEN_COLUMNS, line)
        return " ".join(" ".join(screen).split())

    def codes(self, answer):
        return [finding["code"] for finding in answer["findings"]]

    def record(self, answer, kind, name):
        found = [each for each in answer["records"] if (each["type"], each["name"]) == (kind, name)]
        self.assertEqual(len(found), 1, (kind, name, answer["records"]))
        return found[0]


class DoctorSeedCases(DoctorTest):
    """Each question as its users ask it, and the sentence they look for."""

    def screen_of(self, status, identity):
        return self.first_screen(status, "example.com", "--config", self.settings(identity))

    def test_dkim_is_not_signed(self):
        screen = self.screen_of(1, self.identity(dkim__signing_enabled="false", mail_from__domain=None,
                                                 mail_from__status=None))
        self.assertIn("Verdict fail (confirmed)", screen)
        self.assertIn("dkim-disabled", screen)
        self.assertIn("-> Enable DKIM signing on the identity example.com", screen)

    def test_dkim_is_pending(self):
        screen = self.screen_of(1, self.identity(dkim__status='"PENDING"', mail_from__domain=None,
                                                 mail_from__status=None))
        self.assertIn("Verdict fail", screen)
        self.assertIn("dkim-pending", screen)
        self.assertIn("PENDING", screen)

    def test_the_cname_answers_but_txt_does_not(self):
        self.change_dns(faults=[{"name": "t1._domainkey.example.com", "type": "TXT", "fault": "SERVFAIL"}])
        screen = self.screen_of(1, self.identity(mail_from__domain=None, mail_from__status=None))
        self.assertIn("Verdict undecided", screen)
        self.assertIn("dkim-txt-servfail", screen)
        self.assertIn("t1._domainkey.example.com", screen)
        self.assertIn("SERVFAIL", screen)

    def test_only_amazonses_signs(self):
        screen = self.screen_of(1, self.identity(dkim__status='"NOT_STARTED"', dkim__tokens=None,
                                                 mail_from__domain=None, mail_from__status=None))
        self.assertIn("Verdict fail", screen)
        self.assertIn("only-amazonses-signature", screen)
        self.assertIn("d=amazonses.com", screen)
        self.assertIn("-> Set up Easy DKIM", screen)

    def test_two_signatures_are_normal(self):
        screen = self.screen_of(0, self.identity())
        self.assertIn("Verdict pass (confirmed)", screen)
        self.assertIn("dkim-ok", screen)
        self.assertIn("second signature d=amazonses.com", screen)

    def test_strict_alignment(self):
        self.change_dns({"_dmarc.example.com": {"TXT": ["v=DMARC1; p=reject; aspf=s"]}})
        screen = self.screen_of(0, self.identity())
        self.assertIn("Verdict pass", screen)
        self.assertIn("by DKIM alone", screen)
        self.assertIn("spf-strict-never", screen)
        self.assertIn("aspf=r", screen)

    def test_strict_alignment_of_a_subdomain_with_the_key_of_its_parent(self):
        self.change_dns({"_dmarc.example.com": {"TXT": ["v=DMARC1; p=reject; adkim=s; aspf=s"]}})
        screen = self.first_screen(1, "news.example.com", "--config", self.settings(self.identity()))
        self.assertIn("Verdict fail", screen)
        self.assertIn("dkim-strict-parent", screen)
        self.assertIn("adkim=r", screen)

    def test_the_default_mail_from_is_not_aligned(self):
        screen = self.screen_of(0, self.identity(mail_from__domain=None, mail_from__status=None))
        self.assertIn("Verdict pass", screen)
        self.assertIn("by DKIM alone", screen)
        self.assertIn("mailfrom-default", screen)
        self.assertIn("-> Configure a custom MAIL FROM domain", screen)


class DoctorScreen(DoctorTest):
    """What stands there fits, and is said once."""

    LONG = tuple(letter * 32 for letter in "abc")

    def text_of(self, status, target, **changes):
        zone = {f"{t}._domainkey.example.com": {"CNAME": [target(t)]} if target else None for t in self.LONG}
        self.change_dns(zone)
        tokens = json.dumps(list(self.LONG))
        config = self.settings(self.identity(dkim__tokens=tokens, **changes))
        return self.run_text(status, "doctor", "example.com", "--config", config)

    def test_three_selectors_with_one_fault_are_one_entry(self):
        text = self.text_of(1, lambda t: f"{t}.dkim.eu-south-1.amazonses.com")
        screen = text[:text.index("\nRecords")]
        self.assertEqual(screen.count("dkim-cname-target:"), 1, screen)
        words = " ".join(screen.split())
        self.assertIn(f"; likewise {self.LONG[1]}._domainkey.example.com, {self.LONG[2]}._domainkey.example.com.", words)

    def test_lines_are_not_too_long_and_end_without_blanks(self):
        for target in (None, lambda t: f"{t}.dkim.eu-south-1.amazonses.com"):
            for line in self.text_of(1, target, mail_from__domain=None, mail_from__status=None).splitlines():
                self.assertLessEqual(len(line), SCREEN_COLUMNS, line)
                self.assertEqual(line, line.rstrip())
        self.change_dns({"_dmarc.example.com": None})
        text = self.run_text(0, "doctor", "example.com", "--config", self.settings(self.identity()))
        self.assertIn("Verdict   none: ", text)
        self.assertNotRegex(text, r"(?m) $")

    def test_an_account_in_the_sandbox_is_told_so_and_not_refused(self):
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        detail = {"IdentityType": "DOMAIN", "VerifiedForSendingStatus": True,
                  "DkimAttributes": {"SigningEnabled": True, "Tokens": ["t1", "t2", "t3"], "Status": "SUCCESS",
                                     "SigningAttributesOrigin": "AWS_SES"}}
        path = self.write("sandbox.json", json.dumps({"version": 1, "regions": [
            {"account": "", "region": "us-east-1", "fetched": now,
             "GetAccount": {"ProductionAccessEnabled": False, "SendingEnabled": True, "EnforcementStatus": "HEALTHY"},
             "identities": [{"IdentityName": "example.com", "fetched": now, "GetEmailIdentity": detail}]}]}))
        config = self.write("sandbox.toml", f'[ses]\nregion = "us-east-1"\nsnapshot = "{path}"\n')
        screen = self.first_screen(0, "example.com", "--config", config)
        self.assertIn("Verdict pass", screen)
        self.assertIn("Sandbox only verified recipients", screen)


class DoctorRecords(DoctorTest):
    def examine(self, status, **changes):
        return self.doctor(status, "example.com", "--config", self.settings(self.identity(**changes)))

    def test_of_a_healthy_domain_are_all_well(self):
        answer = self.examine(0)
        self.assertEqual(answer["state"], "fine")
        self.assertEqual({each["verdict"] for each in answer["records"]}, {"ok", "info"})
        self.assertEqual(answer["publish"], [])
        self.assertIn("2048 bits", self.record(answer, "TXT", "t1._domainkey.example.com")["found"])
        self.assertIn("idle", self.record(answer, "TXT", "t2._domainkey.example.com")["found"])

    def test_that_are_missing_are_told_and_ready_to_paste(self):
        self.change_dns({"t2._domainkey.example.com": None})
        answer = self.examine(1)
        missing = self.record(answer, "CNAME", "t2._domainkey.example.com")
        self.assertEqual((missing["verdict"], missing["code"]), ("error", "dkim-cname-missing"))
        self.assertEqual(missing["expected"], "t2.dkim.amazonses.com")
        self.assertEqual([each["zone_line"] for each in answer["publish"]],
                         ["t2._domainkey.example.com. CNAME t2.dkim.amazonses.com."])

    def test_entered_with_the_zone_twice_are_found(self):
        self.change_dns({"t2._domainkey.example.com": None,
                         "t2._domainkey.example.com.example.com": {"CNAME": ["t2.dkim.amazonses.com"]}})
        answer = self.examine(1)
        self.assertIn("dkim-name-doubled", self.codes(answer))
        self.assertIn("t2._domainkey.example.com.example.com",
                      self.record(answer, "CNAME", "t2._domainkey.example.com")["found"])

    def test_behind_a_wildcard_are_no_records(self):
        zone = {f"{t}._domainkey.example.com": None for t in ("t1", "t2", "t3")}
        zone["*.example.com"] = {"CNAME": ["parking.example.net"]}
        zone["parking.example.net"] = {"A": ["192.0.2.80"]}
        self.change_dns(zone)
        answer = self.examine(1)
        self.assertIn("dkim-cname-proxied", self.codes(answer))
        self.assertEqual(len([each for each in answer["publish"] if each["type"] == "CNAME"]), 3)

    def test_that_fail_validation_are_told_from_dead_servers(self):
        self.change_dns(faults=[{"name": "t1._domainkey.example.com", "type": "*", "fault": "BOGUS"}])
        answer = self.examine(1, mail_from__domain=None, mail_from__status=None)
        self.assertEqual(self.codes(answer)[0], "dns-dnssec-bogus")
        self.change_dns(faults=[{"name": "t1._domainkey.example.com", "type": "*", "fault": "SERVFAIL"}])
        answer = self.examine(75, mail_from__domain=None, mail_from__status=None)
        self.assertNotIn("dns-dnssec-bogus", self.codes(answer))

    def test_of_mail_from(self):
        self.change_dns({"bounce.example.com": {"MX": [[10, "feedback-smtp.us-east-1.amazonaws.com"]],
                                                "TXT": ["v=spf1 -all"]}})
        answer = self.examine(1)
        for kind, code in (("MX", "mailfrom-mx"), ("TXT", "mailfrom-spf")):
            record = self.record(answer, kind, "bounce.example.com")
            self.assertEqual((record["verdict"], record["code"]), ("error", code))
        self.assertEqual([each["zone_line"] for each in answer["publish"]],
                         ["bounce.example.com. MX 10 feedback-smtp.us-east-1.amazonses.com.",
                          'bounce.example.com. TXT "v=spf1 include:amazonses.com ~all"'])

    def test_for_a_custom_mail_from_are_proposed(self):
        answer = self.examine(0, mail_from__domain=None, mail_from__status=None)
        self.assertEqual([(each["name"], each["type"], each["proposal"]) for each in answer["publish"]],
                         [("ses-bounce.example.com", "MX", True), ("ses-bounce.example.com", "TXT", True)])
        self.assertIn("spf-apex-irrelevant", self.codes(answer))

    def test_of_dmarc_that_are_missing(self):
        self.change_dns({"_dmarc.example.com": None})
        answer = self.examine(0)
        self.assertEqual(answer["prediction"]["verdict"], "none")
        self.assertEqual(self.record(answer, "TXT", "_dmarc.example.com")["code"], "dmarc-absent")
        self.assertTrue(answer["publish"][0]["zone_line"].startswith('_dmarc.example.com. TXT "v=DMARC1; p=none'))

    def test_of_amazon_that_fail_are_not_the_users_fault(self):
        self.change_dns(faults=[{"name": "amazonses.com", "type": "*", "fault": "SERVFAIL"}])
        answer = self.examine(75)
        record = self.record(answer, "TXT", "amazonses.com")
        self.assertEqual(record["verdict"], "unknown")
        self.assertIn("not yours", record["purpose"])

    def test_whose_cname_is_not_answered_are_not_called_fine(self):
        self.change_dns(faults=[{"name": "t2._domainkey.example.com", "type": "CNAME", "fault": "REFUSED"}])
        answer = self.examine(75)
        self.assertEqual(answer["state"], "undecided")
        self.assertEqual(self.record(answer, "CNAME", "t2._domainkey.example.com")["verdict"], "unknown")

    def test_alignment_is_told_for_both_vintages_and_both_modes(self):
        answer = self.examine(0)
        of = {each["domain"]: each for each in answer["alignment"]}
        self.assertEqual(of["bounce.example.com"]["relaxed"], {"rfc9989": True, "rfc7489": True})
        self.assertEqual(of["bounce.example.com"]["strict"], {"rfc9989": False, "rfc7489": False})
        self.assertEqual(of["amazonses.com"]["relaxed"], {"rfc9989": False, "rfc7489": False})


class DoctorKnowledge(DoctorTest):
    """Where what is known of an identity comes from."""

    def test_without_any_the_tokens_are_asked_for(self):
        empty = self.write("empty.toml", "")
        answer = self.doctor(75, "example.com", "--config", empty)
        self.assertEqual((answer["state"], answer["identity"]["source"]), ("undecided", "none"))
        self.assertEqual(answer["prediction"]["verdict"], "unknown")
        self.assertEqual(self.record(answer, "TXT", "_dmarc.example.com")["verdict"], "ok")
        screen = self.first_screen(75, "example.com", "--config", empty)
        for way in ("--token", "--config", "sesame sync"):
            self.assertIn(way, screen)
        self.assertIn("tokens and the region", screen)
        screen = self.first_screen(75, "example.com", "--config", empty, "--region", "eu-west-1")
        self.assertIn("Needed the DKIM tokens. They", screen)
        self.assertIn("--region eu-west-1 --token", screen)

    def test_by_three_tokens_is_inferred_from_dns(self):
        answer = self.doctor(0, "example.com", "--config", "/dev/null", "--region", "us-east-1", *TOKENS)
        self.assertEqual(answer["identity"]["source"], "arguments")
        self.assertEqual((answer["prediction"]["verdict"], answer["prediction"]["confidence"]), ("pass", "likely"))

    def test_by_one_token_is_of_byodkim(self):
        self.change_dns({"own._domainkey.example.com": {"TXT": [self.key]}})
        answer = self.doctor(0, "Example.COM", "--config", "/dev/null", "--region", "us-east-1", "--token", "own",
                             "--mail-from", "bounce.example.com")
        self.assertEqual(self.record(answer, "TXT", "own._domainkey.example.com")["verdict"], "ok")
        self.assertEqual(answer["prediction"]["grade"], "both-legs")

    def test_tokens_replace_the_settings(self):
        config = self.settings(self.identity(dkim__signing_enabled="false"))
        answer = self.doctor(0, "example.com", "--config", config, *TOKENS)
        self.assertEqual(answer["identity"]["source"], "arguments")

    def test_a_domain_of_nobody_is_refused(self):
        answer = self.doctor(1, "example.org", "--config", self.settings(self.identity()))
        self.assertEqual(answer["prediction"]["verdict"], "refused")
        self.assertIn("from-unverified", self.codes(answer))

    def test_an_address_has_its_own_settings(self):
        config = self.settings(self.identity(), {"name": '"user@example.com"', "dkim.signing_enabled": "false"})
        answer = self.doctor(1, "user@example.com", "--config", config)
        self.assertEqual(answer["identity"]["name"], "user@example.com")
        self.assertIn("identity-address-override", self.codes(answer))
        self.assertEqual(self.doctor(0, "example.com", "--config", config)["identity"]["name"], "example.com")

    def write_snapshot(self, fetched, dkim, region="us-east-1"):
        detail = {"IdentityType": "DOMAIN", "VerifiedForSendingStatus": True,
                  "DkimAttributes": {"SigningEnabled": True, "Tokens": ["t1", "t2", "t3"],
                                     "SigningAttributesOrigin": "AWS_SES", **dkim},
                  "VerificationInfo": {"ErrorType": "DNS_SERVER_ERROR", "LastCheckedTimestamp": "2026-01-01T00:00:00Z",
                                       "SOARecord": {"PrimaryNameServer": "ns1.example.com", "SerialNumber": 42}}}
        identity = {"IdentityName": "example.com", "fetched": fetched, "GetEmailIdentity": detail}
        path = self.write("ses.json", json.dumps({"version": 1, "regions": [
            {"account": "", "region": region, "fetched": fetched, "identities": [identity]}]}))
        return self.write("snapshot.toml", f'[ses]\nregion = "us-east-1"\nsnapshot = "{path}"\nsnapshot_max_age = 31536000\n')

    def test_by_a_snapshot_is_told_with_its_age_and_what_ses_saw(self):
        config = self.write_snapshot(datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"), {"Status": "SUCCESS"})
        for arguments in (["example.com"], ["example.com", "--region", "us-east-1"]):
            answer = self.doctor(0, *arguments, "--config", config)
            identity = answer["identity"]
            self.assertEqual((identity["source"], identity["aged"]), ("snapshot", False))
            self.assertEqual(answer["prediction"]["verdict"], "pass")
            self.assertEqual((answer["ses_saw"]["error_type"], answer["ses_saw"]["soa_serial"]),
                             ("DNS_SERVER_ERROR", 42))
        text = self.run_text(0, "doctor", "example.com", "--config", config)
        self.assertIn("primary ns1.example.com, serial 42", text)
        self.assertIn("as SES said at", text)

    def test_by_an_old_snapshot_counts_for_less(self):
        config = self.write_snapshot("2020-01-01T00:00:00Z", {"Status": "FAILED"})
        answer = self.doctor(75, "--all", "--config", config)["domains"][0]
        self.assertTrue(answer["identity"]["aged"])
        self.assertEqual(answer["prediction"]["verdict"], "unknown")

    def test_a_snapshot_that_cannot_be_read_is_told(self):
        config = self.write("broken.toml", '[ses]\nregion = "us-east-1"\nsnapshot = "/nonexistent/ses.json"\n')
        done = sesame("--dns", self.dns, "doctor", "example.com", "--config", config)
        self.assertEqual(done.returncode, 75)
        self.assertEqual(done.stderr.count(b"/nonexistent/ses.json"), 1, done.stderr)
        self.assertIn(b"sesame: warning: ses.snapshot: ", done.stderr)

    def test_other_regions_are_told(self):
        config = self.settings(self.identity(), self.identity(region='"eu-west-1"'))
        answer = self.doctor(0, "example.com", "--config", config)
        self.assertEqual((answer["identity"]["region"], answer["identity"]["also_in"]), ("us-east-1", ["eu-west-1"]))
        answer = self.doctor(0, "example.com", "--config", config, "--region", "eu-west-1")
        self.assertEqual((answer["identity"]["region"], answer["identity"]["also_in"]), ("eu-west-1", ["us-east-1"]))


class DoctorSeveral(DoctorTest):
    def test_domains_are_a_list_with_a_summary_and_the_worst_status(self):
        config = self.settings(self.identity())
        answer = self.doctor(1, "example.com", "example.org", "--config", config)
        self.assertEqual([each["subject"] for each in answer["domains"]], ["example.com", "example.org"])
        self.assertEqual(answer["summary"], {"fine": 1, "bad": 1, "undecided": 0})
        text = self.run_text(1, "doctor", "example.com", "example.org", "--config", config)
        summary = text[text.index("Summary\n"):]
        self.assertRegex(summary, r"fine +example\.com +us-east-1 +pass +dkim-ok\n")
        self.assertRegex(summary, r"bad +example\.org +us-east-1 +refused +from-unverified\n")

    def test_all_are_every_identity_of_the_chosen_region(self):
        config = self.settings(self.identity(), self.identity(region='"eu-west-1"'))
        answer = self.doctor(0, "--all", "--config", config)
        self.assertEqual([each["identity"]["region"] for each in answer["domains"]], ["us-east-1", "eu-west-1"])
        answer = self.doctor(0, "--all", "--config", config, "--region", "eu-west-1")
        self.assertEqual([each["identity"]["region"] for each in answer["domains"]], ["eu-west-1"])

    def test_rows_of_the_summary_tell_region_and_account_and_unknown_tokens(self):
        config = self.settings(self.identity(), self.identity(region='"eu-west-1"', account='"other"'),
                               {"name": '"example.net"'})
        self.change_dns({"_dmarc.example.net": {"TXT": ["v=DMARC1; p=reject"]}})
        text = self.run_text(75, "doctor", "--all", "--config", config)
        summary = text[text.index("Summary\n"):]
        self.assertRegex(summary, r" example\.com +us-east-1 +pass ")
        self.assertRegex(summary, r" example\.com +other/eu-west-1 +pass ")
        self.assertRegex(summary, r" example\.net +us-east-1 +unknown +the DKIM tokens are not known\n")

    def test_a_reader_at_a_terminal_sees_how_far_it_is(self):
        self.change_dns(faults=[{"name": f"_dmarc.{name}", "type": "*", "fault": "SLOW", "ms": 1500}
                                for name in ("example.com", "example.org")])
        config = self.settings(self.identity())
        command = [harness.BIN / "sesame", "--dns", self.dns, "doctor", "example.com", "example.org", "--config", config]
        ours, theirs = pty.openpty()
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=theirs, timeout=harness.RUN_S, check=False)
        os.close(theirs)
        shown = os.read(ours, 4096)
        os.close(ours)
        self.assertIn(b"of 2 examined", shown)
        self.assertNotIn(b"examined", done.stdout)
        done = subprocess.run(command, capture_output=True, timeout=harness.RUN_S, check=False)
        self.assertEqual(done.stderr, b"")

    def test_undecided_is_worse_than_fine(self):
        config = self.settings(self.identity(), {"name": '"down.example"', "dkim.status": '"SUCCESS"',
                                                 "dkim.tokens": '["t1"]', "dkim.origin": '"EXTERNAL"'})
        self.change_dns({"t1._domainkey.down.example": {"TXT": [self.key]}},
                        [{"name": "_dmarc.down.example", "type": "*", "fault": "SERVFAIL"}])
        answer = self.doctor(75, "--all", "--config", config)
        self.assertEqual(answer["summary"], {"fine": 1, "bad": 0, "undecided": 1})

    def test_many_silent_domains_are_waited_for_together(self):
        count = 24
        names = [f"d{number:02}.example" for number in range(count)]
        self.change_dns(faults=[{"name": f"_dmarc.{name}", "type": "*", "fault": "TIMEOUT"} for name in names])
        identities = [{"name": f'"{name}"', "dkim.signing_enabled": "false"} for name in names]
        more = '[dns]\ntimeout = 0.1\ntries = 1\nbudget = 0.4\n'
        text = self.settings(*identities).read_text()
        config = self.write("many.toml", more + text)
        answer = self.doctor(1, "--all", "--config", config)
        self.assertEqual([each["subject"] for each in answer["domains"]], names)


class DoctorUsage(DoctorTest):
    def test_what_cannot_be_done_is_told(self):
        config = self.settings(self.identity())
        for arguments in ([], ["--all", "example.com"], ["example.com", "example.org", *TOKENS],
                          ["example.com", "--token", "t1", "--token", "t2"], ["localhost"], ["a b.example"],
                          ["example.com", "--config", "/nonexistent"], ["example.com", "--region", "xx-west-1"],
                          ["example.com", "--mail-from", "bounce.example.com"],
                          ["example.com", "--region", "us-east-1", "--token", "a.b"]):
            if "--config" not in arguments:
                arguments = [*arguments, "--config", config]
            done = sesame("--dns", self.dns, "doctor", *arguments)
            self.assertEqual(done.returncode, 2, (arguments, done.stdout))
            self.assertTrue(done.stderr.startswith(b"sesame: "), done.stderr)
            self.assertEqual(done.stdout, b"")

    def test_tokens_need_a_region(self):
        done = sesame("--dns", self.dns, "doctor", "example.com", "--config", "/dev/null", *TOKENS)
        self.assertEqual(done.returncode, 2)
        self.assertIn(b"--region", done.stderr)

    def test_help_has_examples_and_says_how_tokens_are_meant(self):
        done = sesame("doctor", "--help")
        self.assertEqual(done.returncode, 0)
        for word in (b"Example", b"BYODKIM", b"--dns"):
            self.assertIn(word, done.stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
