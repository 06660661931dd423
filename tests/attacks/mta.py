"""The daemon, and the MTA's side of the milter protocol (version 6) to talk to it."""

import collections
import json
import pathlib
import re
import signal
import socket
import struct
import subprocess
import tempfile
import time

START_S = 30
ANSWER_S = 60
CHUNK = 65535
ALL_ACTIONS, ALL_STEPS = 0x1FF, 0x1FFFFF
# What the filter may ask not to be told of, and not to answer.
LEFT_OUT = {"C": 0x1, "H": 0x2, "M": 0x4, "R": 0x8, "B": 0x10, "L": 0x20, "N": 0x40, "T": 0x200}
UNANSWERED = {"L": 0x80, "C": 0x1000, "H": 0x2000, "M": 0x4000, "R": 0x8000, "T": 0x10000, "N": 0x40000, "B": 0x80000}
FINAL = {"c": "continue", "a": "accept", "r": "reject", "t": "tempfail", "d": "discard", "y": "reply", "s": "skip"}

Edit = collections.namedtuple("Edit", "kind index name value")


class Reply:
    """What the filter answered: `final`, the `text` of a reply, and the `edits` in their order."""

    def __init__(self):
        self.final, self.text, self.edits = "continue", "", []

    def done(self):
        return self.final not in ("continue", "skip")

    def inserted(self):
        return [edit for edit in self.edits if edit.kind == "insert"]

    def removed(self):
        """The places of the Authentication-Results fields to remove, in the order asked for."""
        return [edit.index for edit in self.edits if edit.kind == "change" and edit.value == ""]

    def results(self):
        """The one Authentication-Results field that is inserted, unfolded."""
        field, = self.inserted()
        assert field.name == "Authentication-Results", field
        return re.sub(r"\r?\n[ \t]+", " ", field.value)


def octets(text):
    return text.encode("utf-8", "surrogateescape")


def texts(*values):
    return b"".join(octets(value) + b"\0" for value in values)


class Connection:
    """One connection to the filter, as of one SMTP client."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(ANSWER_S)
        self.socket.connect(path)
        self.steps = 0
        self.write("O", struct.pack("!III", 6, ALL_ACTIONS, ALL_STEPS))
        command, data = self.read()
        assert command == "O", command
        _, _, self.steps = struct.unpack("!III", data[:12])

    def close(self):
        self.socket.close()

    def write(self, command, data=b""):
        self.socket.sendall(struct.pack("!I", len(data) + 1) + command.encode() + data)

    def read_exactly(self, size):
        data = b""
        while len(data) < size:
            part = self.socket.recv(size - len(data))
            if not part:
                raise ConnectionError("the filter closed the connection")
            data += part
        return data

    def read(self):
        size, = struct.unpack("!I", self.read_exactly(4))
        data = self.read_exactly(size)
        return chr(data[0]), data[1:]

    def step(self, command, data, reply):
        """Sends one step and takes its answer, unless the filter wants neither."""
        if reply.done() or self.steps & LEFT_OUT.get(command, 0):
            return reply
        self.write(command, data)
        if self.steps & UNANSWERED.get(command, 0):
            return reply
        while True:
            answer, rest = self.read()
            if answer in FINAL:
                reply.final = FINAL[answer]
                reply.text = rest.rstrip(b"\0").decode() if answer == "y" else ""
                return reply
            self.note(answer, rest, reply)

    @staticmethod
    def note(answer, rest, reply):
        if answer in "im":
            index, = struct.unpack("!I", rest[:4])
            name, value = rest[4:-1].decode("utf-8", "surrogateescape").split("\0")
            reply.edits.append(Edit("insert" if answer == "i" else "change", index, name, value))
        elif answer == "q":
            reply.edits.append(Edit("quarantine", 0, "", rest[:-1].decode()))
        elif answer != "p":
            reply.edits.append(Edit("other " + answer, 0, "", ""))

    def send(self, fields, body="Hello.\r\n", *, mail_from, macros=None, chunks=None):
        """One message; its body may come in `chunks`."""
        reply = Reply()
        self.write("D", b"M" + texts(*[text for pair in (macros or {}).items() for text in pair]))
        self.step("M", texts(f"<{mail_from}>"), reply)
        self.step("R", texts("<rcpt@example.net>"), reply)
        self.step("T", b"", reply)
        for name, value in fields:
            self.step("L", texts(name, value), reply)
        self.write("D", b"N" + texts("i", "4QUEUE"))
        self.step("N", b"", reply)
        data = octets(body)
        for chunk in map(octets, chunks) if chunks else (data[at:at + CHUNK] for at in range(0, len(data), CHUNK)):
            if reply.final == "continue":
                self.step("B", chunk, reply)
        if reply.final == "skip":
            reply.final = "continue"
        return self.step("E", b"", reply)


class Daemon:
    """bin/sesame-milter with these settings, asking the DNS server of this port. It must end well, too."""

    def __init__(self, binary, dns_port, settings="", dns="timeout = 0.5\ntries = 1\nbudget = 5.0\n"):
        self.holder = tempfile.TemporaryDirectory(prefix="sesame-attacks-")
        directory = pathlib.Path(self.holder.name)
        self.socket, self.log, self.output = (directory / name for name in ("socket", "log", "output"))
        config = directory / "sesame.toml"
        config.write_text(f'authserv_id = "mx.example.net"\n[milter]\nsocket = "unix:{self.socket}"\n'
                          '[history]\nstore = ""\n[status]\nlisten = ""\n[dns]\n'
                          f'servers = ["127.0.0.1:{dns_port}"]\n{dns}[log]\nformat = "json"\n'
                          f'destination = "{self.log}"\n{settings}\n[watch]\ninterval = 0\n', encoding="utf-8")
        self.command = [binary, "--config", config]

    def __enter__(self):
        with open(self.output, "wb") as output:
            self.process = subprocess.Popen(self.command, stdout=output, stderr=subprocess.STDOUT)
        end = time.monotonic() + START_S
        while "start: " not in self.logged():
            if self.process.poll() is not None or time.monotonic() > end:
                self.process.kill()
                self.process.wait()
                raise RuntimeError("the daemon did not start: " + self.output.read_text())
            time.sleep(0.01)
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(START_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = self.process.wait()
        output = self.output.read_text()
        self.holder.cleanup()
        assert (status, output) == (0, ""), (status, output)

    def logged(self):
        return self.log.read_text() if self.log.exists() else ""

    def connect(self, ip="198.51.100.1", helo="mail.attack.example"):
        connection = Connection(str(self.socket))
        kind = "6" if ":" in ip else "4"
        connection.step("C", texts(helo) + kind.encode() + struct.pack("!H", 25) + texts(ip), Reply())
        connection.step("H", texts(helo), Reply())
        return connection

    def send(self, fields, body="Hello.\r\n", *, ip="198.51.100.1", helo="mail.attack.example",
             mail_from="bounce@attack.example", **options):
        """One message on a connection of its own."""
        connection = self.connect(ip, helo)
        try:
            return connection.send(fields, body, mail_from=mail_from, **options)
        finally:
            connection.close()

    def peak_memory(self):
        """In MiB, the most it ever had."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+) kB", status).group(1)) // 1024

    def events(self):
        """What was logged of each message so far."""
        lines = [json.loads(line) for line in self.logged().splitlines()]
        return [line for line in lines if line.get("event") == "message"]

    def event(self):
        """Of the only message, or the last one."""
        return self.events()[-1]
