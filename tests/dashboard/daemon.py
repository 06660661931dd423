"""The daemon with a history, a snapshot of an account, and its page on a port of loopback."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request

BIN = pathlib.Path(os.environ.get("SESAME_BIN", "build/dev/bin")).resolve()
SOURCE = pathlib.Path(os.environ.get("SESAME_SOURCE", pathlib.Path(__file__).resolve().parents[2]))
START_S = 60
ANSWER_S = 100
NO_PROXY = urllib.request.build_opener(urllib.request.ProxyHandler({}))
sys.path.append(str(SOURCE / "tests" / "support"))

from dns_world import World  # noqa: E402: found on the path above
from ports import free_port  # noqa: E402
from rows import History  # noqa: E402: beside this file

DAY = 86400


def stamp(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def identity(name, status="SUCCESS", since=None, mail_from=None):
    return {"IdentityName": name, "status_since": since and stamp(since), "GetEmailIdentity": {
        "IdentityType": "DOMAIN", "VerifiedForSendingStatus": True,
        "DkimAttributes": {"SigningEnabled": True, "Status": status, "SigningAttributesOrigin": "AWS_SES",
                           "Tokens": ["t1", "t2", "t3"]},
        "MailFromAttributes": {"MailFromDomain": mail_from, "MailFromDomainStatus": "SUCCESS",
                               "BehaviorOnMxFailure": "USE_DEFAULT_VALUE"} if mail_from else None}}


class DaemonTest(unittest.TestCase):
    """One daemon for the class; `fill` makes its history, None keeps none."""

    @classmethod
    def setUpClass(cls):
        holder = tempfile.TemporaryDirectory(prefix="sesame-dashboard-")
        cls.addClassCleanup(holder.cleanup)
        cls.directory = pathlib.Path(holder.name)
        cls.now = int(time.time())
        cls.history = History(SOURCE, cls.directory / "history.sqlite")
        cls.addClassCleanup(cls.history.close)
        cls.fill(cls.history, cls.now)
        cls.history.sum_up()
        world = World(BIN)
        world.__enter__()
        cls.addClassCleanup(world.__exit__)
        cls.start(world)

    @classmethod
    def fill(cls, history, now):
        pass

    @classmethod
    def store(cls):
        return str(cls.history.path)

    @classmethod
    def identities(cls):
        return [identity("example.com", mail_from="bounce.example.com"), identity("example.org")]

    @classmethod
    def start(cls, world):
        cls.port = free_port()
        snapshot = {"version": 1, "regions": [{"region": "us-east-1", "fetched": stamp(cls.now - 600),
                                               "identities": cls.identities()}]}
        (cls.directory / "ses.json").write_text(json.dumps(snapshot))
        cls.config = cls.directory / "sesame.toml"
        cls.config.write_text(f"""
[milter]
socket = "unix:{cls.directory}/milter.sock"
[dns]
servers = ["127.0.0.1:{world.port}"]
[ses]
region = "us-east-1"
snapshot = "{cls.directory}/ses.json"
[watch]
interval = 0
[history]
store = "{cls.store()}"
[status]
listen = "127.0.0.1:{cls.port}"
[log]
destination = "{cls.directory}/log"
""")
        cls.daemon = subprocess.Popen([BIN / "sesame-milter", "--config", cls.config], stdin=subprocess.DEVNULL)
        cls.addClassCleanup(cls.stop)
        end = time.monotonic() + START_S
        while True:
            try:
                NO_PROXY.open(f"{cls.url()}/healthz", timeout=5).close()
                return
            except OSError:
                if cls.daemon.poll() is not None or time.monotonic() > end:
                    raise
                time.sleep(0.05)

    @classmethod
    def stop(cls):
        cls.daemon.terminate()
        status = cls.daemon.wait(30)
        if status != 0:
            raise RuntimeError(f"the daemon ended with status {status}: {(cls.directory / 'log').read_text()}")

    @classmethod
    def url(cls):
        return f"http://127.0.0.1:{cls.port}"

    def get(self, path, status=200, **query):
        """(body, header fields)"""
        url = f"{self.url()}{path}?{urllib.parse.urlencode(query)}"
        try:
            with NO_PROXY.open(url, timeout=ANSWER_S) as response:
                self.assertEqual(status, response.status, url)
                return response.read(), response.headers
        except urllib.error.HTTPError as error:
            body = error.read()
            self.assertEqual(status, error.code, f"{url}: {body}")
            return body, error.headers

    def api(self, name, status=200, **query):
        return json.loads(self.get(f"/api/{name}", status, **query)[0])
