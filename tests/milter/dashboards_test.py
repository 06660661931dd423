"""The dashboard and the alert rules are good, and use what the daemon exposes (which metrics_test.cc holds against
contrib/doc/metrics.md)."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

SOURCE = pathlib.Path(os.environ.get("SESAME_SOURCE", pathlib.Path(__file__).resolve().parents[2]))
DASHBOARDS = SOURCE / "contrib" / "dashboards"
NAME = re.compile(r"\b(?:sesame|process)_[a-z0-9_]+")


def exposed():
    """Names as they stand in expressions, those of the parts of a histogram among them."""
    names = set()
    for line in (SOURCE / "contrib" / "doc" / "metrics.md").read_text().splitlines():
        if row := re.match(r"\| `([a-z_]+)` \| (\w+) \|", line):
            parts = ("_bucket", "_sum", "_count") if row[2] == "histogram" else ("",)
            names.update(row[1] + part for part in parts)
    return names


def expressions(node):
    """Every query of a dashboard, wherever it stands."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key in ("expr", "query", "definition") and isinstance(value, str):
                yield value
            else:
                yield from expressions(value)
    elif isinstance(node, list):
        for value in node:
            yield from expressions(value)


def promtool(*arguments):
    return subprocess.run(["promtool", *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False)


class Dashboards(unittest.TestCase):
    def need_promtool(self):
        if not shutil.which("promtool"):
            self.skipTest("there is no promtool (package prometheus)")

    def test_dashboard_names_only_what_is_exposed(self):
        dashboard = json.loads((DASHBOARDS / "grafana.json").read_text())
        named = {name for text in expressions(dashboard) for name in NAME.findall(text)}
        self.assertGreater(len(named), 15)
        self.assertLessEqual(named, exposed())

    def test_alerts_name_only_what_is_exposed(self):
        text = (DASHBOARDS / "alerts.yml").read_text()
        named = {name for line in text.splitlines() if not line.lstrip().startswith("#") for name in NAME.findall(line)}
        self.assertGreater(len(named), 8)
        self.assertLessEqual(named, exposed())

    def test_panels_neither_overlap_nor_share_an_id(self):
        panels = json.loads((DASHBOARDS / "grafana.json").read_text())["panels"]
        self.assertEqual(len({panel["id"] for panel in panels}), len(panels))
        cells = [(x, y) for panel in panels for at in [panel["gridPos"]]
                 for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])]
        self.assertEqual(len(cells), len(set(cells)))
        self.assertLess(max(x for x, _ in cells), 24)

    def test_expressions_of_the_dashboard_are_understood(self):
        self.need_promtool()
        dashboard = json.loads((DASHBOARDS / "grafana.json").read_text())
        rules = [{"record": f"panel:{i}", "expr": target["expr"].replace("$__rate_interval", "5m")}
                 for i, target in enumerate(target for panel in dashboard["panels"] for target in panel["targets"])]
        with tempfile.TemporaryDirectory(prefix="sesame-dashboards-") as directory:
            path = pathlib.Path(directory) / "rules.yml"  # JSON is YAML
            path.write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}))
            done = promtool("check", "rules", path)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_alerts_are_understood(self):
        self.need_promtool()
        done = promtool("check", "rules", DASHBOARDS / "alerts.yml")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_alerts_fire_when_they_should(self):
        self.need_promtool()
        done = promtool("test", "rules", SOURCE / "tests" / "milter" / "alerts_test.yml")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
