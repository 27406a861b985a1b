"""One command, timed; several in turn, compared."""
import os
import statistics
import subprocess
import time


class Failed(Exception):
    pass


class Sample:
    """What one run of a command took: seconds, the peak memory of its largest process in bytes."""

    def __init__(self, seconds, memory):
        self.seconds, self.memory = seconds, memory


def run(command, **options):
    """Runs `command`, a list, or a text for sh; gives its sample."""
    arguments = ["sh", "-c", command] if isinstance(command, str) else [str(word) for word in command]
    start = time.perf_counter()
    process = subprocess.Popen(
        arguments, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, **options)
    errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise Failed("%s: status %d: %s" % (command, process.returncode, errors.decode(errors="replace")[-500:]))
    return Sample(seconds, usage.ru_maxrss * 1024)


class Contender:
    """One way to do the work: a name, what is done, and what has to be undone before."""

    def __init__(self, name, work, prepare=None, size=None):
        self.name, self.work, self.prepare, self.size = name, work, prepare or (lambda: None), size


class Case:
    """One kind of work; the first contender is layerfs.

    goal: a ratio (at most), against the fastest of the others or the one named by `against`.
    limit: what is to be reached, in seconds, where the goal is none beside a peer.
    """

    def __init__(self, name, contenders, goal=None, against=None, rounds=None, limit=None):
        self.name, self.contenders, self.goal, self.against, self.rounds, self.limit = name, contenders, goal, against, rounds, limit

    def measure(self, rounds):
        samples = {contender.name: [] for contender in self.contenders}
        sizes = {}
        # In turn, so that whatever else the machine does meets all of them.
        for _ in range(self.rounds or rounds):
            for contender in self.contenders:
                contender.prepare()
                # Who flushes what it writes would else flush, and wait for, what those before it left unwritten.
                os.sync()
                samples[contender.name].append(contender.work())
                if contender.size:
                    sizes[contender.name] = contender.size()
        return Result(self, samples, sizes)


class Result:
    def __init__(self, case, samples, sizes):
        self.case = case
        self.rows = [
            {
                "name": contender.name,
                "seconds": statistics.median(sample.seconds for sample in samples[contender.name]),
                "spread": max(s.seconds for s in samples[contender.name]) - min(s.seconds for s in samples[contender.name]),
                "memory": max(sample.memory for sample in samples[contender.name]),
                "written": sizes.get(contender.name),
            }
            for contender in case.contenders
        ]
        others = [row for row in self.rows[1:] if case.against in (None, row["name"])]
        self.peer = min(others, key=lambda row: row["seconds"]) if others else None
        self.ratio = self.rows[0]["seconds"] / self.peer["seconds"] if self.peer else None

    @property
    def reached(self):
        if self.case.limit is not None:
            return self.rows[0]["seconds"] <= self.case.limit
        return None if self.case.goal is None or self.ratio is None else self.ratio <= self.case.goal

    def data(self):
        return {
            "work": self.case.name, "contenders": self.rows, "goal": self.case.goal, "limit": self.case.limit, "ratio": self.ratio,
            "against": self.peer and self.peer["name"], "reached": self.reached,
        }


def disk_usage(path):
    """Bytes of disk below `path`, each inode once."""
    seen, total = set(), 0
    for directory, names, files in os.walk(path):
        for name in names + files:
            status = os.lstat(os.path.join(directory, name))
            if (status.st_dev, status.st_ino) not in seen:
                seen.add((status.st_dev, status.st_ino))
                total += status.st_blocks * 512
    return total
