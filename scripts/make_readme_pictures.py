#!/usr/bin/env python3
"""The pictures of README.md: what the default model really wrote for the example shard, its best rewrites and its worst.

    python scripts/make_readme_pictures.py --minilm MINILM

Runs `aitqe enhance` on examples/pairs-00000.tar, and orders the rewrites of the 80 generic captions by the cosine
(MiniLM) of the new text with the better caption that a person wrote for that picture (openclipart_selection.tsv). The
first four and the last four go to README.md between its two marks, with the pictures in docs/pictures, each shipped
caption once among the first and once among the last; nobody chooses.
MINILM as for caption_vectors.py. Needs: pip install -r scripts/requirements-oracle.txt, and the built program.
"""

import argparse
import html
import json
import pathlib
import subprocess
import tarfile
import tempfile

import numpy
from caption_vectors import CaptionEncoder

ROOT = pathlib.Path(__file__).resolve().parent.parent
SHARD = ROOT / "examples/pairs-00000.tar"
README = ROOT / "README.md"
PICTURES = ROOT / "docs/pictures"
BEGIN, END = "<!-- pictures: scripts/make_readme_pictures.py -->\n", "<!-- end of pictures -->\n"
SHOWN = 4


def better_captions():
    """Path of a drawing in openclipart -> the caption that a person wrote for it."""
    rows = [line.rstrip("\n").split("\t")
            for line in (ROOT / "scripts/openclipart_selection.tsv").read_text(encoding="utf-8").splitlines()]
    return {row[0]: row[2] for row in rows if len(row) > 2 and row[2] and not row[0].startswith("#")}


def read_shard():
    """Key -> (picture, path of the drawing)."""
    pictures, paths = {}, {}
    with tarfile.open(SHARD) as tar:
        for member in tar:
            key, _, suffix = member.name.partition(".")
            if suffix == "jpg":
                pictures[key] = tar.extractfile(member).read()
            elif suffix == "json":
                url = json.load(tar.extractfile(member))["url"]
                paths[key] = url.split(":", 1)[1].rsplit(".", 1)[0]
    return {key: (pictures[key], paths[key]) for key in pictures}


def enhance(binary, options):
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([binary, "enhance", SHARD, "-o", folder, *options], check=True)
        lines = (pathlib.Path(folder) / "pairs-00000.aitqe.jsonl").read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]


def table(rows, shard):
    lines = ["| | | caption as shipped | caption as rewritten |", "|---|---|---|---|"]
    for old in PICTURES.glob("*.jpg"):  # the others are of scripts/proof
        old.unlink()
    for verdict, row in rows:
        (PICTURES / f"{row['key']}.jpg").write_bytes(shard[row["key"]][0])
        picture = f'<img src="docs/pictures/{row["key"]}.jpg" width="96" alt="">'
        texts = [html.escape(row[k]).replace("|", "&#124;") for k in ("caption", "caption_out")]
        lines.append(f"| {verdict} | {picture} | {texts[0]} | {texts[1]} |")
    return "\n".join(lines) + "\n"


def first_of_each(rows):
    """The first SHOWN rows with shipped captions that differ."""
    by_caption = {}
    for row in rows:
        by_caption.setdefault(row["caption"], row)
    return list(by_caption.values())[:SHOWN]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minilm", type=pathlib.Path, required=True)
    parser.add_argument("--binary", type=pathlib.Path, default=ROOT / "build/release/aitqe")
    options, passed_on = parser.parse_known_args()
    rows = enhance(options.binary, passed_on)
    shard, better = read_shard(), better_captions()
    judged = [row for row in rows if row["decision"] == "rewrite" and shard[row["key"]][1] in better]
    encode = CaptionEncoder(options.minilm).encode
    cosines = (encode([better[shard[r["key"]][1]] for r in judged]) * encode([r["caption_out"] for r in judged])).sum(1)
    order = [judged[i] for i in numpy.argsort(-cosines)]
    generic = sum(shard[row["key"]][1] in better for row in rows)
    kept = sum(row["decision"] == "keep" for row in rows if shard[row["key"]][1] not in better)
    text = (f"{len(judged)} of the {generic} generic captions were rewritten, and {kept} of the {len(rows) - generic} "
            f"others kept.\n\n")
    text += table([("best", r) for r in first_of_each(order)] +
                  [("worst", r) for r in first_of_each(order[::-1])], shard)
    readme = README.read_text(encoding="utf-8")
    before, rest = readme.split(BEGIN)
    README.write_text(before + BEGIN + text + END + rest.split(END)[1], encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
