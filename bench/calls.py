"""Counts system calls by the place that they go to, with strace."""

import os
import re
import shutil
import subprocess
import tempfile

# The file that a descriptor stands for (strace -y), or the first absolute path among the arguments.
PLACE = re.compile(r'^\d+ +\w+\((?:\d+|AT_FDCWD)<(?P<file>[^>]+)>(?:, "(?P<below>[^"]*)")?|^\d+ +\w+\(.*?"(?P<path>/[^"]*)"')


def take_part(source, target, most):
    """Copies the first files of a tree, as many at most; returns how many."""
    taken = 0
    for folder, folders, files in os.walk(source):
        folders.sort()
        for name in sorted(files):
            if taken == most:
                return taken
            place = os.path.join(target, os.path.relpath(folder, source))
            os.makedirs(place, exist_ok=True)
            shutil.copy2(os.path.join(folder, name), place)
            taken += 1
    return taken


def count(script, source, device, environment):
    """How many calls of the script, and of all that it starts, go to source, device and share."""
    share = os.path.join(device, "share")
    counts = {"source": 0, "device": 0, "share": 0}
    with tempfile.NamedTemporaryFile("r", prefix="nasbackup-calls.", errors="replace") as log:
        subprocess.run(
            ["strace", "-f", "-qq", "-y", "-s", "4096", "-e", "trace=%file,%desc", "-e", "signal=none", "-o", log.name, "bash", "-c", script],
            check=True, env=environment, stdout=subprocess.DEVNULL)
        for line in log:
            found = PLACE.match(line)
            if not found:
                continue
            path = found["path"] or os.path.join(found["file"], found["below"] or "")
            for place, root in (("share", share), ("device", device), ("source", source)):
                if path == root or path.startswith(root + "/"):
                    counts[place] += 1
                    break
    return counts
