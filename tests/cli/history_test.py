#!/usr/bin/python3
"""`sesame report`, `explain`, `top`, `tail` and `policy simulate`, asked of a history made here by the tables that
contrib/doc/history.md describes."""

import csv
import io
import json
import os
import re
import signal
import sqlite3
import subprocess
import tempfile
import time
import unittest
import zlib
from pathlib import Path

from harness import BIN, SOURCE, sesame

WIDTH = 100
NOW = int(time.time())
COLUMNS = ("origin", "sequence", "time", "host", "queue_id", "direction", "from_domain", "mail_from", "message_id",
           "client", "verdict", "alignment", "disposition", "forwarder", "action", "code", "codes", "account", "region",
           "identity", "why", "waited_us", "took_us")
TEXTS = {name for name in COLUMNS if name not in ("sequence", "time", "waited_us", "took_us")}
HOUR = ("host", "direction", "from_domain", "verdict", "alignment", "disposition", "action", "code")
PASSED = dict(origin="aa", host="mx1.example.net", direction="outbound", from_domain="example.com",
              mail_from="bounce@example.com", message_id="<1@example.com>", client="192.0.2.1", verdict="pass",
              alignment="both", disposition="", forwarder="", action="accept", code="", codes="dkim-ok", account="main",
              region="us-east-1", identity="example.com", why="It is aligned.", waited_us=1500, took_us=40_000)
FAILED = dict(PASSED, verdict="fail", alignment="none", action="observe", code="dkim-cname-missing",
              codes="dkim-cname-missing,dmarc-none-aligned", why="DMARC will fail: neither DKIM nor SPF aligns.")
RECEIVED = dict(PASSED, direction="inbound", from_domain="example.org", verdict="fail", alignment="none",
                disposition="reject", codes="", account="", region="", identity="", why="DMARC fails.")
STORY = {
    "event": "message", "confidence": "likely", "grade": "none",
    "legs": {"dkim": {"domain": "example.com", "usable": False, "aligned": {"rfc9989": True, "rfc7489": True},
                      "reason": "a CNAME is missing"},
             "spf": {"domain": "amazonses.com", "result": "pass", "usable": True,
                     "aligned": {"rfc9989": False, "rfc7489": False}, "reason": ""}},
    "dmarc": {"rfc9989": {"result": "fail", "policy": "reject", "record_domain": "example.com"},
              "rfc7489": {"result": "fail", "policy": "reject", "record_domain": "example.com"}},
    "findings": [{"code": "dkim-cname-missing", "severity": "error", "text": "A DKIM record is missing: t1.example.com",
                  "advice": "Publish t1.example.com."}],
    "records": [{"name": "t1._domainkey.example.com", "type": "TXT", "status": "nxdomain", "ttl": 60, "data": [],
                 "stale": False},
                {"name": "_dmarc.example.com", "type": "TXT", "status": "noerror", "ttl": 300,
                 "data": ["v=DMARC1; p=reject"], "stale": True}],
}


def schema():
    """The tables as the daemon makes them."""
    text = (SOURCE / "lib/history/sqlite_tables.h").read_text()
    return re.search(r'R"\((.*?)\)"', text, re.DOTALL).group(1)


class HistoryTest(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="sesame-history-")
        self.addCleanup(directory.cleanup)
        self.directory = Path(directory.name)
        self.store = self.directory / "history.sqlite"
        self.config = self.directory / "sesame.toml"
        self.config.write_text(f'[history]\nstore = "{self.store}"\n')
        self.sequence = 0

    def open(self):
        fresh = not self.store.exists()
        database = sqlite3.connect(self.store)
        self.addCleanup(database.close)
        if fresh:
            database.executescript(schema())
        return database

    def add(self, row, count=1, ago=600, story=None, **more):
        """So many messages like this one, seconds ago; the queue id of the last."""
        row = dict(row, **more)
        database = self.open()
        with database:
            for _ in range(count):
                self.sequence += 1
                one = dict({"queue_id": f"4dX{self.sequence:09d}"}, **row, sequence=self.sequence,
                           time=(NOW - ago) * 1_000_000 + self.sequence)
                database.execute(f"INSERT INTO sesame_message({','.join(COLUMNS)}) VALUES({','.join('?' * len(COLUMNS))})",
                                 [one[name] for name in COLUMNS])
                database.execute("INSERT INTO sesame_story VALUES(?, ?, ?)",
                                 (one["origin"], self.sequence, zlib.compress(json.dumps(story or {}).encode())))
                of = [one[name] if name != "disposition" or not one["forwarder"] else "" for name in HOUR]
                hour = (NOW - ago) // 3600 * 3600
                database.execute("INSERT INTO sesame_hour VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, 1) ON CONFLICT "
                                 "DO UPDATE SET messages = messages + 1", (hour, *of))
        database.close()
        return one["queue_id"]

    def run_text(self, status, *arguments):
        done = sesame(*arguments, "--config", self.config)
        self.assertEqual(done.returncode, status, done.stdout.decode() + done.stderr.decode())
        return done.stdout.decode() if status == 0 else done.stderr.decode()

    def run_json(self, *arguments):
        return json.loads(self.run_text(0, *arguments, "--json"))

    def run_csv(self, *arguments):
        text = self.run_text(0, *arguments, "--csv")
        self.assertEqual(text.count("\n"), text.count("\r\n"))
        return list(csv.DictReader(io.StringIO(text, newline="")))

    def assert_fits(self, text):
        for line in text.splitlines():
            self.assertLessEqual(len(line), WIDTH, line)


class Report(HistoryTest):
    def test_by_domain_and_direction(self):
        self.add(PASSED, 3)
        self.add(FAILED, 2)
        self.add(RECEIVED)
        report = self.run_json("report")
        self.assertEqual(report["total"]["messages"], 6)
        first, second = report["domains"]
        self.assertEqual((first["from_domain"], first["direction"], first["messages"]), ("example.com", "outbound", 5))
        self.assertEqual(first["alignment"], {"both": 3, "dkim": 0, "spf": 0, "none": 2, "unknown": 0})
        self.assertEqual(first["hit"], 2)
        self.assertEqual(first["reasons"], [{"code": "dkim-cname-missing", "messages": 2}])
        self.assertEqual((second["direction"], second["hit"]), ("inbound", 1))
        text = self.run_text(0, "report")
        self.assertRegex(text, r"example\.com +out +5 +3 +0 +0 +2 +0 +2\n +dkim-cname-missing 2\n")
        self.assertRegex(text, r"total +6 ")
        self.assertEqual(len(self.run_csv("report", "--direction", "inbound")), 1)

    def test_large_numbers_and_long_domains_fit(self):
        long = ".".join(["label" * 10] * 4) + ".example.net"
        self.add(FAILED, from_domain=long)
        with self.open() as database:
            database.execute("UPDATE sesame_hour SET messages = 123456789012")
        text = self.run_text(0, "report")
        self.assert_fits(text)
        self.assertIn("123,456,789,012", text)
        self.assertIn(".example.net", text)

    def test_cells_are_harmless_to_spreadsheets(self):
        for domain in ("=cmd|calc", "+1.example", "-2.example", "@sum.example", 'quo"ted,.example'):
            self.add(PASSED, from_domain=domain)
        cells = {row["from_domain"] for row in self.run_csv("report")}
        self.assertEqual(cells, {"'=cmd|calc", "'+1.example", "'-2.example", "'@sum.example", 'quo"ted,.example'})

    def test_of_an_empty_history_says_so(self):
        self.open()
        self.assertIn("There are none in", self.run_text(0, "report"))
        self.assertEqual(self.run_csv("report"), [])

    def test_old_mail_is_left_out(self):
        self.add(PASSED, ago=10 * 86400)
        self.add(PASSED, ago=60)
        self.assertEqual(self.run_json("report")["total"]["messages"], 1)
        for since in ("30d", "4w", "2020-01-01", "2020-01-01T00:00:00Z"):
            self.assertEqual(self.run_json("report", "--since", since)["total"]["messages"], 2, since)
        self.assertEqual(self.run_json("report", "--since", "30d", "--until", "5d")["total"]["messages"], 1)

    def test_a_million_messages(self):
        with self.open() as database:
            database.execute("PRAGMA journal_mode = WAL")
            database.execute(
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000) "
                "INSERT INTO sesame_message SELECT 'aa', i, (? - i / 2) * 1000000, 'mx' || i % 4 || '.example.net', "
                "'4dX' || i, CASE i % 3 WHEN 0 THEN 'inbound' ELSE 'outbound' END, 'd' || i % 500 || '.example.com', "
                "'bounce-' || i || '@example.com', '<' || i || '@example.com>', '192.0.2.' || i % 250, "
                "CASE i % 10 WHEN 0 THEN 'fail' ELSE 'pass' END, CASE i % 10 WHEN 0 THEN 'none' ELSE 'both' END, "
                "CASE i % 30 WHEN 0 THEN 'reject' ELSE '' END, '', CASE i % 10 WHEN 0 THEN 'observe' ELSE 'accept' END, "
                "CASE i % 10 WHEN 0 THEN 'dkim-cname-missing' ELSE '' END, 'dkim-ok', 'main', 'us-east-1', "
                "'example.com', 'One sentence that says why this is so of message ' || i, 1000, 30000 FROM n", (NOW,))
            database.execute(
                "INSERT INTO sesame_hour SELECT time / 3600000000 * 3600, host, direction, from_domain, verdict, "
                "alignment, disposition, action, code, COUNT(*) FROM sesame_message GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9")
        for arguments in (("report",), ("top",), ("top", "client", "--since", "7d"), ("tail",),
                          ("tail", "--search", "of message 7"), ("tail", "--search", "nowhere to be found"),
                          ("tail", "--verdict", "fail", "--domain", "d10.example.com"), ("explain", "4dX777777"),
                          ("policy", "simulate", "--fail", "hold")):
            begin = time.monotonic()
            text = self.run_text(0, *arguments)
            print(f"{' '.join(arguments)}: {time.monotonic() - begin:.2f} s")
            self.assert_fits(text)
        self.assertEqual(self.run_json("report")["total"]["messages"], 1_000_000)


class Explain(HistoryTest):
    def test_tells_the_whole_story(self):
        queue_id = self.add(FAILED, story=STORY)
        text = self.run_text(0, "explain", queue_id)
        self.assert_fits(text)
        for words in (f"Message {queue_id}, outbound, judged", "by mx1.example.net", "<bounce@example.com>",
                      "fail (likely)", "DMARC will fail", "observe", "40.000 ms", "1.500 ms", "a CNAME is missing",
                      "p=reject at _dmarc.example.com", "dkim-cname-missing (error)", "To do: Publish t1.example.com.",
                      "t1._domainkey.example.com TXT: nxdomain", "v=DMARC1; p=reject", "past its time to live"):
            self.assertIn(words, text)
        value = self.run_json("explain", queue_id)
        self.assertEqual(value["messages"][0]["story"]["records"][1]["data"], ["v=DMARC1; p=reject"])

    def test_a_queue_id_that_was_used_again_shows_all(self):
        self.add(PASSED, queue_id="A1", ago=7200)
        self.add(FAILED, queue_id="A1")
        text = self.run_text(0, "explain", "A1")
        self.assertIn("2 messages had this queue id", text)
        self.assertLess(text.index("fail"), text.index("It is aligned."))

    def test_one_that_is_not_there_is_told_with_the_period(self):
        self.add(PASSED)
        text = self.run_text(1, "explain", "NOTTHERE")
        self.assertIn("no message NOTTHERE in " + str(self.store), text)
        self.assertRegex(text, r"from \d{4}-\d\d-\d\d \d\d:\d\d:\d\d to ")

    def test_a_finding(self):
        text = self.run_text(0, "explain", "dkim-cname-missing")
        self.assertIn("Publish {records}", text)
        self.assert_fits(text)
        self.assertEqual(self.run_json("explain", "null-sender")["severity"], "error")

    def test_every_code_has_its_heading(self):
        headings = re.findall(r"^## (\S+)$", (SOURCE / "contrib/doc/findings.md").read_text(), re.MULTILINE)
        self.assertGreater(len(headings), 40)
        for code in headings[:3] + headings[-3:]:
            self.assertEqual(self.run_json("explain", code)["code"], code)

    def test_a_damaged_story_is_no_end(self):
        for story in ("not a mapping", [1], {"legs": 7, "findings": {"a": 1}, "records": [3, {"data": [1, None]}],
                                             "dmarc": "x", "limits": [[]], "repairs": [None]}):
            queue_id = self.add(FAILED, story=story)
            self.assertIn("DMARC will fail", self.run_text(0, "explain", queue_id))
            self.assertIn("DMARC", self.run_text(0, "explain", self.add(RECEIVED, story=story)))

    def test_nothing_hostile_reaches_the_terminal(self):
        escape = "\x1b]0;title\x07\r\n\x9b31m"
        hostile = {name: escape for name in ("why", "mail_from", "message_id", "from_domain", "host", "code")}
        story = json.loads(json.dumps(STORY).replace("t1.", "\\u001b[31m"))
        queue_id = self.add(dict(FAILED, **hostile), story=story)
        for arguments in (("explain", queue_id), ("tail",), ("report",), ("top", "mail_from"), ("top", "code"),
                          ("policy", "simulate", "--fail", "hold"), ("tail", "--json"), ("explain", queue_id, "--json")):
            text = self.run_text(0, *arguments)
            self.assertNotRegex(text, r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", arguments)


class Top(HistoryTest):
    def test_by_each(self):
        self.add(PASSED, 2)
        self.add(FAILED, 4, client="", mail_from="")
        self.add(RECEIVED)
        for by, value, messages, bad in (("from_domain", "example.com", 6, 4), ("code", "dkim-cname-missing", 4, 4),
                                         ("client", "", 4, 4), ("mail_from", "", 4, 4),
                                         ("host", "mx1.example.net", 7, 5), ("action", "observe", 4, 4),
                                         ("verdict", "fail", 5, 5)):
            first = self.run_json("top", by)["top"][0]
            self.assertEqual(first, {"value": value, "messages": messages, "bad": bad}, by)
            self.assert_fits(self.run_text(0, "top", by))
            self.assertEqual(self.run_csv("top", by)[0][by], value)
        self.assertIn("<>", self.run_text(0, "top", "mail_from"))
        self.assertIn("(local)", self.run_text(0, "top", "client"))


class Tail(HistoryTest):
    def test_the_newest_last(self):
        self.add(PASSED, 20)
        last = self.add(FAILED)
        lines = self.run_text(0, "tail", "-n", "3").splitlines()
        self.assertEqual(len(lines), 3)
        self.assertIn(last, lines[-1])
        self.assertIn("dkim-cname-missing", lines[-1])
        rows = [json.loads(line) for line in self.run_text(0, "tail", "--json").splitlines()]
        self.assertEqual(len(rows), 10)
        self.assertEqual(rows[-1]["codes"], ["dkim-cname-missing", "dmarc-none-aligned"])
        self.assertEqual(len(self.run_csv("tail", "--verdict", "fail")), 1)
        self.assertEqual(len(self.run_csv("tail", "--search", "BOUNCE@", "-n", "5")), 5)
        self.assertEqual(self.run_csv("tail", "--search", "b_unce"), [])

    def follow(self, *arguments):
        process = subprocess.Popen([BIN / "sesame", "tail", "-f", "--config", self.config, *arguments],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stderr.close)
        return process

    def test_follows_until_a_signal(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            first = self.add(PASSED)
            process = self.follow("--json", "-n", "1")
            self.assertEqual(json.loads(process.stdout.readline())["queue_id"], first)
            late = self.add(PASSED, ago=86400, origin="bb")
            self.assertEqual(json.loads(process.stdout.readline())["queue_id"], late)
            process.send_signal(number)
            self.assertEqual(process.wait(30), 0)

    def test_survives_a_store_that_is_away(self):
        self.add(PASSED)
        process = self.follow("-n", "1")
        self.assertIn("pass", process.stdout.readline())
        away = self.store.with_suffix(".away")
        os.rename(self.store, away)
        self.assertIn("tried again", process.stderr.readline())
        os.rename(away, self.store)
        self.assertIn("there again", process.stderr.readline())
        last = self.add(FAILED)
        self.assertIn(last, process.stdout.readline())
        process.terminate()
        self.assertEqual(process.wait(30), 0)


class Simulate(HistoryTest):
    def test_says_what_would_change(self):
        self.add(PASSED, 1200)
        last = self.add(FAILED, 4)
        self.add(RECEIVED)
        text = self.run_text(0, "policy", "simulate", "--since", "7d", "--fail", "hold")
        self.assert_fits(text)
        self.assertIn("4 of 1,204 outbound messages would have been held.", text)
        self.assertIn(f"such as {last}: DMARC will fail", text)
        value = self.run_json("policy", "simulate", "--fail", "hold")
        self.assertEqual(value["messages"], {"all": 1205, "outbound": 1204, "inbound": 1})
        line = next(each for each in value["changed"] if each["direction"] == "outbound")
        self.assertEqual((line["before"], line["after"], line["messages"]), ("observe", "hold", 4))
        self.assertEqual(self.run_csv("policy", "simulate", "--fail", "reject")[0]["after"], "reject")

    def test_what_is_in_force_changes_nothing(self):
        self.add(PASSED)
        self.add(FAILED)
        text = self.run_text(0, "policy", "simulate")
        self.assertIn("None of 2 outbound messages would have been treated otherwise.", text)

    def test_inbound_words(self):
        self.add(RECEIVED, action="observe")
        self.add(RECEIVED, action="observe", disposition="quarantine")
        self.add(RECEIVED, action="observe", from_domain="", verdict="permerror", disposition="")
        value = self.run_json("policy", "simulate", "--on-policy-reject", "reject", "--on-policy-quarantine",
                              "quarantine", "--on-bad-author", "reject")
        self.assertEqual(sorted(each["after"] for each in value["changed"]), ["hold", "reject", "reject"])


class Trouble(HistoryTest):
    def complaint(self, *arguments, status=2):
        done = sesame(*arguments)
        self.assertEqual(done.returncode, status, done.stderr.decode())
        self.assertEqual(done.stdout, b"")
        return done.stderr.decode()

    def test_no_history_says_what_to_do(self):
        for command in (("report",), ("top",), ("tail",), ("policy", "simulate"), ("explain", "A1")):
            text = self.run_text(2, *command)
            self.assertIn(str(self.store), text)
            self.assertIn("the daemon makes it", text)
        self.config.write_text('[history]\nstore = ""\n')
        text = self.run_text(2, "report")
        self.assertIn("no history is kept", text)
        self.assertIn("[history]", text)

    def test_what_is_no_history_is_told(self):
        self.store.write_text("not a database, but long enough to be taken for one" * 100)
        self.assertIn(str(self.store), self.run_text(2, "report"))

    def test_a_server_that_is_away_is_no_usage_error(self):
        text = self.complaint("report", "--store", "postgresql://u:secret@127.0.0.1:1/x?connect_timeout=2", status=75)
        self.assertNotIn("secret", text)

    def test_bad_arguments(self):
        self.add(PASSED)
        for arguments, words in ((("--since", "yesterday"), "--since"), (("--until", "0h"), "--until"),
                                 (("--since", "1d", "--until", "2d"), "not after"), (("--domain", "a b"), "--domain")):
            self.assertIn(words, self.run_text(2, "report", *arguments))


if __name__ == "__main__":
    unittest.main()
