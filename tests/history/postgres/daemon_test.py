"""The daemon and a PostgreSQL that goes away: mail goes on, and every message arrives in the history once."""

import importlib.util
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import unittest

BIN = pathlib.Path(os.environ.get("SESAME_BIN", "build/dev/bin")).resolve()
TESTS = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TESTS / "support"))
import postgres  # noqa: E402

CORPUS, BEFORE, AWAY, AFTER = 20, 300, 5000, 300
PATIENCE_S, RUN_S = 60, 90
NEEDED = ("cryptography", "dkim")
CONFIGURATION = """
authserv_id = "mx.bench.example"
[milter]
socket = "unix:{directory}/milter"
[history]
store = "{store}"
spool = "{directory}/spool.sqlite"
[status]
listen = ""
[dns]
servers = ["{dns}"]
[outbound]
networks = []
[log]
level = "warning"
destination = "{directory}/log"
"""


class PostgresDaemon(unittest.TestCase):
    def setUp(self):
        missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
        if missing:
            self.skipTest(f"Python has no {missing[0]}")
        self.directory = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(prefix="sesame-pg-daemon-")))
        self.server = self.enterContext(postgres.cluster())
        if self.server is None:
            self.skipTest("PostgreSQL is not installed")
        corpus = self.directory / "corpus"
        subprocess.run([sys.executable, "-B", TESTS / "bench/corpus.py", "--out", corpus, "--messages", str(CORPUS),
                        "--domains", "4"], check=True, stdout=subprocess.DEVNULL)
        dns = self.start("sesame-bench-dnsd", "--zone", corpus / "zone.txt", "--dead", corpus / "dead.txt",
                         "--control", self.directory / "dns")
        self.addCleanup(dns.stdout.close)
        (self.directory / "sesame.toml").write_text(CONFIGURATION.format(
            directory=self.directory, dns=dns.stdout.readline().split()[-1], store=self.server.url()))
        self.daemon = self.start_daemon()

    def start(self, name, *arguments, **options):
        process = subprocess.Popen([BIN / name, *map(str, arguments)], text=True,
                                   **{"stdout": subprocess.PIPE, **options})
        self.addCleanup(process.wait)
        self.addCleanup(process.terminate)
        return process

    def wait_for(self, what, holds):
        end = time.monotonic() + PATIENCE_S
        while not (found := holds()):
            if time.monotonic() > end:
                self.fail(f"{what}: never; the log: {(self.directory / 'log').read_text()[-2000:]}")
            time.sleep(0.1)
        return found

    def start_daemon(self):
        socket = self.directory / "milter"
        daemon = self.start("sesame-milter", "--config", self.directory / "sesame.toml", stdout=subprocess.DEVNULL)
        self.wait_for("the daemon's socket", socket.exists)
        return daemon

    def load(self, messages):
        """All verdicts are right and no connection was lost, or the status is another."""
        subprocess.run([BIN / "sesame-bench-load", "--stages", f"unix:{self.directory}/milter", "--corpus",
                        self.directory / "corpus", "--connections", "4", "--per-connection", "10", "--messages",
                        str(messages)], stdout=subprocess.DEVNULL, timeout=RUN_S, check=True)

    def number(self, sql):
        return int(self.server.ask(sql)[0][0])

    def kept(self):
        return self.number("SELECT count(*) FROM sesame_message")

    def test_ten_thousand_messages_while_the_server_is_away(self):
        self.load(BEFORE)
        self.wait_for("the table", lambda: self.number("SELECT count(to_regclass('sesame_message'))") == 1)
        self.wait_for("what came before", lambda: self.kept() == BEFORE)
        self.server.stop()
        self.load(AWAY)
        self.daemon.terminate()
        self.assertEqual(self.daemon.wait(PATIENCE_S), 0)
        self.daemon = self.start_daemon()
        self.load(AWAY)
        self.server.start()
        self.load(AFTER)
        every = BEFORE + 2 * AWAY + AFTER
        self.wait_for("every message", lambda: self.kept() >= every)
        self.assertEqual(self.kept(), every)
        self.assertEqual(self.number("SELECT sum(messages) FROM sesame_hour"), every)
        self.assertEqual(self.number("SELECT count(*) FROM sesame_story WHERE story <> ''"), every)
        self.assertEqual(self.number("SELECT count(DISTINCT origin) FROM sesame_message"), 2)
        # In the order in which they came: a transaction has a number, and rows the number of theirs.
        self.assertEqual(self.number("SELECT count(*) FROM (SELECT min(sequence) < lag(max(sequence)) OVER (PARTITION "
                                     "BY origin ORDER BY xmin::text::bigint) AS wrong FROM sesame_message "
                                     "GROUP BY origin, xmin::text::bigint) AS batches WHERE wrong"), 0)
        log = (self.directory / "log").read_text()
        self.assertIn("rows cannot be written, and wait", log)
        self.assertNotIn("missing in the history", log)


if __name__ == "__main__":
    unittest.main()
