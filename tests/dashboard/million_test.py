"""A million messages: what the page asks is answered from a small part of the file, whatever it is."""

import time
import unittest

from daemon import DAY, DaemonTest

ROWS = 1_000_000
QUESTIONS = (
    ("overview", {"since": "24h"}), ("overview", {"since": "7d"}), ("overview", {"since": "30d"}),
    ("overview", {"since": "30d", "domain": "shop.example"}), ("messages", {"since": "30d"}),
    ("messages", {"since": "30d", "verdict": "bad"}), ("messages", {"since": "30d", "verdict": "refused"}),
    ("messages", {"since": "30d", "verdict": "unknown", "search": "nothing of the kind"}),
    ("messages", {"since": "30d", "code": "dkim-disabled", "action": "hold"}),
    ("messages", {"since": "30d", "domain": "rare.example"}),
    ("message", {"queue_id": "4F00000001"}),
)
MOST = 0.1  # of the file


class Million(DaemonTest):
    @classmethod
    def fill(cls, history, now):
        history.add_many(ROWS, now, 29 * DAY)
        history.add(now - 20 * DAY, from_domain="rare.example", verdict="refused", alignment="none", action="reject", why="Rare.")

    def read(self):
        """Octets the daemon has read from files and sockets so far."""
        with open(f"/proc/{self.daemon.pid}/io", encoding="ascii") as io:
            return int(io.readline().split()[1])

    def test_questions_read_a_small_part(self):
        self.history.ask("PRAGMA wal_checkpoint(TRUNCATE)")
        size = self.history.path.stat().st_size
        for name, query in QUESTIONS:
            before, began = self.read(), time.monotonic()
            answer = self.api(name, **query)
            took, octets = time.monotonic() - began, self.read() - before
            print(f"{name} {query}: {took * 1000:.0f} ms, {octets / size:.2%} of {size / 2**20:.0f} MiB read")
            with self.subTest(name=name, **query):
                self.assertLess(octets, size * MOST)
                self.assertTrue(answer)
        self.assertEqual(ROWS + 1, self.api("overview", since="30d")["total"]["messages"])
        self.assertEqual("Rare.", self.api("messages", since="30d", verdict="refused")["messages"][0]["why"])


if __name__ == "__main__":
    unittest.main()
