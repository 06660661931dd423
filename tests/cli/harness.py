"""Runs `sesame` against a test DNS server on loopback, in a directory that is removed afterwards."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

BIN = pathlib.Path(os.environ.get("SESAME_BIN", "build/dev/bin")).resolve()
SOURCE = pathlib.Path(os.environ.get("SESAME_SOURCE", pathlib.Path(__file__).resolve().parents[2]))
RUN_S = 60
sys.path.append(str(SOURCE / "tests" / "support"))

from dns_world import World  # noqa: E402: found on the path above


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
        world = cls.world = World(BIN)
        world.__enter__()
        cls.addClassCleanup(world.__exit__)
        world.load(cls.zone)
        cls.dns = f"127.0.0.1:{world.port}"

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
