"""A private Postfix: its own configuration, queue and data directories, on a port of loopback. It never touches the
system's instance. Postfix's master process has to be started by root."""

import os
import pathlib
import pwd
import re
import shutil
import subprocess
import time

DAEMONS = "/usr/lib/postfix/sbin"

MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
pickup    unix  n - n 60 1 pickup
cleanup   unix  n - n - 0 cleanup
qmgr      unix  n - n 1 1 qmgr
rewrite   unix  - - n - - trivial-rewrite
bounce    unix  - - n - 0 bounce
defer     unix  - - n - 0 bounce
trace     unix  - - n - 0 bounce
verify    unix  - - n - 1 verify
flush     unix  n - n 1000? 0 flush
proxymap  unix  - - n - - proxymap
smtp      unix  - - n - - smtp
relay     unix  - - n - - smtp
error     unix  - - n - - error
retry     unix  - - n - - error
discard   unix  - - n - - discard
local     unix  - n n - - local
virtual   unix  - n n - - virtual
anvil     unix  - - n - 1 anvil
scache    unix  - - n - 1 scache
showq     unix  n - n - - showq
tlsmgr    unix  - - n 1000? 1 tlsmgr
postlog   unix-dgram n - n - 1 postlogd
"""

COMMON = {
    "compatibility_level": "3.6",
    "maillog_file": "{dir}/mail.log",
    "maillog_file_prefixes": "{dir}",
    "queue_directory": "{dir}/queue",
    "data_directory": "{dir}/data",
    "daemon_directory": DAEMONS,
    "command_directory": "/usr/sbin",
    "inet_interfaces": "127.0.0.1",
    "inet_protocols": "ipv4",
    "mynetworks": "127.0.0.0/8",
    "mydestination": "",
    "alias_maps": "",
    "alias_database": "",
    "local_recipient_maps": "",
    "smtp_dns_support_level": "disabled",
    "smtp_host_lookup": "native",
    "smtp_tls_security_level": "none",
    "smtpd_tls_security_level": "none",
    "smtpd_peername_lookup": "no",
    "smtpd_relay_restrictions": "permit_mynetworks, reject_unauth_destination",
    "notify_classes": "",
    "minimal_backoff_time": "2s",
    "maximal_backoff_time": "5s",
    "queue_run_delay": "2s",
    "milter_default_action": "accept",
    "milter_protocol": "6",
    "milter_connect_timeout": "10s",
    "milter_command_timeout": "60s",
    "milter_content_timeout": "60s",
}


class Postfix:
    LISTING = "postqueue -p"

    def __init__(self, directory, port, settings):
        self.directory = pathlib.Path(directory)
        self.conf = self.directory / "conf"
        self.port = port
        self.running = False
        self._write(settings)

    def _write(self, settings):
        owner = pwd.getpwnam("postfix")
        for part, mode in ((self.directory, 0o755), (self.conf, 0o755), (self.directory / "queue", 0o755)):
            part.mkdir(mode=mode)
        (self.directory / "data").mkdir(mode=0o700)
        os.chown(self.directory / "data", owner.pw_uid, owner.pw_gid)
        merged = {**COMMON, **settings}
        lines = [f"{key} = {value.format(dir=self.directory)}\n" for key, value in merged.items()]
        (self.conf / "main.cf").write_text("".join(lines))
        (self.conf / "master.cf").write_text(MASTER.format(port=self.port))

    def command(self, name, *arguments, check=True):
        """Runs one of Postfix's programs on this instance."""
        done = subprocess.run(
            [f"/usr/sbin/{name}", "-c", str(self.conf), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
        )
        if check and done.returncode:
            raise RuntimeError(f"{name} {' '.join(arguments)}: {done.stdout.strip()}\n{self.log()}")
        return done.stdout

    def start(self):
        self.running = True
        self.command("postfix", "start")

    def stop(self):
        if self.running:
            self.command("postfix", "stop", check=False)
            self.running = False

    def log(self):
        path = self.directory / "mail.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def queue(self):
        """The queue as postqueue shows it to people."""
        return self.command("postqueue", "-p")

    def queue_ids(self):
        """Messages in the queue: id -> "*" active, "!" on hold, "" otherwise."""
        return dict(re.findall(r"^([0-9A-Z]+)([*!]?)\s", self.queue().split("\n", 1)[-1], re.MULTILINE))

    def wait_idle(self, seconds):
        """Waits until nothing is left in the queue but what is on hold. False when that does not come about."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if all(mark == "!" for mark in self.queue_ids().values()):
                return True
            time.sleep(0.2)
        return False

    def queue_id_of(self, reply, recipient):
        """The queue id of a message: from the reply to it; of one that the milter rejected, from the log."""
        queued = re.search(r"queued as ([0-9A-Za-z]+)", reply)
        if queued:
            return queued.group(1)
        found = re.search(rf"([0-9A-Za-z]+): milter-reject: .* to=<{re.escape(recipient)}>", self.log())
        return found.group(1) if found else ""

    def delivery_of(self, queue_id, _recipient):
        """What became of a message at its next hop: ("sent" or "bounced", what was said there). None: not tried."""
        found = re.findall(rf"\b{queue_id}: to=<.*?>.*? status=(\w+) \((.*)\)$", self.log(), re.MULTILINE)
        if not found:
            return None
        status, text = found[-1]
        said = re.search(r"said: (\d\d\d .*?)(?: \(in reply|$)", text)
        return status, said.group(1) if said else text

    def run_queue(self):
        self.command("postqueue", "-f")

    def is_held(self, queue_id):
        return self.queue_ids().get(queue_id) == "!"

    def release(self, queue_id):
        """As an administrator lets a message go that was on hold."""
        self.command("postsuper", "-H", queue_id)
        self.run_queue()


def missing():
    """Why Postfix cannot be run here; "" when it can."""
    if os.geteuid() != 0:
        return "Postfix's master process has to be started by root"
    if not shutil.which("postfix", path="/usr/sbin") or not os.path.isdir(DAEMONS):
        return "the package postfix is not installed"
    return ""
