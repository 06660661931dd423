"""What processes cost: processor time by control group, so that threads and children that have ended count; memory as
the share that is theirs (PSS)."""

import os
import pathlib

TICKS = os.sysconf("SC_CLK_TCK")
ROOTS = (pathlib.Path("/sys/fs/cgroup/cpuacct"), pathlib.Path("/sys/fs/cgroup"))


def stat_of(pid):
    """The numbers of /proc/PID/stat after the name: [0] is the state, [1] the parent. None: it has ended."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None


def family(pid):
    """A process with all its descendants that live."""
    children = {}
    for each in filter(str.isdigit, os.listdir("/proc")):
        if stat := stat_of(each):
            children.setdefault(int(stat[1]), []).append(int(each))
    found = [pid] if stat_of(pid) else []
    for each in found:
        found += children.get(each, [])
    return found


class Group:
    """A control group of processes; without one, /proc, which also counts children that were waited for."""

    def __init__(self, name):
        self._folder = None
        for root in ROOTS:
            if (root / "cgroup.procs").exists() and (root.name == "cpuacct" or (root / "cgroup.controllers").exists()):
                folder = root / f"sesame-bench-{os.getpid()}-{name}"
                try:
                    folder.mkdir(exist_ok=True)
                    self._folder = folder
                    return
                except OSError:
                    pass

    def enter(self):
        """Called by the process that is to belong to it."""
        if self._folder:
            (self._folder / "cgroup.procs").write_text(str(os.getpid()))

    def seconds(self, pids):
        """User and system time until now."""
        if not self._folder:
            return [sum(float(stat[at]) + float(stat[at + 2]) for stat in filter(None, map(stat_of, pids))) / TICKS
                    for at in (11, 12)]
        if (self._folder / "cpuacct.usage").exists():
            # The sum is exact; how it divides is known by samples.
            user, system, total = (int((self._folder / f"cpuacct.{name}").read_text()) / 1e9
                                   for name in ("usage_user", "usage_sys", "usage"))
            user_share = user / max(user + system, 1e-9)
            return [total * user_share, total * (1 - user_share)]
        numbers = dict(line.split() for line in (self._folder / "cpu.stat").read_text().splitlines())
        return [int(numbers[f"{kind}_usec"]) / 1e6 for kind in ("user", "system")]

    def close(self):
        if self._folder:
            try:
                self._folder.rmdir()
            except OSError:
                pass


def memory(pids):
    """MiB."""
    total = 0
    for pid in pids:
        try:
            lines = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024


def busy():
    """Seconds that all processors have worked since the system started."""
    with open("/proc/stat", encoding="ascii") as file:
        numbers = [int(each) for each in file.readline().split()[1:9]]
    return (sum(numbers) - numbers[3] - numbers[4]) / TICKS
