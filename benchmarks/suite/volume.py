"""A file system of its own for a run: what is measured then does not hang on how the machine's disk was formatted."""
import os
import subprocess

OPTIONS = {"ext4": ["-q", "-F"], "xfs": ["-q", "-f"], "btrfs": ["-q", "-f"]}


class Volume:
    """A file system of `kind` with default options in a sparse file of `folder`, mounted while it is used; what is in it is kept."""

    def __init__(self, folder, kind, size=64 << 30):
        self.kind, self.image, self.path = kind, os.path.join(folder, kind + ".img"), os.path.join(folder, kind)
        # Mounted twice by two loop devices, it would be destroyed.
        if os.path.ismount(self.path):
            raise SystemExit("benchmarks: %s is in use by another run, or was left mounted by one: umount it" % self.path)
        if not os.path.exists(self.image):
            with open(self.image + ".new", "wb") as file:
                file.truncate(size)
            subprocess.run(["mkfs." + kind, *OPTIONS[kind], self.image + ".new"], check=True)
            os.rename(self.image + ".new", self.image)

    def __enter__(self):
        os.makedirs(self.path, exist_ok=True)
        # Direct: the image's own pages would be cached a second time, and a flush would wait for them.
        loop = subprocess.run(
            ["losetup", "--find", "--show", "--direct-io=on", self.image], check=True, capture_output=True, text=True).stdout.strip()
        try:
            subprocess.run(["mount", loop, self.path], check=True)
        finally:
            # Held by the mount, and gone with it.
            subprocess.run(["losetup", "--detach", loop], check=True)
        return self.path

    def __exit__(self, *_):
        subprocess.run(["umount", self.path], check=True)
