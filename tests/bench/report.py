"""What was measured, as Markdown: the targets with what was reached, and the figures they come from."""

import os
import pathlib
import re
import statistics
import subprocess

from peers import TITLES
from scenarios import LEVELS

SOURCE = pathlib.Path(__file__).resolve().parents[2]
DISTURBED = 0.3  # processors at work elsewhere: such a measurement is left out where there are others
TOLERANCE_S = 0.1  # beside the budget: sending the message itself


class Figures:
    """Medians over the rounds."""

    def __init__(self, records):
        self._records = records

    def rows(self, scenario, peer, **where):
        return [row for row in self._records if row["scenario"] == scenario and row["peer"] == peer
                and all(row.get(key) == value for key, value in where.items())]

    def values(self, scenario, peer, field, **where):
        rows = self.rows(scenario, peer, **where)
        quiet = [row for row in rows if row.get("elsewhere", 0) < DISTURBED] or rows
        return [row[field] for row in quiet if field in row]

    def median(self, scenario, peer, field, **where):
        """None when it was not measured."""
        values = self.values(scenario, peer, field, **where)
        return statistics.median(values) if values else None


class Target:
    """`value` is to be at most `bound` (or at least, for a `least`): both in the unit of the figure."""

    def __init__(self, title, value, bound, demand, unit="", least=None):
        self.title, self.value, self.bound, self.demand, self.unit = title, value, bound, demand, unit
        self.least = least is not None

    @property
    def state(self):
        if self.value is None or self.bound is None:
            return "not measured"
        if self.value >= self.bound if self.least else self.value <= self.bound:
            return "reached"
        short = self.bound / self.value if self.least else self.value / self.bound
        return f"**not reached**, by {short:.2f} x" if self.bound else "**not reached**"

    def line(self):
        value, bound = (f"{number(each)}{self.unit}" for each in (self.value, self.bound))
        return f"| {self.title} | {value} | {f'{self.demand} = ' if self.demand else ''}{bound} | {self.state} |"


def number(value):
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def times(factor, value):
    return None if value is None else factor * value


def budget():
    """The configured default of dns.budget, seconds."""
    found = re.search(r"^#budget = ([\d.]+)", (SOURCE / "conf/sesame.toml").read_text(), re.MULTILINE)
    return float(found.group(1))


def speed_targets(figures):
    def of(peer, field, level):
        return figures.median("warm", peer, field, connections=level)

    cpu = of("sesame", "cpu_ms", 8)
    floor, ideal = of("floor", "cpu_ms", 8), figures.median("ideal", "ideal", "cpu_ms")
    chain, rspamd = of("chain", "cpu_ms", 8), of("rspamd", "cpu_ms", 8)
    yield Target("CPU per message, warm, 8 connections", cpu, times(1 / 7, chain), "1/7 of the chain", " ms")
    yield Target("the same", cpu, times(1 / 12, rspamd), "1/12 of rspamd", " ms")
    yield Target("the same", cpu, floor + 2 * ideal if floor and ideal else None, "no-op + 2 x ideal", " ms")
    for level in (8, 32):
        rate = of("sesame", "per_second", level)
        title = f"messages/s, warm, {level} connections"
        yield Target(title, rate, times(6, of("chain", "per_second", level)), "6 x the chain", least=True)
        yield Target("the same", rate, times(0.6, of("floor", "per_second", level)), "0.6 x the no-op", least=True)
    yield Target("latency, warm, 1 connection, p50", of("sesame", "p50_ms", 1), times(1 / 4, of("chain", "p50_ms", 1)),
                 "1/4 of the chain", " ms")
    yield Target("latency, warm, 32 connections, p99", of("sesame", "p99_ms", 32),
                 times(1 / 5, of("chain", "p99_ms", 32)), "1/5 of the chain", " ms")


def dns_targets(figures):
    for scenario, factor in (("slow cold", 0.4), ("slow warm", 0.06)):
        own, chain = (figures.median(scenario, peer, "p50_ms") for peer in ("sesame", "chain"))
        yield Target(f"every DNS answer 20 ms late, {scenario.split()[1]}, p50", own, times(factor, chain),
                     f"{factor} x the chain", " ms")
    yield Target("20 % of domains dead: other mail beside 64 hanging sessions, against alone",
                 figures.median("dead", "sesame", "ratio"), 0.95, "", " x", least=True)
    yield Target("the same: longest hold of an affected session", figures.median("dead", "sesame", "held_max_s"),
                 budget() + TOLERANCE_S, "the budget", " s")
    yield Target("DNS queries per 1,000 messages, cold", figures.median("cold", "sesame", "queries"),
                 times(0.4, figures.median("cold", "chain", "queries")), "0.4 x the chain")
    yield Target("DNS queries per 1,000 messages, warm",
                 figures.median("warm", "sesame", "queries", connections=8), 10, "")


def memory_targets(figures):
    for level, bound in ((8, 24), (128, 32)):
        yield Target(f"memory at {level} connections",
                     figures.median("warm", "sesame", "memory", connections=level), bound, "", " MiB")
    usual, huge = (figures.median("huge", "sesame", field) for field in ("usual", "huge"))
    yield Target("memory at 8 connections, messages of 40 MiB", huge, None if usual is None else usual + 1,
                 "the usual + 1 MiB", " MiB")


def verdict_targets(figures):
    differ, wrong = (figures.median("verdicts", "sesame", field) for field in ("differ", "unexpected"))
    yield Target("verdicts other than those of `sesame verify`", differ, 0, "")
    yield Target("verdicts other than the corpus expects", wrong, 0, "")
    yield Target("relaxed body and SHA-256, against SHA-256 alone",
                 figures.median("kernels", "sesame", "relaxed_share"), 0.8, "", " x", least=True)


def targets(figures):
    return [*speed_targets(figures), *dns_targets(figures), *memory_targets(figures), *verdict_targets(figures)]


def table(head, rows):
    return "\n".join(["| " + " | ".join(head) + " |", "|---" * len(head) + "|",
                      *("| " + " | ".join(row) + " |" for row in rows)]) + "\n"


def with_spread(values, scale=1.0):
    """The median, and how far it may be off: half of what lies between the extremes."""
    if not values:
        return "-"
    middle = statistics.median(values) * scale
    off = (max(values) - min(values)) / 2 * scale
    return number(middle) + (f" ± {number(off)}" if len(values) > 1 else "")


def comparison(figures):
    """The peers side by side."""
    names = [name for name in TITLES if figures.rows("warm", name)]
    rows = []

    def add(title, scenario, field, **where):
        judged = [name for name in names if field != "wrong" or name != "floor"]
        cells = {name: with_spread(figures.values(scenario, name, field, **where)) for name in judged}
        rows.append([title, *(cells.get(name, "-") for name in names)])

    add("CPU ms per message, warm, 8 connections", "warm", "cpu_ms", connections=8)
    add("of that in user space", "warm", "user_ms", connections=8)
    add("CPU ms per message, cold", "cold", "cpu_ms")
    for level in LEVELS:
        add(f"messages/s, {level} connections", "warm", "per_second", connections=level)
    for level in LEVELS:
        add(f"p50 ms, {level} connections", "warm", "p50_ms", connections=level)
        add(f"p99 ms, {level} connections", "warm", "p99_ms", connections=level)
    add("memory MiB, 8 connections", "warm", "memory", connections=8)
    add("memory MiB, 128 connections", "warm", "memory", connections=128)
    add("DNS queries per 1,000 messages, cold", "cold", "queries")
    add("DNS queries per 1,000 messages, warm", "warm", "queries", connections=8)
    add("p50 ms, DNS 20 ms late, cold", "slow cold", "p50_ms")
    add("p50 ms, DNS 20 ms late, warm", "slow warm", "p50_ms")
    add("dead domains: longest hold, s", "dead", "held_max_s")
    add("dead domains: rate of other mail, against alone", "dead", "ratio")
    add("verdicts unlike the corpus, of 2,000", "cold", "wrong")
    return table(["", *(TITLES[name] for name in names)], rows)


def machine():
    model = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    packages = ("opendkim", "opendmarc", "rspamd", "libmilter1.0.1", "openssl")
    done = subprocess.run(["dpkg-query", "-W", "-f", "${Package} ${Version}, ", *packages], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True)
    return (f"{os.cpu_count()} processors ({model.group(1) if model else 'unknown'}), Linux {os.uname().release}; "
            f"{done.stdout.rstrip(', ')}.")


def kernels(figures):
    """The parts of a verdict, each by itself; hashing beside what it cannot be faster than."""
    found = figures.rows("kernels", "sesame")
    if not found:
        return ""
    rows = []
    for name, value in found[0].items():
        if isinstance(value, float) and not name.startswith("relaxed_share") and not name.endswith(" allocations"):
            hashing = name.startswith(("raw/", "simple/", "relaxed/"))
            shown = f"{value:.2f} GB/s" if hashing else f"{value / 1000:,.2f} us"
            rows.append([name, shown, number(found[0].get(f"{name} allocations"))])
    return table(["Kernel", "", "allocations"], rows)


GROWTH = {  # picture -> the series: (variable, what its values are, what is said before)
    "size": (("size", "octets", ""),),
    "connections": (("connections", "sessions", ""),),
    "domains": (("domains, cold", "domains", "Each for the first time:"), ("domains, warm", "domains", "Once more:")),
    "signatures": (("signatures", "signatures", ""),),
    "dead": (("dead", "per cent", ""),),
}


def series_table(figures, variable, unit):
    floors = {row["value"]: row for row in figures.rows("growth", "floor", variable=variable)}
    rows = []
    for row in figures.rows("growth", "sesame", variable=variable):
        floor = floors.get(row["value"], {"p50_ms": 0, "p99_ms": 0})
        added = [max(0, row[field] - floor[field]) for field in ("p50_ms", "p99_ms")]
        rows.append([f"{row['value']:,}", *map(number, (row["per_second"], row["cpu_ms"], *added, row["memory"]))])
    latency = "added" if floors else "whole"
    head = [unit, "messages/s", "CPU s per 1,000", f"{latency} p50 ms", f"{latency} p99 ms", "MiB"]
    return table(head, rows) if rows else ""


def growth(figures, pictures):
    """A table below each picture, for who reads text."""
    parts = []
    for name, title in pictures.items():
        parts.append(f"### {title}\n\n![{title}](performance/{name}.svg)\n")
        for variable, unit, said in GROWTH[name]:
            parts += [f"{said}\n"] if said else []
            parts.append(series_table(figures, variable, unit))
    return "\n".join(parts)


def markdown(records, pictures, cost_text):
    """Section -> its text."""
    figures = Figures(records)
    sought = targets(figures)
    reached = sum(target.state == "reached" for target in sought)
    compared = bool(figures.rows("warm", "sesame"))
    head = "| Figure | Sesame | Target | |\n|---|---|---|---|\n"
    return {"machine": machine() + "\n",
            "targets": head + "\n".join(target.line() for target in sought)
            + f"\n\n{reached} of {len(sought)} reached.\n" if compared else "",
            "comparison": comparison(figures) if compared else "",
            "kernels": kernels(figures),
            "cost": cost_text,
            "growth": growth(figures, pictures)}


def insert(path, sections):
    """Puts each section between its marks in a document."""
    text = path.read_text()
    for name, content in sections.items():
        begin, end = f"<!-- {name}: written by contrib/bench -->\n", f"<!-- end of {name} -->"
        if content and begin in text:
            before, _, rest = text.partition(begin)
            text = before + begin + "\n" + content + "\n" + end + rest.partition(end)[2]
    path.write_text(text)
