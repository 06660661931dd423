"""Rules of the house that a compiler does not check. `lint.py RULE [ROOT]` prints each fault as FILE:LINE: what and
why, and fails when there is one; `lint.py self-test RULE` plants a fault and fails unless the rule finds it."""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

SKIPPED = 77
SOURCE = pathlib.Path(__file__).resolve().parents[2]
INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]', re.MULTILINE)

# Who alone may include a library: prefix of the header -> what the including file's path must match.
WALLS = {
    "openssl/": r"lib/crypto/",
    "ares.h": r"lib/dns/channel\.",
    "ares_": r"lib/dns/cares_upstream\.",
    "libmilter/": r"milter/(callbacks|channel|sessions|steps)\.",
    "libpsl.h": r"lib/dmarc/",
    "idn2.h": r"lib/mail/",
    "curl/": r"lib/http/http\.",
    "toml++/": r"lib/config/",
    "sqlite3.h": r"lib/sqlite/",
    "libpq-fe.h": r"lib/history/postgres[^/]*$",
    "httplib.h": r"milter/status[^/]*$",
    "prometheus/": r"milter/metrics[^/]*$",
    "CLI/": r"(cli|milter|tests)/",
    "spdlog/": r"milter/",
}
STANDARDS = ("spf", "dkim", "arc", "dmarc", "authres", "mail")
# Assembled here, so that this file does not hold what it looks for.
FORBIDDEN = [
    ("/" + "work/", "a path of somebody's machine"),
    ("/" + "home/", "a path of somebody's machine"),
    ("knowledge" + "/", "a note that is not part of the product"),
    (r"registry\." + "npmjs", "a package registry"),
    ("pypi" + r"\.org", "a package registry"),
    ("artifact" + "ory", "a package registry"),
    (r"\bTO" + r"DO\b|\bFIX" + r"ME\b|\bX" + r"XX\b", "unfinished work; write an issue instead"),
    ("BEGIN (RSA |EC |OPENSSH )?PRIVATE " + "KEY", "a private key"),
]
# No source of ours includes or names these, yet what does needs them.
INDIRECT = {
    "g++": "the compiler",
    "mandoc": "this program: manual pages",
    "git": "this program: what is tracked",
    "ninja-build": "CMakePresets.json: the generator",
    "pkg-config": "contrib/cmake: pkg_check_modules",
    "publicsuffix": "libpsl: the list itself",
    "file": "cpack: which files are programs",
    "python3": "tests: the interpreter",
    "libnsl2": "sendmail-bin: a library",
    "libwrap0": "sendmail-bin: a library",
    "python3-nacl": "python3-dkim: ed25519",
}
# Package -> a word that tells that it is used.
EVIDENCE = {
    "chromium": r'"chromium"',
    "chromium-driver": r'"chromedriver"',
    "cmake": r"\bcmake\b",
    "libmilter-dev": r"libmilter/",
    "libssl-dev": r"openssl/",
    "libc-ares-dev": r"\bares\.h",
    "libspdlog-dev": r"spdlog/",
    "libfmt-dev": r"fmt/",
    "libexpected-dev": r"tl/expected",
    "libtomlplusplus-dev": r"toml\+\+/",
    "libcli11-dev": r"CLI/CLI",
    "nlohmann-json3-dev": r"nlohmann/",
    "libcurl4-openssl-dev": r"curl/curl\.h",
    "libidn2-dev": r"idn2\.h",
    "libsqlite3-dev": r"sqlite3\.h",
    "libpq-dev": r"libpq",
    "zlib1g-dev": r"find_package\(ZLIB",
    "prometheus-cpp-dev": r"prometheus/",
    "libcpp-httplib-dev": r"httplib\.h",
    "libpsl-dev": r"libpsl\.h",
    "libbenchmark-dev": r"find_package\(benchmark",
    "libgtest-dev": r"gtest/",
    "libgmock-dev": r"gmock/",
    "opendkim": r"/usr/sbin/opendkim",
    "opendmarc": r"/usr/sbin/opendmarc",
    "openssl": r'"openssl"',
    "postfix": r"/usr/lib/postfix",
    "m4": r"/usr/bin/m4",
    "sendmail-bin": r"libexec/sendmail",
    "sendmail-cf": r"share/sendmail/cf",
    "postgresql": r"/usr/lib/postgresql",
    "libmail-dkim-perl": r"use Mail::DKIM",
    "libmail-spf-perl": r"use Mail::SPF",
    "prometheus": r"promtool",
    "python3-aiosmtpd": r"aiosmtpd",
    "python3-authres": r"import authres",
    "python3-botocore": r"import botocore",
    "python3-cryptography": r"from cryptography",
    "python3-dkim": r"import dkim",
    "python3-dnspython": r"import dns\.",
    "python3-jsonschema": r"import jsonschema",
    "python3-matplotlib": r"import matplotlib",
    "python3-selenium": r"from selenium",
    "python3-spf": r"import spf",
    "python3-yaml": r"import yaml",
    "rspamd": r"/usr/bin/rspamd",
    "valgrind": r'"valgrind"',
    "iproute2": r"\bip link",
    "dpkg-dev": r"PACKAGE_SHLIBDEPS",
    "lintian": r'"lintian"',
    "systemd": r'"systemd-analyze"',
    "zsh": r'"zsh"',
}


class Skipped(Exception):
    """What a rule needs is not here."""


class Tree:
    def __init__(self, root):
        self.root = pathlib.Path(root)

    def files(self, *patterns):
        found = {path for pattern in patterns for path in self.root.glob(pattern) if path.is_file()}
        return sorted(path for path in found if "build" not in path.relative_to(self.root).parts[:1])

    def tracked(self):
        """What git knows, or all there is where there is no git (a release tarball)."""
        done = subprocess.run(["git", "-C", str(self.root), "ls-files", "-z"], capture_output=True, text=True)
        if done.returncode == 0 and done.stdout:
            return [self.root / name for name in done.stdout.split("\0") if name and (self.root / name).is_file()]
        return self.files("**/*", ".ci/*")

    def name(self, path):
        return path.relative_to(self.root).as_posix()


def text_of(path):
    return path.read_text(encoding="utf-8", errors="replace")


def line_of(text, position):
    return text.count("\n", 0, position) + 1


def layers(tree):
    """The layer table: folder -> the folders it may use, from the CMake declarations."""
    table = {}
    for path in tree.files("lib/*/CMakeLists.txt", "milter/CMakeLists.txt", "cli/CMakeLists.txt"):
        declared = r"sesame_(?:library|program)\([^)]*?\bUSES\s+([^)]*?)(?:\bLINKS\b|\))"
        uses = re.search(declared, text_of(path))
        table[path.parent.name] = set(uses.group(1).split()) if uses else set()
    return table


def closure(table, folder):
    reached, open_ends = set(), [folder]
    while open_ends:
        for each in table.get(open_ends.pop(), ()):
            if each not in reached:
                reached.add(each)
                open_ends.append(each)
    return reached


def sources(tree):
    return tree.files("lib/*/*.h", "lib/*/*.cc", "milter/*.h", "milter/*.cc", "cli/*.h", "cli/*.cc")


def rule_layers(tree):
    """A folder includes only what its CMakeLists.txt says it uses, and no two folders use each other."""
    table = layers(tree)
    for folder in table:
        if folder in closure(table, folder):
            yield f"lib/{folder}/CMakeLists.txt:1: {folder} uses itself in a circle"
    for path in sources(tree):
        own, text = path.parent.name, text_of(path)
        for match in INCLUDE.finditer(text):
            layer = match.group(2).split("/")[0]
            if match.group(1) == '"' and layer in table and layer != own and layer not in table[own]:
                yield f"{tree.name(path)}:{line_of(text, match.start())}: {own} does not declare that it uses {layer}"


def rule_walls(tree):
    """Each outside library is included behind one wall."""
    for path in sources(tree):
        name, text = tree.name(path), text_of(path)
        for match in INCLUDE.finditer(text):
            for prefix, allowed in WALLS.items():
                if match.group(2).startswith(prefix) and not re.match(allowed, name):
                    yield f"{name}:{line_of(text, match.start())}: {match.group(2)} may be included by {allowed} only"


def requirements_of(text):
    """The rows of tables that begin with the column Requirement: (line number, {column: cell})."""
    columns = None
    for number, line in enumerate(text.splitlines(), 1):
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if not cells:
            columns = None
        elif cells[0] == "Requirement":
            columns = cells
        elif columns and set(line) - set("|-: "):
            yield number, dict(zip(columns, cells))


def faults_of_requirement(row, identifiers, tests):
    state = row.get("State", "")
    if not re.match(r"(yes|partial: \S|no: \S)", state):
        yield f"the state is {state!r}, neither yes nor 'partial: why' nor 'no: why'"
    if not row.get("Case") and not state.startswith("no"):
        yield "no case shows it"
    for name in re.findall(r"\b[A-Z]\w+\.[A-Z]\w+\b", row.get("Case", "")):
        if name not in tests:
            yield f"there is no test {name}"
    for name in re.findall(r"`([A-Za-z_][\w:]*)(?:\(\))?`", row.get("Function", "")):
        if name.split("::")[-1] not in identifiers:
            yield f"there is no function {name}"


def rule_requirements(tree):
    """The README of each standard's folder is there; files, functions and tests that its table names exist."""
    code = "\n".join(text_of(path) for path in sources(tree))
    identifiers = set(re.findall(r"\b[A-Za-z_]\w*\b", code))
    cases = "\n".join(text_of(path) for path in tree.files("tests/**/*.cc"))
    tests = {".".join(found) for found in re.findall(r"^TEST(?:_F|_P)?\((\w+), (\w+)\)", cases, re.MULTILINE)}
    for standard in STANDARDS:
        if not any(tree.files(f"lib/{standard}/*.cc")):
            continue
        readme = tree.root / "lib" / standard / "README.md"
        if not readme.exists():
            yield f"lib/{standard}/README.md:1: is missing"
            continue
        text = text_of(readme)
        rows = list(requirements_of(text))
        if not rows:
            yield f"lib/{standard}/README.md:1: has no table of requirements"
        for number, row in rows:
            yield from (f"lib/{standard}/README.md:{number}: {what}"
                        for what in faults_of_requirement(row, identifiers, tests))
        for match in re.finditer(r"[\w./-]+\.(?:cc|h|yml|json|toml|py)\b", text):
            name = match.group(0)
            places = [readme.parent, tree.root, tree.root / "tests", *tree.root.glob("lib/*"), *tree.root.glob("tests/*")]
            if name.startswith("../") or any((place / name).exists() for place in places):
                continue
            yield f"lib/{standard}/README.md:{line_of(text, match.start())}: {name} does not exist"


def rule_words(tree):
    """Nothing that does not belong into the product: foreign paths, registries, unfinished work, keys."""
    for path in tree.tracked():
        text = text_of(path)
        for pattern, what in FORBIDDEN:
            for match in re.finditer(pattern, text):
                yield f"{tree.name(path)}:{line_of(text, match.start())}: {match.group(0)!r} is {what}"


def rule_packages(tree):
    """Every package in contrib/packages is used by something, and known here."""
    listed = re.findall(r"^(\w+) (\S+)$", text_of(tree.root / "contrib/packages"), re.MULTILINE)
    kinds = ("**/*.cc", "**/*.h", "**/*.py", "**/*.pl", "**/CMakeLists.txt", "contrib/*", "**/*.cmake")
    own = ("contrib/packages", "tests/lint/lint.py")
    everything = "\n".join(text_of(path) for path in tree.files(*kinds) if tree.name(path) not in own)
    for _, package in listed:
        if package in INDIRECT:
            continue
        if package not in EVIDENCE:
            yield f"contrib/packages:1: {package}: say in tests/lint/lint.py what uses it"
        elif not re.search(EVIDENCE[package], everything):
            yield f"contrib/packages:1: {package}: nothing uses it"
    names = [package for _, package in listed]
    for package in sorted({each for each in names if names.count(each) > 1}):
        yield f"contrib/packages:1: {package}: listed twice"


def rule_headers(tree):
    """Every header guards itself; an include shows the layer it leads to, one's own too."""
    for path in tree.files("lib/*/*.h", "milter/*.h", "cli/*.h", "tests/**/*.h"):
        if "#pragma once" not in text_of(path):
            yield f"{tree.name(path)}:1: no #pragma once"
    for path in tree.files("lib/*/*.h", "lib/*/*.cc", "milter/*.h", "milter/*.cc"):
        text = text_of(path)
        for match in INCLUDE.finditer(text):
            if match.group(1) == '"' and "/" not in match.group(2):
                yield f"{tree.name(path)}:{line_of(text, match.start())}: {match.group(2)} without its folder"


def rule_throws(tree):
    """Our code throws nothing."""
    for path in sources(tree):
        text = text_of(path)
        for match in re.finditer(r"^(?!\s*(?://|\*)).*?\bthrow\b(?!\s*\()[^/\"]*;", text, re.MULTILINE):
            yield f"{tree.name(path)}:{line_of(text, match.start())}: throws"


def rule_manuals(tree):
    """The manual pages are clean markup."""
    pages = tree.files("conf/man/*.[0-9]")
    if pages and not shutil.which("mandoc"):
        raise Skipped("mandoc is not installed")
    for page in pages:
        command = ["mandoc", "-T", "lint", "-W", "warning", tree.name(page)]
        done = subprocess.run(command, capture_output=True, text=True, cwd=tree.root)
        yield from (line.removeprefix("mandoc: ") for line in (done.stdout + done.stderr).splitlines() if line)


RULES = {
    "layers": rule_layers,
    "walls": rule_walls,
    "requirements": rule_requirements,
    "words": rule_words,
    "packages": rule_packages,
    "headers": rule_headers,
    "throws": rule_throws,
    "manuals": rule_manuals,
}

# A fault for each rule: files of a small tree in which the rule must find exactly the planted one.
PLANTED = {
    "layers": {
        "lib/util/CMakeLists.txt": "sesame_library(util)\n",
        "lib/dns/CMakeLists.txt": "sesame_library(dns USES util LINKS resolv)\n",
        "lib/util/a.h": '#pragma once\n#include "dns/b.h"\n',
        "lib/dns/b.h": '#pragma once\n#include "util/a.h"\n',
    },
    "walls": {
        "lib/dkim/a.cc": "#include <openssl/evp.h>\n",
        "lib/crypto/b.cc": "#include <openssl/evp.h>\n",
    },
    "requirements": {
        "lib/spf/a.cc": "int judge() { return 0; }\n",
        "tests/spf/a_test.cc": "TEST(Judge, IsFair) {}\n",
        "lib/spf/README.md": "| Requirement | Section | Function | Case | State |\n|---|---|---|---|---|\n"
                             "| fair | 4 | `judge` | `a_test.cc` Judge.IsFair | yes |\n"
                             "| quick | 5 | `judge` | `a_test.cc` Judge.IsQuick | yes |\n",
    },
    "words": {"README.md": "Look into /" + "home/somebody for it.\n"},
    "packages": {"contrib/packages": "build cmake\nbuild libssl-dev\n", "CMakeLists.txt": "# for cmake\n"},
    "headers": {"lib/dns/a.h": "struct A {};\n"},
    "manuals": {"conf/man/a.1": ".TH A 1 2026-01-01\n.SH NAME\na \\- an example\n.NOSUCH\n"},
    "throws": {"lib/dns/a.cc": "// throw is a word here;\nvoid f() { throw 1; }\n"},
}


def self_test(rule):
    with tempfile.TemporaryDirectory() as root:
        for name, text in PLANTED[rule].items():
            path = pathlib.Path(root) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        faults = list(RULES[rule](Tree(root)))
    print("\n".join(faults))
    if len(faults) != 1:
        print(f"planted 1 fault, found {len(faults)}")
        return 1
    return 0


def main():
    arguments = sys.argv[1:]
    if arguments[:1] == ["self-test"] and len(arguments) == 2:
        return self_test(arguments[1])
    if len(arguments) not in (1, 2) or arguments[0] not in RULES:
        print(f"usage: lint.py {{{'|'.join(RULES)}}} [ROOT] | lint.py self-test RULE", file=sys.stderr)
        return 2
    faults = list(RULES[arguments[0]](Tree(arguments[1] if len(arguments) == 2 else SOURCE)))
    print("\n".join(faults) or "no fault")
    return 1 if faults else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Skipped as reason:
        print(f"skipped: {reason}")
        sys.exit(SKIPPED)
