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

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from dns_world import World as Dns  # noqa: E402: found on the path above
from reality import Truth  # noqa: E402
from worlds import Keys, World  # noqa: E402

TRUTHS = ("pass", "fail", "none", "refused", "mixed", "open")
STATUS = {"pass": 0, "none": 0, "fail": 1, "refused": 1, "unknown": 75}


def predict(binaries, dns, directory, world):
    dns.load(world.zone, world.dns_faults())
    config, message = directory / "sesame.toml", directory / "message.eml"
    config.write_text(world.toml())
    message.write_bytes(world.message)
    command = [binaries / "sesame", "preflight", "--json", "--dns", f"127.0.0.1:{dns.port}", "--config", config,
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
    with tempfile.TemporaryDirectory(prefix="sesame-truth-") as name, Dns(binaries) as dns:
        directory = pathlib.Path(name)
        for seed in range(first, first + count):
            world = World(seed, keys)
            prediction, status = predict(binaries, dns, directory, world)
            truth = Truth(world)
            possible = truth.results[9989]
            table[prediction["verdict"], next(iter(possible)) if len(possible) == 1 else "open"] += 1
            for disagreement in disagreements(world, truth, prediction, status):
                wrong += 1
                story = json.dumps({"zone": world.zone, "faults": world.dns_faults()})
                print(f"seed {seed}: {disagreement}\n  {prediction['why']}\n  {world.toml()}  {story}")
    show(table)
    # A run in which nothing definite or nothing open happened has tested nothing.
    idle = [verdict for verdict in STATUS if not any(table[verdict, truth] for truth in TRUTHS)]
    if idle:
        print(f"never predicted: {idle}")
    print(f"{wrong} disagreements")
    return 1 if wrong or idle else 0


if __name__ == "__main__":
    sys.exit(main())
