"""Identities, the name servers of their domains on addresses of their own, a resolver, and the daemon that watches."""

import base64
import json
import pathlib
import signal
import subprocess
import sys
import time

SOURCE = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(SOURCE / "tests" / "support"))

from dns_world import Server  # noqa: E402: found on the path above

TOKENS = ("t1", "t2", "t3")
# Of a key: the octets do not matter to whoever only looks for it.
KEY_BITS = 2048
RUN_S = 60

TOML = """
authserv_id = "mx.example.net"
[milter]
socket = "unix:{directory}/socket"
drain = 0
[history]
store = ""
[status]
listen = ""
[dns]
servers = ["{resolver}"]
timeout = 0.5
tries = 2
budget = 3.0
max_ttl = 1
max_negative_ttl = 1
failure_ttl = 1
max_stale = 0
[log]
format = "{log_format}"
destination = "{directory}/log"
[watch]
interval = 1
max_rate = 10000
memory = "{directory}/watch.sqlite"
hook = ["/bin/sh", "-c", "cat >> {directory}/alerts"]
[ses]
region = "us-east-1"
"""

IDENTITY = """
[[ses.identity]]
name = "{name}"
dkim.status = "SUCCESS"
dkim.tokens = ["t1", "t2", "t3"]
"""


def public_key():
    private = subprocess.run(["openssl", "genrsa", "-traditional", str(KEY_BITS)], capture_output=True, check=True)
    public = subprocess.run(["openssl", "rsa", "-pubout", "-outform", "DER"], input=private.stdout,
                            capture_output=True, check=True)
    return base64.b64encode(public.stdout).decode()


def wait_for(what, seconds, condition):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.1)
    raise RuntimeError(f"gave up after {seconds} s waiting for {what}")


def record_name(token, domain):
    return f"{token}._domainkey.{domain}"


def records_of(domain, servers):
    """What the name servers of an identity's domain hold."""
    zone = {domain: {"SOA": [[7, 3600]], "NS": list(servers), "A": ["192.0.2.1"]},
            f"_dmarc.{domain}": {"TXT": ["v=DMARC1; p=reject"]}}
    for token in TOKENS:
        zone[record_name(token, domain)] = {"CNAME": [f"{token}.dkim.amazonses.com"]}
    return zone


class World:
    """Domains, each with the addresses of its name servers; `network` tells one world from another: 127.0.NETWORK.x.
    The resolver is 127.0.NETWORK.1, the parent's server 127.0.NETWORK.2."""

    def __init__(self, binaries, directory, key, network, domains, log_format="text"):
        self.binaries, self.directory, self.key, self.network = pathlib.Path(binaries), directory, key, network
        self.domains, self.log_format = domains, log_format
        self.servers, self.daemon, self.starts = {}, None, 0
        self.zones = {domain: records_of(domain, self._names(domain)) for domain in domains}
        self.faults = {}  # host number, or "resolver" -> [fault]
        self.conduct = {}  # host number -> conduct

    def __enter__(self):
        self.directory.mkdir()
        try:
            self._start_servers()
            self._write_config()
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.stop()
        for server in self.servers.values():
            server.__exit__()
        self.servers = {}

    def address(self, host):
        return f"127.0.{self.network}.{host}"

    def _names(self, domain):
        return [f"ns{host}.servers.test" for host in self.domains[domain]]

    def hosts(self):
        return sorted({host for hosts in self.domains.values() for host in hosts})

    def _parent_zone(self):
        zone = {"test": {"SOA": [[1, 3600]], "NS": ["parent.test"]}}
        for domain in self.domains:
            zone[domain] = {"NS": self._names(domain)}
        return zone

    def _zone_of(self, host):
        """What this name server holds."""
        zone = {}
        for domain, hosts in self.domains.items():
            if host in hosts:
                zone.update(self.zones[domain])
        return zone

    def _resolver_zone(self):
        zone = {"test": {"SOA": [[1, 3600]], "NS": ["parent.test"]}, "parent.test": {"A": [self.address(2)]},
                "servers.test": {"SOA": [[1, 3600]], "NS": ["parent.test"]},
                "amazonses.com": {"SOA": [[1, 3600]], "TXT": ["v=spf1 ip4:199.255.192.0/22 -all"]}}
        for host in self.hosts():
            zone[f"ns{host}.servers.test"] = {"A": [self.address(host)]}
        for token in TOKENS:
            zone[f"{token}.dkim.amazonses.com"] = {"TXT": [f"p={self.key}"]}
        for records in self.zones.values():
            zone.update(records)
        return zone

    def _document(self, host):
        if host == 1:
            return self._resolver_zone(), self.faults.get("resolver", ()), {}
        zone = self._parent_zone() if host == 2 else self._zone_of(host)
        return zone, self.faults.get(host, ()), {"role": "authority", **self.conduct.get(host, {})}

    def _start_servers(self):
        for host in (1, 2, *self.hosts()):
            zone, faults, conduct = self._document(host)
            server = Server(self.binaries, self.address(host), 53, zone, faults, conduct)
            self.servers[host] = server.__enter__()

    def apply(self):
        """All servers serve what the zones, faults and conducts are now. No look sees the one and the other."""
        self.stop()
        for host, server in self.servers.items():
            server.load(*self._document(host))
        self.start()

    def silence(self):
        """Nobody answers any more, from one moment to the next, and whatever is under way."""
        for server in self.servers.values():
            server.server.kill()
        for server in self.servers.values():
            server.__exit__()
        self.servers = {}

    def speak(self):
        self._start_servers()

    def looks(self, domain):
        """How often the daemon looked at this domain, since the zones were loaded last."""
        return self.servers[self.domains[domain][0]].queries().count(("SOA", domain, "udp"))

    def wait_for_looks(self, count):
        """So many more at each domain, the last of which may be under way."""
        before = {domain: self.looks(domain) for domain in self.domains}
        for domain in self.domains:
            wait_for(f"{count} looks at {domain}", 30 + 10 * count,
                     lambda d=domain: self.looks(d) >= before[d] + count)

    def wait_for_states(self, identity, state, seconds):
        """Until the log tells of each DKIM record of this identity that it is in this state."""
        words = [f"name={record_name(token, identity)} " for token in TOKENS]
        wait_for(f"{identity} to be {state}", seconds, lambda: all(
            any(word in line and f" to={state}" in line for line in self.log().splitlines()) for word in words))

    # The daemon.

    def _write_config(self):
        text = TOML.format(directory=self.directory, resolver=self.address(1), log_format=self.log_format)
        self.config.write_text(text + "".join(IDENTITY.format(name=domain) for domain in self.domains))

    @property
    def config(self):
        return self.directory / "sesame.toml"

    def start(self):
        with open(self.directory / "output", "ab") as output:
            self.daemon = subprocess.Popen([self.binaries / "sesame-milter", "--config", self.config],
                                           stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        self.starts += 1
        wait_for("the daemon to start", 30,
                 lambda: self.daemon.poll() is not None or self.log().count("start: version=") >= self.starts)
        if self.daemon.poll() is not None:
            raise RuntimeError("the daemon did not start: " + (self.directory / "output").read_text())

    def stop(self):
        """The exit status of the daemon."""
        if not self.daemon:
            return 0
        daemon, self.daemon = self.daemon, None
        if daemon.poll() is None:
            daemon.send_signal(signal.SIGTERM)
            try:
                daemon.wait(20)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
        return daemon.returncode

    def log(self):
        path = self.directory / "log"
        return path.read_text() if path.exists() else ""

    def alerts(self, identity=None):
        """Those the hook got, of one identity or all."""
        path = self.directory / "alerts"
        lines = path.read_text().splitlines() if path.exists() else []
        told = [json.loads(line) for line in lines]
        return [each for each in told if identity is None or each.get("identity") == identity]

    def sesame(self, command, *arguments, message=b""):
        """What `sesame` answers with these settings, and what it complains of."""
        done = subprocess.run([self.binaries / "sesame", command, "--config", self.config, *map(str, arguments)],
                              input=message, capture_output=True, timeout=RUN_S)
        return (done.stdout + done.stderr).decode()
