#!/usr/bin/python3
"""Runs `sesame preflight` in random worlds and holds each prediction against the truth.

    run.py BIN_DIRECTORY [FIRST_SEED COUNT]

A definite verdict must be the only thing that can happen. `unknown` is for what cannot be known: a fault of DNS,
states that are aged, account and DNS that contradict each other and do not end alike, and what neither the API nor DNS
tells."""

import collections
import concurrent.futures
import itertools
import json
import os
import pathlib
import subprocess
import sys
import tempfile

# What receivers.py adds to the path is needed by its fellows, too.
sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from dns_world import World as Dns  # noqa: E402: found on the path above
import receivers  # noqa: E402, F401: adds to the path
import checks  # noqa: E402
from described import snapshot  # noqa: E402
from keys import Keys  # noqa: E402
from reality import Truth  # noqa: E402
from worlds import World  # noqa: E402

TRUTHS = ("pass", "fail", "none", "refused", "mixed", "open")
PREDICTIONS = ("pass", "fail", "none", "refused", "unknown")
PORTION = 25


def predict(binaries, dns, directory, world):
    dns.load(world.zone, world.dns_faults())
    config, message, told = directory / "sesame.toml", directory / "message.eml", directory / "snapshot.json"
    told.write_text(snapshot(world))
    config.write_text(world.toml(told))
    message.write_bytes(world.message)
    command = [binaries / "sesame", "preflight", "--json", "--dns", f"127.0.0.1:{dns.port}", "--config", config,
               "--mail-from", world.sender or "<>"]
    for recipient in world.recipients:
        command += ["--rcpt", recipient]
    if world.relay:
        command += ["--relay", world.relay]
    done = subprocess.run([*command, message], capture_output=True, text=True, timeout=60)
    if not done.stdout:
        raise RuntimeError(f"seed {world.seed}: {done.stderr}")
    return json.loads(done.stdout), done.returncode


def examine(binaries, dns, directory, world):
    """(source, predicted, truth, what may excuse an unknown, disagreements) of one world."""
    prediction, status = predict(binaries, dns, directory, world)
    removed = [each["occurrence"] for each in prediction.get("repairs", [])
               if each["field"].strip().lower() == "dkim-signature"]
    truth = Truth(world, removed)
    possible = truth.verdicts()
    faults = list(checks.disagreements(world, truth, prediction, status))
    if faults:
        faults = [f"seed {world.seed} ({world.quirk or 'plain'}): {each}" for each in faults]
        story = json.dumps({"zone": world.zone, "faults": world.dns_faults()})
        faults.append(f"  {prediction['why']}\n{world.toml('SNAPSHOT')}{story}\n")
    outcome = possible.pop() if len(possible) == 1 else "open"
    source = world.source + (" aged" if world.is_old else "")
    return source, prediction["verdict"], outcome, sorted(truth.doubts), faults


def examine_portion(binaries, keys, seeds):
    with tempfile.TemporaryDirectory(prefix="sesame-truth-") as name, Dns(binaries) as dns:
        return [examine(binaries, dns, pathlib.Path(name), World(seed, keys)) for seed in seeds]


def show(rows):
    table = collections.Counter((predicted, truth) for _, predicted, truth, _, _ in rows)
    # In the form in which contrib/test shows scores.
    for verdict in PREDICTIONS:
        print(f"confusion table: predicted {verdict.ljust(8)}in truth " +
              ", ".join(f"{truth} {table[verdict, truth]:4}" for truth in TRUTHS))
    for source, count in sorted(collections.Counter(row[0] for row in rows).items()):
        definite = sum(row[0] == source and row[1] != "unknown" for row in rows)
        print(f"known from {source}: {count} worlds, {definite} predictions definite")
    show_unknown([row for row in rows if row[1] == "unknown"])


def show_unknown(rows):
    """What each unknown has for an excuse, and how often that is the only one."""
    any_of, alone = collections.Counter(), collections.Counter()
    for _, _, _, doubts, _ in rows:
        any_of.update(doubts)
        alone.update(doubts if len(doubts) == 1 else [])
    print(f"unknown: {len(rows)}, because of (of these for no other reason)")
    for doubt, count in any_of.most_common():
        print(f"  {doubt}: {count} ({alone[doubt]})")
    settled = sum(truth not in ("open", "mixed") for _, _, truth, _, _ in rows)
    print(f"  where all that was tried ends alike: {settled}")


def main():
    binaries = pathlib.Path(sys.argv[1])
    first, count = (int(sys.argv[2]), int(sys.argv[3])) if len(sys.argv) > 3 else (1, 200)
    keys, seeds = Keys(), list(range(first, first + count))
    portions = [seeds[start:start + PORTION] for start in range(0, count, PORTION)]
    with concurrent.futures.ProcessPoolExecutor(min(os.cpu_count() or 1, len(portions))) as pool:
        done = pool.map(examine_portion, itertools.repeat(binaries), itertools.repeat(keys), portions)
        rows = [row for portion in done for row in portion]
    faults = [line for row in rows for line in row[4]]
    print("\n".join(faults))
    show(rows)
    # A run in which nothing definite or nothing open happened has tested nothing.
    idle = [verdict for verdict in PREDICTIONS if all(row[1] != verdict for row in rows)]
    if idle:
        print(f"never predicted: {idle}")
    wrong = sum(bool(row[4]) for row in rows)
    print(f"{len(rows)} worlds, {wrong} disagree")
    return 1 if wrong or idle else 0


if __name__ == "__main__":
    sys.exit(main())
