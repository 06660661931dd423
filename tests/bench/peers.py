"""The filters that are measured: how each is started, and where it listens."""

import os
import pathlib
import pwd
import signal
import socket
import subprocess
import time

import accounting

AUTHSERV = "mx.bench.invalid"
CONFIGURATIONS = pathlib.Path(__file__).with_name("peers")
SUFFIXES = pathlib.Path("/usr/share/publicsuffix/public_suffix_list.dat")
START_S = 60  # what a program may take until it listens
SETTLED_S = 0.01  # of processor time in 0.3 s: no more than that, and a program has started
STOP_S = 20


class Broken(Exception):
    """A program under test does not do its part."""


def commands(run, programs):
    """Peer -> the command lines of its filters in their order; NAME listens at run/NAME.sock."""
    return {
        "floor": {"floor": [programs / "sesame-bench-floor", f"unix:{run}/floor.sock"]},
        "sesame": {"sesame": [programs / "sesame-milter", "--socket", f"unix:{run}/sesame.sock",
                              "--config", run / "sesame.toml"]},
        "chain": {"opendkim": ["/usr/sbin/opendkim", "-f", "-x", run / "opendkim.conf"],
                  "opendmarc": ["/usr/sbin/opendmarc", "-f", "-c", run / "opendmarc.conf"]},
        "rspamd": {"rspamd": ["/usr/bin/rspamd", "-f", "-c", run / "rspamd.conf", "-u", "_rspamd", "-g", "_rspamd"]},
    }


TITLES = {"floor": "no-op", "sesame": "Sesame", "chain": "opendkim + opendmarc", "rspamd": "rspamd"}


def configure(run):
    for source in CONFIGURATIONS.iterdir():
        text = source.read_text()
        for word, value in (("@RUN@", str(run)), ("@AUTHSERV@", AUTHSERV), ("@CPUS@", str(os.cpu_count()))):
            text = text.replace(word, value)
        (run / source.name).write_text(text)
    # Some peers find no organizational domain where the list does not know the last label.
    (run / "suffixes").write_text(SUFFIXES.read_text() + "\nexample\n")
    (run / "rspamd").mkdir(exist_ok=True)
    user = pwd.getpwnam("_rspamd")
    os.chown(run / "rspamd", user.pw_uid, user.pw_gid)


def listens(path):
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(str(path))
        except OSError:
            return False
    return True


class Peer:
    """One of them, running, for `with`. Whatever happens, none of its processes stays."""

    def __init__(self, name, bench):
        self.name, self._bench = name, bench
        self._group = accounting.Group(name)
        self._processes = []
        self._sockets = []

    def __enter__(self):
        try:
            for name, command in commands(self._bench.run, self._bench.programs)[self.name].items():
                self._start(name, command)
        except BaseException:
            self.__exit__()
            raise
        self._settle()
        return self

    def _settle(self):
        """Some go on with their start after they listen; that is no part of any message."""
        end, before = time.monotonic() + START_S, -1.0
        while time.monotonic() < end and (now := sum(self.seconds())) - before > SETTLED_S:
            before = now
            time.sleep(0.3)

    def _start(self, name, command):
        path, log = self._bench.run / f"{name}.sock", self._bench.run / f"{name}.log"
        path.unlink(missing_ok=True)
        with log.open("wb") as output:
            process = subprocess.Popen(list(map(str, command)), stdout=output, stderr=output, start_new_session=True,
                                       preexec_fn=self._group.enter)
        self._processes.append(process)
        self._sockets.append(f"unix:{path}")
        end = time.monotonic() + START_S
        while not listens(path):
            if process.poll() is not None or time.monotonic() > end:
                raise Broken(f"{name} does not listen: {log.read_text(errors='replace')[-500:]}")
            time.sleep(0.05)

    @property
    def stages(self):
        return ",".join(self._sockets)

    @property
    def pid(self):
        """Of its first filter."""
        return self._processes[0].pid

    def _pids(self):
        return [pid for process in self._processes for pid in accounting.family(process.pid)]

    def seconds(self):
        return self._group.seconds(self._pids())

    def memory(self):
        return accounting.memory(self._pids())

    def __exit__(self, *_):
        for process in reversed(self._processes):
            members = accounting.family(process.pid)
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            for pid in members:
                if (stat := accounting.stat_of(pid)) and os.getsid(pid) == process.pid and stat[0] != "Z":
                    os.kill(pid, signal.SIGKILL)
        self._group.close()
