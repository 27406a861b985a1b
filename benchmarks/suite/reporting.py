"""Results as text, as JSON, as a page of documentation and as a picture."""
import datetime
import json
import os
import platform


def duration(seconds):
    return "%.1f ms" % (seconds * 1000) if seconds < 1 else "%.2f s" % seconds


def size(count):
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return "%.0f %s" % (count, unit) if unit == "B" else "%.1f %s" % (count, unit)
        count /= 1000
    return "%.1f GB" % count


def verdict(result):
    if result.ratio is None:
        return ""
    text = "%.2f x %s" % (result.ratio, result.peer["name"])
    return text + "; goal %s" % aim(result).replace("*", "") if aim(result) else text


def aim(result):
    """What is to be reached, and whether it is."""
    case = result.case
    if case.goal is None and case.limit is None:
        return ""
    text = "≤ %s" % duration(case.limit) if case.limit is not None else "≤ %.3g" % case.goal
    return text + (": reached" if result.reached else ": **missed**")


def line(result):
    rows = ", ".join(
        "%s %s (± %s, %s)" % (row["name"], duration(row["seconds"]), duration(row["spread"] / 2), size(row["memory"]))
        for row in result.rows)
    return "%s: %s\n    %s" % (result.case.name, verdict(result) or "no peer", rows)


def machine():
    model = next((l.split(":")[1].strip() for l in open("/proc/cpuinfo") if l.startswith("model name")), platform.machine())
    release = next((l.split("=")[1].strip().strip('"') for l in open("/etc/os-release") if l.startswith("PRETTY_NAME")), "Linux")
    return "%d cores of %s, %s, Linux %s" % (os.cpu_count(), model, release, platform.release())


def write(results, disk, scale, version, folder, system):
    os.makedirs(folder, exist_ok=True)
    document = {
        "date": datetime.date.today().isoformat(), "machine": machine(), "layerfs": version, "file_system": system,
        "results": [result.data() for result in results], "disk": disk, "scale": scale,
    }
    with open(os.path.join(folder, "benchmarks.json"), "w") as file:
        json.dump(document, file, indent=2)
        file.write("\n")
    with open(os.path.join(folder, "benchmarks.svg"), "w") as file:
        file.write(picture(results))
    with open(os.path.join(folder, "benchmarks.md"), "w") as file:
        file.write(markdown(results, version, "benchmarks.svg", system) + more(disk, scale))


def more(disk, scale):
    lines = []
    if disk:
        lines += ["", "## Disk of ten variants of one root", "", "| " + " | ".join(disk) + " |", "|" + " --- |" * len(disk),
                  "| " + " | ".join(size(value) for value in disk.values()) + " |"]
    if scale:
        steps = list(scale[0]["steps"])
        lines += ["", "## Growth with the number of files", "",
                  "Time for each step, the peak of memory, and what a file costs beside what it costs among the fewest files. The floor of",
                  "ingest and the links are C programs that do the least that adding and materializing can cost, and show what grows with the file",
                  "system. Medians of three runs, of one for a million files.", "",
                  "| files | " + " | ".join(steps) + " |", "| --- |" + " --- |" * len(steps)]
        for row in scale:
            cells = ["%s, %s, %.2f" % (duration(s["seconds"]), size(s["memory"]), growth(scale, row, name)) for name, s in row["steps"].items()]
            lines.append("| %d | " % row["files"] + " | ".join(cells) + " |")
    return "\n".join(lines + [""]) if lines else ""


def growth(scale, row, step):
    """The time that a file costs in `row`, as a multiple of the first row's."""
    first = scale[0]
    return row["steps"][step]["seconds"] / row["files"] / (first["steps"][step]["seconds"] / first["files"])


def markdown(results, version, picture, system):
    lines = [
        "# Benchmarks", "",
        "Made by `make bench`, which prepares the trees, installs the peers and measures everything in turn in one run. A figure",
        "by itself says little; the ratio to a peer measured in the same minutes says more. Memory is the peak of the largest",
        "process.", "",
        "All of it lies on one file system that was made for the run: %s. What was left unwritten is written before each run; but each kind of work begins with what the one" % system,
        "before it left removed, as it is on a machine in use. What bounds the kinds of work that miss their goal: [performance.md](performance.md).", "",
        "%s, on %s: %s." % (version, datetime.date.today().isoformat(), machine()), "",
        "![Ratios to the fastest peer](%s)" % picture, "",
        "| work | layerfs | peers | ratio | goal |", "| --- | --- | --- | --- | --- |",
    ]
    for result in results:
        peers = ", ".join("%s %s" % (row["name"], duration(row["seconds"])) for row in result.rows[1:])
        ours = result.rows[0]
        lines.append(
            "| %s | %s, %s | %s | %s | %s |"
            % (result.case.name, duration(ours["seconds"]), size(ours["memory"]), peers or "—",
               "" if result.ratio is None else "%.2f" % result.ratio, aim(result)))
    return "\n".join(lines) + "\n"


def picture(results):
    """An SVG: a bar for each ratio, and a mark where the goal is; shorter is faster."""
    shown = [result for result in results if result.ratio is not None]
    width, left, step, scale = 860, 330, 26, 380
    height = 40 + step * len(shown)
    parts = [
        '<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="12">' % (width, height),
        '<rect width="100%" height="100%" fill="white"/>',
        '<text x="%d" y="16">time of layerfs, the fastest peer = 1; the mark is the goal</text>' % left,
        '<line x1="%d" y1="24" x2="%d" y2="%d" stroke="#999"/>' % (left + scale, left + scale, height),
    ]
    for index, result in enumerate(shown):
        y = 28 + index * step
        length = min(result.ratio, 1.2) * scale
        colour = "#2a7f62" if result.reached in (True, None) else "#c0504d"
        name = result.case.name.replace("&", "&amp;").replace("<", "&lt;")
        parts.append('<text x="%d" y="%d" text-anchor="end">%s</text>' % (left - 8, y + 15, name))
        parts.append('<rect x="%d" y="%d" width="%.1f" height="18" fill="%s"/>' % (left, y, max(length, 1), colour))
        parts.append('<text x="%.1f" y="%d">%.2f × %s</text>' % (left + length + 6, y + 14, result.ratio, result.peer["name"]))
        if result.case.goal is not None and result.case.goal <= 1.2:
            x = left + result.case.goal * scale
            parts.append('<line x1="%.1f" y1="%d" x2="%.1f" y2="%d" stroke="black" stroke-width="2"/>' % (x, y - 2, x, y + 20))
    return "\n".join(parts + ["</svg>"]) + "\n"
