#!/usr/bin/env python3
"""Compares the image module with Pillow on random images.

Makes images of every kind that include/aitqe/image/decode.h promises to decode as Pillow does,
with random size, content and encoder settings, whole and damaged; decodes, resizes and normalises
each with Pillow and with tests/image/pixels_cli, and compares SHA-256 of the results.

  scripts/check_pixels.py build/tests/image/pixels_cli            # 5,000 images
  scripts/check_pixels.py --quick build/tests/image/pixels_cli    # 1,000 images, for CI

Exit status 1 when any image of a promised kind differs. Needs numpy and Pillow.
"""
import argparse
import collections
import hashlib
import io
import pathlib
import random
import struct
import subprocess
import sys
import tempfile
import warnings
import zlib

import numpy
import PIL
from PIL import Image

BICUBIC = Image.Resampling.BICUBIC
PNG_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2),
         (0, 1, 1, 2)]


# ---- content ---------------------------------------------------------------------------------

def random_size(rng):
    kind = rng.random()
    if kind < 0.05:
        return rng.choice([(1, 1), (1, 2), (2, 1), (1, 97), (97, 1), (3, 3), (1500, 7), (7, 1500)])
    if kind < 0.3:
        return rng.randint(1, 40), rng.randint(1, 40)
    return rng.randint(1, 320), rng.randint(1, 320)


def random_array(rng, width, height, channels):
    """Noise, smooth colours, hard edges, or a mixture."""
    noise = numpy.random.default_rng(rng.getrandbits(32))
    y, x = numpy.mgrid[0:height, 0:width]
    kind = rng.choice(["noise", "smooth", "edges", "mixed", "flat"])
    planes = []
    for _ in range(channels):
        a, b, c = (rng.uniform(0.005, 0.2) for _ in range(3))
        smooth = 127.5 + 127.5 * numpy.sin(a * x + b * y + 10 * c)
        if kind == "noise":
            plane = noise.integers(0, 256, (height, width))
        elif kind == "smooth":
            plane = smooth
        elif kind == "edges":
            plane = (smooth > 127) * 255
        elif kind == "flat":
            plane = numpy.full((height, width), rng.randrange(256))
        else:
            plane = smooth + noise.normal(0, 25, (height, width))
        planes.append(numpy.clip(plane, 0, 255).astype(numpy.uint8))
    return numpy.stack(planes, axis=-1)


def random_image(rng, mode):
    width, height = random_size(rng)
    channels = len(Image.new(mode, (1, 1)).getbands())
    array = random_array(rng, width, height, channels)
    if mode == "P":
        image = Image.fromarray(array[..., 0])
        image = Image.frombytes("P", image.size, image.tobytes())
        image.putpalette(rng.randbytes(768))
        return image
    if mode == "1":
        return Image.fromarray(array[..., 0]).convert("1")
    return Image.frombytes(mode, (width, height), array.tobytes())


def saved(image, **options):
    buffer = io.BytesIO()
    image.save(buffer, **options)
    return buffer.getvalue()


# ---- encoders --------------------------------------------------------------------------------

def make_jpeg(rng):
    options = {"quality": rng.randint(1, 100), "subsampling": rng.randint(0, 2),
               "progressive": rng.random() < 0.4, "optimize": rng.random() < 0.3}
    if rng.random() < 0.2:
        options["restart_marker_blocks"] = rng.randint(1, 20)
    image = random_image(rng, rng.choice(["L", "RGB", "RGB", "RGB", "CMYK"]))
    if rng.random() < 0.1 and image.mode == "RGB":
        options.update(keep_rgb=True, subsampling=0)
    if rng.random() < 0.2:
        exif = Image.Exif()
        exif[0x0112] = rng.randint(1, 8)
        options["exif"] = exif
    return saved(image, format="JPEG", **options)


def set_sampling(jpeg, factors):
    """Only for gray-like content would this be a picture; as numbers it decodes all the same."""
    at = max(jpeg.find(b"\xff\xc0"), jpeg.find(b"\xff\xc2"))
    patched = bytearray(jpeg)
    for i, factor in enumerate(factors):
        patched[at + 11 + 3 * i] = factor
    return bytes(patched)


def make_jpeg_odd_sampling(rng):
    """4:4:0 and others that Pillow does not write: the factors of a noisy file are replaced, and
    what its data then means is decoded by both. Runs out of data unless there is enough of it."""
    width, height = rng.randint(60, 200), rng.randint(60, 200)
    array = random_array(rng, width, height, 3)
    jpeg = saved(Image.fromarray(array), format="JPEG", quality=rng.randint(20, 95),
                 subsampling=0, progressive=rng.random() < 0.3)
    factors = rng.choice([(0x12, 0x11, 0x11), (0x22, 0x12, 0x12), (0x22, 0x21, 0x21),
                          (0x14, 0x11, 0x11), (0x41, 0x11, 0x11), (0x11, 0x12, 0x11)])
    return set_sampling(jpeg, factors)


def png_chunk(name, payload):
    body = name + payload
    return struct.pack(">I", len(payload)) + body + struct.pack(">I", zlib.crc32(body))


def filter_row(kind, row, previous, bpp):
    left = bytes(bpp) + row[:-bpp] if len(row) > bpp else bytes(len(row))
    upper_left = bytes(bpp) + previous[:-bpp] if len(row) > bpp else bytes(len(row))
    out = bytearray([kind])
    for x, a, b, c in zip(row, left, previous, upper_left):
        if kind == 0:
            guess = 0
        elif kind == 1:
            guess = a
        elif kind == 2:
            guess = b
        elif kind == 3:
            guess = (a + b) // 2
        else:
            p = a + b - c
            guess = min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]
        out.append((x - guess) & 255)
    return bytes(out)


def pack_row(samples, depth):
    if depth == 16:
        return samples.astype(">u2").tobytes()
    if depth == 8:
        return samples.astype(numpy.uint8).tobytes()
    bits = numpy.unpackbits(samples.astype(numpy.uint8)[:, None], axis=1)[:, 8 - depth:]
    return numpy.packbits(bits.reshape(-1)).tobytes()


def png_pass(rng, samples, depth, channels):
    bpp = max(1, depth * channels // 8)
    previous, out = None, []
    for row in samples.reshape(samples.shape[0], -1):
        packed = pack_row(row, depth)
        if previous is None:
            previous = bytes(len(packed))
        out.append(filter_row(rng.randrange(5), packed, previous, bpp))
        previous = packed
    return b"".join(out)


def make_png(rng):
    """Any colour type, depth and filter, interlaced or not, cut into random IDAT chunks."""
    color_type, depth = rng.choice([(0, 1), (0, 2), (0, 4), (0, 8), (0, 16), (2, 8), (2, 8), (2, 16),
                                    (3, 1), (3, 2), (3, 4), (3, 8), (4, 8), (4, 16), (6, 8),
                                    (6, 16)])
    channels = PNG_CHANNELS[color_type]
    width, height = random_size(rng)
    width, height = min(width, 300), min(height, 60)
    samples = random_array(rng, width, height, channels).astype(numpy.uint16)
    if depth == 16:
        low = random_array(rng, width, height, channels)
        samples = samples * 256 * rng.choice([0, 1, 1]) + low
    elif depth < 8:
        samples >>= 8 - depth
    interlaced = rng.random() < 0.4
    raw = b""
    for x, y, dx, dy in ADAM7 if interlaced else [(0, 0, 1, 1)]:
        part = samples[y::dy, x::dx]
        if part.size:
            raw += png_pass(rng, part, depth, channels)
    out = [b"\x89PNG\r\n\x1a\n",
           png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color_type, 0, 0,
                                          interlaced))]
    if rng.random() < 0.2:
        out.append(png_chunk(b"tEXt", b"Comment\0made by check_pixels.py"))
    if color_type == 3:
        num_colors = rng.randint(1, 1 << depth) if rng.random() < 0.2 else 1 << depth
        out.append(png_chunk(b"PLTE", rng.randbytes(3 * num_colors)))
    if rng.random() < 0.3 and color_type in (0, 2, 3):
        out.append(png_chunk(b"tRNS", rng.randbytes({0: 2, 2: 6, 3: rng.randint(1, 1 << depth)}
                                                    [color_type])))
    data = zlib.compress(raw, rng.randint(0, 9))
    while data:
        size = rng.choice([len(data), rng.randint(1, 2000)])
        out.append(png_chunk(b"IDAT", data[:size]))
        data = data[size:]
    if rng.random() < 0.1:
        out.append(png_chunk(b"tEXt", b"Comment\0after the pixels"))
    return b"".join(out) + png_chunk(b"IEND", b"")


def make_png_by_pillow(rng):
    image = random_image(rng, rng.choice(["1", "L", "LA", "P", "RGB", "RGBA"]))
    options = {}
    if image.mode == "P" and rng.random() < 0.5:
        options["transparency"] = rng.randrange(256)
    if image.mode != "1" and rng.random() < 0.2:
        options.update(save_all=True, append_images=[image.copy()], loop=0, duration=100)
    return saved(image, format="PNG", compress_level=rng.randint(0, 9), **options)


def make_webp(rng):
    image = random_image(rng, rng.choice(["RGB", "RGBA"]))
    options = {"quality": rng.randint(0, 100), "method": rng.randint(0, 6),
               "lossless": rng.random() < 0.4, "exact": rng.random() < 0.5,
               "alpha_quality": rng.randint(0, 100)}
    if rng.random() < 0.3:
        other = Image.frombytes(image.mode, image.size, rng.randbytes(len(image.tobytes())))
        options.update(save_all=True, append_images=[other], duration=50)
        options.pop("exact"), options.pop("alpha_quality")
    return saved(image, format="WEBP", **options)


def make_gif(rng):
    image = random_image(rng, rng.choice(["L", "P", "1", "RGB"]))
    options = {"interlace": rng.random() < 0.5}
    if rng.random() < 0.3:
        options["transparency"] = rng.randrange(256)
    if rng.random() < 0.3:
        options.update(save_all=True, append_images=[image.transpose(Image.Transpose.ROTATE_180)])
    gif = bytearray(saved(image, format="GIF", **options))
    if rng.random() < 0.2:  # a screen larger than the frame
        screen = struct.unpack_from("<HH", gif, 6)
        struct.pack_into("<HH", gif, 6, screen[0] + rng.randint(0, 9), screen[1] + rng.randint(0, 9))
    return bytes(gif)


def make_bmp(rng):
    return saved(random_image(rng, rng.choice(["L", "P", "RGB", "RGBA"])), format="BMP")


MAKERS = {"jpeg": make_jpeg, "jpeg-sampling": make_jpeg_odd_sampling, "png": make_png,
          "png-pillow": make_png_by_pillow, "webp": make_webp, "gif": make_gif, "bmp": make_bmp}
WEIGHTS = [6, 1, 4, 2, 4, 2, 1]


# ---- damage ----------------------------------------------------------------------------------

def truncate(rng, encoded):
    if rng.random() < 0.5:
        return encoded[:rng.randrange(len(encoded))]
    return encoded[:max(0, len(encoded) - rng.randint(1, 40))]


def append_junk(rng, encoded):
    return encoded + rng.choice([b"\0", b"\n", rng.randbytes(rng.randint(1, 300)), encoded])


def flip_bytes(rng, encoded):
    damaged = bytearray(encoded)
    for _ in range(rng.randint(1, 4)):
        damaged[rng.randrange(len(damaged))] = rng.randrange(256)
    return bytes(damaged)


# ---- comparison ------------------------------------------------------------------------------

def sha256(data):
    return hashlib.sha256(data).hexdigest()


def resize(image, size):
    """Image.resize(size, BICUBIC), across first and then down. Pillow up to 12.1 does that by
    itself; 12.2 and 12.3 do for images at most 100 times as high as wide; 13 does not always."""
    version = tuple(int(part) for part in PIL.__version__.split(".")[:2])
    if version < (12, 2) or (version < (13, 0) and image.height <= 100 * image.width):
        return image.resize(size, BICUBIC)
    return image.resize((size[0], image.height), BICUBIC).resize(size, BICUBIC)


def pillow_pixels(rgb, side):
    """What transformers 4.41.2 SiglipImageProcessor computes, as float32 [3, side, side]."""
    array = numpy.asarray(resize(rgb, (side, side)))
    scaled = (array * 0.00392156862745098).astype(numpy.float32)
    normal = (scaled - numpy.float32(0.5)) / numpy.float32(0.5)
    return numpy.ascontiguousarray(normal.transpose(2, 0, 1)).astype("<f4")


def expected(encoded, target):
    """The line that pixels_cli should print, or ("error", why)."""
    try:
        rgb = Image.open(io.BytesIO(encoded)).convert("RGB")
    except Exception as error:  # whatever Pillow refuses, in whatever way
        return "error", f"{type(error).__name__}: {error}"
    resized = sha256(resize(rgb, target).tobytes())
    return "ok", " ".join(["ok", str(rgb.width), str(rgb.height), sha256(rgb.tobytes()), resized,
                           resized, sha256(pillow_pixels(rgb, target[0]).tobytes())])


def random_target(rng):
    if rng.random() < 0.3:
        side = rng.choice([28, 56, 224, 384])
        return side, side
    return rng.randint(1, 400), rng.randint(1, 400)


def random_case(rng):
    """Name of the kind, whether equality is promised, the bytes."""
    kind = rng.choices(list(MAKERS), WEIGHTS)[0]
    encoded = None
    while encoded is None:
        try:
            encoded = MAKERS[kind](rng)
        except OSError:  # Pillow cannot write some tiny or noisy JPEGs; try another
            pass
    damage = rng.choices([None, truncate, append_junk, flip_bytes], [80, 8, 6, 6])[0]
    if damage is None:
        return kind, True, encoded
    return f"{kind}, {damage.__name__}", damage is not flip_bytes, damage(rng, encoded)


class Checker:
    def __init__(self, binary, keep):
        self.process = subprocess.Popen([binary], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)
        self.folder = tempfile.TemporaryDirectory()
        self.path = pathlib.Path(self.folder.name) / "image"
        self.keep = keep
        self.compared = collections.Counter()
        self.differing = collections.Counter()

    def ours(self, encoded, target):
        self.path.write_bytes(encoded)
        self.process.stdin.write(f"{target[0]} {target[1]} {self.path}\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline().rstrip("\n")
        if not line:
            raise RuntimeError("pixels_cli died")
        return line

    def compare(self, kind, encoded, target):
        """True when equal; both refusing is equal, whatever the message."""
        status, want = expected(encoded, target)
        got = self.ours(encoded, target)
        equal = got.startswith("error") if status == "error" else got == want
        self.compared[kind] += 1
        if not equal:
            self.differing[kind] += 1
            if self.keep:
                name = f"{kind.replace(', ', '-')}-{sum(self.differing.values())}"
                pathlib.Path(self.keep, name).write_bytes(encoded)
                print(f"{name}: {target}\n  Pillow: {want}\n  ours:   {got}")
        return equal


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", help="path of pixels_cli")
    parser.add_argument("--quick", action="store_true", help="1,000 images")
    parser.add_argument("--images", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", help="folder for the images that differ")
    options = parser.parse_args()
    warnings.simplefilter("ignore")

    rng = random.Random(options.seed)
    checker = Checker(options.binary, options.keep)
    broken_promises = 0
    for _ in range(1000 if options.quick else options.images):
        kind, promised, encoded = random_case(rng)
        if not checker.compare(kind, encoded, random_target(rng)) and promised:
            broken_promises += 1
    for kind in sorted(checker.compared):
        promise = "" if "flip_bytes" not in kind else " (no promise)"
        print(f"{kind}: {checker.compared[kind]} compared, {checker.differing[kind]} differ{promise}")
    print(f"Pillow {PIL.__version__}: {sum(checker.compared.values())} images compared, "
          f"{broken_promises} differ where equality is promised")
    return 1 if broken_promises else 0


if __name__ == "__main__":
    sys.exit(main())
