"""The test DNS server with one zone after the other, and `sesame` asking it. For one thread at a time."""

import json
import pathlib
import signal
import subprocess
import tempfile
import time

SKIPPED = 77
START_S = 20
RUN_S = 60


class Server:
    """One test DNS server. Several of them are told apart by their addresses, as 127.0.0.11 to 127.0.0.14 on port 53 of a
    network namespace."""

    def __init__(self, binaries, listen="127.0.0.1", port=0, zone=None, faults=(), conduct=None):
        self.binaries = pathlib.Path(binaries)
        self.listen, self.port = listen, port
        self.first = self.document(zone or {}, faults, conduct or {})

    @staticmethod
    def document(zone, faults, conduct):
        return json.dumps({"zone": zone, "faults": list(faults), "conduct": conduct})

    def __enter__(self):
        self.holder = tempfile.TemporaryDirectory(prefix="sesame-dns-")
        directory = pathlib.Path(self.holder.name)
        self.zone, self.log, port_file = directory / "zone.json", directory / "log", directory / "port"
        self.zone.write_text(self.first)
        self.logged = 0
        command = [self.binaries / "sesame-test-dnsd", "--zone", self.zone, "--port-file", port_file, "--log", self.log,
                   "--listen", self.listen, "--port", str(self.port)]
        self.server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        end = time.monotonic() + START_S
        while not port_file.exists():
            if self.server.poll() is not None or time.monotonic() > end:
                raise RuntimeError("the test DNS server did not start")
            time.sleep(0.01)
        self.port = int(port_file.read_text())
        return self

    def __exit__(self, *_):
        self.server.terminate()
        self.server.wait()
        self.server.stdout.close()
        self.holder.cleanup()

    def load(self, zone, faults=(), conduct=None):
        """Serves this zone from now on: {name: {type: [value]}}, faults {name, type, fault}, and the conduct of the server
        as a whole: {"role": "authority", "lame": "refuses", "tcp": "silent", "udp": "truncates"}, see zone.h."""
        self.zone.write_text(self.document(zone, faults, conduct or {}))
        self.server.send_signal(signal.SIGHUP)
        for line in self.server.stdout:
            if "zone read again" in line:
                self.logged = self.log.stat().st_size
                return
            if "the old zone stays" in line:
                raise RuntimeError(line.strip())
        raise RuntimeError("the DNS server is gone")

    def queries(self):
        """What the DNS server was asked since the zone was loaded, as (type, name, "udp" or "tcp")."""
        with open(self.log, "rb") as log:
            log.seek(self.logged)
            lines = log.read().decode("ascii").splitlines()
        return [(line.split(" ", 1)[0], *line.split(" ", 1)[1].rsplit(" ", 1)) for line in lines]


class World(Server):
    """A server on a port of its own, and `sesame` with it as its resolver."""

    def __init__(self, binaries):
        super().__init__(binaries)

    def sesame(self, command, *arguments, message=b""):
        """The answer of `sesame COMMAND ARGUMENTS --json` to a message in octets."""
        done = subprocess.run([self.binaries / "sesame", "--dns", f"127.0.0.1:{self.port}", command,
                               *map(str, arguments), "--json"], input=message, capture_output=True, timeout=RUN_S)
        if not done.stdout:
            raise RuntimeError(f"sesame {command} {arguments}: {done.stderr.decode(errors='replace')}")
        return json.loads(done.stdout)
