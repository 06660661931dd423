"""Ports on loopback for daemons under test."""

import random
import socket

# Below what systems give to clients that name no port (from 32768): no client of another test takes it meanwhile.
PORTS = range(20000, 32000)


def free_port():
    while True:
        port = random.choice(PORTS)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
