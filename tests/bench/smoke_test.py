"""The benchmark's load and DNS server with the daemon between them: few messages, and no times."""

import importlib.util
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import unittest

BIN = pathlib.Path(os.environ.get("SESAME_BIN", "build/dev/bin")).resolve()
HERE = pathlib.Path(__file__).resolve().parent
MESSAGES = 20
START_S, RUN_S = 30, 60
NEEDED = ("cryptography", "dkim")
WRONG = 3  # the load's exit status when a verdict is not the expected one
CONFIGURATION = """
authserv_id = "mx.bench.example"
[milter]
socket = "unix:{socket}"
[history]
store = ""
[status]
listen = ""
[dns]
servers = ["{dns}"]
[outbound]
networks = []
[log]
level = "error"
"""


class Smoke(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
        if missing:
            raise unittest.SkipTest(f"Python has no {missing[0]}")
        directory = tempfile.TemporaryDirectory(prefix="sesame-bench-")
        cls.addClassCleanup(directory.cleanup)
        cls.directory = pathlib.Path(directory.name)
        cls.corpus, cls.socket, cls.control = (cls.directory / name for name in ("corpus", "milter", "dns"))
        subprocess.run([sys.executable, "-B", HERE / "corpus.py", "--out", cls.corpus, "--messages", str(MESSAGES),
                        "--domains", "4"], check=True, stdout=subprocess.DEVNULL)
        dns = cls.start("sesame-bench-dnsd", "--zone", cls.corpus / "zone.txt", "--dead", cls.corpus / "dead.txt",
                        "--control", cls.control)
        address = dns.stdout.readline().split()[-1]
        configuration = cls.directory / "sesame.toml"
        configuration.write_text(CONFIGURATION.format(socket=cls.socket, dns=address))
        cls.start("sesame-milter", "--config", configuration)
        end = time.monotonic() + START_S
        while not cls.socket.exists() and time.monotonic() < end:
            time.sleep(0.05)

    @classmethod
    def start(cls, name, *arguments):
        process = subprocess.Popen([BIN / name, *map(str, arguments)], stdout=subprocess.PIPE, text=True)
        cls.addClassCleanup(process.stdout.close)
        cls.addClassCleanup(process.wait)
        cls.addClassCleanup(process.terminate)
        return process

    def load(self, *options, corpus=None, stages=1, status=0):
        done = subprocess.run([BIN / "sesame-bench-load", "--stages", ",".join([f"unix:{self.socket}"] * stages),
                               "--corpus", corpus or self.corpus, *map(str, options)],
                              stdout=subprocess.PIPE, timeout=RUN_S)
        self.assertEqual(done.returncode, status, done.stdout.decode())
        return json.loads(done.stdout)

    def ask(self, order):
        with socket.socket(socket.AF_UNIX) as control:
            control.connect(str(self.control))
            control.sendall(f"{order}\n".encode())
            return json.loads(control.makefile().readline())

    def test_every_verdict_is_the_expected_one(self):
        report = self.load("--connections", 4, "--messages", 3 * MESSAGES, "--per-connection", 2, "--idle", 3)
        self.assertEqual(report["expected"]["right"], 3 * MESSAGES)
        self.assertEqual(report["answers"], {"continue": 3 * MESSAGES})
        self.assertEqual(report["connections_lost"], 0)

    def test_a_wrong_verdict_is_noticed(self):
        other = self.directory / "other"
        shutil.copytree(self.corpus, other)
        index = other / "index.tsv"
        head, first, *rest = index.read_text().splitlines()
        cells = first.split("\t")
        cells[head.split("\t").index("spf")] = "neutral"
        index.write_text("\n".join([head, "\t".join(cells), *rest]) + "\n")
        expected = self.load(corpus=other, status=WRONG)["expected"]
        self.assertEqual((expected["wrong"], expected["wrong_methods"]), (1, {"spf": 1}))
        self.assertEqual(expected["first_wrong"][0]["file"], cells[0])

    def test_a_filter_sees_what_the_one_before_it_changed(self):
        name = (self.corpus / "index.tsv").read_text().splitlines()[1].split("\t")[0]
        # The second takes the field of the first, which bears its own name, for a forgery.
        done = self.load("--dump", name, stages=2, status=WRONG)
        edits = [(edit["stage"], edit["action"], edit["name"], edit["value"].strip()) for edit in done["actions"]]
        self.assertIn((1, "change", "Authentication-Results", ""), edits)

    def test_the_dns_server_counts_what_is_asked(self):
        self.load()
        self.ask("reset")
        self.assertEqual(self.ask("stats")["queries"], {})
        self.assertEqual(self.ask("delay 1")["delay_ms"], 0)
        self.assertEqual(self.ask("delay 0")["delay_ms"], 1)
        self.assertIn("error", self.ask("sleep"))


if __name__ == "__main__":
    unittest.main()
