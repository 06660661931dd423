"""What the daemon answers to the page, against a history of known rows."""

import json
import subprocess
import time
import unittest

from daemon import BIN, DAY, DaemonTest, identity, stamp

TALLY = "messages both dkim spf none unknown".split()


class Api(DaemonTest):
    @classmethod
    def fill(cls, history, now):
        for i in range(60):
            history.add(now - i * 7000, from_domain="example.com")
        for i in range(20):
            history.add(now - i * 20000, from_domain="example.org", alignment="dkim")
        for i in range(12):
            history.add(now - 500 - i * 30000, from_domain="shop.example", verdict="fail", alignment="none", action="observe",
                        code="dkim-disabled", codes="dkim-disabled", why=f"DMARC will fail for shop.example ({i}).")
        history.add(now - 90, from_domain="sub.shop.example", verdict="refused", alignment="none", action="reject",
                    code="dup-header", codes="dup-header", why="SES will answer 554.")
        history.add(now - 12 * DAY, from_domain="old.example", verdict="unknown", alignment="unknown")
        history.add(now - 60, from_domain="bank.example", direction="inbound", verdict="fail", alignment="none",
                    disposition="reject", why="DMARC fails.")
        # The MTA used the queue id again.
        history.add(now - 5 * DAY, queue_id="USED", story={"event": "message", "records": [{"name": "old.example"}]})
        history.add(now - 100, queue_id="USED", story={"event": "message", "records": [{"name": "new.example"}]})

    @classmethod
    def identities(cls):
        return [identity("example.com", mail_from="bounce.example.com"),
                identity("pending.example", "PENDING", since=cls.now - 12 * 3600),
                identity("lost.example", "TEMPORARY_FAILURE", since=cls.now - DAY), identity("failed.example", "FAILED")]

    def count(self, condition, days):
        since = (self.now - days * DAY) // 3600 * 3600
        return self.history.ask(f"SELECT COALESCE(SUM(messages), 0) FROM sesame_hour WHERE hour >= ? AND {condition}",
                                since)[0][0]

    def test_totals_are_those_of_the_store(self):
        for word, days in (("24h", 1), ("7d", 7), ("30d", 30)):
            for direction in ("outbound", "inbound"):
                told = self.api("overview", since=word, direction=direction)
                of = f"direction = '{direction}'"
                self.assertEqual(self.count(of, days), told["total"]["messages"])
                for name in ("both", "dkim", "none", "unknown"):
                    self.assertEqual(self.count(f"{of} AND alignment = '{name}'", days), told["total"][name])
                for name in ("pass", "fail", "refused"):
                    self.assertEqual(self.count(f"{of} AND verdict = '{name}'", days), told["total"][name])
                for name in TALLY:
                    self.assertEqual(told["total"][name], sum(slot[name] for slot in told["series"]))
                self.assertEqual(1, len({slot["begin"] % told["step"] for slot in told["series"]}))

    def test_agrees_with_the_report(self):
        done = subprocess.run([BIN / "sesame", "report", "--config", self.config, "--since", "7d", "--until",
                               stamp(self.now // 3600 * 3600 + 3600), "--json"],
                              capture_output=True, timeout=60, check=True)
        report = {each["from_domain"]: each for each in json.loads(done.stdout)["domains"] if each["direction"] == "outbound"}
        page = {each["domain"]: each for each in self.api("overview", since="7d")["domains"]}
        self.assertEqual(set(report), set(page))
        for domain, line in report.items():
            self.assertEqual(line["messages"], page[domain]["messages"])

    def test_trouble_is_told_with_the_newest_reason(self):
        troubles = self.api("overview", since="7d")["troubles"]
        self.assertEqual(["shop.example", "sub.shop.example"], [each["domain"] for each in troubles])
        self.assertEqual("DMARC will fail for shop.example (0).", troubles[0]["why"])
        self.assertEqual("dup-header", troubles[1]["code"])
        self.assertEqual(1, self.api("overview", since="7d", domain="sub.shop.example")["total"]["messages"])
        self.assertEqual(self.count("from_domain LIKE '%shop.example'", 7),
                         self.api("overview", domain="shop.example")["total"]["messages"])

    def test_pages_have_every_message_once(self):
        for query in ({}, {"verdict": "bad"}, {"verdict": "pass", "domain": "example.com"}, {"code": "dkim-disabled"},
                      {"search": "SHOP.example"}, {"action": "reject"}):
            whole = self.api("messages", most=200, since="7d", **query)["messages"]
            pages, before = [], ""
            for _ in range(200):
                page = self.api("messages", most=7, since="7d", before=before, **query)
                pages += page["messages"]
                before = page["next"]
                if before is None:
                    break
            self.assertIsNone(before)
            self.assertEqual(whole, pages, query)
            self.assertEqual(sorted((row["time"] for row in whole), reverse=True), [row["time"] for row in whole])
            self.assertGreater(len(whole), 0, query)

    def test_filters(self):
        def found(**query):
            return {row["from_domain"] for row in self.api("messages", most=200, **query)["messages"]}
        self.assertEqual({"shop.example", "sub.shop.example"}, found(verdict="bad"))
        self.assertEqual({"bank.example"}, found(verdict="bad", direction="inbound"))
        self.assertEqual({"sub.shop.example"}, found(verdict="refused"))
        self.assertEqual({"old.example"}, found(verdict="unknown", since="30d"))
        self.assertEqual(set(), found(verdict="unknown", since="7d"))
        self.assertEqual(set(), found(search="100%"))

    def test_a_queue_id_used_twice_has_two_stories(self):
        told = self.api("message", queue_id="USED")["messages"]
        self.assertEqual(["new.example", "old.example"], [each["story"]["records"][0]["name"] for each in told])
        self.assertIn("error", self.api("message", 404, queue_id="NONE"))

    def test_what_cannot_be_meant_is_refused(self):
        for name, query in (("overview", {"since": "8d"}), ("overview", {"direction": "up"}),
                            ("overview", {"domain": "a b"}), ("overview", {"domain": "x" * 300}),
                            ("messages", {"before": "1.2"}), ("messages", {"before": "9" * 30 + ".1.x"}),
                            ("messages", {"most": "201"}), ("messages", {"most": "-1"}),
                            ("messages", {"code": "A'; DROP TABLE sesame_message; --"}), ("messages", {"verdict": "<b>"}),
                            ("messages", {"search": "x" * 201}), ("message", {}), ("message", {"queue_id": "x" * 200})):
            self.assertRegex(self.api(name, 400, **query)["error"], r"^\w+: .*\.$", query)
        self.assertEqual([], self.api("messages", search="' OR 1=1 --")["messages"])
        self.assertEqual(97, self.history.ask("SELECT COUNT(*) FROM sesame_message")[0][0])
        self.get("/api/", 404)
        self.get("/../../etc/passwd", 404)
        self.get("/index.html.", 404)

    def test_identities_and_the_clocks_of_ses(self):
        told = self.api("identities")
        self.assertEqual({"bad": 2, "warning": 1, "unknown": 0, "well": 1}, told["counts"])
        by_name = {each["name"]: each for each in told["identities"]}
        self.assertEqual("example.com", told["identities"][-1]["name"])
        self.assertEqual({"kind": "set_up_ends", "earliest": None, "latest": self.now - 12 * 3600 + 72 * 3600},
                         by_name["pending.example"]["countdowns"][0])
        self.assertEqual({"kind": "revocation", "earliest": None, "latest": self.now - DAY + 5 * DAY},
                         by_name["lost.example"]["countdowns"][0])
        self.assertEqual([], by_name["failed.example"]["countdowns"])
        self.assertEqual(self.now - 600, by_name["example.com"]["as_of"])
        self.assertEqual(["lost.example"], [each["name"] for each in self.api("identities", search="LOST")["identities"]])

    def test_what_runs_here(self):
        about = self.api("about")
        self.assertEqual("sqlite", about["history"]["store"])
        self.assertLessEqual(about["started"], time.time())
        dns = self.api("dns")
        self.assertEqual(1, len(dns["servers"]))
        self.assertEqual("good", dns["servers"][0]["health"])

    def test_files_of_the_page(self):
        for path, kind in (("/", "text/html"), ("/app.js", "text/javascript"), ("/style.css", "text/css"),
                           ("/icon.svg", "image/svg+xml")):
            body, fields = self.get(path)
            self.assertTrue(fields["content-type"].startswith(kind), path)
            self.assertIn("default-src", fields["content-security-policy"])
            self.assertGreater(len(body), 100)
        self.assertNotIn(b"style=", self.get("/")[0])


class WithoutHistory(DaemonTest):
    @classmethod
    def store(cls):
        return ""

    def test_it_says_how_to_keep_one(self):
        self.assertEqual("none", self.api("about")["history"]["store"])
        for name in ("overview", "messages"):
            self.assertIn("[history]", self.api(name, 404)["error"])


class HistoryAway(DaemonTest):
    @classmethod
    def store(cls):
        return str(cls.directory / "not-there.sqlite")

    def test_it_says_so(self):
        self.assertRegex(self.api("overview", 502)["error"], "cannot be read")
        self.assertEqual(0, self.api("about")["judged"])


if __name__ == "__main__":
    unittest.main()
