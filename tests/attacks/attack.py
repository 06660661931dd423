"""What the attacks share: letters, DNS to send them in, and `sesame` to judge them."""

import email.utils
import importlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

SOURCE = pathlib.Path(os.environ.get("SESAME_SOURCE", pathlib.Path(__file__).resolve().parents[2]))
BIN = pathlib.Path(os.environ.get("SESAME_BIN", "build/dev/bin")).resolve()
RUN_S = 60
sys.path[1:1] = [str(SOURCE / "tests" / "support"), str(SOURCE / "tests" / "cli")]

from dns_world import World  # noqa: E402: found on the path above
from mta import Daemon  # noqa: E402

# The victim, whom everybody impersonates, and the attacker, whose own mail is in order.
ZONE = {
    "legit.example": {"TXT": ["v=spf1 ip4:192.0.2.1 -all"], "MX": [[10, "mail.legit.example"]]},
    "_dmarc.legit.example": {"TXT": ["v=DMARC1; p=reject"]},
    "mail.legit.example": {"TXT": ["v=spf1 ip4:192.0.2.1 -all"], "A": ["192.0.2.1"]},
    "attack.example": {"TXT": ["v=spf1 ip4:198.51.100.1 -all"]},
    "_dmarc.attack.example": {"TXT": ["v=DMARC1; p=reject"]},
    "mail.attack.example": {"TXT": ["v=spf1 ip4:198.51.100.1 -all"], "A": ["198.51.100.1"]},
}
LEGIT = {"ip": "192.0.2.1", "helo": "mail.legit.example", "mail_from": "bounce@legit.example"}
ATTACKER = {"ip": "198.51.100.1", "helo": "mail.attack.example", "mail_from": "bounce@attack.example"}
STATUS = {"pass": 0, "none": 0, "fail": 1, "permerror": 1, "temperror": 75}


def need(module, package):
    """The module; a test that lacks it is skipped, and says so."""
    try:
        return importlib.import_module(module)
    except ImportError:
        print(f"skipped=1: {package} is not installed")
        sys.exit(0)


class Letter:
    """A message: its header lines without line ends (folds inside are CRLF), and its body. Text stands for octets as
    UTF-8; "\\udc80" to "\\udcff" are octets that are none."""

    def __init__(self, *lines, body="Hello.\r\n"):
        self.lines, self.body = list(lines), body

    @staticmethod
    def of(octets):
        """Read back from octets in which every line is a field or a fold."""
        header, body = octets.decode("utf-8", "surrogateescape").split("\r\n\r\n", 1)
        lines = []
        for line in header.split("\r\n"):
            if line[0] in " \t":
                lines[-1] += "\r\n" + line
            else:
                lines.append(line)
        return Letter(*lines, body=body)

    def above(self, *lines):
        """The same with these fields on top."""
        return Letter(*lines, *self.lines, body=self.body)

    def octets(self):
        text = "".join(line + "\r\n" for line in self.lines) + "\r\n" + self.body
        return text.encode("utf-8", "surrogateescape")

    def fields(self):
        """As an MTA tells them to a milter: names and values, the folds as LF."""
        pairs = (line.split(":", 1) for line in self.lines)
        return [(name, value.replace("\r\n", "\n")) for name, value in pairs]


def letter(author, *lines, body="Hello.\r\n"):
    """An ordinary message with this From field."""
    date = "Date: " + email.utils.formatdate(1790000000)
    return Letter(f"From: {author}", "To: rcpt@example.net", "Subject: hello", date, *lines, body=body)


class Attack(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.world = World(BIN)
        cls.world.__enter__()
        cls.addClassCleanup(cls.world.__exit__)

    def setUp(self):
        self.publish({})

    def publish(self, zone, faults=()):
        """The victim's and the attacker's zone with this one over it."""
        self.world.load({**ZONE, **zone}, faults)

    def run_sesame(self, command, *arguments, message=b""):
        """Exit status and answer; a program that crashes, or complains, fails the test."""
        done = subprocess.run([BIN / "sesame", "--dns", f"127.0.0.1:{self.world.port}", command, *map(str, arguments),
                               "--json"], input=message, capture_output=True, timeout=RUN_S, check=False)
        self.assertEqual(done.stderr, b"", arguments)
        self.assertIn(done.returncode, (0, 1, 75), arguments)
        return done.returncode, json.loads(done.stdout)

    def verify(self, message, *options, ip=None, helo="mail.attack.example", mail_from="bounce@attack.example"):
        """The answer of `sesame verify` to a Letter or octets."""
        arguments = ["--helo", helo, "--mail-from", mail_from, *options]
        if ip:
            arguments += ["--ip", ip]
        octets = message.octets() if isinstance(message, Letter) else message
        status, answer = self.run_sesame("verify", *arguments, message=octets)
        self.assertEqual(status, STATUS[answer["dmarc"]["result"]])
        self.assertNotEqual(answer["why"], "")
        return answer

    def spf(self, mail_from="user@legit.example", ip="192.0.2.1", helo="mail.legit.example"):
        """The answer of `sesame spf`."""
        return self.run_sesame("spf", "--ip", ip, "--helo", helo, "--mail-from", mail_from)[1]

    def daemon(self, settings="", **options):
        """The daemon, to be used in a `with`."""
        return Daemon(BIN / "sesame-milter", self.world.port, settings, **options)

    def write(self, name, text):
        """A file that is removed after the test."""
        holder = tempfile.TemporaryDirectory(prefix="sesame-attacks-")
        self.addCleanup(holder.cleanup)
        path = pathlib.Path(holder.name) / name
        path.write_text(text, encoding="utf-8")
        return path

    def asked(self, part, kind="TXT"):
        """The distinct names with this text that DNS was asked for since the zone was published."""
        return sorted({name for type_, name, _ in self.world.queries() if type_ == kind and part in name})

    def assert_permerror(self, answer, context):
        """No author domain, so no verdict, under either standard; and a reason."""
        for name in ("dmarc", "dmarc_rfc7489"):
            self.assertEqual((answer[name]["result"], answer[name]["from_domain"]), ("permerror", None), context)
            self.assertNotEqual(answer[name]["reason"], "", context)

    def assert_dmarc(self, answer, result, context=None):
        for name in ("dmarc", "dmarc_rfc7489"):
            self.assertEqual(answer[name]["result"], result, (context, answer))
