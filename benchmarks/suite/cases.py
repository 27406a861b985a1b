"""What is measured: the kinds of work, how layerfs and each peer do it, and the ratio that is aimed for."""
import atexit
import os
import shutil
import socket
import statistics
import subprocess
import tempfile
import time

from .measuring import Case, Contender, Failed, disk_usage, run
from . import trees


class Registry:
    """A registry on this machine, while it is used."""

    def __init__(self, folder):
        os.makedirs(folder)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = "127.0.0.1:%d" % free.getsockname()[1]
        self.configuration = os.path.join(folder, "config.yml")
        with open(self.configuration, "w") as file:
            file.write(
                "version: 0.1\nlog: {level: error}\nstorage: {filesystem: {rootdirectory: %s}}\nhttp: {addr: '%s'}\n"
                % (os.path.join(folder, "data"), self.address))

    def __enter__(self):
        self.process = subprocess.Popen(
            ["docker-registry", "serve", self.configuration], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        host, port = self.address.split(":")
        for _ in range(100):
            try:
                socket.create_connection((host, int(port)), 1).close()
                return self
            except OSError:
                time.sleep(0.1)
        raise Failed("docker-registry does not answer")

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


class Bench:
    """The programs, the trees and a scratch directory."""

    def __init__(self, layerfs, folder, scratch):
        self.layerfs, self.folder, self.scratch = layerfs, folder, scratch
        # What could not be measured, and why.
        self.failures = []
        # podman takes no path longer than 50 characters for it.
        self.runroot = tempfile.mkdtemp(prefix="lfs")
        atexit.register(shutil.rmtree, self.runroot, ignore_errors=True)
        self.minbase = trees.debian(folder, "minbase")
        self.floor, self.links = self.compiled("floor"), self.compiled("links")
        self.ours("add", "--name", "base", "--dir", self.minbase + ":/", "--allow", "/")
        self.ours("export", "base", "--oci", self.path("plain"), "--compression", "none", "--name", "base")
        self.ours("materialize", "base", self.path("root"))

    def compiled(self, name):
        """The program `name`, which does the least that a kind of work can cost."""
        source = os.path.join(os.path.dirname(__file__), name + ".c")
        program = os.path.join(self.scratch, name)
        subprocess.run(["cc", "-O2", "-w", "-pthread", source, "-lcrypto", "-o", program], check=True)
        return program

    def path(self, *names):
        return os.path.join(self.scratch, *names)

    def ours(self, *words, store="store", **options):
        environment = dict(os.environ, LAYERFS_STORE=self.path(store))
        return run([self.layerfs, *words, "--quiet"], env=environment, **options)

    def clear(self, *names):
        def work():
            for name in names:
                path = self.path(name)
                if os.path.isdir(path) and not os.path.islink(path):
                    shutil.rmtree(path)
                elif os.path.lexists(path):
                    os.remove(path)
        return work

    def add(self, tree, name, store):
        return self.ours("add", "--name", name, "--dir", tree + ":/", "--allow", "/", store=store)

    # Ingest.

    def ingest(self):
        def floor():
            os.mkdir(self.path("floor.out"))
            return run([self.floor, self.minbase, self.path("floor.out")])

        def ostree():
            run(["ostree", "--repo=" + self.path("ostree.new"), "init", "--mode=bare"])
            return run(["ostree", "--repo=" + self.path("ostree.new"), "commit", "-b", "m", "--tree=dir=" + self.minbase])

        def casync():
            return run(["casync", "make", "--store=" + self.path("castr"), self.path("m.caidx"), self.minbase])

        layerfs = Contender("layerfs", lambda: self.add(self.minbase, "m", "new"), self.clear("new"))
        peers = [
            Contender("ostree commit", ostree, self.clear("ostree.new")),
            Contender("casync make", casync, self.clear("castr", "m.caidx")),
        ]
        yield Case("ingest minbase, durable, empty store", [layerfs] + peers, goal=1 / 3)
        yield Case("the same against the floor", [layerfs, Contender("floor", floor, self.clear("floor.out"))], goal=1.5)
        yield Case(
            "ingest minbase again, unchanged",
            [
                Contender("layerfs", lambda: self.add(self.minbase, "m", "new")),
                Contender("ostree commit", lambda: run(
                    ["ostree", "--repo=" + self.path("ostree.new"), "commit", "-b", "m", "--tree=dir=" + self.minbase])),
            ], goal=1 / 20)

    # Roots.

    def materialize(self):
        repository = "--repo=" + self.path("ostree.new")
        yield Case(
            "materialize minbase by hard links",
            [
                Contender("layerfs", lambda: self.ours("materialize", "base", self.path("out")), self.clear("out")),
                Contender("ostree checkout -H", lambda: run(
                    ["ostree", repository, "checkout", "-H", "m", self.path("out")]), self.clear("out")),
                Contender("cp -al", lambda: run(["cp", "-al", self.path("root"), self.path("out")]), self.clear("out")),
            ], goal=1 / 2)
        trees.names(self.minbase, self.path("names"))
        yield Case(
            "the same against the floor of system calls",
            [
                Contender("layerfs", lambda: self.ours("materialize", "base", self.path("out")), self.clear("out")),
                Contender("links", lambda: run(
                    [self.links, self.path("names"), self.path("store/blobs/sha256"), self.path("out")]), self.clear("out")),
            ])

    # Images.

    def export(self):
        plain = "oci:" + self.path("plain") + ":base"
        size = lambda: disk_usage(self.path("image"))
        clear = self.clear("image", "store/cache")

        def cold():
            clear()
            os.makedirs(self.path("store/cache"), exist_ok=True)

        def ours(*options, name="base"):
            return lambda: self.ours("export", name, "--oci", self.path("image"), *options)

        def skopeo(kind):
            return lambda: run(
                ["skopeo", "copy", "--insecure-policy", "--dest-compress", "--dest-compress-format", kind, plain,
                 "oci:" + self.path("image") + ":base"])

        def umoci():
            run(["umoci", "init", "--layout", self.path("image")])
            run(["umoci", "new", "--image", self.path("image") + ":base"])
            return run(["umoci", "insert", "--image", self.path("image") + ":base", self.minbase, "/"])

        peers = [
            Contender("skopeo copy", skopeo("gzip"), self.clear("image"), size),
            Contender("umoci insert", umoci, self.clear("image"), size),
        ]
        yield Case("export minbase, OCI gzip, cold", [Contender("layerfs", ours(), cold, size)] + peers, goal=1)
        yield Case(
            "export minbase, OCI zstd, cold",
            [Contender("layerfs", ours("--compression", "zstd"), cold, size),
             Contender("skopeo copy", skopeo("zstd"), self.clear("image"), size)], goal=1 / 2)
        known = trees.variants(self.minbase, self.folder, 1)[0]
        self.add(known, "variant", "store")

        def mostly_known():
            cold()
            self.ours("export", "base", "--oci", self.path("image"))
            self.clear("image")()

        yield Case(
            "export a variant of which most is known",
            [Contender("layerfs", ours(name="variant"), mostly_known, size)] + peers, goal=1 / 5)
        yield Case("export a known image again", [Contender("layerfs", ours(), self.clear("image"), size)] + peers, goal=1 / 20)
        yield Case(
            "flat tar to a file",
            [Contender("layerfs", lambda: self.ours("export", "base", "--tar", self.path("flat.tar")), self.clear("flat.tar")),
             Contender("tar cf", lambda: run(["tar", "-C", self.minbase, "-cf", self.path("flat.tar"), "."]), self.clear("flat.tar"))],
            goal=1)

    def transfer(self):
        """Import, and a registry on this machine where one can be started."""
        self.clear("image")()
        self.ours("export", "base", "--oci", self.path("image"), "--name", "base")
        image = "oci:" + self.path("image") + ":base"

        def umoci():
            return run(["umoci", "unpack", "--image", self.path("image") + ":base", self.path("bundle")])

        def skopeo():
            storage = "containers-storage:[vfs@%s+%s]base" % (self.path("storage"), self.path("storage.run"))
            return run(["skopeo", "copy", "--insecure-policy", image, storage])

        yield Case(
            "import an OCI layout",
            [Contender("layerfs", lambda: self.ours("import", image, "-t", "in", store="imported"), self.clear("imported")),
             Contender("umoci unpack", umoci, self.clear("bundle")),
             Contender("skopeo to storage", skopeo, self.clear("storage", "storage.run"))], goal=1 / 3)
        if shutil.which("docker-registry") and os.path.exists(self.layerfs + "-registry"):
            with Registry(self.path("registry")) as registry:
                yield from self.registry(registry.address, image)

    def registry(self, address, image):
        """Everything that is sent is there already, and everything that is fetched."""
        ours = "docker://%s/ours:1" % address
        theirs = "docker://%s/theirs:1" % address
        podman = ["podman", "--root", self.path("podman"), "--runroot", self.runroot, "--storage-driver", "vfs"]
        push = lambda: self.ours("push", "base", ours, "--tls-verify=false")
        skopeo = lambda: run(["skopeo", "copy", "--insecure-policy", "--dest-tls-verify=false", image, theirs])
        pull = lambda: self.ours("pull", ours, "-t", "pulled", "--replace", "--tls-verify=false", store="store")
        fetch = lambda: run(
            ["skopeo", "copy", "--insecure-policy", "--src-tls-verify=false", theirs, "oci:" + self.path("fetched") + ":base"])
        podman_pull = lambda: run(podman + ["pull", "--tls-verify=false", theirs])
        podman_push = lambda: run(podman + ["push", "--tls-verify=false", theirs[len("docker://"):], theirs])
        for work in (push, skopeo, pull, fetch, podman_pull, podman_push):
            work()
        yield Case(
            "push to a registry, all known",
            [Contender("layerfs", push), Contender("skopeo copy", skopeo), Contender("podman push", podman_push)], goal=1 / 2,
            rounds=15)
        yield Case(
            "pull from a registry, all known",
            [Contender("layerfs", pull), Contender("skopeo copy", fetch), Contender("podman pull", podman_pull)], goal=1 / 2,
            rounds=15)

    # Small things.

    def small(self):
        bash = lambda store: lambda: self.ours("add", "bash", store=store)
        self.ours("add", "bash", store="warm")
        version = lambda program: lambda: run([program, "--version"])
        yield Case(
            "add bash, empty store",
            [Contender("layerfs", bash("bash"), self.clear("bash")), Contender("ldd", lambda: run(["ldd", "/bin/bash"]))],
            limit=0.040, rounds=15)
        yield Case(
            "add bash, known",
            [Contender("layerfs", bash("warm")), Contender("ldd", lambda: run(["ldd", "/bin/bash"]))], limit=0.012, rounds=15)
        yield Case(
            "--version",
            [Contender("layerfs", version(self.layerfs)), Contender("umoci", version("umoci")), Contender("skopeo", version("skopeo"))],
            limit=0.005, rounds=15)
        repository = "--repo=" + self.path("ostree.new")
        yield Case(
            "fsck", [Contender("layerfs", lambda: self.ours("fsck", store="new")),
                     Contender("ostree fsck", lambda: run(["ostree", repository, "fsck"]))], goal=1 / 2)

    def closures(self):
        programs = sorted(
            entry.path for entry in os.scandir("/usr/bin")
            if entry.is_file(follow_symlinks=False) and open(entry.path, "rb").read(4) == b"\x7fELF")
        resolve = Contender("layerfs", lambda: run([self.layerfs, "resolve", "--list", *programs]))
        yield Case(
            "closures of /usr/bin, %d programs" % len(programs),
            # ldd fails when one of them is static.
            [resolve, Contender("ldd", lambda: run(["sh", "-c", 'ldd "$@" || true', "ldd", *programs]))], goal=1 / 10, rounds=3)
        # By Debian's Python, which has its modules; with one program it must not fail, with all of them it may.
        lddtree = ["/usr/bin/python3", shutil.which("lddtree"), "-l"]
        run(lddtree + programs[:1])
        yield Case(
            "the same against lddtree",
            [resolve, Contender("lddtree -l", lambda: run(["sh", "-c", '"$@" || true', "lddtree", *lddtree, *programs]))],
            goal=1 / 100, rounds=3)

    def disk(self):
        """The disk of ten variants: no race, but a table of its own."""
        roots = trees.variants(self.minbase, self.folder, 10)
        self.clear("ten", "ostree.ten")()
        run(["ostree", "--repo=" + self.path("ostree.ten"), "init", "--mode=bare"])
        for number, root in enumerate(roots):
            self.add(root, "v%d" % number, "ten")
            run(["ostree", "--repo=" + self.path("ostree.ten"), "commit", "-b", "v%d" % number, "--tree=dir=" + root])
        sizes = {"layerfs": disk_usage(self.path("ten")), "ostree": disk_usage(self.path("ostree.ten"))}
        for driver in ("overlay", "vfs"):
            try:
                sizes["podman " + driver] = self.podman(driver, roots)
            except Failed as failure:
                self.failures.append("disk of podman with %s: %s" % (driver, failure))
        try:
            sizes["docker"] = self.docker(roots)
        except Failed as failure:
            self.failures.append("disk of docker: %s" % failure)
        sizes["plain copies"] = 10 * disk_usage(roots[0])
        return sizes

    def podman(self, driver, roots):
        """The disk that `roots` take as images of podman."""
        folder = self.path("podman." + driver)
        podman = ["podman", "--root", folder, "--runroot", self.runroot, "--storage-driver", driver]
        for number, root in enumerate(roots):
            run("tar -C '%s' -cf - . | %s import - v%d" % (root, " ".join(podman), number))
        try:
            return disk_usage(folder)
        finally:
            run(podman + ["system", "reset", "--force"])

    def docker(self, roots):
        """The disk that `roots` take as images of a Docker of its own."""
        # A socket's path may have 108 characters.
        folder, socket_folder = self.path("docker"), tempfile.mkdtemp(prefix="lfd")
        address = "unix://%s/docker.sock" % socket_folder
        daemon = subprocess.Popen(
            ["dockerd", "--data-root", folder, "--exec-root", socket_folder + "/exec", "--pidfile", socket_folder + "/pid",
             "--host", address, "--iptables=false", "--bridge=none"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            for _ in range(300):
                if os.path.exists(socket_folder + "/docker.sock"):
                    break
                time.sleep(0.1)
            else:
                raise Failed("dockerd does not start")
            for number, root in enumerate(roots):
                run("tar -C '%s' -cf - . | docker --host '%s' import - v%d" % (root, address, number))
            return disk_usage(folder)
        finally:
            daemon.terminate()
            daemon.wait()
            subprocess.run(["rm", "-rf", folder, socket_folder], stderr=subprocess.DEVNULL)

    def scale(self, counts):
        """Seconds and peak memory for each kind of work at each number of files; and of the programs that do the least that adding and
        materializing can cost, to tell what grows with the machine's file system."""
        table = []
        for count in counts:
            tree = trees.synthetic(self.folder, count)
            samples = {}
            try:
                # One is enough of what takes minutes.
                for _ in range(3 if count <= 100_000 else 1):
                    self.measure_growth(tree, samples)
            except Failed as failure:
                self.failures.append("growth with %d files: %s" % (count, failure))
                continue
            table.append({"files": count, "steps": {
                name: {"seconds": statistics.median(s.seconds for s in runs), "memory": max(s.memory for s in runs)}
                for name, runs in samples.items()}})
        return table

    def measure_growth(self, tree, samples):
        names, blobs = self.path("names"), self.path("scale/blobs/sha256")

        def step(name, work, *cleared):
            self.clear(*cleared)()
            # What was made or removed before is not this step's to write; the tree is new itself in the first run.
            os.sync()
            samples.setdefault(name, []).append(work())

        def floor():
            os.mkdir(self.path("out"))
            return run([self.floor, tree, self.path("out")])

        step("floor of ingest", floor, "scale", "out", "image")
        step("ingest", lambda: self.add(tree, "many", "scale"), "out")
        trees.names(tree, names)
        step("links", lambda: run([self.links, names, blobs, self.path("out")]))
        step("materialize", lambda: self.ours("materialize", "many", self.path("out"), store="scale"), "out")
        step("export", lambda: self.ours("export", "many", "--oci", self.path("image"), store="scale"))
        step("fsck", lambda: self.ours("fsck", store="scale"))
        step("gc", lambda: self.ours("gc", store="scale"))

    def cases(self):
        for group in (self.ingest, self.materialize, self.export, self.transfer, self.small, self.closures):
            try:
                yield from group()
            except Failed as failure:
                self.failures.append("the rest of %s: %s" % (group.__name__, failure))
