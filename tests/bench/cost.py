"""What one message costs when all it needs is known: instructions and allocations of the daemon under callgrind, which
come out the same on every run, unlike times. Compares them with those on record (cost.json)."""

import json
import pathlib
import subprocess
import time

import peers
from bench import Dns, load
from callgrind import Profile

RECORD = pathlib.Path(__file__).with_name("cost.json")
NOTICED = 0.05  # a change of more than this is pointed out
MESSAGES, DOMAINS = 200, 40
SHOWN = 0.01  # smaller parts are summed up
OUTBOUND = """
[outbound]
networks = ["192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24"]
[ses]
region = "us-east-1"
"""
IDENTITY = """
[[ses.identity]]
name = "sender{number}.example"
dkim.status = "SUCCESS"
dkim.origin = "EXTERNAL"
dkim.tokens = ["s0"]
mail_from.domain = "bounce.sender{number}.example"
mail_from.status = "SUCCESS"
"""


def configuration(bench, direction):
    """The daemon's, and the file it is in."""
    text = (bench.run / "sesame.toml").read_text()
    if direction == "outbound":
        text = text.partition("[outbound]")[0] + OUTBOUND + "".join(IDENTITY.format(number=n) for n in range(DOMAINS))
    path = bench.run / f"sesame-{direction}.toml"
    path.write_text(text)
    return path


class Instrumented:
    """The daemon under callgrind, for `with`: it counts only while told to."""

    name = "sesame under callgrind"

    def __init__(self, bench, direction):
        self._socket, self._profile = bench.run / f"{direction}.sock", bench.run / f"{direction}.callgrind"
        self.stages = f"unix:{self._socket}"
        self._log = bench.run / f"{direction}.log"
        self._command = ["valgrind", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={self._profile}",
                         bench.programs / "sesame-milter", "--socket", self.stages, "--config",
                         configuration(bench, direction)]

    def __enter__(self):
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(list(map(str, self._command)), stdout=log, stderr=log)
        end = time.monotonic() + peers.START_S
        while not peers.listens(self._socket):
            if self._process.poll() is not None or time.monotonic() > end:
                raise peers.Broken(f"under callgrind, the daemon does not start: {self._log.read_text()[-500:]}")
            time.sleep(0.2)
        return self

    def control(self, *words):
        subprocess.run(["callgrind_control", *words, str(self._process.pid)], check=True, stdout=subprocess.DEVNULL)

    def profile(self):
        self.control("-d")
        parts = sorted(self._profile.parent.glob(self._profile.name + ".*"))
        return Profile(parts[-1])

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait()


def measure(bench, dns, corpus, direction):
    """Over one connection after another, in one order: what is counted is the second time each message comes."""
    with Instrumented(bench, direction) as daemon:
        load(bench, daemon, corpus)
        daemon.control("-i", "on")
        load(bench, daemon, corpus)
        daemon.control("-i", "off")
        return daemon.profile()


def lines(counts, total):
    rest = total
    for name, cost in counts.most_common():
        if cost < SHOWN * total:
            break
        rest -= cost
        yield f"| {name.partition('@@')[0]} | {cost / MESSAGES:,.0f} | {cost / total:.0%} |"
    yield f"| all else | {rest / MESSAGES:,.0f} | {rest / total:.0%} |"


def tell(direction, profile):
    """As Markdown."""
    total = profile.instructions
    text = (f"{direction.capitalize()}: {total / MESSAGES:,.0f} instructions and "
            f"{profile.allocations() / MESSAGES:,.1f} allocations for a message.\n\n")
    for title, counts in (("Whose code", profile.parts()), ("Step of the protocol, with all it calls", profile.steps()),
                          ("Library function that Sesame calls", profile.foreign)):
        text += f"| {title} | instructions | |\n|---|---:|---:|\n" + "\n".join(lines(counts, total)) + "\n\n"
    return text


def changes(found, known):
    for direction, figures in found.items():
        for name, value in figures.items():
            was = known.get(direction, {}).get(name)
            if was is None:
                yield f"{direction}: {name}: {value:,}, none on record"
            elif abs(value - was) > NOTICED * max(was, 1):
                yield f"**{direction}: {name}: {value:,}, on record {was:,} ({(value - was) / max(was, 1):+.1%})**"


def cost(bench, record):
    """The text, which a change that is worth a look begins."""
    corpus = bench.corpus("cost", messages=MESSAGES, domains=DOMAINS)
    text, found = "", {}
    with Dns(bench, corpus) as dns:
        for direction in ("inbound", "outbound"):
            profile = measure(bench, dns, corpus, direction)
            text += tell(direction, profile)
            found[direction] = {"instructions": round(profile.instructions / MESSAGES),
                                "allocations": round(profile.allocations() / MESSAGES, 1)}
    known = json.loads(RECORD.read_text()) if RECORD.exists() else {}
    changed = [] if record else list(changes(found, known))
    if record:
        RECORD.write_text(json.dumps(found, indent=2) + "\n")
    return "\n".join([*changed, "", text] if changed else [text])
