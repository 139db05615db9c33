"""Trees of files from a seed: the same arguments give the same names, sizes and bytes."""

import math
import os
import random

SEED = 7
NAMES = ("small", "mixed", "large", "million")
ABOUT = {
    "small": "log-normal sizes, 8.3 kB on average",
    "mixed": "Pareto sizes (α 0.9), 44 kB on average",
    "large": "eight files",
    "million": "1 kB each",
}


def make(root, name, scale):
    """Makes a tree and returns (files, bytes). The scale divides the number of files; of the large tree, their size."""
    random.seed(SEED)
    sizes, per_folder = _sizes(name, scale)
    noise = random.Random(SEED).randbytes(1 << 20)
    noise += noise
    for index, size in enumerate(sizes):
        folder = os.path.join(root, f"d{index // per_folder // 50:03}", f"e{index // per_folder:05}")
        if index % per_folder == 0:
            os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, f"f{index:07}"), "wb") as file:
            while size > 0:
                start = random.randrange(1 << 20)
                size -= file.write(noise[start:start + min(size, 1 << 20)])
    return len(sizes), sum(sizes)


def _sizes(name, scale):
    if name == "small":
        count, mean = max(20, round(100_000 * scale)), 8300
        return [int(random.lognormvariate(math.log(mean) - 0.5, 1.0)) for _ in range(count)], 50
    if name == "mixed":
        count = max(20, round(20_000 * scale))
        weights = [min(2000.0, random.random() ** (-1 / 0.9)) for _ in range(count)]
        factor = 44_000 * count / sum(weights)
        return [int(weight * factor) for weight in weights], 100
    if name == "large":
        return [max(1, round((512 << 20) * scale))] * 8, 8
    if name == "million":
        return [1000] * max(20, round(1_000_000 * scale)), 100
    raise ValueError(f"there is no tree '{name}'")
