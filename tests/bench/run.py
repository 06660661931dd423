"""The benchmark, inside the namespaces that contrib/bench has made: figures, the table of targets, plots."""

import argparse
import json
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile

import cost
import growth
import peers
import plots
import report
import scenarios
from bench import SOURCE, Bench

PARTS = ("compare", "kernels", "cost", "growth")
DOCUMENT = SOURCE / "contrib/doc/performance.md"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build", type=pathlib.Path, help="the build directory")
    parser.add_argument("--parts", default=",".join(PARTS), help="what to measure, of %(default)s")
    parser.add_argument("--peers", default=",".join(peers.TITLES), help="filters to compare, of %(default)s")
    parser.add_argument("--rounds", type=int, default=2, help="of the comparison (default: %(default)s)")
    parser.add_argument("--record", action="store_true", help="write contrib/doc/performance.md and cost.json")
    return parser.parse_args()


def program_output(bench, name, *words):
    done = subprocess.run([bench.programs / name, *map(str, words)], stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def kernels(bench):
    """The least that hashing and checking signatures costs, and how near the canonical forms come to it."""
    ideal = program_output(bench, "sesame-bench-ideal", "--corpus", bench.corpus("mail"))
    bench.keep("ideal", "ideal", **ideal)
    bench.records.append({"scenario": "kernels", "peer": "sesame", **program_output(bench, "sesame-bench-kernels")})


def measure(bench, options):
    """What each part wrote down; the text of `cost`."""
    wanted, text = options.parts.split(","), ""
    if "kernels" in wanted:
        kernels(bench)
    if "cost" in wanted:
        text = cost.cost(bench, options.record)
        print(text, flush=True)
    if "compare" in wanted:
        scenarios.compare(bench, options.peers.split(","), options.rounds)
    if "growth" in wanted:
        growth.grow(bench)
    return text


def main():
    options = arguments()
    options.build = options.build.resolve()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    # Others than root must reach it: rspamd gives up its rights.
    run = pathlib.Path(tempfile.mkdtemp(prefix="sesame-bench-"))
    run.chmod(0o755)
    bench = Bench(options.build, run)
    try:
        text = measure(bench, options)
    except peers.Broken as fault:
        print(f"contrib/bench: {fault}", file=sys.stderr)
        return 1
    finally:
        shutil.rmtree(run, ignore_errors=True)
        (options.build / "bench.json").write_text(json.dumps(bench.records, indent=1))
    folder = DOCUMENT.with_suffix("") if options.record else options.build / "performance"
    grown = any(record["scenario"] == "growth" for record in bench.records)
    sections = report.markdown(bench.records, plots.draw(bench.records, folder) if grown else {}, text)
    if options.record:
        report.insert(DOCUMENT, sections)
    else:
        folder.mkdir(exist_ok=True)
        (options.build / "performance.md").write_text("\n".join(filter(None, sections.values())))
    for name in ("kernels", "comparison", "targets", "machine"):
        print(f"\n{sections[name]}" if sections[name] else "", end="")
    print(f"All figures: {options.build}/bench.json; report and plots: {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
