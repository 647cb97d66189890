"""What the scripts that measure share: pairs of the bundled shard, shards made of them, and the head of a result.

Needs Pillow (scripts/setup.sh --tests).
"""

import datetime
import io
import json
import os
import pathlib
import subprocess
import tarfile

from PIL import Image

ROOT = pathlib.Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples/pairs-00000.tar"
RESULTS = ROOT / "bench/results"


def cpu():
    return next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")


def commit():
    return subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty"], capture_output=True,
                          text=True).stdout.strip()


def head(command, *facts):
    """The first two lines of a result. @param command  that makes it again  @param facts  of the machine and the run"""
    return [f"# {datetime.date.today()}, {commit()}: {command}", f"# {'; '.join([cpu(), *facts])}"]


def cores_and_load():
    """To be asked before anything runs."""
    return f"{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f} before"


def example_pairs():
    """(picture, caption) of the bundled shard, as bytes."""
    found = {}
    with tarfile.open(EXAMPLES) as tar:
        for member in tar:
            key, suffix = member.name.split(".", 1)
            found.setdefault(key, {})[suffix] = tar.extractfile(member).read()
    return [(pair["jpg"], pair["txt"]) for pair in found.values()]


def write_shard(path, pairs):
    """@param pairs  (picture, caption) as bytes, or (picture, caption, suffix of the picture)"""
    part = path.with_name("." + path.name)
    with tarfile.open(part, "w") as tar:
        for i, (picture, caption, *suffix) in enumerate(pairs):
            for extension, data in ((suffix[0] if suffix else "jpg", picture), ("txt", caption)):
                member = tarfile.TarInfo(f"{i:06}.{extension}")
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))
    part.rename(path)


def encoded(image, form="JPEG", quality=88):
    """A Pillow image as the bytes of a file."""
    file = io.BytesIO()
    image.save(file, form, quality=quality)
    return file.getvalue()


def collage(pictures, size, draw):
    """Pictures in a grid that fills `size`."""
    image = Image.new("RGB", size, "white")
    cell = draw.choice([120, 160, 200])
    for top in range(0, size[1], cell):
        for left in range(0, size[0], cell):
            image.paste(draw.choice(pictures).resize((cell, cell)), (left, top))
    return image


def resized(picture, side):
    """The bytes of a picture as those of a JPEG whose longer side is `side`."""
    with Image.open(io.BytesIO(picture)) as image:
        scale = side / max(image.size)
        return encoded(image.convert("RGB").resize([max(1, round(length * scale)) for length in image.size]))


def last_run(out):
    """What run.json of an output folder says of the run that ended last."""
    return json.loads((out / "_aitqe/run.json").read_text())["last_run"]


def write_result(name, lines):
    """bench/results/NAME and standard output."""
    text = "\n".join(lines) + "\n"
    (RESULTS / name).write_text(text)
    print(text, end="")
