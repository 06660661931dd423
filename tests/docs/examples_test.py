"""What the documents show is run: every `sesame` command of the Markdown pages and of the help texts, and every piece of
a sesame.toml. An example that this program would refuse as bad usage fails."""

import pathlib
import re
import shlex
import shutil
import signal
import sqlite3
import subprocess
import sys
import unittest

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "cli"), str(TESTS / "e2e")]
import postfix  # noqa: E402: found on the paths above
from harness import BIN, SOURCE, DnsTest, sesame  # noqa: E402
from history_test import schema  # noqa: E402

PAGES = [SOURCE / "README.md", *sorted((SOURCE / "contrib/doc").glob("*.md"))]
ZONE = {"example.com": {"TXT": ["v=spf1 ip4:192.0.2.1 -all"]},
        "_dmarc.example.com": {"TXT": ["v=DMARC1; p=reject"]}}
MESSAGE = "From: user@example.com\r\nTo: user@example.org\r\nSubject: example\r\n\r\nHello.\r\n"
SETTINGS = """\
authserv_id = "mx.example.com"
[dns]
servers = ["{dns}"]
timeout = 0.3
tries = 1
budget = 1.0
[ses]
region = "us-east-1"
snapshot = "{directory}/ses.json"
[[ses.identity]]
name = "example.com"
dkim.tokens = ["t1", "t2", "t3"]
[[ses.route]]
from = "marketing.example"
account = "marketing"
[[ses.route]]
from = "billing.example"
account = "billing"
[history]
store = "{directory}/history.sqlite"
[watch]
memory = "{directory}/watch.sqlite"
"""
# What the examples name in /etc, and what stands there.
OTHERS = {"opendkim.conf": "Mode v\n", "opendmarc.conf": "RejectFailures false\n", "policyd-spf.conf": "TestOnly = 1\n",
          "sendmail.mc": "divert(0)dnl\nMAILER(`smtp')dnl\n"}
# These end only when they are told to.
ENDLESS = [("tail", "-f"), ("tail", "--follow")]
WITHOUT_SETTINGS = ("spf", "verify", "dmarc", "import")
SECONDS = 5


def code_lines(page):
    """The lines of code blocks, fenced or indented, with their numbers; continued ones as one."""
    fenced, pending, begun = False, "", 0
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("```"):
            fenced = not fenced
            continue
        if not (fenced or line.startswith("    ")):
            continue
        begun = begun if pending else number
        pending += line.strip()
        if pending.endswith("\\"):
            pending = pending[:-1]
            continue
        yield begun, pending
        pending = ""


def commands_of(line):
    """Those of `sesame` in a line of a shell; without prompt and remark."""
    line = re.sub(r"\s+#.*$", "", line).removeprefix("$ ").removeprefix("# ")
    for part in re.split(r"\s*(?:&&|\|\||\||;)\s*", line):
        if part.startswith("sesame ") and not re.search(r"[<>{}]|\.\.\.", part.replace("'<>'", "")):
            yield part


def documented():
    for page in PAGES:
        for number, line in code_lines(page):
            for command in commands_of(line):
                yield f"{page.relative_to(SOURCE)}:{number}", command
    listed = sesame("--help").stdout.decode().split("Subcommands:\n")[1].split("\n\n")[0]
    for name in ("", *re.findall(r"^  ([a-z]+) ", listed, re.MULTILINE)):
        text = sesame(*name.split(), "--help").stdout.decode()
        for line in text.splitlines():
            for command in commands_of(line.strip()):
                yield f"sesame {name} --help".replace("  ", " "), command


def settings_of(page):
    """The blocks of code that begin with a table of a sesame.toml."""
    blocks, block = [], []
    for number, line in [*code_lines(page), (0, "")]:
        if block and number > block[-1][0] + 2:
            blocks.append(block)
            block = []
        block.append((number, line))
    for block in blocks:
        if re.match(r"\[\[?[a-z._]+\]\]?$", block[0][1]):
            yield block[0][0], "\n".join(line for _, line in block) + "\n"


class Examples(DnsTest):
    zone = ZONE

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.settings = cls.directory / "sesame.toml"
        cls.settings.write_text(SETTINGS.format(dns=cls.dns, directory=cls.directory))
        for name in ("message.eml", "new.eml"):
            (cls.directory / name).write_bytes(MESSAGE.encode())
        shutil.copy(cls.settings, cls.directory / "new.toml")
        for name, text in OTHERS.items():
            (cls.directory / name).write_text(text)
        database = sqlite3.connect(cls.directory / "history.sqlite")
        database.executescript(schema())
        database.close()
        # The system's own MTA is left alone.
        cls.mta = {"sendmail": cls.directory}
        if not postfix.missing():
            cls.mta["postfix"] = postfix.Postfix(cls.directory / "postfix", 25, {}).conf

    def prepared(self, command):
        """The words of an example, led to the settings, the DNS server and the files of this test."""
        words = shlex.split(command)[1:]
        words = [str(self.settings) if word.endswith("/sesame.toml") else word for word in words]
        words = [str(self.directory / pathlib.Path(word).name) if word.startswith(("/var/lib/sesame/", "/etc/")) else word
                 for word in words]
        if words[0] == "setup":
            words += ["--directory", str(self.mta[words[1]])]
        if words[0] not in WITHOUT_SETTINGS and "--config" not in words and "--help" not in words:
            words += ["--config", str(self.settings)]
        if words[0] == "sync":
            words += ["--endpoint", "http://127.0.0.1:9", "--interval", "0.001", "--timeout", "0.5"]
        if "--dns" in words:
            words[words.index("--dns") + 1] = self.dns
            return words
        return ["--dns", self.dns, *words]

    def run_example(self, words):
        command = [BIN / "sesame", *words]
        process = subprocess.Popen(command, cwd=self.directory, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, env={"AWS_ACCESS_KEY_ID": "EXAMPLE", "PATH": "/usr/bin:/bin",
                                                                "AWS_SECRET_ACCESS_KEY": "example"})
        endless = any(set(pair) <= set(words) for pair in ENDLESS)
        try:
            output = process.communicate(timeout=1 if endless else 60)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGTERM)
            output = process.communicate(timeout=SECONDS)
        return process.returncode, b"".join(output).decode(errors="replace")

    def test_every_command_is_understood(self):
        found = list(documented())
        self.assertGreater(len(found), 30)
        for place, command in found:
            if "setup postfix" in command and "postfix" not in self.mta:
                continue
            (self.directory / "imported.toml").unlink(missing_ok=True)
            with self.subTest(place=place, command=command):
                status, output = self.run_example(self.prepared(command))
                self.assertIn(status, (0, 1, 75), output)

    def test_every_piece_of_settings_is_good(self):
        found = [(page, number, text) for page in PAGES for number, text in settings_of(page)]
        self.assertGreater(len(found), 1)
        for page, number, text in found:
            with self.subTest(place=f"{page.relative_to(SOURCE)}:{number}"):
                path = self.write("piece.toml", text)
                done = sesame("config", "test", "--config", path)
                self.assertEqual(done.returncode, 0, (done.stdout + done.stderr).decode())


if __name__ == "__main__":
    unittest.main()
