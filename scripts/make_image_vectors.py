#!/usr/bin/env python3
"""Makes tests/data/image: small files of every kind, and vectors.json with what Pillow makes of
each. Run by hand when a case is added; the result is committed.

  scripts/make_image_vectors.py tests/data/image

vectors.json: {"made_with": versions, "files": {name: case}}, where a case is either
  {"mode", "size", "rgb": sha256, "resized": {"WxH": sha256}, "pixels": {"SIDE": sha256}}   or
  {"error": Pillow's exception class};
both may carry {"refused": part of our message} where we refuse what Pillow opens, by decision.
"""
import io
import json
import pathlib
import random
import struct
import sys
import warnings
import zlib

import numpy
import PIL
from PIL import Image, features

from check_pixels import (filter_row, make_png, pack_row, pillow_pixels, png_chunk, random_array,
                          resize, saved, set_sampling, sha256)

SIZES = [(28, 28), (224, 224), (384, 384), (50, 31)]
SIDES = [28, 56]
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def picture(width, height, mode="RGB", seed=0):
    """Smooth colours with some noise; the same bytes on every run."""
    channels = len(Image.new(mode, (1, 1)).getbands())
    y, x = numpy.mgrid[0:height, 0:width]
    noise = numpy.random.default_rng(seed).integers(-20, 21, (height, width, channels))
    planes = [127 + 100 * numpy.sin(0.21 * (c + 1) * x + 0.13 * y + c) for c in range(channels)]
    array = numpy.clip(numpy.stack(planes, axis=-1) + noise, 0, 255).astype(numpy.uint8)
    return Image.frombytes(mode, (width, height), array.tobytes())


def palette_picture(width, height):
    image = Image.frombytes("P", (width, height), picture(width, height, "L").tobytes())
    image.putpalette(random.Random(5).randbytes(768))
    return image


# ---- PNG by hand -----------------------------------------------------------------------------

def png_header(width, height, depth, color_type, interlaced=0):
    return PNG_SIGNATURE + png_chunk(
        b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color_type, 0, 0, interlaced))


def png(depth=8, color_type=2, before=b"", after=b"", size=(19, 13), end=png_chunk(b"IEND", b"")):
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[color_type]
    width, height = size
    samples = random_array(random.Random(depth + color_type), width, height, channels)
    samples = samples.astype(numpy.uint16)
    samples = samples * 257 if depth == 16 else samples >> (8 - depth)
    if depth == 16:
        samples[0, :, :] = numpy.arange(width)[:, None] * 30  # below and above 255
    bpp = max(1, depth * channels // 8)
    previous, raw = None, b""
    for i, row in enumerate(samples.reshape(height, -1)):
        packed = pack_row(row, depth)
        raw += filter_row(i % 5, packed, previous or bytes(len(packed)), bpp)
        previous = packed
    if color_type == 3:
        before += png_chunk(b"PLTE", random.Random(1).randbytes(3 << depth))
    return (png_header(width, height, depth, color_type) + before +
            png_chunk(b"IDAT", zlib.compress(raw)) + after + end)


def interlaced_png(seed):
    rng = random.Random(seed)
    while True:
        encoded = make_png(rng)
        if encoded[28] == 1 and len(encoded) < 4000:
            return encoded


def spoil_checksum(encoded, name):
    at = encoded.index(name)
    end = at + 4 + struct.unpack(">I", encoded[at - 4:at])[0]
    return encoded[:end] + bytes([encoded[end] ^ 1]) + encoded[end + 1:]


def png_cases():
    text = png_chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(2 << 20)))
    profile = png_chunk(b"iCCP", b"profile\0\0" + zlib.compress(bytes(2 << 20)))
    international = png_chunk(b"iTXt", b"k\0\1\0\0\0" + zlib.compress(bytes(2 << 20)))
    cases = {f"png-type{t}-{d}bit.png": png(d, t)
             for t, depths in {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16),
                               6: (8, 16)}.items() for d in depths}
    cases |= {f"png-interlaced-{seed}.png": interlaced_png(seed) for seed in range(6)}
    cases |= {
        "png-gray-trns.png": png(8, 0, before=png_chunk(b"tRNS", b"\0\x40")),
        "png-rgb-trns.png": png(8, 2, before=png_chunk(b"tRNS", bytes(6))),
        "png-palette-trns.png": saved(palette_picture(20, 15), format="PNG", transparency=3),
        "png-short-trns.png": png(8, 2, before=png_chunk(b"tRNS", b"\0")),
        "png-animated.png": saved(picture(12, 10), format="PNG", save_all=True,
                                  append_images=[picture(12, 10, seed=1)]),
        "png-text-bomb.png": png(before=text),
        "png-text-bomb-after.png": png(after=text),
        "png-itxt-bomb.png": png(before=international),
        "png-profile-bomb.png": png(before=profile),
        "png-big-exif.png": png(before=png_chunk(b"eXIf", bytes(20000))),
        "png-no-end.png": png(end=b""),
        "png-cut-in-end.png": png(end=b"\0\0\0\0IE"),
        "png-cut-text-after.png": png(end=png_chunk(b"tEXt", b"a\0b")[:-6]),
        "png-junk-after.png": png() + b"<html>",
        "png-bad-header-checksum.png": spoil_checksum(png(), b"IHDR"),
        "png-bad-text-checksum.png": spoil_checksum(png(before=png_chunk(b"tEXt", b"a\0b")),
                                                    b"tEXt"),
        "png-bad-pixel-checksum.png": spoil_checksum(png(), b"IDAT"),
        "png-cut-pixels.png": png()[:-60],
        "png-zero-width.png": png_header(0, 10, 8, 2) + png_chunk(b"IDAT", zlib.compress(b"")),
        "png-huge.png": png_header(65535, 65535, 8, 2) + png_chunk(b"IDAT", zlib.compress(b"")),
        "png-bad-depth.png": png_header(4, 4, 3, 2) + png_chunk(b"IDAT", zlib.compress(b"")),
        "png-no-pixels.png": png_header(4, 4, 8, 2) + png_chunk(b"IEND", b""),
        "png-named.jpg": png(),
        "png-1x1.png": png(size=(1, 1)),
    }
    return cases


# ---- JPEG, WebP, GIF, BMP --------------------------------------------------------------------

def jpeg(image, **options):
    return saved(image, format="JPEG", **({"quality": 85} | options))


def jpeg_cases():
    color, cmyk = picture(33, 17), jpeg(picture(21, 18, "CMYK"))
    whole = jpeg(color)
    exif = Image.Exif()
    exif[0x0112] = 6
    zero_height = bytearray(whole)
    frame = whole.index(b"\xff\xc0")
    zero_height[frame + 5:frame + 7] = b"\0\0"
    bomb = bytearray(whole)
    bomb[frame + 5:frame + 9] = b"\xff\xff\xff\xff"
    twelve_bit = bytearray(whole)
    twelve_bit[frame + 4] = 12
    adobe = cmyk.index(b"Adobe")
    cases = {
        "jpeg-gray.jpg": jpeg(picture(33, 17, "L")),
        "jpeg-444.jpg": jpeg(color, subsampling=0),
        "jpeg-422.jpg": jpeg(color, subsampling=1),
        "jpeg-420.jpg": jpeg(color, subsampling=2),
        "jpeg-440.jpg": set_sampling(jpeg(picture(80, 80), subsampling=0), (0x12, 0x11, 0x11)),
        "jpeg-411.jpg": set_sampling(jpeg(picture(80, 80), subsampling=0), (0x41, 0x11, 0x11)),
        "jpeg-rgb.jpg": jpeg(color, keep_rgb=True, subsampling=0),
        "jpeg-progressive.jpg": jpeg(color, progressive=True),
        "jpeg-progressive-gray.jpg": jpeg(picture(40, 9, "L"), progressive=True),
        "jpeg-restart.jpg": jpeg(color, restart_marker_blocks=2),
        "jpeg-quality-1.jpg": jpeg(color, quality=1),
        "jpeg-quality-100.jpg": jpeg(color, quality=100),
        "jpeg-cmyk.jpg": cmyk,
        "jpeg-ycck.jpg": cmyk[:adobe + 11] + b"\2" + cmyk[adobe + 12:],
        "jpeg-exif-rotated.jpg": jpeg(color, exif=exif),
        "jpeg-icc.jpg": jpeg(color, icc_profile=bytes(3000)),
        "jpeg-1x1.jpg": jpeg(picture(1, 1)),
        "jpeg-200x1.jpg": jpeg(picture(200, 1)),
        "jpeg-30x4000.jpg": jpeg(Image.new("RGB", (30, 4000), (10, 200, 30)), quality=50),
        "jpeg-no-end.jpg": whole[:-2],
        "jpeg-junk-after.jpg": whole + b"\0" * 100,
        "jpeg-cut.jpg": whole[:len(whole) * 3 // 4],
        "jpeg-cut-progressive.jpg": jpeg(color, progressive=True)[:-40],
        "jpeg-cut-header.jpg": whole[:100],
        "jpeg-zero-height.jpg": bytes(zero_height),
        "jpeg-bomb.jpg": bytes(bomb),
        "jpeg-12-bit.jpg": bytes(twelve_bit),
    }
    return cases


def other_cases():
    alpha = picture(25, 14, "RGBA")
    lossy = saved(picture(25, 14), format="WEBP", quality=70)
    frames = [picture(24, 16, "RGBA", seed) for seed in range(3)]
    gif = saved(palette_picture(23, 17), format="GIF")
    larger = bytearray(gif)
    larger[6:10] = struct.pack("<HH", 30, 20)
    bmp = saved(picture(17, 9), format="BMP")
    return {
        "webp-lossy.webp": lossy,
        "webp-lossless.webp": saved(picture(25, 14), format="WEBP", lossless=True),
        "webp-alpha.webp": saved(alpha, format="WEBP", quality=60),
        "webp-lossless-alpha.webp": saved(alpha, format="WEBP", lossless=True, exact=True),
        "webp-animated.webp": saved(frames[0], format="WEBP", save_all=True,
                                    append_images=frames[1:]),
        "webp-junk-after.webp": lossy + b"junk",
        "webp-cut.webp": lossy[:-20],
        "webp-cut-header.webp": lossy[:25],
        "gif-palette.gif": gif,
        "gif-gray.gif": saved(picture(23, 17, "L"), format="GIF"),
        "gif-interlaced.gif": saved(palette_picture(23, 17), format="GIF", interlace=1),
        "gif-transparent.gif": saved(palette_picture(23, 17), format="GIF", transparency=7),
        "gif-animated.gif": saved(palette_picture(9, 9), format="GIF", save_all=True,
                                  append_images=[picture(9, 9)]),
        "gif-larger-screen.gif": bytes(larger),
        "gif-cut.gif": gif[:-30],
        "bmp-24.bmp": bmp,
        "bmp-32.bmp": saved(alpha, format="BMP"),
        "bmp-8.bmp": saved(palette_picture(17, 9), format="BMP"),
        "bmp-gray.bmp": saved(picture(17, 9, "L"), format="BMP"),
        "bmp-cut.bmp": bmp[:-5],
        "html.jpg": b"<!DOCTYPE html>\n<html><body>404 Not Found</body></html>\n",
        "empty.jpg": b"",
    }


def refused_cases():
    """What Pillow may open and we do not; name -> (bytes, part of our message)."""
    tiff = saved(picture(5, 4), format="TIFF")
    return {
        "tiff.tif": (tiff, "TIFF"),
        "bmp-1.bmp": (saved(picture(9, 9, "L").convert("1"), format="BMP"), "unsupported BMP"),
        "svg.svg": (b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>', "SVG"),
        "psd.psd": (b"8BPS\0\1" + bytes(40), "PSD"),
        "heic.heic": (b"\0\0\0\x18ftypheic" + bytes(40), "HEIC"),
        "avif.avif": (b"\0\0\0\x18ftypavif" + bytes(40), "AVIF"),
    }


def case_of(encoded):
    try:
        image = Image.open(io.BytesIO(encoded))
        mode, rgb = image.mode, image.convert("RGB")
    except Exception as error:  # whatever Pillow refuses, in whatever way
        return {"error": type(error).__name__}
    return {
        "mode": mode,
        "size": list(rgb.size),
        "rgb": sha256(rgb.tobytes()),
        "resized": {f"{w}x{h}": sha256(resize(rgb, (w, h)).tobytes()) for w, h in SIZES},
        "pixels": {str(side): sha256(pillow_pixels(rgb, side).tobytes()) for side in SIDES},
    }


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    warnings.simplefilter("ignore")
    files = {}
    for name, encoded in (jpeg_cases() | png_cases() | other_cases()).items():
        (folder / name).write_bytes(encoded)
        files[name] = case_of(encoded)
    for name, (encoded, message) in refused_cases().items():
        (folder / name).write_bytes(encoded)
        files[name] = case_of(encoded) | {"refused": message}
    versions = {"pillow": PIL.__version__, "numpy": numpy.__version__,
                "libjpeg-turbo": features.version("libjpeg_turbo"),
                "webp": features.version("webp"), "zlib": features.version("zlib")}
    vectors = {"made_with": versions, "files": files}
    (folder / "vectors.json").write_text(json.dumps(vectors, indent=1) + "\n")
    print(f"{len(files)} files")


if __name__ == "__main__":
    main()
