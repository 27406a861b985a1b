"""The trees that are measured: Debian roots made by mmdebstrap, and one of many small files. Made once, and kept."""
import hashlib
import os
import random
import subprocess

PACKAGES = {
    "minbase": [],
    "python": ["python3"],
    "gcc": ["gcc", "libc6-dev"],
    "tools": ["git", "perl", "curl", "ca-certificates"],
}


def debian(folder, name):
    """The root `name` below `folder`, unpacked."""
    root = os.path.join(folder, name)
    if os.path.exists(root + ".done"):
        return root
    subprocess.run(["rm", "-rf", root], check=True)
    archive = root + ".tar"
    command = ["mmdebstrap", "--quiet", "--variant=minbase"]
    if PACKAGES[name]:
        command.append("--include=" + ",".join(PACKAGES[name]))
    # No device nodes: peers refuse or skip them, each in its own way.
    command += ["--skip=output/mknod", "bookworm", archive]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    os.mkdir(root)
    subprocess.run(["tar", "-C", root, "-xf", archive, "--exclude=./dev/*"], check=True)
    os.remove(archive)
    open(root + ".done", "w").close()
    return root


def synthetic(folder, files):
    """`files` files of 64 bytes to 4 KiB, a hundred in a directory, no two alike."""
    root = os.path.join(folder, "synthetic-%d" % files)
    if os.path.exists(root + ".done"):
        return root
    subprocess.run(["rm", "-rf", root], check=True)
    source = random.Random(files)
    block = source.randbytes(1 << 20)
    for index in range(files):
        if index % 100 == 0:
            directory = os.path.join(root, "%02x" % (index // 100 % 256), "%x" % (index // 100))
            os.makedirs(directory)
        start = source.randrange(len(block) - 4096)
        with open(os.path.join(directory, "f%d" % index), "wb") as file:
            file.write(b"%d\n" % index + block[start:start + source.randrange(64, 4096)])
    open(root + ".done", "w").close()
    return root


def variants(minbase, folder, count):
    """`count` roots that differ from `minbase` in some files, as variants of one system do; made of hard links."""
    roots = []
    for number in range(count):
        root = os.path.join(folder, "variant-%d" % number)
        if not os.path.exists(root):
            subprocess.run(["cp", "-al", minbase, root], check=True)
            os.makedirs(os.path.join(root, "opt/app"))
            source = random.Random(number)
            for name in range(40):
                with open(os.path.join(root, "opt/app", "file%d" % name), "wb") as file:
                    file.write(source.randbytes(25_000))
        roots.append(root)
    return roots


def names(root, path):
    """Writes to `path` what links.c makes a root like `root` of, from a store that has its contents."""
    with open(path, "w") as out:
        for directory, _, files in os.walk(root):
            out.write("D %s\n" % ("" if directory == root else os.path.relpath(directory, root)))
            for name in files:
                file = os.path.join(directory, name)
                if os.path.islink(file):
                    out.write("S %s\n" % name)
                elif os.path.getsize(file):
                    digest = hashlib.sha256(open(file, "rb").read()).hexdigest()
                    out.write("L %s/%s\t%s\n" % (digest[:2], digest[2:], name))
