"""Runs a test program beside a private PostgreSQL, as ctest calls it: run.py PROGRAM [ARGUMENT ...]. Where the socket
is, is told in SESAME_POSTGRES_DIRECTORY, and in SESAME_POSTGRES_CTL the command that stops and starts the server.
Status 77 means skipped, with the reason."""

import os
import pathlib
import shlex
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
import postgres  # noqa: E402

SKIPPED = 77


def main():
    with postgres.cluster() as server:
        if server is None:
            print("skipped: PostgreSQL is not installed")
            return SKIPPED
        environment = {**os.environ, "SESAME_POSTGRES_DIRECTORY": str(server.directory),
                       "SESAME_POSTGRES_CTL": shlex.join(server.pg_ctl())}
        return subprocess.run(sys.argv[1:], env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
