#!/usr/bin/python3
"""`sesame watch`: what goes together, one look, and what the memory tells of it. The name server of the domain is an address
where nobody listens, so that what is seen rests on the resolver. What the memory holds is tested in tests/watch."""

import signal
import subprocess
import time
import unittest

import harness
import keys
from harness import DnsTest, sesame

ZONE = {
    "example.com": {"SOA": [[7, 3600]], "NS": ["ns.example.com"]},
    "ns.example.com": {"A": ["127.53.0.53"]},
    "amazonses.com": {"TXT": ["v=spf1 ip4:198.51.100.0/24 -all"]},
    "bounce.example.com": {"MX": [[10, "feedback-smtp.us-east-1.amazonses.com"]],
                           "TXT": ["v=spf1 include:amazonses.com ~all"]},
    "_dmarc.example.com": {"TXT": ["v=DMARC1; p=reject"]},
    **{f"{t}._domainkey.example.com": {"CNAME": [f"{t}.dkim.amazonses.com"]} for t in ("t1", "t2", "t3")},
    "t2.dkim.amazonses.com": {"TXT": [""]},
    "t3.dkim.amazonses.com": {"TXT": [""]},
}
IDENTITY = """[[ses.identity]]
name = "example.com"
dkim.status = "SUCCESS"
dkim.tokens = ["t1", "t2", "t3"]
mail_from.domain = "bounce.example.com"
mail_from.status = "SUCCESS"
"""


class WatchTest(DnsTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.key = "p=" + keys.public_key(keys.private_key(2048))

    def setUp(self):
        self.memory = self.directory / f"{self.id().split('.')[-1]}.sqlite"
        self.config = self.settings(f'[watch]\nmemory = "{self.memory}"\n')
        self.change_dns()

    def change_dns(self, without=()):
        served = {**ZONE, "t1.dkim.amazonses.com": {"TXT": [self.key]}}
        self.world.load({name: records for name, records in served.items() if name not in without})

    def settings(self, more, identity=IDENTITY, name="watch.toml"):
        return self.write(name, f'{more}[ses]\nregion = "us-east-1"\n{identity}')

    def watch(self, status, *arguments):
        return self.run_text(status, "watch", "--config", self.config, *arguments)

    def watch_json(self, status, *arguments):
        return self.run_json(status, "watch", "--config", self.config, *arguments)

    def complaint(self, *arguments, config=None):
        done = sesame("--dns", self.dns, "watch", "--config", config or self.config, *arguments)
        self.assertEqual(done.returncode, 2, done.stdout.decode() + done.stderr.decode())
        self.assertEqual(done.stdout, b"")
        return done.stderr.decode()


class WatchArguments(WatchTest):
    def test_that_do_not_go_together_are_told(self):
        for arguments, words in ((("--once", "--status"), "one goes at a time"),
                                 (("--timeline", "example.com", "--evidence", "example.com"), "one goes at a time"),
                                 (("example.com",), "DOMAIN goes with --once or --status"),
                                 (("--status", "--since", "2026-01-01"), "--since goes with"),
                                 (("--timeline", "example.com", "--output", "x"), "--output goes with"),
                                 (("--silence", "example.com"), "--silence needs --for"),
                                 (("--acknowledge", "example.com", "--for", "1h"), "--for goes with --silence"),
                                 (("--confirm", "example.com", "--status"), "one goes at a time"),
                                 (("--status", "--region", "us-east-1"), "--region and --account go with --confirm")):
            complaint = self.complaint(*arguments)
            self.assertIn(words, complaint)
            self.assertIn("see sesame watch --help", complaint)

    def test_that_make_no_sense_are_told(self):
        self.watch(0, "--once")
        for arguments, words in ((("--timeline", "exa mple"), "neither a domain nor an address"),
                                 (("--timeline", "example.com", "--since", "yesterday"), "yesterday"),
                                 (("--silence", "example.com", "--for", "12"), "no duration"),
                                 (("--silence", "example.com", "--for", "0h"), "no duration"),
                                 (("--silence", "example.com", "--for", "9999999999d"), "no duration"),
                                 (("--silence", "example.org", "--for", "12h"), "knows no identity example.org"),
                                 (("--timeline", "example.org"), "knows no identity example.org"),
                                 (("--status", "example.org"), "knows no identity example.org"),
                                 (("--once", "example.org"), "knows an identity example.org")):
            self.assertIn(words, self.complaint(*arguments))

    def test_without_a_memory_say_what_to_set(self):
        config = self.settings("", name="nothing.toml")
        for arguments in (("--status",), ("--timeline", "example.com"), ("--evidence", "example.com"),
                          ("--acknowledge", "example.com"), ("--silence", "example.com", "--for", "1h"),
                          ("--confirm", "example.com")):
            self.assertIn("watch.memory", self.complaint(*arguments, config=config))

    def test_without_a_file_name_it(self):
        for arguments in (("--status",), ("--timeline", "example.com")):
            self.assertIn(str(self.memory), self.complaint(*arguments))

    def test_without_identities_watch_nothing(self):
        config = self.settings("", identity="", name="nobody.toml")
        for arguments in (("--once",), ()):
            self.assertIn("knows an identity", self.complaint(*arguments, config=config))

    def test_with_no_interval_watch_nothing(self):
        config = self.settings("[watch]\ninterval = 0\n", name="never.toml")
        self.assertIn("watch.interval", self.complaint(config=config))


class WatchOnce(WatchTest):
    def test_of_healthy_records_is_fine(self):
        answer = self.watch_json(0, "--once", "example.com")
        look, = answer["looks"]
        self.assertEqual((look["identity"], look["state"]), ("example.com", "healthy"))
        names = {record["record"] for record in look["records"]}
        self.assertTrue({"t1._domainkey.example.com", "bounce.example.com"} <= names)
        self.assertIn("good answer", self.watch(0, "--once"))

    def test_of_a_missing_record_is_bad_and_names_it(self):
        self.change_dns(without=["t2._domainkey.example.com"])
        answer = self.watch_json(1, "--once")
        record, = [each for each in answer["looks"][0]["records"] if each["record"] == "t2._domainkey.example.com"]
        self.assertIn(record["state"], ("degraded", "missing"))
        self.assertIn("t2._domainkey.example.com", self.watch(1, "--once", "example.com"))

    def test_where_nothing_answers_is_undecided(self):
        done = sesame("--dns", "127.0.0.1:1", "watch", "--once", "--config",
                      self.settings(f'[dns]\ntimeout = 0.5\ntries = 1\nbudget = 2\n[watch]\nmemory = "{self.memory}"\n', name="dark.toml"))
        self.assertEqual(done.returncode, 75, done.stdout.decode() + done.stderr.decode())
        self.assertIn("nothing answers", done.stdout.decode())

    def test_is_kept_for_those_who_ask_later(self):
        self.change_dns(without=["t2._domainkey.example.com"])
        self.watch(1, "--once")
        self.assertEqual(self.memory.stat().st_mode & 0o777, 0o640)
        status = self.watch(1, "--status")
        self.assertIn("example.com in us-east-1", status)
        self.assertIn("t2._domainkey.example.com", status)
        self.assertIn("0 of 1 identity healthy", status)
        states = {record["record"]: record["state"] for record in self.watch_json(1, "--status")["identities"][0]["records"]}
        self.assertIn(states["t2._domainkey.example.com"], ("degraded", "missing"))
        timeline = self.watch(0, "--timeline", "example.com")
        self.assertIn("t2._domainkey.example.com", timeline)
        self.assertIn("the resolver of this host", timeline)
        rows = self.watch_json(0, "--timeline", "example.com")
        self.assertIn("t2._domainkey.example.com", {event["record"] for event in rows["events"]})
        evidence = self.watch(0, "--evidence", "example.com")
        self.assertIn("dig t2._domainkey.example.com", evidence)
        output = self.directory / "evidence.txt"
        self.watch(0, "--evidence", "example.com", "--output", output)
        self.assertIn("dig t2._domainkey.example.com", output.read_text())

    def test_does_not_forget_others(self):
        other = IDENTITY.replace("example.com", "example.org")
        self.config = self.settings(f'[watch]\nmemory = "{self.memory}"\n', identity=IDENTITY + other, name="two.toml")
        self.watch(1, "--once")
        self.watch(0, "--once", "example.com")
        identities = [each["identity"] for each in self.watch_json(1, "--status")["identities"]]
        self.assertEqual(identities, ["example.com", "example.org"])

    def test_without_a_place_to_keep_it_is_told_all_the_same(self):
        config = self.settings('[watch]\nmemory = "/nonexistent/watch.sqlite"\n', name="nowhere.toml")
        done = sesame("--dns", self.dns, "watch", "--once", "--config", config)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        self.assertIn("/nonexistent/watch.sqlite", done.stderr.decode())


class WatchSilence(WatchTest):
    def test_is_left_in_the_memory(self):
        self.change_dns(without=["t2._domainkey.example.com"])
        self.watch(1, "--once")
        self.assertIn("no alerts until", self.watch(0, "--silence", "example.com", "--for", "12h"))
        self.assertIn("silenced until", self.watch(1, "--status"))
        self.assertIn("alerts again", self.watch(0, "--unsilence", "example.com"))
        self.assertNotIn("silenced until", self.watch(1, "--status"))
        self.assertIn("no reminders", self.watch(0, "--acknowledge", "example.com"))
        self.assertIn("acknowledged at", self.watch(1, "--status"))
        self.assertIn("acknowledged the fault", self.watch(0, "--timeline", "example.com"))

    def test_ends_an_acknowledgement_when_all_is_well(self):
        self.watch(0, "--once")
        self.watch(0, "--acknowledge", "example.com")
        self.watch(0, "--once")
        self.assertEqual(self.watch_json(0, "--status")["silences"], [])


class WatchConfirmation(WatchTest):
    def refusal(self, *arguments):
        done = sesame("watch", "--config", self.config, "--confirm", *arguments)
        self.assertEqual((done.returncode, done.stdout), (1, b""), done.stderr.decode())
        return done.stderr.decode()

    def outage(self, status):
        answer = self.run_json(status, "doctor", "example.com", "--config", self.config)
        return answer["observed"].get("dkim_outage")

    def test_ends_what_an_outage_led_to(self):
        self.change_dns(without=["t2._domainkey.example.com"])
        self.watch(1, "--once")
        self.change_dns()
        self.watch(0, "--once")
        self.assertIsNotNone(self.outage(75))
        self.assertIn("example.com in us-east-1: verified by SES at", self.watch(0, "--confirm", "example.com"))
        self.assertIsNone(self.outage(0))
        self.assertIn("confirmed that SES", self.watch(0, "--timeline", "example.com"))
        self.assertEqual([each["kind"] for each in self.watch_json(0, "--status")["silences"]], ["confirmed"])
        # And stays so when somebody looks again.
        self.watch(0, "--once")
        self.assertIsNone(self.outage(0))

    def test_is_refused_while_records_are_at_fault(self):
        self.change_dns(without=["t2._domainkey.example.com"])
        self.watch(1, "--once")
        self.assertIn("t2._domainkey.example.com is missing", self.refusal("example.com"))
        self.assertEqual(self.watch_json(1, "--status")["silences"], [])

    def test_is_refused_where_nobody_has_looked(self):
        self.watch(0, "--once")
        self.assertIn("nobody has looked at the records of example.org", self.refusal("example.org"))
        self.assertIn("nobody has looked", self.refusal("example.com", "--region", "eu-west-1"))

    def test_says_which_of_several_regions_is_meant(self):
        both = IDENTITY + 'region = "us-east-1"\n' + IDENTITY + 'region = "eu-west-1"\n'
        self.config = self.settings(f'[watch]\nmemory = "{self.memory}"\n', identity=both, name="both.toml")
        sesame("--dns", self.dns, "watch", "--once", "--config", self.config)
        complaint = self.complaint("--confirm", "example.com")
        self.assertIn("--region", complaint)
        self.assertIn("eu-west-1", complaint)
        self.assertIn("in us-east-1: verified", self.watch(0, "--confirm", "example.com", "--region", "us-east-1"))


class WatchInTheForeground(WatchTest):
    def test_ends_on_a_signal(self):
        process = subprocess.Popen([harness.BIN / "sesame", "--dns", self.dns, "watch", "--config", self.config],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            self.assertIn(b"identities=1", process.stdout.readline())
            complaint = self.complaint()
            self.assertIn("another watch", complaint)
            self.assertIn(str(self.memory), complaint)
            self.watch(0, "--once")
            end = time.monotonic() + harness.RUN_S
            while sesame("watch", "--config", self.config, "--status").returncode != 0:
                self.assertLess(time.monotonic(), end, "nobody looked")
                time.sleep(0.1)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=harness.RUN_S)
        finally:
            process.kill()
        self.assertEqual((process.returncode, err), (0, b""))
        self.assertIn(b"watch: ended", out)


class WatchAndPredictions(WatchTest):
    def test_doctor_knows_what_the_watch_saw(self):
        self.change_dns(without=["t2._domainkey.example.com"])
        self.watch(1, "--once")
        self.change_dns()
        # All is well again, but SES may have looked meanwhile.
        answer = self.run_json(75, "doctor", "example.com", "--config", self.config)
        self.assertEqual(answer["observed"]["dkim_outage"]["names"], ["t2._domainkey.example.com"])

    def test_doctor_goes_on_without_a_memory(self):
        done = sesame("--dns", self.dns, "doctor", "example.com", "--config", self.config)
        self.assertEqual(done.returncode, 0, done.stdout.decode() + done.stderr.decode())
        self.assertIn("watch.memory", done.stderr.decode())


if __name__ == "__main__":
    unittest.main(verbosity=2)
