"""Runs `sesame sync` against a local server, with nothing of the caller's environment."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

BIN = pathlib.Path(os.environ.get("SESAME_BIN", "build/dev/bin")).resolve()
RUN_S = 60
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from fake_aws import KEY_ID, SECRET, FakeAws  # noqa: E402: found on the path above

KEYS = {"AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET}


class SyncTest(unittest.TestCase):
    world = {}  # {region: {name: answer}}

    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="sesame-sync-")
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)
        self.file = self.directory / "ses.json"
        self.partial = self.directory / "ses.json.partial"
        self.aws = self.serve()

    def serve(self, **options):
        aws = FakeAws({region: dict(identities) for region, identities in self.world.items()}, **options)
        aws.__enter__()
        self.addCleanup(aws.__exit__)
        return aws

    def environment(self, credentials):
        """No file of the caller's and no metadata service is looked at unless a test says so."""
        kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS")
                if name in os.environ}
        return {**kept, "HOME": str(self.directory), "AWS_EC2_METADATA_DISABLED": "true", **credentials}

    def command(self, *arguments, regions=("us-east-1",), endpoint=None):
        command = [BIN / "sesame", "sync", "--endpoint", endpoint or self.aws.url, "--snapshot", self.file]
        # Not the installed settings.
        if "--config" not in arguments:
            command += ["--config", "/dev/null"]
        if "--interval" not in arguments:
            command += ["--interval", "0.005"]
        for region in regions:
            command += ["--region", region]
        return [str(each) for each in (*command, *arguments)]

    def start(self, *arguments, env=KEYS, **options):
        return subprocess.Popen(self.command(*arguments, **options), env=self.environment(env), text=True,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def sync(self, status, *arguments, env=KEYS, **options):
        """(standard output, standard error); the exit status must be this one."""
        process = self.start(*arguments, env=env, **options)
        try:
            out, err = process.communicate(timeout=RUN_S)
        finally:
            process.kill()
        self.assertEqual(process.returncode, status, out + err)
        for secret, token in self.aws.sessions.values():
            for text in filter(None, (secret, token)):
                self.assertNotIn(text, out + err)
        return out, err

    def sync_json(self, *arguments, **options):
        out, err = self.sync(0, "--json", *arguments, **options)
        return json.loads(out)

    def snapshot(self):
        return json.loads(self.file.read_text())

    def identities(self, region="us-east-1", file=None):
        """{name: identity} as the snapshot, or another file, has it."""
        parts = json.loads((file or self.file).read_text())["regions"]
        return {each["IdentityName"]: each for part in parts if part["region"] == region for each in part["identities"]}

    def assert_kept(self, status, *words, **options):
        """A sync that fails with these words and leaves the snapshot as it is."""
        before = self.file.read_bytes() if self.file.exists() else None
        out, err = self.sync(status, **options)
        self.assertEqual(out, "")
        for word in words:
            self.assertIn(word, err)
        after = self.file.read_bytes() if self.file.exists() else None
        self.assertEqual(after, before)
        return err
