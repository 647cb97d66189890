#!/usr/bin/env python3
"""Makes examples/pairs-00000.tar: 300 real image-caption pairs, free to redistribute.

    python scripts/make_sample_shard.py --work build/sample-data

80 openclipart drawings with a specific title, 80 with the generic one they are shipped with
(scripts/openclipart_selection.tsv names them), 30 flags, 17 photographs from scikit-image whose
terms allow redistribution, and emoji of Noto Color Emoji under their CLDR names for the rest.
Sources come from Debian bookworm (apt-get, dpkg, rsvg-convert of librsvg2-bin) and PyPI (pip).
The same packages give the same bytes: order, times and encoder settings are fixed.
Needs: pip install -r scripts/requirements-oracle.txt
"""

import argparse
import ast
import hashlib
import io
import json
import pathlib
import random
import subprocess
import sys
import zipfile
from xml.etree import ElementTree

import webdataset
from fontTools.ttLib import TTFont
from PIL import Image

SCRIPTS = pathlib.Path(__file__).resolve().parent
DEBIAN_PACKAGES = ["openclipart-png", "fonts-noto-color-emoji", "unicode-cldr-core", "iso-flags-svg"]
PYPI_PACKAGE = "scikit-image==0.26.0"
NUM_PAIRS = 300
NUM_FLAGS = 30
LONG_SIDE_PX = 224
JPEG_QUALITY = 80
MTIME_S = 1_700_000_000  # any fixed time

# Function in skimage/data/_fetchers.py -> file. Each docstring states CC0, public domain or
# "no known copyright restrictions"; moon, page, logo, colorwheel, phantom and motorcycle state no such terms.
PHOTOS = {
    "astronaut": "astronaut.png", "brick": "brick.png", "camera": "camera.png", "cell": "cell.png",
    "chelsea": "chelsea.png", "clock": "clock_motion.png", "coffee": "coffee.png", "coins": "coins.png",
    "grass": "grass.png", "gravel": "gravel.png", "horse": "horse.png",
    "hubble_deep_field": "hubble_deep_field.jpg", "immunohistochemistry": "ihc.png",
    "microaneurysms": "microaneurysms.png", "retina": "retina.jpg", "rocket": "rocket.jpg", "text": "text.png",
}


def fetch(work):
    """Downloads and unpacks the sources once; `work/root` then holds the Debian files."""
    debs = work / "deb"
    if not (work / "root").exists():
        debs.mkdir(parents=True, exist_ok=True)
        subprocess.run(["apt-get", "download", *DEBIAN_PACKAGES], cwd=debs, check=True)
        for deb in sorted(debs.glob("*.deb")):
            subprocess.run(["dpkg", "-x", deb, work / "root"], check=True)
    if not (work / "skimage").exists():
        subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:",
                        "-d", work / "pip", PYPI_PACKAGE], check=True)
        wheel = next((work / "pip").glob("scikit_image*.whl"))
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(work, [n for n in archive.namelist() if n.startswith("skimage/data/")])


def on_white(image):
    """RGB at most LONG_SIDE_PX a side; transparent parts become white."""
    if image.mode in ("P", "LA", "PA", "RGBA"):
        image = image.convert("RGBA")
        background = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(background, image)
    image = image.convert("RGB")
    image.thumbnail((LONG_SIDE_PX, LONG_SIDE_PX), Image.Resampling.LANCZOS)
    return image


def openclipart_pairs(share):
    for line in (SCRIPTS / "openclipart_selection.tsv").read_text().splitlines():
        if line.startswith("#"):
            continue
        path, caption, _ = line.split("\t")
        image = Image.open(share / "openclipart/png" / f"{path}.png")
        yield image, caption, "openclipart", f"openclipart:{path}.svg"


def emoji_pairs(share, count):
    """Emoji of one code point whose name has two to five words, drawn with a fixed seed."""
    font = TTFont(share / "fonts/truetype/noto/NotoColorEmoji.ttf")
    names = {}
    for entry in ElementTree.parse(share / "unicode/cldr/common/annotations/en.xml").iter("annotation"):
        if entry.get("type") == "tts" and len(entry.get("cp")) == 1:
            names[entry.get("cp")] = entry.text
    glyphs = font.getBestCmap()
    strike = font["CBDT"].strikeData[0]
    usable = sorted(c for c, name in names.items()
                    if 2 <= len(name.split()) <= 5 and name.isascii() and glyphs.get(ord(c)) in strike)
    for c in sorted(random.Random(20241012).sample(usable, count)):
        png = strike[glyphs[ord(c)]].imageData
        yield Image.open(io.BytesIO(png)), names[c], "noto-emoji", f"noto-emoji:U+{ord(c):04X}"


def flag_pairs(share):
    names = {t.get("type").lower(): t.text
             for t in ElementTree.parse(share / "unicode/cldr/common/main/en.xml").iter("territory")
             if t.get("alt") is None}
    folder = share / "iso-flags-svg/country-4x3"
    codes = sorted(p.stem for p in folder.glob("??.svg") if p.stem in names)
    random.Random(20241013).shuffle(codes)
    drawn = {}  # picture -> code: some territories share one flag
    for code in codes:
        png = subprocess.run(["rsvg-convert", "-w", str(LONG_SIDE_PX), folder / f"{code}.svg"],
                             check=True, capture_output=True).stdout
        drawn.setdefault(png, code)
        if len(drawn) == NUM_FLAGS:
            break
    for png, code in drawn.items():
        yield Image.open(io.BytesIO(png)), f"Flag of {names[code]}", "iso-flags", f"iso-flags-svg:country-4x3/{code}.svg"


def photo_pairs(work):
    module = ast.parse((work / "skimage/data/_fetchers.py").read_text())
    first_lines = {f.name: ast.get_docstring(f).splitlines()[0].strip()
                   for f in module.body if isinstance(f, ast.FunctionDef) and ast.get_docstring(f)}
    for name, file in sorted(PHOTOS.items()):
        yield Image.open(work / "skimage/data" / file), first_lines[name], "scikit-image", f"scikit-image:data/{file}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=pathlib.Path, default=pathlib.Path("build/sample-data"),
                        help="folder for downloads (about 800 MB)")
    parser.add_argument("--output", type=pathlib.Path, default=SCRIPTS.parent / "examples/pairs-00000.tar")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    fetch(options.work)
    share = options.work / "root/usr/share"

    pairs = [*openclipart_pairs(share), *flag_pairs(share), *photo_pairs(options.work)]
    pairs += emoji_pairs(share, NUM_PAIRS - len(pairs))
    random.Random(20241014).shuffle(pairs)

    options.output.parent.mkdir(parents=True, exist_ok=True)
    seen = set()
    with webdataset.TarWriter(str(options.output), mtime=MTIME_S, user="aitqe", group="aitqe", mode=0o644) as writer:
        for index, (image, caption, source, url) in enumerate(pairs):
            buffer = io.BytesIO()
            on_white(image).save(buffer, "JPEG", quality=JPEG_QUALITY)
            uid = hashlib.sha256(buffer.getvalue()).hexdigest()[:32]
            assert uid not in seen, f"{url}: the same picture twice"
            seen.add(uid)
            record = {"uid": uid, "url": url, "source": source, "title": caption}
            writer.write({"__key__": f"{index:06d}", "jpg": buffer.getvalue(), "txt": caption.encode(),
                          "json": json.dumps(record, ensure_ascii=False).encode()})
    digest = hashlib.sha256(options.output.read_bytes()).hexdigest()
    print(f"{options.output}: {len(pairs)} pairs, {options.output.stat().st_size} bytes, sha256 {digest}")


if __name__ == "__main__":
    main()
