"""What the authors' model is given for an image and a caption. Needs neither torch nor transformers."""

import io
import tarfile

import numpy
from PIL import Image

PROMPT_BEFORE = "\nEvaluate the caption: "
PROMPT_AFTER = "\nif score is low, give a short description of the image.\nRespond using a dictionary structure."


def resized_image(data, size):
    """Encoded image -> [S, S, 3] of Pillow."""
    return Image.open(io.BytesIO(data)).convert("RGB").resize((size, size), Image.Resampling.BICUBIC)


def pixel_values(data, size):
    """Encoded image -> float32 [3, S, S], as the authors' Pillow path gives it, bit for bit."""
    values = numpy.asarray(resized_image(data, size)).astype(numpy.float64)
    scaled = (values * 0.00392156862745098).astype(numpy.float32)
    half = numpy.float32(0.5)
    return numpy.ascontiguousarray(((scaled - half) / half).transpose(2, 0, 1), dtype="<f4")


def prompt_ids(tokenizer, caption):
    """The text after the image: the newline alone, then the question; pieces are tokenised apart."""
    return tokenizer.encode("\n") + tokenizer.encode(PROMPT_BEFORE + caption + PROMPT_AFTER)


def samples(shard, limit=None):
    """Yields the first `limit` (key, image bytes, caption) of a WebDataset shard."""
    found = {}
    with tarfile.open(shard) as archive:
        for member in archive:
            key, extension = member.name.split(".", 1)
            if key not in found and len(found) == limit:
                break
            found.setdefault(key, {})[extension] = archive.extractfile(member).read()
    for key, members in found.items():
        image = next(members[e] for e in ("jpg", "png", "webp") if e in members)
        yield key, image, members["txt"].decode("utf-8", errors="replace")
