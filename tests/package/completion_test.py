#!/usr/bin/python3
"""The shells' completion knows what the command knows: every subcommand, option, MTA and finding, and no other."""

import os
import pathlib
import re
import shutil
import subprocess
import unittest

BIN = pathlib.Path(os.environ.get("SESAME_BIN", "build/dev/bin")).resolve()
SOURCE = pathlib.Path(os.environ.get("SESAME_SOURCE", pathlib.Path(__file__).resolve().parents[2]))
BASH = SOURCE / "conf/completion/sesame.bash"
ZSH = SOURCE / "conf/completion/_sesame"
# Completes its arguments, as the shell would with the cursor behind the last.
COMPLETE = 'source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _sesame; printf "%s\\n" "${COMPREPLY[@]}"'


def run(*command):
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=60, check=True).stdout


def help_of(*subcommand):
    return run(BIN / "sesame", *subcommand, "--help")


def subcommands(*parent):
    return re.findall(r"^  ([a-z]+) ", help_of(*parent).partition("\nSubcommands:\n")[2].partition("\n\n")[0], re.MULTILINE)


def options(*subcommand):
    """The long options of a subcommand, with those of the command it belongs to."""
    listed = help_of(*subcommand).partition("\nOptions:\n")[2].partition("\n\n")[0]
    found = set(re.findall(r"^  (?:-\w,)?(--[a-z-]+)", listed, re.MULTILINE))
    return found | ({"--config"} if subcommand[:1] == ("config",) else set()) | {"--dns"}


def complete(*words):
    return {word for word in run("bash", "-c", COMPLETE, BASH, "sesame", *words).split("\n") if word}


def commands():
    for name in subcommands():
        below = subcommands(name)
        yield from [(name, each) for each in below] or [(name,)]


def codes():
    return set(re.findall(r"^## ([a-z0-9-]+)$", (SOURCE / "contrib/doc/findings.md").read_text(), re.MULTILINE))


class Bash(unittest.TestCase):
    def test_it_knows_the_subcommands(self):
        self.assertEqual(complete(""), set(subcommands()))
        for name in subcommands():
            if subcommands(name):
                self.assertEqual(complete(name, ""), set(subcommands(name)))

    def test_it_knows_the_options_and_no_other(self):
        self.assertEqual(complete("--"), options())
        for command in commands():
            self.assertEqual(complete(*command, "--"), options(*command), command)

    def test_it_knows_the_findings(self):
        self.assertEqual(complete("explain", ""), codes())
        self.assertEqual(complete("tail", "--code", ""), codes())

    def test_it_knows_the_mtas(self):
        self.assertEqual(complete("setup", "--config", "x", ""), {"postfix", "sendmail"})

    def test_it_knows_files(self):
        self.assertIn(str(BASH), complete("preflight", str(BASH.parent) + "/"))
        self.assertIn(str(BASH), complete("config", "--config", str(BASH.parent) + "/"))

    def test_it_knows_words(self):
        self.assertEqual(complete("report", "--direction", ""), {"outbound", "inbound"})
        self.assertEqual(complete("policy", "simulate", "--fail", "h"), {"hold"})
        self.assertEqual(complete("report", "--most", ""), set())


class Zsh(unittest.TestCase):
    def setUp(self):
        self.text = ZSH.read_text()

    @unittest.skipUnless(shutil.which("zsh"), "zsh is not installed")
    def test_it_is_zsh(self):
        run("zsh", "-n", ZSH)

    def test_it_knows_the_subcommands(self):
        self.assertEqual(set(re.search(r"'1:command:\(([a-z ]+)\)'", self.text).group(1).split()), set(subcommands()))

    def test_it_knows_the_options_and_no_other(self):
        groups = {name: set(re.findall(r"--[a-z][a-z-]+", body))
                  for name, body in re.findall(r"^  (common|session|asked|times)=\((.*?)\)\n", self.text, re.MULTILINE | re.DOTALL)}
        for name in subcommands():
            body = re.search(rf"^    {name}\)(.*?);;$", self.text, re.MULTILINE | re.DOTALL).group(1)
            found = set(re.findall(r"--[a-z][a-z-]+", body)).union(*(groups[each] for each in re.findall(r"\$(\w+)", body) if each in groups))
            wanted = options(name).union(*(options(name, each) for each in subcommands(name)))
            self.assertEqual(found, wanted, name)

    def test_it_knows_the_findings(self):
        self.assertEqual(set(re.search(r"codes=\((.*?)\)", self.text, re.DOTALL).group(1).split()), codes())


if __name__ == "__main__":
    unittest.main()
