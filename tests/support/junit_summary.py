#!/usr/bin/python3
"""Adds up JUnit files for contrib/test: `junit_summary.py yes|no FILE...`, where the word says whether all was built.
Prints the scores that tests of the first file report, then what failed and what was skipped, each with why; the last
line is the sum."""

import pathlib
import re
import sys
import xml.etree.ElementTree as ElementTree


def last_line(text):
    lines = [line.strip() for line in (text or "").splitlines() if line.strip()]
    return lines[-1] if lines else ""


# How a test tells what it counted, on a line of its own: "suite NAME: ...", "compare NAME: ...", "alignment table: ...".
SCORE = re.compile(r"^(?:suite [\w-]+|compare [\w-]+|[a-z]+ table): .*\d.*$", re.MULTILINE)


def scores(path):
    """The lines of one file that tell scores, each once."""
    try:
        cases = ElementTree.parse(path).getroot().iter("testcase")
    except (OSError, ElementTree.ParseError):
        return []  # told as a failure below
    return sorted({score for case in cases for score in SCORE.findall(case.findtext("system-out") or "")})


def why_skipped(case):
    """GoogleTest says why on the line after "Skipped"; our own scripts print "skipped: why"."""
    lines = [line.strip() for line in (case.findtext("system-out") or "").splitlines()]
    for number, line in enumerate(lines):
        if line.startswith("skipped: "):
            return line.removeprefix("skipped: ")
        if line.endswith("Skipped") and number + 1 < len(lines):
            return lines[number + 1]
    return last_line(case.findtext("system-out")) or "no reason given"


def read(path):
    """The cases of one file: (name, "passed" | "failed" | "skipped", why)."""
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        name = f"{pathlib.Path(path).parent.name}: {case.get('name')}"
        skipped = case.find("skipped")
        if case.get("status") == "run" and case.find("failure") is None:
            yield name, "passed", ""
        elif skipped is not None and skipped.get("message", "").startswith("SKIP_"):
            yield name, "skipped", why_skipped(case)
        else:
            # Also what did not run because a program or something it depends on is missing.
            message = skipped.get("message", "") if skipped is not None else ""
            yield name, "failed", message or last_line(case.findtext("system-out"))


def main():
    built, *paths = sys.argv[1:]
    count = {"passed": 0, "failed": 0, "skipped": 0}
    if built != "yes":
        count["failed"] += 1
        print("failed   a build")
    for score in scores(paths[0]):
        print(score)
    for path in paths:
        try:
            cases = list(read(path))
        except (OSError, ElementTree.ParseError) as error:
            cases = [(path, "failed", f"no results: {error}")]
        for name, outcome, why in cases:
            count[outcome] += 1
            if outcome != "passed":
                print(f"{outcome:8} {name}: {why}")
    print(f"{count['passed']} passed, {count['failed']} failed, {count['skipped']} skipped")
    return 1 if count["failed"] or not count["passed"] else 0


sys.exit(main())
