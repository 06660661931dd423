"""The comparison with other filters: what the table of targets needs."""

import json
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

from bench import Dns, load, load_command, measure
from peers import Peer

LEVELS = (1, 8, 32, 128)  # SMTP sessions at once
ROUND = {1: 500}  # messages, else 2000
DELAY_MS = 20
HANGING = 64  # sessions with mail of dead domains
HUGE = 40 << 20  # octets


def warm(bench, dns, corpus, name, number):
    """Cold once through the corpus, then warm at each level."""
    with Peer(name, bench) as peer:
        bench.keep("cold", name, round=number, connections=8, **measure(bench, dns, peer, corpus, connections=8))
        for level in LEVELS:
            figures = measure(bench, dns, peer, corpus, connections=level, messages=ROUND.get(level, 2000))
            bench.keep("warm", name, round=number, connections=level, **figures)


def slow(bench, dns, corpus, name, number):
    """Every DNS answer is late; the same messages twice."""
    dns.order(f"delay {DELAY_MS}")
    try:
        with Peer(name, bench) as peer:
            for scenario in ("slow cold", "slow warm"):
                figures = measure(bench, dns, peer, corpus, connections=1, messages=150)
                bench.keep(scenario, name, round=number, connections=1, **figures)
    finally:
        dns.order("delay 0")


def dead(bench, dns, corpus, name, number):
    """A fifth of the domains never answers: how long their mail is held, and what that does to all other mail."""
    dns.order("drop on")
    try:
        with Peer(name, bench) as peer:
            held = load(bench, peer, corpus, connections=32, messages=32, only="dead")["latency_us"]
            load(bench, peer, corpus, connections=8, only="live")
            alone = measure(bench, dns, peer, corpus, connections=8, seconds=8, only="live")
            hanging = load_command(bench, peer, corpus, connections=HANGING, seconds=12, only="dead", seed=2)
            with subprocess.Popen(hanging, stdout=subprocess.DEVNULL) as background:
                time.sleep(3)
                beside = measure(bench, dns, peer, corpus, connections=8, seconds=8, only="live")
                background.wait()
            bench.keep("dead", name, round=number, held_p50_s=held["p50"] / 1e6, held_max_s=held["max"] / 1e6,
                       alone=alone["per_second"], beside=beside["per_second"],
                       ratio=beside["per_second"] / alone["per_second"], wrong=alone["wrong"] + beside["wrong"])
    finally:
        dns.order("drop off")


def huge(bench, name="sesame"):
    """The memory at 8 connections with mail as it is, then with very large messages."""
    usual = bench.corpus("mail")
    large = bench.corpus("huge", messages=4, domains=4, size=HUGE, plain=True)
    with Peer(name, bench) as peer:
        figures = []
        for corpus, messages in ((usual, 2000), (large, 24)):
            with Dns(bench, corpus) as dns:
                figures.append(measure(bench, dns, peer, corpus, connections=8, messages=messages))
        bench.keep("huge", name, usual=figures[0]["memory"], huge=figures[1]["memory"], wrong=figures[1]["wrong"])


def verdicts_of_verify(bench, corpus):
    """What `sesame verify` says of each message: file -> (spf, dkim, dmarc)."""
    rows = read_index(corpus)

    def verify(row):
        command = [bench.programs / "sesame", "verify", "--json", "--ip", row["client_ip"], "--helo", row["helo"],
                   "--mail-from", row["mail_from"], corpus / "messages" / row["file"]]
        found = json.loads(subprocess.run(command, stdout=subprocess.PIPE).stdout)
        dkim = ",".join(each["result"] for each in found["dkim"]) or "none"
        return row["file"], (found["spf"]["result"], dkim, found["dmarc"]["result"])

    with ThreadPoolExecutor() as pool:
        return dict(pool.map(verify, rows))


def read_index(corpus, file="index.tsv"):
    lines = [line.split("\t") for line in (corpus / file).read_text().splitlines()]
    return [dict(zip(lines[0], line)) for line in lines[1:]]


def same_verdicts(bench, dns, corpus):
    """The milter's verdict of every message beside that of `sesame verify`."""
    path = bench.run / "verdicts"
    with Peer("sesame", bench) as peer:
        report = load(bench, peer, corpus, connections=8, verdicts=path)
    verify = verdicts_of_verify(bench, corpus)
    milter = {row["file"]: (row["spf"], row["dkim"], row["dmarc"]) for row in read_index(bench.run, "verdicts")}
    differ = [file for file in verify if verify[file] != milter.get(file)]
    for file in differ[:5]:
        print(f"    {file}: verify {verify[file]}, milter {milter.get(file)}")
    bench.keep("verdicts", "sesame", messages=len(verify), differ=len(differ), unexpected=report["expected"]["wrong"])


def compare(bench, names, rounds):
    """All of it, in turns, so that what else the machine does falls on all alike."""
    corpus = bench.corpus("mail")
    with Dns(bench, corpus) as dns:
        same_verdicts(bench, dns, corpus)
        for number in range(rounds):
            for name in names:
                warm(bench, dns, corpus, name, number)
        for number in range(min(2, rounds)):
            for name in filter("floor".__ne__, names):
                slow(bench, dns, corpus, name, number)
        for name in filter("floor".__ne__, names):
            dead(bench, dns, corpus, name, 0)
    huge(bench)
