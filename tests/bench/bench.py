"""What every measurement needs: where things are, the DNS server, the load, one record of what it came to."""

import json
import pathlib
import resource
import socket
import subprocess
import sys
import threading
import time

import accounting
import peers

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = HERE.parents[1]
SAMPLE_S = 0.25
LIMIT_S = 600  # one measurement


class Bench:
    def __init__(self, build, run):
        self.build, self.run = build, run
        self.programs = build / "bin"
        self.records = []
        peers.configure(run)

    def corpus(self, name, **options):
        """Made once for the same options, see corpus.py."""
        folder = self.build / "corpus" / name
        command = [sys.executable, "-B", HERE / "corpus.py", "--out", folder]
        for key, value in options.items():
            command += [f"--{key}"] if value is True else [f"--{key}", str(value)]
        subprocess.run(command, check=True)
        return folder

    def keep(self, scenario, peer, **figures):
        record = {"scenario": scenario, "peer": peer, **figures}
        self.records.append(record)
        shown = {key: round(value, 3) if isinstance(value, float) else value for key, value in figures.items()}
        print(f"  {scenario:16} {peer:7} " + "  ".join(f"{key} {value}" for key, value in shown.items()), flush=True)
        return record


class Dns:
    """The DNS server for a corpus, at 127.0.0.1:53 of this network namespace, for `with`."""

    def __init__(self, bench, corpus):
        self._bench, self._corpus = bench, corpus

    def __enter__(self):
        control = self._bench.run / "dns.sock"
        command = [self._bench.programs / "sesame-bench-dnsd", "--zone", self._corpus / "zone.txt", "--dead",
                   self._corpus / "dead.txt", "--port", "53", "--control", control]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        if not self._process.stdout.readline():
            raise peers.Broken("the DNS server does not start")
        self._orders = socket.socket(socket.AF_UNIX)
        self._orders.connect(str(control))
        self._answers = self._orders.makefile("r")
        return self

    def order(self, line):
        """"stats", "reset", "delay MILLISECONDS", "drop on", "drop off"; the counts until now."""
        self._orders.sendall(f"{line}\n".encode())
        return json.loads(self._answers.readline())

    def asked(self):
        return sum(self.order("reset")["queries"].values())

    def seconds(self):
        return sum(map(int, accounting.stat_of(self._process.pid)[11:13])) / accounting.TICKS

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait()
        self._process.stdout.close()
        self._answers.close()
        self._orders.close()


class Watch:
    """The most memory a peer takes while it is at work, MiB."""

    def __init__(self, peer):
        self._peer, self.peak, self._done = peer, 0, threading.Event()
        self._thread = threading.Thread(target=self._sample)

    def _sample(self):
        while True:
            self.peak = max(self.peak, self._peer.memory())
            if self._done.wait(SAMPLE_S):
                self.peak = max(self.peak, self._peer.memory())
                return

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._done.set()
        self._thread.join()


def load_command(bench, peer, corpus, **options):
    command = [bench.programs / "sesame-bench-load", "--stages", peer.stages, "--corpus", corpus]
    for key, value in options.items():
        command += ["--" + key.replace("_", "-"), str(value)]
    return list(map(str, command))


def load(bench, peer, corpus, **options):
    """What the load generator reports; its exit status 3 says that a verdict was not the expected one."""
    done = subprocess.run(load_command(bench, peer, corpus, **options), stdout=subprocess.PIPE, timeout=LIMIT_S)
    if done.returncode not in (0, 3):
        raise peers.Broken(f"{peer.name}: the load generator ends with {done.returncode}")
    return json.loads(done.stdout)


def measure(bench, dns, peer, corpus, **options):
    """One run of the load as figures. `elsewhere`: processors busy with neither the filter, the load nor the DNS."""
    dns.order("reset")
    before, busy, ours, begun = peer.seconds(), accounting.busy(), our_seconds(dns), time.monotonic()
    with Watch(peer) as watch:
        report = load(bench, peer, corpus, **options)
    user, system = (after - start for after, start in zip(peer.seconds(), before))
    used = user + system + our_seconds(dns) - ours
    messages = max(1, report["messages"])
    return {"messages": report["messages"], "per_second": report["messages_per_second"],
            "cpu_ms": (user + system) * 1e3 / messages, "user_ms": user * 1e3 / messages,
            "p50_ms": report["latency_us"]["p50"] / 1e3, "p99_ms": report["latency_us"]["p99"] / 1e3,
            "max_ms": report["latency_us"]["max"] / 1e3, "memory": watch.peak,
            "queries": dns.asked() * 1e3 / messages, "wrong": report["expected"]["wrong"],
            "elsewhere": max(0.0, (accounting.busy() - busy - used) / (time.monotonic() - begun))}


def our_seconds(dns):
    """What the load generator, the DNS server and this program have used."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_CHILDREN, resource.RUSAGE_SELF)]
    return sum(each.ru_utime + each.ru_stime for each in used) + dns.seconds()
