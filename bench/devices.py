"""Where a program's copy lies: a folder that goes when the program is done, or a file system of its own that goes as a whole.

Removing the copy before the next program's turn would count against that one on ext4, which does not use an inode again for the
next minutes but looks at it each time it needs one."""

import contextlib
import os
import shutil
import subprocess
import tempfile

# What the largest programs leave behind: a copy, a second one of it, and the room that a file takes beyond its bytes.
COPIES = 3
BLOCK = 4096


class Folders:
    """New folders of a file system."""

    about = "a folder of it"

    def __init__(self, work):
        self.work = work

    @contextlib.contextmanager
    def new(self):
        device = tempfile.mkdtemp(prefix="device.", dir=self.work)
        try:
            yield device
        finally:
            shutil.rmtree(device)


class FileSystems:
    """New ext4 file systems, each in a file on the disk, mounted as a loop device. For root."""

    about = "a new ext4 in a file on it"

    def __init__(self, work, files, size):
        self.work = work
        self.image = os.path.join(work, "device.image")
        self.mount = os.path.join(work, "device")
        self.inodes = COPIES * files + 20_000
        self.size = COPIES * (size + BLOCK * files) + (1 << 30)

    @classmethod
    def can_be_made(cls, work):
        """Whether this process may mount one."""
        try:
            with cls(work, files=0, size=0).new():
                return True
        except (OSError, subprocess.CalledProcessError):
            return False

    @contextlib.contextmanager
    def new(self):
        with open(self.image, "wb") as file:
            file.truncate(self.size)
        try:
            # Nothing is left to be initialised while a program is timed.
            run("mkfs.ext4", "-q", "-E", "lazy_itable_init=0,lazy_journal_init=0", "-N", str(self.inodes), self.image)
            os.makedirs(self.mount, exist_ok=True)
            run("mount", "-o", "loop", self.image, self.mount)
            try:
                run("sync", "-f", self.work)
                device = os.path.join(self.mount, "device")
                os.mkdir(device)
                yield device
            finally:
                run("umount", self.mount)
        finally:
            os.unlink(self.image)


def of(target, work, files, size):
    """What programs get that copy a tree of so many files and bytes."""
    return FileSystems(work, files, size) if target == "disk" and FileSystems.can_be_made(work) else Folders(work)


def run(*command):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
