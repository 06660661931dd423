"""A private PostgreSQL: a cluster in a directory of its own, on a Unix socket there and nowhere else. PostgreSQL does not
run as root: root's is nobody's."""

import contextlib
import glob
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import tempfile

USER = "nobody"


def directory_of_programs():
    """Of the newest version; None where there is none."""
    found = glob.glob("/usr/lib/postgresql/*/bin/postgres")
    newest = max(found, key=lambda path: int(path.split("/")[4]), default=None)
    return os.path.dirname(newest) if newest else None


class Cluster:
    """Made by cluster()."""

    def __init__(self, directory, programs):
        self.directory, self.programs = pathlib.Path(directory), programs
        self.data, self.log = self.directory / "data", self.directory / "log"
        self.user = USER if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name

    def command(self, program, *words):
        become = ["runuser", "-u", self.user, "--"] if os.geteuid() == 0 else []
        return become + [os.path.join(self.programs, program), *map(str, words)]

    def run(self, program, *words):
        # The server must not hold on to what reads our output: it goes to a file.
        with open(self.directory / "output", "w+", encoding="utf-8") as output:
            done = subprocess.run(self.command(program, *words), stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                  cwd=self.directory, check=False)
            output.seek(0)
            if done.returncode:
                raise RuntimeError(f"{program}: {output.read()}")

    def make(self, encoding="UTF8"):
        self.run("initdb", "-N", "-A", "trust", "-U", "sesame", "-E", encoding, "--locale=C", "-D", self.data)
        with open(self.data / "postgresql.conf", "a", encoding="ascii") as settings:
            settings.write(f"listen_addresses = ''\nunix_socket_directories = '{self.directory}'\nfsync = off\n"
                           "shared_buffers = 16MB\nmax_connections = 40\nautovacuum = off\n")

    def pg_ctl(self, *words):
        """The command line, for who runs it himself."""
        return self.command("pg_ctl", "-D", self.data, "-l", self.log, "-w", "-t", 60, *words)

    def start(self):
        subprocess.run(self.pg_ctl("start"), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, cwd=self.directory, check=True)

    def stop(self, mode="immediate"):
        subprocess.run(self.pg_ctl("stop", "-m", mode), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, cwd=self.directory, check=False)

    def url(self, database="postgres"):
        return f"postgresql://sesame@/{database}?host={self.directory}"

    def ask(self, sql, database="postgres"):
        """Rows as lists of texts."""
        words = ["-h", str(self.directory), "-U", "sesame", "-d", database, "-X", "-A", "-t", "-F", "\t", "-c", sql]
        done = subprocess.run([os.path.join(self.programs, "psql"), *words], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, check=True)
        return [line.split("\t") for line in done.stdout.splitlines()]


@contextlib.contextmanager
def cluster(encoding="UTF8"):
    """One that runs, until the end. None where PostgreSQL is not installed."""
    programs = directory_of_programs()
    if not programs:
        yield None
        return
    # The path of a socket has to be short.
    directory = tempfile.mkdtemp(prefix="sesame-pg-", dir="/tmp")
    made = Cluster(directory, programs)
    try:
        shutil.chown(directory, made.user)
        os.chmod(directory, 0o755)
        made.make(encoding)
        made.start()
        yield made
    finally:
        pid = made.data / "postmaster.pid"
        if pid.exists():
            number = int(pid.read_text(encoding="ascii").split()[0])
            made.stop()
            # What was stopped by a signal does not end by another.
            with contextlib.suppress(ProcessLookupError):
                os.kill(number, signal.SIGCONT)
        shutil.rmtree(directory, ignore_errors=True)
