#!/usr/bin/python3
"""sesame import: what it carries over, what it names, and that the result is a configuration."""

import os
import pathlib
import re
import stat
import tempfile
import tomllib
import unittest

from harness import sesame

# What Debian's packages install, without the comments.
OPENDKIM = """# Debian's
Syslog\t\t\tyes
SyslogSuccess\t\tyes
#LogWhy\t\t\tno
Canonicalization\trelaxed/simple
OversignHeaders\t\tFrom
UserID\t\t\topendkim
UMask\t\t\t007
Socket\t\t\tlocal:/run/opendkim/opendkim.sock
PidFile\t\t\t/run/opendkim/opendkim.pid
TrustAnchorFile\t\t/usr/share/dns/root.key
"""
OPENDMARC = """PidFile /run/opendmarc/opendmarc.pid
PublicSuffixList /usr/share/publicsuffix/public_suffix_list.dat
Socket local:/run/opendmarc/opendmarc.sock
Syslog true
UMask 0002
UserID opendmarc
"""
POLICYD = """#  For a fully commented sample config file see policyd-spf.conf.commented

debugLevel = 1 
TestOnly = 1

HELO_reject = Fail
Mail_From_reject = Fail

PermError_reject = False
TempError_Defer = False

skip_addresses = 127.0.0.0/8,::ffff:127.0.0.0/104,::1
"""
DIFFERENT, MISSING = "Sesame does it differently:", "Has no equivalent:"
TWICE, NOT_UNDERSTOOD = "Said more than once:", "Was not understood:"


class Imported:
    def __init__(self, text):
        self.text = text
        self.settings = tomllib.loads(text)

    def of(self, key):
        value = self.settings
        for part in key.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        return value

    def remarks(self, heading):
        """The items under it, each on one line."""
        part = self.text.partition(f"# {heading}\n")[2].partition("\n\n")[0]
        return [re.sub(r"\n#\s+", " ", each).strip() for each in re.split(r"(?:^|\n)# - ", part)[1:]]


class ImportTest(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="sesame-import-")
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)

    def write(self, name, text):
        path = self.directory / name
        path.write_text(text, encoding="utf-8")
        return path

    def load(self, *files):
        """Of files as (name, text): what comes of them, which must be valid."""
        done = sesame("import", *[self.write(name, text) for name, text in files])
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        made = self.write("made.toml", done.stdout.decode())
        test = sesame("config", "test", "--config", made)
        self.assertEqual(test.returncode, 0, test.stderr.decode() + done.stdout.decode())
        return Imported(done.stdout.decode().replace(str(self.directory) + "/", ""))

    def opendkim(self, text):
        return self.load(("opendkim.conf", text))

    def opendmarc(self, text):
        return self.load(("opendmarc.conf", text))

    def policyd(self, text):
        return self.load(("policyd-spf.conf", text))

    def told(self, imported, heading, *words):
        found = [each for each in imported.remarks(heading) if all(word in each for word in words)]
        self.assertEqual(len(found), 1, (words, imported.text))

    def test_the_defaults_of_debian(self):
        made = self.load(("opendkim.conf", OPENDKIM), ("opendmarc.conf", OPENDMARC), ("policyd-spf.conf", POLICYD))
        self.assertEqual(made.of("log.destination"), "syslog")
        self.assertEqual(made.of("outbound.networks"), ["127.0.0.0/8", "::1/128"])
        self.assertIs(made.of("inbound.tempfail_on_temperror"), False)
        self.assertEqual(made.remarks(NOT_UNDERSTOOD) + made.remarks(TWICE), [])
        self.assertIn("# opendkim.conf:2 Syslog, opendmarc.conf:4 Syslog\ndestination", made.text)
        self.told(made, MISSING, "opendkim.conf:5 Canonicalization", "SES signs")
        self.told(made, MISSING, "policyd-spf.conf:6 HELO_reject", "nothing for SPF alone")
        self.assertNotIn("LogWhy", made.text)

    def test_opendkim_what_is_carried_over(self):
        made = self.opendkim("authservid mx.example.com # the name\nMode sv\nClockDrift 0x78\nMaximumHeaders 0\n"
                             "Nameservers 192.0.2.53, 2001:db8::53\nDNSTimeout 2\nMTA ORIGINATING,submission\n"
                             "MaximumSignaturesToVerify 5\nRemoveARFrom a.example.com,.b.example.com\nOn-DNSError t\n"
                             "ExemptDomains lists.example.org\nOn-BadSignature reject\nRequiredHeaders Yes\nSyslog no\n")
        self.assertEqual(made.of("authserv_id"), "mx.example.com")
        self.assertEqual(made.of("limits"), {"header_size": 67108864, "dkim_signatures": 5, "clock_skew": 120})
        self.assertEqual(made.of("dns"), {"servers": ["192.0.2.53", "2001:db8::53"], "timeout": 1.0, "budget": 2.0})
        self.assertEqual(made.of("outbound.daemon_names"), ["ORIGINATING", "submission"])
        self.assertEqual(made.of("inbound"), {"own_ids": ["a.example.com"], "on_bad_author": "reject",
                                              "tempfail_on_temperror": True})
        self.assertEqual(made.of("ignore.from_domains"), ["lists.example.org"])
        self.assertIsNone(made.of("log"))
        self.told(made, MISSING, "Mode", "SES signs")
        self.told(made, MISSING, "On-BadSignature", "DMARC")
        self.told(made, MISSING, "RemoveARFrom", ".b.example.com")

    def test_opendkim_lists_of_hosts(self):
        self.write("TrustedHosts", "# ours\n127.0.0.1\nlocalhost\n192.0.2.0/24\n!192.0.2.64/26\n192.0.2.65\n"
                                   "*.example.com\n198.51.100.7/24\n[2001:db8::]/32 comment\n!bad.example\n")
        hosts = self.directory / "TrustedHosts"
        made = self.opendkim(f"InternalHosts refile:{hosts}\nExternalIgnoreList csl:203.0.113.9, 192.0.2.1\n"
                             f"PeerList 203.0.113.0/28\n")
        # The address is in the block that is taken out, and more precise than it.
        self.assertEqual(sorted(made.of("outbound.networks")), sorted(
            ["127.0.0.1/32", "::1/128", "192.0.2.0/26", "192.0.2.128/25", "192.0.2.65/32", "2001:db8::/32"]))
        self.assertEqual(made.of("ignore.networks"), ["203.0.113.0/28"])
        self.told(made, MISSING, "*.example.com")
        self.told(made, MISSING, "198.51.100.7/24")
        self.told(made, TWICE, "!bad.example", "takes out")
        self.told(made, TWICE, "ExternalIgnoreList", "203.0.113.9/32 sends as one of our domains")
        made = self.opendkim(f"InternalHosts {self.directory}/nowhere\nPeerList dsn:mysql://user:secret@db/x\n")
        self.assertIsNone(made.of("outbound"))
        self.assertEqual(len(made.remarks(NOT_UNDERSTOOD)), 2)
        self.assertNotIn("secret", made.text)

    def test_opendkim_includes(self):
        more = self.write("more.conf", "AuthservID other.example.com\nSelector s1\n")
        made = self.opendkim(f"AuthservID mx.example.com\nInclude {more}\nInclude /nowhere.conf\n")
        self.assertEqual(made.of("authserv_id"), "other.example.com")
        self.told(made, TWICE, "more.conf:1 AuthservID holds for opendkim", "opendkim.conf:1")
        self.told(made, MISSING, "more.conf:2 Selector")
        self.told(made, NOT_UNDERSTOOD, "opendkim.conf:3 Include")
        round_about = self.write("opendkim.conf", "")
        made = self.opendkim(f"Include {round_about}\nMode v\n")
        self.told(made, NOT_UNDERSTOOD, "nested too deep")

    def test_opendmarc_what_is_carried_over(self):
        ignored = self.write("ignore.hosts", "127.0.0.1\n192.0.2.9 # backup MX\n!192.0.2.10\nmx.example.org\n")
        made = self.opendmarc(f"AuthservID HOSTNAME\nRejectFailures true\nHoldQuarantinedMessages 1\nIgnoreHosts {ignored}\n"
                              "IgnoreAuthenticatedClients false\nTrustedAuthservIDs HOSTNAME, a.example.com\n"
                              "IgnoreMailFrom example.net,example.org\nDomainWhitelist lists.example.org\n"
                              "DNSTimeout 0\nSoftwareHeader yes\nFailureReports yes\nRejectMultiValueFrom yes\n"
                              "PublicSuffixList /nowhere.dat\n")
        self.assertIsNone(made.of("authserv_id"))
        self.assertEqual(made.of("inbound"), {
            "own_ids": ["a.example.com"], "on_policy_reject": "reject", "on_policy_quarantine": "quarantine",
            "on_bad_author": "reject", "tempfail_on_temperror": True, "trusted_arc_sealers": ["lists.example.org"]})
        # Loopback is outbound by default, and stays it.
        self.assertEqual(made.of("ignore"), {"networks": ["192.0.2.9/32"], "from_domains": ["example.net", "example.org"]})
        self.assertEqual(made.of("dns.budget"), 25.0)
        self.told(made, DIFFERENT, "RejectFailures", "pct=")
        self.told(made, DIFFERENT, "IgnoreAuthenticatedClients")
        self.told(made, MISSING, "mx.example.org")
        self.told(made, NOT_UNDERSTOOD, "PublicSuffixList")

    def test_policyd_what_is_carried_over(self):
        made = self.policyd("Lookup_Time = 20\nVoid_Limit = 3\nTempError_Defer = True\nHeader_Type = AR\n"
                            "Authserv_Id = mx.example.com\nskip_addresses = 10.1.2.3/8,192.0.2.1\nWhitelist = 192.0.2.7\n"
                            "Domain_Whitelist = example.org\nMail_From_reject = False\nPermError_reject = True\n"
                            "a line\nName = a = b\nTestOnly = 0\n")
        self.assertEqual(made.of("dns.budget"), 20.0)
        self.assertEqual(made.of("limits.spf_void_lookups"), 3)
        self.assertEqual(made.of("authserv_id"), "mx.example.com")
        self.assertEqual(made.of("outbound.networks"), ["10.0.0.0/8", "192.0.2.1/32"])
        self.assertIs(made.of("inbound.tempfail_on_temperror"), True)
        self.assertIsNone(made.of("ignore"))
        self.told(made, MISSING, "Whitelist:", "spared", "policyd-spf.conf:7")
        self.told(made, MISSING, "PermError_reject")
        self.assertEqual([each for each in made.remarks(MISSING) if "Mail_From_reject" in each], [])
        self.assertEqual(len(made.remarks(NOT_UNDERSTOOD)), 2)
        made = self.policyd("Authserv_Id = HEADER\n")
        self.assertIsNone(made.of("authserv_id"))
        self.told(made, MISSING, "Authserv_Id", "Header_Type")

    def test_files_that_disagree(self):
        made = self.load(("opendkim.conf", "AuthservID a.example.com\nInternalHosts 192.0.2.0/24\nDNSTimeout 5\n"),
                         ("opendmarc.conf", "AuthservID b.example.com\nDNSTimeout 10\n"),
                         ("policyd-spf.conf", "skip_addresses = 192.0.2.5,198.51.100.0/24\n"))
        self.assertEqual(made.of("authserv_id"), "a.example.com")
        self.assertEqual(made.of("inbound.own_ids"), ["b.example.com"])
        # What is not verified does not grow.
        self.assertEqual(made.of("outbound.networks"), ["192.0.2.0/24"])
        self.assertEqual(made.of("dns.budget"), 5.0)
        self.told(made, TWICE, "opendmarc.conf:1 AuthservID", "opendkim.conf:1 AuthservID holds")
        self.told(made, TWICE, "policyd-spf.conf:1 skip_addresses", "198.51.100.0/24 is not in outbound.networks")
        self.told(made, TWICE, "opendmarc.conf:2 DNSTimeout")

    def test_what_is_not_known_is_named(self):
        made = self.opendkim("Mdoe sv\nSocket\nClockDrift soon\nRequiredHeaders perhaps\nAuthservID a b\nX\x01Y z\n")
        self.assertEqual(len(made.remarks(NOT_UNDERSTOOD)), 6)
        self.told(made, NOT_UNDERSTOOD, "opendkim.conf:1 Mdoe", "no setting of opendkim")
        self.told(made, NOT_UNDERSTOOD, "opendkim.conf:2 Socket", "no value")
        self.assertNotIn("\x01", made.text)

    def test_whose_file_it_is(self):
        self.assertIn("(policyd-spf)", self.load(("one.conf", POLICYD)).text)
        self.assertIn("(opendmarc)", self.load(("two.conf", OPENDMARC + "RejectFailures no\n")).text)
        self.assertIn("(opendkim)", self.load(("three.conf", OPENDKIM)).text)
        self.assertIn("(opendkim)", self.load(("my-opendkim.cf", "Socket x\n")).text)
        for text in ("Socket inet:1\n", "what is this\n", ""):
            done = sesame("import", self.write("four.conf", text))
            self.assertEqual((done.returncode, done.stdout), (2, b""))
        self.assertEqual(sesame("import", self.directory / "none").returncode, 2)

    def test_output(self):
        source, output = self.write("opendkim.conf", OPENDKIM), self.directory / "sesame.toml"
        done = sesame("import", source, "--output", output)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(stat.S_IMODE(os.stat(output).st_mode), 0o640)
        self.assertEqual(output.read_bytes(), sesame("import", source).stdout)
        output.write_text("kept", encoding="ascii")
        done = sesame("import", source, "--output", output)
        self.assertEqual((done.returncode, output.read_text()), (2, "kept"))
        self.assertIn(b"is there already", done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
