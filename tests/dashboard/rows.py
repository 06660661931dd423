"""A history of made-up messages, in the tables as the daemon makes them."""

import json
import pathlib
import re
import sqlite3
import zlib

COLUMNS = ("origin sequence time host queue_id direction from_domain mail_from message_id client verdict alignment disposition "
           "forwarder action code codes account region identity why waited_us took_us").split()
SUMS = """
INSERT INTO sesame_hour
SELECT time / 1000000 - time / 1000000 % 3600 AS hour, host, direction, from_domain, verdict, alignment,
       CASE WHEN forwarder = '' THEN disposition ELSE '' END AS disposed, action, code, COUNT(*)
FROM sesame_message GROUP BY hour, host, direction, from_domain, verdict, alignment, disposed, action, code
"""
# One in 500 fails, in one domain of 40; one in 50 rests on DKIM alone.
MANY = """
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < :rows),
     m AS (SELECT i, i % 500 = 7 AS bad, i % 50 = 3 AS dkim,
                  CASE WHEN i % 500 = 7 THEN 'shop.example' ELSE 'd' || (i * 7919 % 40) || '.example' END AS domain FROM n)
INSERT INTO sesame_message
SELECT 'many', i + 1, :newest - i * :apart, 'mx1.example.com', printf('%012X', i * 2654435761 % 281474976710656),
       'outbound', domain, 'news@' || domain, '<' || i || '@mail.example.com>', '192.0.2.10',
       CASE WHEN bad THEN 'fail' ELSE 'pass' END,
       CASE WHEN bad THEN 'none' WHEN dkim THEN 'dkim' ELSE 'both' END, '', '', CASE WHEN bad THEN 'hold' ELSE 'accept' END,
       CASE WHEN bad THEN 'dkim-disabled' ELSE '' END, CASE WHEN bad THEN 'dkim-disabled' ELSE '' END, '', 'us-east-1', domain,
       CASE WHEN bad THEN 'DMARC will fail for shop.example: DKIM signing is switched off for shop.example.'
            ELSE 'DMARC will pass for ' || domain || ': DKIM and SPF both align.' END, 900, 40000
FROM m ORDER BY i DESC
"""


class History:
    """The SQLite file at `path`, made anew."""

    def __init__(self, source, path):
        schema = (pathlib.Path(source) / "lib/history/sqlite_tables.h").read_text()
        self.path = path
        self.database = sqlite3.connect(path, isolation_level=None)
        self.database.execute("PRAGMA journal_mode = WAL")
        self.database.execute("PRAGMA synchronous = OFF")
        self.database.executescript(re.search(r'\.schema = R"\((.*?)\)"', schema, re.DOTALL)[1])
        self.sequence = 0

    def close(self):
        self.database.close()

    def add(self, seconds, story=None, **columns):
        """One message judged at this unix second; what is not said is that of a message that passes."""
        self.sequence += 1
        domain = columns.get("from_domain", "example.com")
        row = {**dict.fromkeys(COLUMNS, ""), "origin": "test", "sequence": self.sequence, "time": int(seconds * 1_000_000),
               "host": "mx1.example.com", "queue_id": f"4F{self.sequence:08X}", "direction": "outbound", "from_domain": domain,
               "mail_from": f"news@{domain}", "message_id": f"<{self.sequence}@mail.example.com>", "client": "192.0.2.10",
               "verdict": "pass", "alignment": "both", "action": "accept", "region": "us-east-1", "identity": domain,
               "why": f"DMARC will pass for {domain}.", "waited_us": 900, "took_us": 40_000, **columns}
        marks = ", ".join("?" * len(COLUMNS))
        rowid = self.database.execute(f"INSERT INTO sesame_message VALUES({marks})", [row[name] for name in COLUMNS]).lastrowid
        told = json.dumps(story if story is not None else {"event": "message", "why": row["why"]})
        self.database.execute("INSERT INTO sesame_story(rowid, origin, sequence, story) VALUES(?, ?, ?, ?)",
                              (rowid, row["origin"], row["sequence"], zlib.compress(told.encode())))
        return row

    def add_many(self, rows, newest, seconds):
        """So many, evenly over these seconds before `newest`."""
        self.database.execute(MANY, {"rows": rows, "newest": newest * 1_000_000, "apart": seconds * 1_000_000 // rows})

    def sum_up(self):
        self.database.execute("DELETE FROM sesame_hour")
        self.database.execute(SUMS)

    def ask(self, sql, *parameters):
        return self.database.execute(sql, parameters).fetchall()
