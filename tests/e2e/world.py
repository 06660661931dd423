"""A whole mail world on loopback, in one temporary directory:

    here -> sending MTA with Sesame outbound -> simulated SES -> receiving Postfix with Sesame inbound -> maildir

with a private DNS for all of it. Everything that was started is ended by its own process id, and the directory removed,
whatever happens."""

import json
import os
import pathlib
import pwd
import shutil
import signal
import smtplib
import socket
import subprocess
import sys
import tempfile
import time

SOURCE = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(SOURCE / "tests" / "support"))

import postfix  # noqa: E402
import rows  # noqa: E402
from account import SES_ADDRESS, Account  # noqa: E402
from ports import free_port  # noqa: E402: found on the path above

DNS_TIMEOUT_S = 0.5
DNS_BUDGET_S = 3

SESAME_TOML = """
authserv_id = "{authserv_id}"

[milter]
socket = "inet:{port}@127.0.0.1"
user = ""

[history]
store = "{store}"
[status]
listen = ""
[dns]
servers = ["127.0.0.1:{dns_port}"]
timeout = {timeout}
tries = 2
budget = {budget}

[log]
format = "json"
destination = "{log}"

[outbound]
networks = {networks}
daemon_names = []

[watch]
interval = 0
"""

REPAIRS = """
[repair]
duplicate_fields = true
ses_fields = true

"""


class Interrupted(Exception):
    pass


def wait_for(what, seconds, condition):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise RuntimeError(f"gave up after {seconds} s waiting for {what}")


def listening(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class World:
    def __init__(self, binaries):
        self.binaries = pathlib.Path(binaries)
        self.processes = {}
        self.mtas = []
        self.directory = None

    def __enter__(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._interrupt)
        try:
            self._start()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, *_):
        self._stop()

    @staticmethod
    def _interrupt(number, _frame):
        raise Interrupted(f"signal {number}")

    def _start(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="sesame-e2e-"))
        self.directory.chmod(0o755)  # Postfix's own user has to pass through
        self.account = Account(rows.identities())
        self._write_json("zone.json", {"zone": rows.zone(self.account)})
        self._write_json("account.json", self.account.state())
        self._write_json("snapshot.json", self.account.snapshot())
        dns = [self._binary("sesame-test-dnsd"), "--zone", self.path("zone.json"), "--log", self.path("dns.log")]
        self.dns_port = self._spawn_with_port("dns", dns)
        self.outbound_log, self.inbound_log = self.path("outbound.log"), self.path("inbound.log")
        outbound = self._start_milter("sesame-outbound", rows.SENDER_ID, self.outbound_log, '["127.0.0.0/8"]',
                                      self._overrides() + "\n" + REPAIRS + self._routes() +
                                      self.account.toml(self.path("snapshot.json")))
        inbound = self._start_milter("sesame-inbound", rows.RECEIVER_ID, self.inbound_log, "[]", "")
        self.receiver = self._start_postfix("receiver", inbound, self._receiver_settings())
        self.ses_port = self._spawn_with_port("ses", [sys.executable, str(SOURCE / "tests/support/ses_simulator"),
                                                     "--state", self.path("account.json"),
                                                     "--relay", f"127.0.0.1:{self.receiver.port}",
                                                     "--source", SES_ADDRESS, "--log", self.path("ses.log")])
        self.sender = self._start_sender(outbound)

    def _start_sender(self, milter_port):
        """The MTA that relays to SES."""
        return self._start_postfix("sender", milter_port, self._sender_settings())

    def _stop(self):
        # A second Ctrl-C must not leave half of it running. Not SIG_IGN, which the programs run here would inherit.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: None)
        for instance in self.mtas:
            instance.stop()
        for process in reversed(list(self.processes.values())):
            self._end(process)
        if self.directory and not os.environ.get("SESAME_KEEP_WORLD"):
            shutil.rmtree(self.directory, ignore_errors=True)

    @staticmethod
    def _end(process):
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def path(self, name):
        return str(self.directory / name)

    def _binary(self, name):
        found = self.binaries / "bin" / name
        if not found.exists():
            raise RuntimeError(f"{found} is not built")
        return str(found)

    def _write_json(self, name, value):
        # It may hold private keys: nobody else reads it.
        with open(os.open(self.path(name), os.O_CREAT | os.O_WRONLY, 0o600), "w", encoding="utf-8") as file:
            json.dump(value, file, indent=1)

    def _spawn(self, name, command):
        with open(self.path(f"{name}.out"), "wb") as output:
            # A session of its own, so that Ctrl-C at a terminal reaches this program alone, which then ends them.
            self.processes[name] = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
            )

    def _alive(self, name):
        if self.processes[name].poll() is not None:
            output = pathlib.Path(self.path(f"{name}.out")).read_text(errors="replace")
            raise RuntimeError(f"{name} ended with status {self.processes[name].returncode}: {output}")
        return True

    def _spawn_with_port(self, name, command):
        port_file = pathlib.Path(self.path(f"{name}.port"))
        self._spawn(name, [*command, "--port-file", str(port_file)])
        text = wait_for(f"{name} to listen", 20,
                        lambda: self._alive(name) and port_file.exists() and port_file.read_text().endswith("\n")
                        and port_file.read_text())
        return int(text)

    def sesame(self, *arguments):
        """What a command answers of the mail that went out."""
        return subprocess.run([self._binary("sesame"), *arguments, "--config", self.path("sesame-outbound.toml")],
                              stdout=subprocess.PIPE, text=True, check=False).stdout

    def history(self):
        """The rows of the messages that went out, newest first, once there is one for each that was logged."""
        judged = sum('"event":"message"' in line for line in pathlib.Path(self.outbound_log).open(encoding="utf-8"))
        rows_of = lambda: [json.loads(line) for line in self.sesame("tail", "--json", "--lines", "1000").splitlines()]
        return wait_for("a row for each message", 20, lambda: len(found := rows_of()) >= judged and found)

    @staticmethod
    def _overrides():
        return "\n".join(f'[[outbound.override]]\ndomain = "{domain}"\nfail = "{level}"\n'
                         for domain, level in rows.OVERRIDES.items())

    @staticmethod
    def _routes():
        return "\n".join(f'[[ses.route]]\nrelay = "{relay}"\nregion = "{rows.FAR_REGION}"\n'
                         for relay in rows.FAR_RELAYS.values())

    def _start_milter(self, name, authserv_id, log, networks, more):
        port = free_port()
        config = SESAME_TOML.format(authserv_id=authserv_id, port=port, dns_port=self.dns_port, log=log,
                                    networks=networks, timeout=DNS_TIMEOUT_S, budget=DNS_BUDGET_S,
                                    store=self.path(f"{name}.sqlite"))
        with open(self.path(f"{name}.toml"), "w", encoding="utf-8") as file:
            file.write(config + "\n" + more)
        self._spawn(name, [self._binary("sesame-milter"), "--config", self.path(f"{name}.toml")])
        wait_for(f"{name} to listen", 20, lambda: self._alive(name) and listening(port))
        return port

    def _start_postfix(self, name, milter_port, settings):
        milter = f"inet:127.0.0.1:{milter_port}"
        settings = {**settings, "smtpd_milters": milter, "non_smtpd_milters": milter}
        instance = postfix.Postfix(self.directory / name, free_port(), settings)
        return self._begin(name, instance)

    def _begin(self, name, mta):
        self.mtas.append(mta)
        mta.start()
        wait_for(f"{name} to listen", 20, lambda: listening(mta.port))
        return mta

    def _sender_settings(self):
        return {
            "myhostname": rows.SENDER_ID,
            "relayhost": f"[127.0.0.1]:{self.ses_port}",
            "sender_dependent_relayhost_maps": "texthash:" + self._write_relays(),
            "always_add_missing_headers": "yes",
        }

    def _write_relays(self):
        path = self.path("relays")
        pathlib.Path(path).write_text("".join(f"{sender} [{relay}]:{self.ses_port}\n"
                                              for sender, relay in rows.FAR_RELAYS.items()), encoding="ascii")
        return path

    def _receiver_settings(self):
        user = pwd.getpwnam("nobody")
        self.mailbox = self.directory / "mailbox"
        self.mailbox.mkdir()
        os.chown(self.mailbox, user.pw_uid, user.pw_gid)
        return {
            "myhostname": rows.RECEIVER_ID,
            "smtpd_authorized_xclient_hosts": "127.0.0.0/8",
            "virtual_mailbox_domains": rows.INBOX,
            "virtual_mailbox_base": str(self.mailbox),
            "virtual_mailbox_maps": "static:inbox/",
            "virtual_uid_maps": f"static:{user.pw_uid}",
            "virtual_gid_maps": f"static:{user.pw_gid}",
        }

    def submit(self, message, sender, recipient):
        """By SMTP into the sending Postfix. Returns (code, text) of the reply to the message."""
        with smtplib.SMTP("127.0.0.1", self.sender.port, local_hostname="client.sender.test", timeout=60) as client:
            # What SES refuses would come back to the sender, which is not here: no notices.
            return self._transact(client, message, sender, recipient, ["NOTIFY=NEVER"])

    def deliver_directly(self, message, sender, recipient, client_address, helo):
        """Into the receiving Postfix as from a stranger."""
        with smtplib.SMTP("127.0.0.1", self.receiver.port, local_hostname=helo, timeout=60) as client:
            client.ehlo()
            client.docmd("XCLIENT", f"ADDR={client_address} NAME={helo} HELO={helo} PROTO=ESMTP")
            client.ehlo()
            return self._transact(client, message, sender, recipient, [])

    @staticmethod
    def _transact(client, message, sender, recipient, options):
        client.ehlo_or_helo_if_needed()
        for code, text in (client.mail(sender, ["BODY=8BITMIME"]), client.rcpt(recipient, options)):
            if code >= 400:
                return code, text.decode(errors="replace")
        code, text = client.data(message)
        return code, text.decode(errors="replace")

    def wait_idle(self, seconds=60):
        return self.sender.wait_idle(seconds) and self.receiver.wait_idle(seconds)

    def delivered(self, name):
        """The copies of a row's message that arrived, as raw octets."""
        recipient = f"X-Original-To: {name}@{rows.INBOX}\n".encode()
        copies = [path.read_bytes() for path in sorted((self.mailbox / "inbox" / "new").glob("*"))]
        return [message.replace(b"\n", b"\r\n") for message in copies if recipient in message]

    def events(self, path):
        """The per-message events in a Sesame log, by queue id."""
        found = {}
        if os.path.exists(path):
            for line in pathlib.Path(path).read_text(errors="replace").splitlines():
                try:
                    event = json.loads(line)
                except ValueError:
                    continue
                if isinstance(event, dict) and "queue_id" in event:
                    found[event["queue_id"]] = event
        return found

    def doctor(self, subject, *more):
        """What `sesame doctor` says, with the configuration of the sender."""
        command = [self._binary("sesame"), "doctor", subject, "--config", self.path("sesame-outbound.toml"), *more]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
        return done.stdout + done.stderr

    def kill_dns(self):
        self.processes["dns"].kill()
        self.processes["dns"].wait()
