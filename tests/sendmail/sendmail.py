"""A private Sendmail: its own configuration, made by m4 from conf/sendmail/sesame.mc, and its own queue, on a port of
loopback, as an unprivileged user. Its packages conflict with Postfix's, so they are unpacked and not installed
(contrib/ensure-packages extract); the system's own MTA is left alone."""

import os
import pathlib
import pwd
import re
import shutil
import signal
import subprocess
import time

CACHE = pathlib.Path("/var/cache/sesame-test")
PROGRAM = CACHE / "sendmail-bin/usr/libexec/sendmail/sendmail"
CF = CACHE / "sendmail-cf/usr/share/sendmail/cf"
M4 = "/usr/bin/m4"
USER = "nobody"
SOURCE = pathlib.Path(__file__).resolve().parents[2]

# What a site says of itself; {sesame} is what conf/sendmail/sesame.mc tells it to add.
MC = """divert(-1)
divert(0)dnl
include(`{cf}/m4/cf.m4')dnl
OSTYPE(`linux')dnl
define(`confDOMAIN_NAME', `{name}')dnl
define(`QUEUE_DIR', `{dir}/queue')dnl
define(`confPID_FILE', `{dir}/pid')dnl
define(`STATUS_FILE', `{dir}/statistics')dnl
undefine(`ALIAS_FILE')dnl
define(`HELP_FILE', `/dev/null')dnl
define(`confSERVICE_SWITCH_FILE', `{dir}/switch')dnl
define(`confDONT_PROBE_INTERFACES', `True')dnl
define(`confCONTROL_SOCKET_NAME', `')dnl
define(`confTRUSTED_USER', `{user}')dnl
define(`confTRUSTED_USERS', `{user}')dnl
define(`confMIN_QUEUE_AGE', `0')dnl
define(`confREFUSE_LA', `10000')dnl
define(`confQUEUE_LA', `10000')dnl
define(`RELAY_MAILER_ARGS', `TCP $h {relay_port}')dnl
FEATURE(`no_default_msa')dnl
FEATURE(`nocanonify')dnl
FEATURE(`accept_unresolvable_domains')dnl
DAEMON_OPTIONS(`Port={port}, Addr=127.0.0.1, Name=MTA')dnl
{sesame}
MAILER(`smtp')dnl
{rules}"""


def instructions(milter_port):
    """conf/sendmail/sesame.mc as an administrator uses it: the port is ours, and the way to SES is made one."""
    text = (SOURCE / "conf/sendmail/sesame.mc").read_text(encoding="ascii")
    for pattern, instead in ((r"inet:8892@127\.0\.0\.1", f"inet:{milter_port}@127.0.0.1"),
                             (r"dnl (define\(`SMART_HOST', `\[)[\w.-]+(\]'\)dnl)", r"\g<1>127.0.0.1\g<2>")):
        text, count = re.subn(pattern, instead, text)
        if count != 1:
            raise RuntimeError(f"conf/sendmail/sesame.mc: {pattern} stands there {count} times")
    return text


def path_in(command):
    """The address between the angle brackets of MAIL or RCPT."""
    return re.search(r"<([^>]*)>", command).group(1)


class Sendmail:
    LISTING = "mailq -qQ"

    def __init__(self, directory, port, name, preload, milter_port, relay_port, relays, events):
        """`relays`: local part of a recipient -> host, for those that do not go through 127.0.0.1. `events`: gives
        what Sesame logged of each message; Sendmail tells nobody the queue id of one that it rejects."""
        self.directory = pathlib.Path(directory)
        self.port = port
        self.environment = {**os.environ, "LD_PRELOAD": preload, "SENDMAIL_TEST_HOSTNAME": name}
        self.process = None
        self.events = events
        rules = "".join(f"R {local} < @ $+ > $*\t\t$#relay $@ [{host}] $: {local} < @ $1 > $2\n"
                        for local, host in relays.items())
        self._write(name, milter_port, relay_port, f"LOCAL_RULE_0\n{rules}" if rules else "")

    def _write(self, name, milter_port, relay_port, rules):
        self.directory.mkdir(mode=0o755)
        (self.directory / "queue").mkdir(mode=0o700)
        (self.directory / "statistics").touch()
        (self.directory / "switch").write_text("hosts files\naliases files\n", encoding="ascii")
        mc = self.directory / "sendmail.mc"
        mc.write_text(MC.format(cf=CF, name=name, dir=self.directory, user=USER, relay_port=relay_port, port=self.port,
                                sesame=instructions(milter_port), rules=rules), encoding="ascii")
        made = subprocess.run([M4, f"-D_CF_DIR_={CF}/", str(mc)], check=True, capture_output=True, text=True)
        (self.directory / "sendmail.cf").write_text(made.stdout, encoding="ascii")
        owner = pwd.getpwnam(USER)
        for path in (self.directory, *self.directory.iterdir()):
            os.chown(path, owner.pw_uid, owner.pw_gid)

    def _command(self, *arguments):
        identity = ["setpriv", f"--reuid={USER}", "--regid=nogroup", "--clear-groups", "--no-new-privs"]
        return [*identity, str(PROGRAM), "-C", str(self.directory / "sendmail.cf"), *arguments]

    def command(self, *arguments):
        """Runs sendmail on this instance."""
        done = subprocess.run(self._command(*arguments), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=60, check=False, env=self.environment)
        if done.returncode:
            raise RuntimeError(f"sendmail {' '.join(arguments)}: {done.stdout}")
        return done.stdout

    def start(self):
        with open(self.directory / "out", "wb") as output:
            # A session of its own, whose processes end together.
            self.process = subprocess.Popen(self._command("-bD", "-q2s", "-X", str(self.directory / "traffic")),
                                            stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                            start_new_session=True, env=self.environment)

    def stop(self):
        if self.process and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()

    def traffic(self):
        """What was said to whom: (process, "<<<" or ">>>", line)."""
        path = self.directory / "traffic"
        text = path.read_text(errors="replace") if path.exists() else ""
        return re.findall(r"^(\d+) (<<<|>>>) (.*)$", text, re.MULTILINE)

    def log(self):
        out = (self.directory / "out").read_text(errors="replace")
        return out + "\n".join(" ".join(each) for each in self.traffic())

    def queue(self):
        """The quarantined messages as mailq shows them to people."""
        return self.command("-bp", "-qQ")

    def wait_idle(self, seconds):
        """Waits until nothing is left in the queue but what is quarantined. False when that does not come about."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if not [each for each in os.listdir(self.directory / "queue") if each.startswith(("qf", "tf", "xf"))]:
                return True
            time.sleep(0.2)
        return False

    def queue_id_of(self, reply, recipient):
        queued = re.search(r"(\w+) Message accepted for delivery", reply)
        if queued:
            return queued.group(1)
        found = [queue_id for queue_id, event in self.events().items()
                 if event["action"] == "reject" and recipient.split("@")[0] in event["mail_from"]]
        return found[0] if len(found) == 1 else ""

    def delivery_of(self, _queue_id, recipient):
        """By what was said to the next hop: the refusal, or the last reply."""
        traffic = self.traffic()
        sender, found = self._sender_to(recipient, traffic), None
        transactions = {}  # process -> its sender and recipients
        for process, direction, line in traffic:
            if direction == ">>>" and line.startswith("MAIL From:"):
                transactions[process] = (path_in(line), [])
            elif direction == ">>>" and line.startswith("RCPT To:") and process in transactions:
                transactions[process][1].append(path_in(line))
            elif direction == "<<<" and process in transactions:
                whose, recipients = transactions[process]
                if recipient in recipients or (not recipients and whose == sender and line.startswith("5")):
                    found = found if found and found[0] == "bounced" else (
                        "bounced" if line.startswith("5") else "sent", line)
        return found

    @staticmethod
    def _sender_to(recipient, traffic):
        """Who sent us a message to this recipient."""
        senders = {}
        for process, direction, line in traffic:
            if direction == "<<<" and line.lower().startswith("mail from:"):
                senders[process] = path_in(line)
            elif direction == "<<<" and line.lower().startswith("rcpt to:") and path_in(line) == recipient:
                return senders.get(process)
        return None

    def run_queue(self):
        self.command("-q")

    def is_held(self, queue_id):
        return queue_id in self.queue() and (self.directory / "queue" / f"hf{queue_id}").exists()

    def release(self, queue_id):
        """As an administrator lets a message go that was quarantined."""
        self.command("-qQ", f"-qI{queue_id}", "-Q")
        self.run_queue()


def missing():
    """Why Sendmail cannot be run here; "" when it can."""
    if os.geteuid() != 0:
        return "only root can run Sendmail as another user"
    for path in (PROGRAM, CF):
        if not path.exists():
            return f"there is no {path}: contrib/ensure-packages extract"
    if not os.path.exists(M4):
        return "the package m4 is not installed"
    if not shutil.which("setpriv"):
        return "there is no setpriv"
    done = subprocess.run(["ldd", str(PROGRAM)], capture_output=True, text=True, check=False)
    lacking = re.findall(r"(\S+) => not found", done.stdout)
    return f"Sendmail needs {', '.join(lacking)}" if lacking else ""
