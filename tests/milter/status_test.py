"""The daemon's status over HTTP, as a browser, Prometheus, and somebody who means ill ask for it."""

import base64
import contextlib
import http.client
import os
import pathlib
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.request

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from ports import free_port  # noqa: E402: found on the path above

BIN = pathlib.Path(os.environ.get("SESAME_BIN", "build/dev/bin")).resolve()
PATIENCE_S = 30
MAX_HEAD = 16384
MAX_CONNECTIONS = 64


class StatusTest(unittest.TestCase):
    """Each test has a daemon; `listen` and `token` are for start()."""

    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="sesame-status-")
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)
        self.port = free_port()
        self.daemon = None

    def configure(self, listen=None, token_file=""):
        """Everything the daemon would ask the world for is off."""
        listen = f"127.0.0.1:{self.port}" if listen is None else listen
        (self.directory / "sesame.toml").write_text(
            f'[milter]\nsocket = "unix:{self.directory}/milter"\n[dns]\nservers = ["127.0.0.1:{free_port()}"]\n'
            f'[log]\ndestination = "{self.directory}/log"\n[watch]\ninterval = 0\n[history]\nstore = ""\n'
            f'[status]\nlisten = "{listen}"\ntoken_file = "{token_file}"\n')

    def start(self, **settings):
        self.configure(**settings)
        self.daemon = subprocess.Popen([BIN / "sesame-milter", "--config", self.directory / "sesame.toml"])
        self.addCleanup(self.end)
        self.wait_for_log("start: ")
        return self

    def end(self):
        if self.daemon.poll() is None:
            self.daemon.kill()
            self.daemon.wait()

    def log(self):
        path = self.directory / "log"
        return path.read_text() if path.exists() else ""

    def wait_for_log(self, text, times=1):
        until = time.monotonic() + PATIENCE_S
        while self.log().count(text) < times:
            self.assertLess(time.monotonic(), until, f"{text!r} is not in the log:\n{self.log()}")
            self.assertIsNone(self.daemon.poll(), self.log())
            time.sleep(0.02)

    def started(self, **settings):
        self.start(**settings)
        self.wait_for_log("status: answers at")

    def token_file(self, text, mode=0o600):
        path = self.directory / "token"
        path.write_text(text)
        path.chmod(mode)
        return path

    def connect(self, port=None):
        return socket.create_connection(("127.0.0.1", port or self.port), timeout=PATIENCE_S)

    def raw(self, octets):
        """What comes until the connection is closed."""
        with self.connect() as connection:
            connection.sendall(octets)
            return self.rest(connection)

    @staticmethod
    def rest(connection):
        parts = []
        try:
            while part := connection.recv(65536):
                parts.append(part)
        except ConnectionResetError:
            pass
        return b"".join(parts)

    def ask(self, path="/metrics", port=None, method="GET", **fields):
        client = http.client.HTTPConnection("127.0.0.1", port or self.port, timeout=PATIENCE_S)
        try:
            client.request(method, path, headers={name.replace("_", "-"): value for name, value in fields.items()})
            answer = client.getresponse()
            return answer.status, answer.read().decode(), answer.headers
        finally:
            client.close()

    def milter_answers(self):
        """The MTA's side lives: the option negotiation is answered."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(PATIENCE_S)
            connection.connect(str(self.directory / "milter"))
            connection.sendall(bytes.fromhex("0000000d4f00000006000001ff001fffff"))
            self.assertEqual(connection.recv(5)[4:], b"O")


class Answers(StatusTest):
    def test_health_metrics_and_what_is_not_there(self):
        self.started()
        self.assertEqual(self.ask("/healthz")[:2], (200, "ok\n"))
        status, text, fields = self.ask("/metrics")
        self.assertEqual(status, 200)
        self.assertIn("sesame_build_info{version=", text)
        self.assertTrue(fields["Content-Type"].startswith("text/plain; version=0.0.4"))
        self.assertEqual(self.ask("/no/such/thing")[0], 404)
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=PATIENCE_S) as answer:
            self.assertIn("sesame_messages_total", answer.read().decode())

    def test_head_has_no_body_and_others_are_refused(self):
        self.started()
        status, text, fields = self.ask("/metrics", method="HEAD")
        self.assertEqual((status, text), (200, ""))
        self.assertGreater(int(fields["Content-Length"]), 1000)
        for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
            status, _, fields = self.ask("/metrics", method=method)
            self.assertEqual(status, 405, method)
            self.assertEqual(fields["Allow"], "GET, HEAD")

    def test_fields_against_hostile_pages(self):
        self.started()
        for path in ("/", "/metrics", "/healthz", "/nothing"):
            fields = self.ask(path)[2]
            self.assertIn("default-src 'self'", fields["Content-Security-Policy"])
            self.assertNotIn("unsafe-inline", fields["Content-Security-Policy"])
            self.assertEqual(fields["X-Content-Type-Options"], "nosniff")
            self.assertEqual(fields["Referrer-Policy"], "no-referrer")
            self.assertEqual(fields["Cache-Control"], "no-store")
            self.assertIsNone(fields["Access-Control-Allow-Origin"])

    def test_several_on_one_connection_also_before_the_answer(self):
        self.started()
        request = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
        answer = self.raw(request * 3 + request.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        self.assertEqual(answer.count(b"HTTP/1.1 200 OK"), 4)


class Access(StatusTest):
    def test_names_of_others_are_refused_on_loopback(self):
        self.started()
        for host in ("evil.example", f"evil.example:{self.port}", "127.0.0.1.evil.example", ""):
            self.assertEqual(self.ask(Host=host)[0], 403, host)
            self.assertEqual(self.ask("/", Host=host)[0], 403, host)
        for host in ("localhost", f"127.0.0.1:{self.port}", "[::1]"):
            self.assertEqual(self.ask(Host=host)[0], 200, host)
        self.assertEqual(self.ask("/healthz", Host="evil.example")[0], 200)
        self.assertTrue(self.raw(b"GET /metrics HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.1 403"))

    def test_token_as_bearer_and_as_password(self):
        self.started(token_file=self.token_file("s3cret\nsecond line\n"))
        self.assertNotIn("anybody", self.log())
        basic = {name: "Basic " + base64.b64encode(name.encode()).decode()
                 for name in ("alice:s3cret", ":s3cret", "alice:wrong", "s3cret:")}
        for given in ("Bearer s3cret", basic["alice:s3cret"], basic[":s3cret"]):
            self.assertEqual(self.ask(Authorization=given, Host="status.example")[0], 200, given)
        for given in ("Bearer wrong", "Bearer s3cret2", "Bearer second line", "Bearer", "s3cret", "",
                      basic["alice:wrong"], basic["s3cret:"]):
            status, text, fields = self.ask(Authorization=given)
            self.assertEqual(status, 401, given)
            self.assertIn("Basic realm=", fields["WWW-Authenticate"])
            self.assertNotIn("sesame_", text)
        self.assertEqual(self.ask("/healthz")[0], 200)
        for path in ("/", "/api/overview", "/no/such/thing"):
            self.assertEqual(self.ask(path)[0], 401, path)
        self.assertNotIn("s3cret", self.log())

    def test_token_is_read_again_on_reload(self):
        path = self.token_file("first\n")
        self.started(token_file=path)
        self.token_file("second\n", 0o644)
        self.assertEqual(self.ask(Authorization="Bearer first")[0], 200)
        self.daemon.send_signal(signal.SIGHUP)
        self.wait_for_log("anybody on this host can read it")
        self.assertEqual(self.ask(Authorization="Bearer first")[0], 401)
        self.assertEqual(self.ask(Authorization="Bearer second")[0], 200)
        for broken in ("", "\n"):
            self.token_file(broken)
            self.daemon.send_signal(signal.SIGHUP)
            self.wait_for_log("nobody is admitted")
            self.assertEqual(self.ask(Authorization="Bearer second")[0], 401)
            self.assertEqual(self.ask(Authorization="Bearer ")[0], 401)

    def test_without_its_token_nobody_is_admitted(self):
        self.started(token_file=self.directory / "missing")
        self.assertIn("nobody is admitted", self.log())
        self.assertEqual(self.ask()[0], 401)
        self.assertEqual(self.ask("/healthz")[0], 200)

    def test_other_addresses_need_a_token(self):
        self.configure(listen=f"0.0.0.0:{self.port}")
        done = subprocess.run([BIN / "sesame-milter", "--test-config", "--config", self.directory / "sesame.toml"],
                              capture_output=True, text=True, timeout=PATIENCE_S, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertRegex(done.stderr, r"sesame\.toml:\d+:10: status\.listen: .*expected status\.token_file")


class Limits(StatusTest):
    def test_what_is_too_large_or_malformed(self):
        self.started()
        for octets, status in (
                (b"GET /" + b"a" * MAX_HEAD + b" HTTP/1.1\r\n\r\n", b"431"),
                (b"GET / HTTP/1.1\r\nA: " + b"b" * MAX_HEAD + b"\r\n\r\n", b"431"),
                (b"a" * (MAX_HEAD + 1), b"431"),
                (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", b"414"),
                (b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 101 + b"\r\n", b"400"),
                (b"GET / HTTP/1.1\r\nA: b\n\r\n\r\n", b"400"),
                (b"\x16\x03\x01\x02\x00\x01\r\n\r\n", b"400"),
                (b"\r\n\r\n", b"400"),
                (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"4")):
            answer = self.raw(octets)
            self.assertTrue(answer.startswith(b"HTTP/1.1 " + status), (octets[:60], answer[:60]))
        self.assertEqual(self.ask("/healthz")[0], 200)

    def test_a_body_is_no_second_request(self):
        self.started()
        inner = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"
        answer = self.raw(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(inner) + inner)
        self.assertEqual(answer.count(b"HTTP/1.1"), 1)
        self.assertIn(b"Connection: close", answer)

    def test_slow_clients_keep_nobody_waiting(self):
        self.started()
        slow = [self.connect() for _ in range(MAX_CONNECTIONS // 2)]
        for connection in slow:
            self.addCleanup(connection.close)
            connection.sendall(b"GET /metrics HTT")
        # Some that ask and do not read.
        deaf = [self.connect() for _ in range(8)]
        for connection in deaf:
            self.addCleanup(connection.close)
            connection.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n" * 300)
        for _ in range(20):
            self.assertEqual(self.ask()[0], 200)
        self.milter_answers()

    def test_more_connections_than_there_may_be(self):
        self.started()
        many = []
        for _ in range(MAX_CONNECTIONS * 4):
            many.append(self.connect())
            self.addCleanup(many[-1].close)
        # Newer ones take the place of those that have been idle for longest.
        self.assertEqual(self.ask("/healthz")[0], 200)
        many[0].settimeout(PATIENCE_S)
        self.assertEqual(self.rest(many[0]), b"")
        descriptors = len(os.listdir(f"/proc/{self.daemon.pid}/fd"))
        self.assertLess(descriptors, MAX_CONNECTIONS + 40)
        self.milter_answers()

    def test_random_octets_end_nothing(self):
        self.started()
        seed = 1
        for _ in range(200):
            octets = bytearray()
            for _ in range(64):
                seed = (seed * 1103515245 + 12345) % 2**31
                octets.append(seed >> 16 & 0xff)
            with self.connect() as connection:
                # Where there are too many, the daemon may close it before.
                with contextlib.suppress(ConnectionResetError, BrokenPipeError):
                    connection.sendall(b"GET /?" + bytes(octets) + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")
        self.assertEqual(self.ask()[0], 200)


class Life(StatusTest):
    def test_a_port_in_use_is_told_once_and_tried_again(self):
        with socket.socket() as other:
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            other.bind(("127.0.0.1", self.port))
            other.listen()
            self.start()
            self.wait_for_log("Address already in use; it is tried again")
            self.milter_answers()
            # Reloads try it, too.
            for count in (1, 2, 3):
                self.daemon.send_signal(signal.SIGHUP)
                self.wait_for_log("reload: done", count)
        self.wait_for_log("status: answers at")
        self.assertEqual(self.log().count("it is tried again"), 1)
        self.assertEqual(self.ask("/healthz")[0], 200)

    def test_a_reload_changes_the_address(self):
        self.started()
        other = free_port()
        self.configure(listen=f"127.0.0.1:{other}")
        self.daemon.send_signal(signal.SIGHUP)
        self.wait_for_log(f"status: answers at 127.0.0.1:{other}")
        self.assertEqual(self.ask("/healthz", port=other)[0], 200)
        with self.assertRaises(ConnectionRefusedError):
            self.connect()
        self.configure(listen="")
        self.daemon.send_signal(signal.SIGHUP)
        self.wait_for_log("reload: done", 2)
        until = time.monotonic() + PATIENCE_S
        while True:
            try:
                self.connect(other).close()
            except ConnectionRefusedError:
                break
            self.assertLess(time.monotonic(), until)

    def test_sigterm_does_not_wait_for_open_connections(self):
        self.started()
        kept = self.connect()
        self.addCleanup(kept.close)
        kept.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        self.assertTrue(kept.recv(4096).startswith(b"HTTP/1.1 200"))
        self.daemon.send_signal(signal.SIGTERM)
        # Idle connections would be kept for half a minute.
        self.assertEqual(self.daemon.wait(timeout=20), 0)
        self.assertEqual(self.rest(kept), b"")

    def test_a_unix_socket(self):
        path = self.directory / "status"
        with socket.socket(socket.AF_UNIX) as left:
            left.bind(str(path))
        self.started(listen=f"unix:{path}")
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o660)
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(PATIENCE_S)
            connection.connect(str(path))
            connection.sendall(b"GET /metrics HTTP/1.1\r\nHost: proxy.example\r\nConnection: close\r\n\r\n")
            self.assertTrue(self.rest(connection).startswith(b"HTTP/1.1 200"))
        self.daemon.send_signal(signal.SIGTERM)
        self.assertEqual(self.daemon.wait(timeout=20), 0)
        self.assertFalse(path.exists())

    def test_a_unix_socket_takes_the_place_of_nothing_else(self):
        path = self.directory / "status"
        path.write_text("precious")
        self.start(listen=f"unix:{path}")
        self.wait_for_log("something else than a socket")
        path.unlink()
        with socket.socket(socket.AF_UNIX) as other:
            other.bind(str(path))
            other.listen()
            self.daemon.send_signal(signal.SIGHUP)
            self.wait_for_log("somebody answers at")
        self.wait_for_log("status: answers at")


if __name__ == "__main__":
    unittest.main()
