#!/usr/bin/python3
"""Runs `sesame preflight` in random worlds and holds each prediction against the truth.

    run.py BIN_DIRECTORY [FIRST_SEED COUNT]

A definite verdict must be the only thing that can happen. `unknown` is for a fault of DNS, an open fact, or account and
DNS that contradict each other and do not end alike."""

import collections
import json
import pathlib
import subprocess
import sys
import tempfile
import time

from reality import Truth
from worlds import Keys, World

TRUTHS = ("pass", "fail", "none", "refused", "mixed", "open")
STATUS = {"pass": 0, "none": 0, "fail": 1, "refused": 1, "unknown": 75}


class Server:
    """The test DNS server, which reads its zone again for each world."""

    def __init__(self, binaries, directory):
        self.zone, port_file = directory / "zone.json", directory / "port"
        self.zone.write_text("{}")
        self.process = subprocess.Popen([binaries / "sesame-test-dnsd", "--zone", self.zone, "--port-file", port_file],
                                        stdout=subprocess.PIPE, text=True)
        for _ in range(1000):
            if port_file.exists():
                break
            time.sleep(0.01)
        self.port = int(port_file.read_text())

    def load(self, zone):
        self.zone.write_text(zone)
        self.process.send_signal(1)
        for line in self.process.stdout:
            if "zone read again" in line:
                return
        raise RuntimeError("the DNS server is gone")


def predict(binaries, server, directory, world):
    server.load(world.zone_json())
    config, message = directory / "sesame.toml", directory / "message.eml"
    config.write_text(world.toml())
    message.write_bytes(world.message)
    command = [binaries / "sesame", "preflight", "--json", "--dns", f"127.0.0.1:{server.port}", "--config", config,
               "--mail-from", world.sender or "<>"]
    for recipient in world.recipients:
        command += ["--rcpt", recipient]
    done = subprocess.run([*command, message], capture_output=True, text=True, timeout=60)
    if not done.stdout:
        raise RuntimeError(f"seed {world.seed}: {done.stderr}")
    return json.loads(done.stdout), done.returncode


def disagreements(world, truth, prediction, status):
    verdict, possible = prediction["verdict"], truth.results[9989]
    certain = len(possible) == 1 and "mixed" not in possible
    if verdict == "unknown":
        if certain and not world.faults and not world.open_facts:
            yield f"unknown, though it is always {possible}"
    elif "an address that signs without keys" not in world.open_facts and possible != {verdict}:
        yield f"{verdict}, though it may be {possible}"
    if status != STATUS[verdict]:
        yield f"exit status {status} for {verdict}"
    older = prediction["dmarc"]["rfc7489"]["result"]
    if older != "unknown" and truth.results[7489] and truth.results[7489] != {older}:
        yield f"RFC 7489: {older}, though it may be {truth.results[7489]}"
    leg = prediction["legs"]["dkim"]
    if leg["source"] == "ses" and truth.signed and leg["usable"] != "unknown":
        if {leg["domain"] in domains for domains in truth.signed} != {leg["usable"]}:
            yield f"d={leg['domain']} usable is {leg['usable']}, though SES's signature verifies for {truth.signed}"


def show(table):
    print("predicted\\truth " + "".join(truth.rjust(9) for truth in TRUTHS))
    for verdict in STATUS:
        print(verdict.ljust(16) + "".join(str(table[verdict, truth]).rjust(9) for truth in TRUTHS))


def main():
    binaries = pathlib.Path(sys.argv[1])
    first, count = (int(sys.argv[2]), int(sys.argv[3])) if len(sys.argv) > 3 else (1, 150)
    table, wrong, keys = collections.Counter(), 0, Keys()
    with tempfile.TemporaryDirectory(prefix="sesame-truth-") as name:
        directory = pathlib.Path(name)
        server = Server(binaries, directory)
        try:
            for seed in range(first, first + count):
                world = World(seed, keys)
                prediction, status = predict(binaries, server, directory, world)
                truth = Truth(world)
                possible = truth.results[9989]
                table[prediction["verdict"], next(iter(possible)) if len(possible) == 1 else "open"] += 1
                for disagreement in disagreements(world, truth, prediction, status):
                    wrong += 1
                    print(f"seed {seed}: {disagreement}\n  {prediction['why']}\n  {world.toml()}  {world.zone_json()}")
        finally:
            server.process.terminate()
            server.process.wait()
    show(table)
    # A run in which nothing definite or nothing open happened has tested nothing.
    idle = [verdict for verdict in STATUS if not any(table[verdict, truth] for truth in TRUTHS)]
    if idle:
        print(f"never predicted: {idle}")
    print(f"{wrong} disagreements")
    return 1 if wrong or idle else 0


if __name__ == "__main__":
    sys.exit(main())
