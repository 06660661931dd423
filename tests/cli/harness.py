"""Runs `sesame` against a test DNS server on loopback, in a directory that is removed afterwards."""

import json
import os
import pathlib
import subprocess
import tempfile
import time
import unittest

BIN = pathlib.Path(os.environ.get("SESAME_BIN", "build/dev/bin")).resolve()
SOURCE = pathlib.Path(os.environ.get("SESAME_SOURCE", pathlib.Path(__file__).resolve().parents[2]))
START_S = 20
RUN_S = 60


def sesame(*arguments, stdin="", env=None):
    """The finished process; its output as text."""
    return subprocess.run([BIN / "sesame", *map(str, arguments)], input=stdin.encode("utf-8", "surrogateescape"),
                          capture_output=True, timeout=RUN_S, env=env, check=False)


class DnsTest(unittest.TestCase):
    """One DNS server for the class, serving its `zone`."""

    zone = {}

    @classmethod
    def setUpClass(cls):
        directory = tempfile.TemporaryDirectory(prefix="sesame-cli-")
        cls.addClassCleanup(directory.cleanup)
        cls.directory = pathlib.Path(directory.name)
        zone = cls.directory / "zone.json"
        port_file = cls.directory / "port"
        zone.write_text(json.dumps(cls.zone), encoding="utf-8")
        server = subprocess.Popen([BIN / "sesame-test-dnsd", "--zone", zone, "--port-file", port_file],
                                  stdout=subprocess.DEVNULL)
        cls.addClassCleanup(server.wait)
        cls.addClassCleanup(server.terminate)
        end = time.monotonic() + START_S
        while not port_file.exists():
            if server.poll() is not None or time.monotonic() > end:
                raise RuntimeError("the test DNS server did not start")
            time.sleep(0.01)
        cls.dns = "127.0.0.1:" + port_file.read_text().strip()

    def run_json(self, status, *arguments, stdin=""):
        """What is answered as JSON; the exit status must be this one."""
        done = sesame("--dns", self.dns, *arguments, "--json", stdin=stdin)
        self.assertEqual(done.returncode, status, done.stdout.decode() + done.stderr.decode())
        self.assertEqual(done.stderr, b"")
        return json.loads(done.stdout)

    def run_text(self, status, *arguments, stdin=""):
        done = sesame("--dns", self.dns, *arguments, stdin=stdin)
        self.assertEqual(done.returncode, status, done.stdout.decode() + done.stderr.decode())
        return done.stdout.decode()

    def write(self, name, text):
        path = self.directory / name
        path.write_bytes(text.encode("utf-8", "surrogateescape"))
        return path
