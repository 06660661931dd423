"""Reads what callgrind wrote: https://valgrind.org/docs/manual/cl-format.html"""

import collections
import re

NAMED = re.compile(r"(c?fn|c?ob)=\((\d+)\)(?: (.*))?")
DAEMON = "sesame-milter"
# Each allocates once; operator new calls malloc.
ALLOCATORS = ("malloc", "calloc", "realloc", "memalign", "aligned_alloc", "posix_memalign")
ALLOCATION = re.compile(r"(_int_)?(malloc|free|realloc|calloc|memalign)|operator (new|delete)|unlink_chunk|sysmalloc")
STEPS = re.compile(r"sesame::milter::\(anonymous namespace\)::on_(\w+)\(")


class Profile:
    """Instructions in all, `own` of each (object, function), `calls` and `inclusive` of each function by name;
    `foreign`: inclusive of those in libraries that the daemon calls itself."""

    def __init__(self, path):
        self.own, self.calls, self.inclusive, self.foreign = (collections.Counter() for _ in range(4))
        self._names = {"fn": {}, "ob": {}}
        function = callee = object_file = callee_object = None
        called = False
        with open(path, encoding="utf-8", errors="replace") as lines:
            for line in lines:
                if found := NAMED.match(line):
                    kind, name = found[1], self._name(found)
                    if kind == "fn":
                        function = name
                    elif kind == "cfn":
                        callee = name
                    elif kind == "cob":
                        callee_object = name.rpartition("/")[2]
                    else:
                        object_file = name.rpartition("/")[2]
                elif line.startswith("calls="):
                    self.calls[callee] += int(line[6:].split()[0])
                    called = True
                elif line[:1].isdigit() or line[:1] in "+-*":
                    cost = int(line.split()[-1])
                    if called:
                        self.inclusive[callee] += cost
                        if object_file.startswith(DAEMON) and not (callee_object or DAEMON).startswith(DAEMON):
                            self.foreign[callee] += cost
                        callee_object = None
                    else:
                        self.own[object_file, function] += cost
                    called = False
        self.instructions = sum(self.own.values())

    def _name(self, found):
        names = self._names[found[1][-2:]]
        if found[3] is not None:
            names[found[2]] = found[3].strip()
        return names[found[2]]

    def allocations(self):
        return sum(self.calls[name] for name in ALLOCATORS)

    def parts(self):
        """Instructions by whose code they are."""
        parts = collections.Counter()
        for (object_file, function), cost in self.own.items():
            parts[part_of(object_file, function)] += cost
        return parts

    def steps(self):
        """Instructions by the step of the milter protocol they belong to, with all that the step calls."""
        return collections.Counter({found[1].replace("_", " "): cost for name, cost in self.inclusive.items()
                                    if (found := STEPS.match(name))})


def part_of(object_file, function):
    if ALLOCATION.match(function):
        return "allocation"
    if object_file.startswith("libcrypto"):
        return "OpenSSL"
    if object_file.startswith(DAEMON):
        found = re.search(r"sesame::(\w+)::", function)
        return f"Sesame: {found[1]}" if found else "Sesame: util, templates"
    return object_file.partition(".so")[0] if ".so" in object_file else "other"
