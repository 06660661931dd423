"""What the comparisons with other people's verifiers share: DNS, `sesame`, peers in Perl, and the account of differences.

A comparison is a program `NAME.py BIN_DIRECTORY [FIRST_SEED COUNT]`. Everything random comes from the seed, so that a
difference can be looked at again."""

import base64
import collections
import concurrent.futures
import json
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))

from dns_world import SKIPPED, World  # noqa: E402,F401  (comparisons take World from here)

WORKERS = 2


class Perl:
    """A peer in Perl: SCRIPT PORT, which answers each line of JSON with one. Not for several threads at once."""

    def __init__(self, script, port):
        self.process = subprocess.Popen(["/usr/bin/perl", HERE / script, str(port)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)

    def ask(self, question):
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("the peer in Perl is gone")
        return json.loads(line)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def octets(message):
    """A message as JSON can carry it."""
    return base64.b64encode(message).decode()


def need(*checks):
    """Each check is (name of the package, command that succeeds when it is there). Ends the program when one is not."""
    for package, command in checks:
        if subprocess.run(command, capture_output=True).returncode != 0:
            print(f"skipped: {package} is not installed")
            sys.exit(SKIPPED)


def in_parallel(work, items):
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        return list(pool.map(work, items))


class Account:
    """Counts comparisons. A difference is explained by one rule of the comparison's list, or it is a fault."""

    def __init__(self, title, explained):
        """`explained`: {key: sentence that says why the two differ and which section decides}."""
        self.title, self.explained = title, explained
        self.results = collections.Counter()
        self.reasons = collections.Counter()
        self.explained_count = self.unexplained = 0

    def same(self, peer, result):
        self.results[peer, result] += 1

    def differs(self, peer, ours, theirs, reason, story):
        """`reason` is a key of the list, or several joined by " + " when only together they explain it, or None when
        nothing does; `story` lets a reader see it."""
        if reason is not None:
            self.explained_count += 1
            for key in reason.split(" + "):
                assert key in self.explained, key
                self.reasons[peer, key] += 1
            return
        self.unexplained += 1
        print(f"UNEXPLAINED {peer}: sesame {ours}, {peer} {theirs}\n{story}\n")

    def close(self, wanted_results):
        """Prints the account; the exit status. `wanted_results`: what must have been met, lest nothing was tested."""
        for (peer, result), count in sorted(self.results.items()):
            print(f"  {peer}: both {result}: {count}")
        for (peer, reason), count in sorted(self.reasons.items()):
            print(f"  {peer}: explained, {reason}: {count} ({self.explained[reason]})")
        met = {result for _, result in self.results}
        idle = sorted(set(wanted_results) - met)
        if idle:
            print(f"  never met: {', '.join(idle)}")
        same, explained = sum(self.results.values()), self.explained_count
        print(f"compare {self.title}: {same + explained + self.unexplained} comparisons, {same} the same, "
              f"{explained} explained, {self.unexplained} unexplained")
        return 1 if self.unexplained or idle else 0


def seeds(arguments, first, count):
    """The seeds to go through: as told on the command line, otherwise the short run."""
    if len(arguments) > 3:
        first, count = int(arguments[2]), int(arguments[3])
    return range(first, first + count)
