#!/usr/bin/python3
"""`sesame setup` on private configurations of Postfix and Sendmail: what it shows, makes and takes back."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

from harness import SOURCE, sesame
from ports import free_port

sys.path.append(str(SOURCE / "tests" / "e2e"))
import postfix  # noqa: E402: found on the path above

HERE = "inet:127.0.0.1:8892"
KEYS = ("smtpd_milters", "non_smtpd_milters", "milter_default_action", "milter_command_timeout", "milter_content_timeout")
SMTPD_CHROOTED = "submission inet n - y - - smtpd\n"
SENDMAIL_MC = """divert(-1)dnl
divert(0)dnl
OSTYPE(`debian')dnl
FEATURE(`no_default_msa')dnl
MAILER_DEFINITIONS
MAILER(`local')dnl
MAILER(`smtp')dnl
"""


class SetupTest(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="sesame-setup-")
        self.addCleanup(directory.cleanup)
        self.base = pathlib.Path(directory.name)
        self.base.chmod(0o755)
        self.toml = self.base / "sesame.toml"
        self.toml.write_text("")

    def setup_mta(self, mta, directory, *arguments, status=0):
        done = sesame("setup", mta, "--config", self.toml, "--directory", directory, *arguments)
        output = done.stdout.decode() + done.stderr.decode()
        self.assertEqual(done.returncode, status, output)
        return output


@unittest.skipIf(postfix.missing(), postfix.missing())
class Postfix(SetupTest):
    def setUp(self):
        super().setUp()
        self.mta = postfix.Postfix(self.base / "postfix", free_port(), {})
        self.main = self.mta.conf / "main.cf"
        self.state = self.mta.conf / "sesame-setup.json"
        lines = self.main.read_text().splitlines(keepends=True)
        self.main.write_text("".join(line for line in lines if not line.startswith("milter_")))
        self.before = self.main.read_text()

    def run_setup(self, *arguments, status=0):
        return self.setup_mta("postfix", self.mta.conf, *arguments, status=status)

    def postconf(self, *arguments):
        return self.mta.command("postconf", *arguments).strip()

    def values(self):
        return dict(zip(KEYS, self.postconf("-h", *KEYS).split("\n")))

    def test_it_shows_and_changes_nothing(self):
        shown = self.run_setup()
        self.assertIn(f"-smtpd_milters = \n+smtpd_milters = {HERE}\n", shown)
        self.assertIn("-milter_default_action = tempfail\n+milter_default_action = accept\n", shown)
        self.assertIn("--apply", shown)
        self.assertEqual(self.main.read_text(), self.before)
        self.assertFalse(self.state.exists())

    def test_it_applies_once_and_reverts_to_the_same_file(self):
        self.assertIn("done: Postfix does not run", self.run_setup("--apply"))
        values = self.values()
        self.assertEqual(values["smtpd_milters"], HERE)
        self.assertEqual(values["non_smtpd_milters"], HERE)
        self.assertEqual(values["milter_default_action"], "accept")
        after, state = self.main.read_text(), self.state.read_text()
        self.assertIn("nothing to change", self.run_setup("--apply"))
        self.assertIn("nothing to change", self.run_setup())
        self.assertEqual((self.main.read_text(), self.state.read_text()), (after, state))
        self.run_setup("--revert")
        self.assertEqual(self.main.read_text(), self.before)
        self.assertFalse(self.state.exists())
        self.assertIn("changed nothing here", self.run_setup("--revert"))

    def test_what_was_there_stays(self):
        self.postconf("-e", "smtpd_milters = inet:localhost:8891, unix:opendmarc/opendmarc.sock",
                      "non_smtpd_milters = inet:localhost:8891", "milter_default_action = tempfail")
        before = self.main.read_text()
        shown = self.run_setup("--apply")
        self.assertIn("note: inet:localhost:8891: if that is opendkim", shown)
        self.assertIn("note: unix:opendmarc/opendmarc.sock: opendmarc and Sesame", shown)
        values = self.values()
        ours = f"{{ {HERE}, default_action=accept }}"
        self.assertEqual(values["smtpd_milters"], f"inet:localhost:8891, unix:opendmarc/opendmarc.sock, {ours}")
        self.assertEqual(values["non_smtpd_milters"], f"inet:localhost:8891, {ours}")
        # It is theirs, too.
        self.assertEqual(values["milter_default_action"], "tempfail")
        self.assertIn("nothing to change", self.run_setup())
        self.run_setup("--revert")
        self.assertEqual(self.main.read_text(), before)

    def test_a_reference_to_the_other_list_is_enough(self):
        self.postconf("-e", "non_smtpd_milters = $smtpd_milters")
        self.run_setup("--apply")
        self.assertEqual(self.values()["non_smtpd_milters"], "$smtpd_milters")

    def test_sesame_by_hand_is_recognized(self):
        self.postconf("-e", "smtpd_milters = inet:localhost:8892", "non_smtpd_milters = $smtpd_milters",
                      "milter_default_action = accept")
        self.assertIn("nothing to change", self.run_setup())

    def test_postfix_waits_longer_than_sesame(self):
        self.toml.write_text("[dns]\nbudget = 25\n")
        self.postconf("-e", "milter_command_timeout = 1s")
        self.run_setup("--apply")
        self.assertEqual(self.values()["milter_command_timeout"], "35s")
        self.assertEqual(self.values()["milter_content_timeout"], "300s")

    def test_what_somebody_changed_is_not_reverted(self):
        self.run_setup("--apply")
        self.postconf("-e", f"smtpd_milters = {HERE}, inet:127.0.0.1:11332")
        changed = self.main.read_text()
        told = self.run_setup("--revert", status=2)
        self.assertIn("smtpd_milters was changed since setup made it", told)
        self.assertIn("postconf -e 'smtpd_milters = inet:127.0.0.1:11332'", told)
        self.assertEqual(self.main.read_text(), changed)
        # As it was told to do.
        self.postconf("-e", "smtpd_milters = inet:127.0.0.1:11332")
        self.run_setup("--revert")
        self.assertEqual(self.values()["smtpd_milters"], "inet:127.0.0.1:11332")
        self.assertEqual(self.values()["milter_default_action"], "tempfail")

    def test_another_socket_replaces_the_one_before(self):
        self.run_setup("--apply")
        self.toml.write_text('[milter]\nsocket = "inet6:8899@::1"\n')
        self.run_setup("--apply")
        self.assertEqual(self.values()["smtpd_milters"], "inet:[::1]:8899")
        self.run_setup("--revert")
        self.assertEqual(self.main.read_text(), self.before)

    def test_a_unix_socket_must_be_seen_from_the_chroot(self):
        with (self.mta.conf / "master.cf").open("a") as master:
            master.write(SMTPD_CHROOTED)
        self.toml.write_text('[milter]\nsocket = "unix:/run/sesame/sesame.sock"\n')
        told = self.run_setup("--apply", status=2)
        self.assertIn("submission/inet of Postfix runs in the chroot", told)
        self.assertEqual(self.main.read_text(), self.before)
        self.toml.write_text(f'[milter]\nsocket = "unix:{self.mta.directory}/queue/sesame/sesame.sock"\n')
        self.assertIn("adduser postfix sesame", self.run_setup("--apply"))
        self.assertEqual(self.values()["smtpd_milters"], "unix:sesame/sesame.sock")

    def test_without_a_chroot_a_unix_socket_may_be_anywhere(self):
        self.toml.write_text('[milter]\nsocket = "unix:/run/sesame/sesame.sock"\n')
        self.run_setup("--apply")
        self.assertEqual(self.values()["smtpd_milters"], "unix:/run/sesame/sesame.sock")

    def test_services_with_lists_of_their_own_are_named(self):
        with (self.mta.conf / "master.cf").open("a") as master:
            master.write("submission inet n - n - - smtpd\n  -o smtpd_milters=inet:127.0.0.1:9999\n")
        self.assertIn("master.cf: submission/inet/smtpd_milters", self.run_setup())

    def test_a_running_postfix_is_told(self):
        self.mta.start()
        self.addCleanup(self.mta.stop)
        self.assertIn("done: Postfix was reloaded", self.run_setup("--apply"))
        self.assertIn("reload", self.mta.log())

    def test_a_failed_check_leaves_everything_as_it_was(self):
        self.postconf("-e", f"queue_directory = {self.base}/none")
        self.before = self.main.read_text()
        self.assertIn("main.cf is as it was", self.run_setup("--apply", status=2))
        self.assertEqual(self.main.read_text(), self.before)
        self.assertFalse(self.state.exists())

    def test_a_damaged_state_is_told(self):
        self.state.write_text("{")
        self.assertIn("is damaged", self.run_setup("--revert", status=2))

    def test_only_who_may_write_applies(self):
        os.chmod(self.base, 0o755)
        binary = self.base / "sesame"
        shutil.copy(os.path.join(os.environ.get("SESAME_BIN", "build/dev/bin"), "sesame"), binary)
        self.toml.chmod(0o644)
        done = subprocess.run([binary, "setup", "postfix", "--config", self.toml, "--directory", self.mta.conf, "--apply"],
                              user="nobody", group="nogroup", extra_groups=[], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 2, done.stdout)
        self.assertIn("be root to do this", done.stderr)


class Sendmail(SetupTest):
    def setUp(self):
        super().setUp()
        self.mail = self.base / "mail"
        self.mail.mkdir()
        self.mc = self.mail / "sendmail.mc"
        self.mc.write_text(SENDMAIL_MC)
        self.mc.chmod(0o644)

    def run_setup(self, *arguments, status=0):
        return self.setup_mta("sendmail", self.mail, *arguments, status=status)

    def test_it_shows_and_changes_nothing(self):
        shown = self.run_setup()
        self.assertIn("+INPUT_MAIL_FILTER(`sesame', `S=inet:8892@127.0.0.1, T=C:10s;S:30s;R:30s;E:60s')dnl\n", shown)
        self.assertEqual(self.mc.read_text(), SENDMAIL_MC)

    def test_it_applies_once_and_reverts_to_the_same_file(self):
        self.assertIn("m4", self.run_setup("--apply"))
        text = self.mc.read_text()
        block = text[text.index("dnl begin sesame"):text.index("MAILER_DEFINITIONS")]
        self.assertTrue(block.endswith("\ndnl end sesame\n"))
        self.assertIn("define(`confMILTER_MACROS_ENVFROM'", block)
        self.assertEqual(self.mc.stat().st_mode & 0o777, 0o644)
        self.assertIn("nothing to change", self.run_setup("--apply"))
        self.assertEqual(self.mc.read_text(), text)
        self.run_setup("--revert")
        self.assertEqual(self.mc.read_text(), SENDMAIL_MC)
        self.assertEqual([path.name for path in self.mail.iterdir()], ["sendmail.mc"])
        self.assertIn("no lines of setup", self.run_setup("--revert"))

    def test_new_settings_replace_the_block_in_its_place(self):
        self.run_setup("--apply")
        self.toml.write_text('[milter]\nsocket = "unix:/run/sesame/sesame.sock"\n[dns]\nbudget = 25\n')
        self.run_setup("--apply")
        text = self.mc.read_text()
        self.assertIn("`S=unix:/run/sesame/sesame.sock, T=C:10s;S:35s;R:35s;E:70s'", text)
        self.assertEqual(text.count("dnl begin sesame"), 1)

    def test_macros_of_the_file_stay(self):
        self.mc.write_text("define(`confMILTER_MACROS_CONNECT', `j, _')dnl\n" + SENDMAIL_MC)
        self.assertIn("note: confMILTER_MACROS_CONNECT is defined already", self.run_setup("--apply"))
        self.assertEqual(self.mc.read_text().count("confMILTER_MACROS_CONNECT"), 1)

    def test_lines_changed_by_hand_are_not_touched(self):
        self.run_setup("--apply")
        changed = self.mc.read_text().replace("R:30s", "R:99s")
        self.mc.write_text(changed)
        for action in ("--apply", "--revert"):
            self.assertIn("not as setup made them", self.run_setup(action, status=2))
        self.assertEqual(self.mc.read_text(), changed)

    @unittest.skipUnless(shutil.which("make"), "make is not installed")
    def test_it_builds_sendmail_cf(self):
        makefile = self.mail / "Makefile"
        makefile.write_text("sendmail.cf: sendmail.mc\n\tcp sendmail.mc sendmail.cf\n")
        self.assertIn("sendmail.cf was built", self.run_setup("--apply"))
        self.assertIn("sesame", (self.mail / "sendmail.cf").read_text())
        self.run_setup("--revert")
        makefile.write_text("sendmail.cf: sendmail.mc\n\tfalse\n")
        os.utime(self.mc)
        self.assertIn("is as it was", self.run_setup("--apply", status=2))
        self.assertEqual(self.mc.read_text(), SENDMAIL_MC)
        self.assertFalse((self.mail / "sesame-setup.json").exists())

    def test_no_sendmail_is_told(self):
        self.mc.unlink()
        self.assertIn("there is no Sendmail here", self.run_setup(status=2))


class Nowhere(SetupTest):
    def test_no_postfix_is_told(self):
        if os.path.exists("/usr/sbin/postconf"):
            self.skipTest("Postfix is installed")
        self.assertIn("there is no Postfix here", self.setup_mta("postfix", self.base, status=2))

    def test_a_directory_without_postfix_is_told(self):
        if not os.path.exists("/usr/sbin/postconf"):
            self.skipTest("Postfix is not installed")
        self.assertIn("failed with status", self.setup_mta("postfix", self.base / "none", status=2))

    def test_other_mtas_are_not_known(self):
        self.assertEqual(sesame("setup", "exim").returncode, 2)


if __name__ == "__main__":
    unittest.main()
