#!/usr/bin/python3
"""The Debian package: what is in it, what Debian's own checkers say of it, and how its services are confined."""

import os
import pathlib
import re
import shutil
import stat
import subprocess
import tempfile
import unittest

DEB = pathlib.Path(os.environ.get("SESAME_DEB", "build/dev/tests/package/deb")).resolve()
SOURCE = pathlib.Path(os.environ.get("SESAME_SOURCE", pathlib.Path(__file__).resolve().parents[2]))
ROOT = DEB / "root"
CONTROL = DEB / "control"
SERVICES = ("sesame-milter.service", "sesame-sync.service")
EXPOSURE = 20  # tenths, of 100


def run(*command, **options):
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=100, check=False, **options)


def deb():
    return next(DEB.glob("sesame_*.deb"))


def field(name):
    return run("dpkg-deb", "-f", deb(), name).stdout.strip()


class Contents(unittest.TestCase):
    def test_everything_is_in_its_place(self):
        for name in ("usr/sbin/sesame-milter", "usr/bin/sesame", "lib/systemd/system/sesame-milter.service",
                     "lib/systemd/system/sesame-sync.service", "lib/systemd/system/sesame-sync.timer",
                     "lib/sysusers.d/sesame.conf", "lib/tmpfiles.d/sesame.conf", "etc/sesame/sesame.toml",
                     "etc/logrotate.d/sesame-milter", "usr/share/bash-completion/completions/sesame",
                     "usr/share/zsh/vendor-completions/_sesame", "usr/share/man/man1/sesame.1.gz",
                     "usr/share/man/man5/sesame.toml.5.gz", "usr/share/man/man8/sesame-milter.8.gz",
                     "usr/share/doc/sesame/copyright", "usr/share/doc/sesame/changelog.gz",
                     "usr/share/doc/sesame/changelog.Debian.gz"):
            here = ROOT / name
            self.assertTrue(here.is_file() or (ROOT / "usr" / name).is_file(), f"{name} is missing")

    def test_what_the_units_start_is_there(self):
        for service in SERVICES:
            programs = re.findall(r"^ExecStart=(\S+)", self.unit(service), re.MULTILINE)
            self.assertTrue(programs)
            for program in programs:
                self.assertTrue(os.access(ROOT / program.lstrip("/"), os.X_OK), program)
            self.assertIn(" --config /etc/sesame/sesame.toml", self.unit(service))

    def unit(self, name):
        found = list(ROOT.glob(f"**/systemd/system/{name}"))
        self.assertEqual(len(found), 1)
        return found[0].read_text()

    def test_conffiles_are_all_of_etc(self):
        named = (CONTROL / "conffiles").read_text().split()
        there = ["/" + path.relative_to(ROOT).as_posix() for path in ROOT.glob("etc/**/*") if path.is_file()]
        self.assertEqual(sorted(named), sorted(there))

    def test_everybody_may_read_it_and_only_root_may_write(self):
        for path in ROOT.glob("**/*"):
            mode = stat.S_IMODE(path.stat().st_mode)
            self.assertEqual(mode, 0o755 if path.is_dir() or mode & 0o100 else 0o644, path)

    def test_dependencies_are_those_of_the_programs(self):
        depends = field("Depends")
        for package in ("libmilter1.0.1", "libc-ares2", "libssl3", "libsqlite3-0", "publicsuffix", "systemd"):
            self.assertRegex(depends, rf"(^|[ ,|]){re.escape(package)}(\b|t64)")
        self.assertRegex(field("Recommends"), r"postfix \| sendmail")

    def test_the_changelog_is_of_this_version(self):
        first = (SOURCE / "contrib/packaging/debian/changelog").read_text().splitlines()[0]
        self.assertIn(f"({field('Version')})", first)


class Scripts(unittest.TestCase):
    def test_they_are_shell(self):
        for name in ("postinst", "prerm", "postrm"):
            done = run("sh", "-n", CONTROL / name)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertTrue(os.access(CONTROL / name, os.X_OK))

    def played(self, script, *arguments):
        """The commands that a script gives, where every program only says that it was called."""
        with tempfile.TemporaryDirectory() as directory:
            bin_ = pathlib.Path(directory, "bin")
            bin_.mkdir()
            log = pathlib.Path(directory, "log")
            for name in ("systemd-sysusers", "systemd-tmpfiles", "deb-systemd-helper", "deb-systemd-invoke", "systemctl",
                         "install", "rm", "getent", "userdel", "sesame"):
                program = bin_ / name
                program.write_text(f'#!/bin/sh\necho "{name} $*" >> {log}\n')
                program.chmod(0o755)
            done = run("/bin/sh", CONTROL / script, *arguments, env={"PATH": str(bin_)})
            self.assertEqual(done.returncode, 0, done.stderr)
            return log.read_text() if log.exists() else ""

    def test_installing_makes_the_user_and_enables_the_service(self):
        told = self.played("postinst", "configure")
        self.assertIn("systemd-sysusers sesame.conf\n", told)
        self.assertIn("deb-systemd-helper enable sesame-milter.service\n", told)
        self.assertNotIn("enable sesame-sync.timer", told)

    def test_an_upgrade_removes_nothing(self):
        for script in ("prerm", "postrm"):
            self.assertEqual(self.played(script, "upgrade", "0.2.0-1"), "")

    def test_removing_keeps_data_and_purging_does_not(self):
        self.assertNotIn("rm ", self.played("postrm", "remove"))
        told = self.played("postrm", "purge")
        for directory in ("/etc/sesame", "/var/lib/sesame", "/var/log/sesame"):
            self.assertRegex(told, rf"rm -rf.* {directory}( |$)")
        self.assertIn("userdel sesame\n", told)


class Checkers(unittest.TestCase):
    @unittest.skipUnless(shutil.which("lintian"), "lintian is not installed")
    def test_lintian_has_neither_errors_nor_warnings(self):
        done = run("lintian", "--allow-root", "--no-cfg", "--fail-on", "error,warning", deb())
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    @unittest.skipUnless(shutil.which("systemd-analyze"), "systemd is not installed")
    def test_the_services_are_confined(self):
        for service in SERVICES:
            unit = next(ROOT.glob(f"**/systemd/system/{service}"))
            done = run("systemd-analyze", "security", "--offline=true", f"--threshold={EXPOSURE}", "--no-pager", unit)
            self.assertEqual(done.returncode, 0, done.stdout[-200:] + done.stderr)
            self.assertRegex(done.stdout, r"Overall exposure level")

    @unittest.skipUnless(shutil.which("systemd-analyze"), "systemd is not installed")
    def test_the_units_are_understood(self):
        units = [str(path) for path in ROOT.glob("**/systemd/system/*.*")]
        done = run("systemd-analyze", "verify", "--man=no", *units)
        # The programs are not installed here.
        wrong = [line for line in done.stderr.splitlines() if "sesame" in line and "is not executable" not in line]
        self.assertEqual(wrong, [])


if __name__ == "__main__":
    unittest.main()
