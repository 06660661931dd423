"""How cost grows with one thing at a time: figures of Sesame, and of the no-op beside it."""

from bench import Dns, measure
from peers import Peer

SECONDS = 2  # of one measurement
CONNECTIONS = 8
SIZES = (2 << 10, 16 << 10, 128 << 10, 1 << 20, 8 << 20, 40 << 20)  # octets of a message
SESSIONS = (1, 8, 32, 128, 512)
DOMAINS = (10, 100, 1000, 10_000, 100_000)
SIGNATURES = (0, 1, 2, 5, 10)
DEAD = (0, 10, 25, 50)  # per cent of the domains
DEAD_SESSIONS, DEAD_SECONDS = 64, 10
PEERS = ("sesame", "floor")


def point(bench, variable, value, corpus, **options):
    """One pass to fill the caches, then what is measured."""
    with Dns(bench, corpus) as dns:
        for name in PEERS:
            with Peer(name, bench) as peer:
                if name == "sesame":
                    measure(bench, dns, peer, corpus, connections=CONNECTIONS)
                figures = measure(bench, dns, peer, corpus, **options)
            bench.keep("growth", name, variable=variable, value=value, **figures)


def sizes(bench):
    for size in SIZES:
        count = max(4, min(300, (64 << 20) // size))
        corpus = bench.corpus(f"size-{size}", messages=count, domains=20, size=size, signatures=1, plain=True)
        point(bench, "size", size, corpus, connections=CONNECTIONS, seconds=SECONDS)


def signatures(bench):
    for number in SIGNATURES:
        corpus = bench.corpus(f"signatures-{number}", messages=300, domains=30, size=32 << 10, signatures=number,
                              plain=True)
        point(bench, "signatures", number, corpus, connections=CONNECTIONS, seconds=SECONDS)


def sessions(bench):
    corpus = bench.corpus("mail")
    for number in SESSIONS:
        point(bench, "connections", number, corpus, connections=number, seconds=SECONDS)


def domains(bench):
    """Cold: every domain for the first time. Warm: once more."""
    for number in DOMAINS:
        corpus = bench.corpus(f"domains-{number}", messages=max(1000, number), domains=number, size=3 << 10,
                              signatures=1, plain=True)
        with Dns(bench, corpus) as dns, Peer("sesame", bench) as peer:
            for variable in ("domains, cold", "domains, warm"):
                figures = measure(bench, dns, peer, corpus, connections=CONNECTIONS)
                bench.keep("growth", "sesame", variable=variable, value=number, **figures)


def dead(bench):
    """A session of a dead domain waits for the whole budget, once in the time that failures are remembered."""
    for share in DEAD:
        corpus = bench.corpus(f"dead-{share}", messages=600, domains=100, size=16 << 10, signatures=1, plain=True,
                              dead=share / 100)
        with Dns(bench, corpus) as dns, Peer("sesame", bench) as peer:
            dns.order("drop on")
            figures = measure(bench, dns, peer, corpus, connections=DEAD_SESSIONS, seconds=DEAD_SECONDS)
            bench.keep("growth", "sesame", variable="dead", value=share, **(figures | {"wrong": 0}))


def grow(bench):
    for series in (sizes, signatures, sessions, domains, dead):
        series(bench)
