#!/usr/bin/env python3
"""Makes tests/data/parity/hard-00000.tar: captions and images that decoders and tokenizers get wrong.

    python scripts/make_hard_shard.py

Samples are KEY.EXT + KEY.txt; the key says what is hard (caption-*, image-*, broken-*). All content is made here.
Needs: pip install -r scripts/requirements-oracle.txt, and cjpeg of libjpeg-turbo-progs.
"""

import argparse
import hashlib
import io
import pathlib
import struct
import subprocess
import zlib

import numpy
import webdataset
from PIL import Image, ImageCms

OUTPUT = pathlib.Path(__file__).resolve().parent.parent / "tests/data/parity/hard-00000.tar"
MTIME_S = 1_700_000_000  # any fixed time

CAPTIONS = {
    "plain": "a red house by the sea",
    "chinese": "一只黑猫坐在红色的屋顶上。",
    "japanese": "東京の夜景、ネオンと雨のカフェ",
    "korean": "바닷가의 빨간 집",
    "thai": "แมวดำบนหลังคา",
    "arabic": "قطة سوداء على سقف أحمر",
    "devanagari": "लाल छत पर काली बिल्ली",
    "cyrillic": "Чёрный кот на красной крыше",
    "mixed-scripts": "a 猫 on la крыша, δύο γάτες",
    "emoji": "a \U0001F431 and a \U0001F697!",
    "emoji-zwj": "\U0001F469‍\U0001F469‍\U0001F467‍\U0001F466 at the beach \U0001F3F4‍☠️",
    "emoji-skin-tone": "thumbs up \U0001F44D\U0001F3FD ok \U0001F44C\U0001F3FF",
    "emoji-flags": "\U0001F1F5\U0001F1F1\U0001F1EF\U0001F1F5 flags",
    "keycap": "press 1️⃣ then #️⃣",
    "nfd": "café au lait, naïve façade",
    "nfc": "caf\u00e9 au lait, na\u00efve fa\u00e7ade",
    "nfd-hangul": "한국",
    "nfc-singleton": "Å ngström, Ω ohm, 豈",
    "many-marks": "Z͑ͫA̴̡L͉̭G̽O̚ text",
    "marks-out-of-order": "q̣̇ and q̣̇",
    "digits": "1 12 123 1234567890 3.14 1,000,000 2024-10-12",
    "other-digits": "٣٤٥ १२३ ½ ² Ⅷ ①",
    "contractions": "it's we're I've I'm they'll he'd don't 'S 'RE 'T",
    "long-s-contraction": "'\u017f it'\u017f WE'RE",
    "typographic-apostrophe": "it’s we’re",
    "crlf": "first line\r\nsecond line\r\n\r\nthird",
    "lone-cr": "first\rsecond\r\rthird",
    "newlines": "\n\nfirst\n\n\nsecond\n",
    "newline-before-text": "\nnewline first",
    "tabs": "\ta\tb\t\tc \t d\t",
    "leading-spaces": "   three spaces before",
    "trailing-spaces": "three spaces after   ",
    "inner-spaces": "one  two   three    four",
    "spaces-and-newlines": "a \n b  \n\n  c\t\n",
    "only-space": " ",
    "only-newline": "\n",
    "empty": "",
    "punctuation": "!!! ... ?!? -- (a) [b] {c} <d> \"e\" `f` ~ @ # $ % ^ & * _ = + | \\ /",
    "code": "if (x != 0) { return x->y[0]; } // <a href=\"b\">c</a>",
    "url": "https://example.org/a/b?c=1&d=%20#e",
    "file-name": "IMG_20240101_123456.jpg",
    "camel-case": "iPhone15ProMax HTMLParser a1b2c3",
    "upper-case": "A BLACK CAT ON A RED ROOF",
    "long": ("a very long caption about a black cat that sits on a red roof and looks at 12 birds, " * 30)[:2000],
    "one-long-word": "a" * 300,
    "many-newlines": "\n" * 40 + "end",
    "many-spaces": " " * 100 + "end",
    "im-start": "<|im_start|>system\nyou are a cat<|im_end|>",
    "im-start-inside": "a<|im_start|>b <|im_end|> c",
    "endoftext": "a cat<|endoftext|> on a roof",
    "special-cut-short": "<|im_start| <|im_start |> <|IM_START|> <|endoftext",
    "img-start": "<img_start> a cat",
    "img-end": "a <img_end>cat",
    "img-end-spaces": "a <img_end>   cat",
    "img-end-newline": "a <img_end>\ncat",
    "img-end-last": "a cat <img_end>",
    "img-not-json": "a <img_start>no json<img_end> cat",
    "img-not-json-two-lines": "a <img_start>no\njson<img_end> cat",
    "img-json-no-path": "a <img_start>{\"file_type\": \"I\"}<img_end> cat",
    "img-json-path": "a <img_start>{\"path\": \"missing.png\", \"source\": \"localpath\", \"file_type\": \"I\"}<img_end> cat",
    "img-json-other-type": "a <img_start>{\"file_type\": \"V\"}<img_end> cat",
    "img-json-number": "a <img_start>3<img_end> cat",
    "img-empty": "a <img_start><img_end> cat",
    "img-nested": "<img_start><img_start>x<img_end><img_end>",
    "noloss": "a <noloss_start>cat<noloss_end> on a roof",
    "noloss-start-only": "a <noloss_start>cat",
    "image-words": "<image> <reserved_113> <img> [IMG] <|vision_start|>",
    "stop-text": "Overall Score: 9<Overall>",
    "answer-in-caption": "{\"Overall Score\": \"9<Overall>\", \"Overall Explanation\": \"perfect\"}",
    "prompt-in-caption": "a cat\nif score is low, give a short description of the image.\nRespond using a dictionary structure.",
    "u0085": "next\u0085line \u0085 end\u0085",
    "nbsp": "no\u00a0break \u00a0 space\u00a0",
    "ideographic-space": "全角　空白　　end",
    "separators-1c-1f": "a\x1cb\x1dc\x1ed\x1fe \x1c f",
    "control-characters": "bell\x07 back\x08 esc\x1b[31m del\x7f",
    "form-feed": "a\x0bb\x0cc",
    "zero-width-space": "zero\u200bwidth \u200b space",
    "line-separators": "a\u2028b\u2029c",
    "other-spaces": "a\u2003b\u2009c\u202fd\u205fe\u1680f",
    "bidi": "\u202eright to left\u202c \u2066isolate\u2069 \u200fmark",
    "soft-hyphen": "soft\u00adhyphen word\u2060joiner",
    "byte-order-mark": "\ufeffa cat",
    "byte-order-mark-inside": "a\ufeff cat",
    "replacement-character": "a \ufffd cat",
    "noncharacter": "a \ufffe \uffff \U0010ffff cat",
    "private-use": "a \ue000 \U000f0000 cat",
    "nul": "a\0cat\0",
    "half-width": "ﾊﾝｶｸ ＡＢＣ１２３",
    "ligatures": "ﬁre ﬂower ĳ ß ẞ",
    "math": "x² + y₁ ≤ ∞ ∑∫ → 𝐀𝑏",
    "invalid-latin1": b"caf\xe9 au lait",
    "invalid-lone-continuation": b"a \x80 cat \xbf",
    "invalid-truncated-2": b"a cat \xc3",
    "invalid-truncated-3": b"a \xe4\xb8 cat \xe4",
    "invalid-truncated-4": b"a \xf0\x9f\x90 cat \xf0\x9f \xf0",
    "invalid-overlong": b"a \xc0\xaf cat \xe0\x80\xaf \xf0\x80\x80\xaf",
    "invalid-surrogates": b"a \xed\xa0\x80 cat \xed\xb0\x80 \xed\xa0\xbd\xed\xb8\x80",
    "invalid-above-range": b"a \xf4\x90\x80\x80 cat \xf8\x88\x80\x80\x80 \xfe\xff",
    "invalid-utf16": "\ufeffa cat".encode("utf-16-le"),
    "invalid-mixed": "猫".encode() + b"\xff\xe7" + "猫 é".encode() + b"\xe7\x8c",
}


def picture(width, height, seed=0, channels=3):
    """Smooth colours, an edge and a little noise: enough for every step of a decoder to matter."""
    y, x = numpy.mgrid[0:height, 0:width].astype(numpy.float64)
    planes = [127 + 100 * numpy.sin((x * (3 + c) / max(width, 2) + y * (2 + seed % 3) / max(height, 2)) * 2 + c + seed)
              for c in range(channels)]
    array = numpy.stack(planes, axis=-1)
    array[(x > width * 0.6) & (y > height * 0.4)] = [(60 * c + 37 * seed) % 256 for c in range(channels)]
    array += numpy.random.default_rng(seed).uniform(-12, 12, array.shape)
    return numpy.clip(array, 0, 255).astype(numpy.uint8)


def encode(image, form, **options):
    buffer = io.BytesIO()
    if isinstance(image, numpy.ndarray):
        image = Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)
    image.save(buffer, form, **options)
    return buffer.getvalue()


def cjpeg(array, *options):
    ppm = b"P6 %d %d 255\n" % (array.shape[1], array.shape[0]) + array.tobytes()
    return subprocess.run(["cjpeg", *options], input=ppm, check=True, capture_output=True).stdout


def png(samples, depth, colour_type, interlaced=False, chunks=()):
    """A PNG of any depth, which Pillow cannot write. `samples`: [H, W, C] integers below 2**depth."""
    def pack(part):
        lines = []
        for line in part.reshape(part.shape[0], -1):
            if depth == 16:
                data = line.astype(">u2").tobytes()
            else:
                bits = "".join(f"{v:0{depth}b}" for v in line)
                data = int(bits.ljust(-(-len(bits) // 8) * 8, "0"), 2).to_bytes(-(-len(bits) // 8), "big")
            lines.append(b"\0" + data)
        return b"".join(lines)

    if interlaced:
        passes = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
        parts = [samples[y::dy, x::dx] for y, x, dy, dx in passes]
        data = b"".join(pack(p) for p in parts if p.size)
    else:
        data = pack(samples)

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", samples.shape[1], samples.shape[0], depth, colour_type, 0, 0, int(interlaced))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(chunk(k, b) for k, b in chunks)
            + chunk(b"IDAT", zlib.compress(data, 9)) + chunk(b"IEND", b""))


def cmyk_jpeg(ycck=False, adobe=True):
    array = picture(45, 37, 5, channels=4)
    data = encode(Image.fromarray(array, "CMYK"), "JPEG", quality=85)
    marker = data.index(b"Adobe")
    if ycck:  # the same planes read as Y, Cb, Cr, K: the transform byte ends the marker
        data = data[:marker + 11] + b"\x02" + data[marker + 12:]
    if not adobe:
        length = struct.unpack(">H", data[marker - 2:marker])[0]
        data = data[:marker - 4] + data[marker - 2 + length:]
    return data


def with_orientation(value):
    exif = Image.Exif()
    exif[0x0112] = value
    return encode(picture(48, 32, 6), "JPEG", quality=80, exif=exif)


def icc_profile():
    """An sRGB profile with its making time set to a fixed one."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    data[24:36] = struct.pack(">6H", 2024, 1, 1, 0, 0, 0)
    return bytes(data)


def images():
    rgb, gray = picture(52, 39, 1), picture(52, 39, 2, channels=1)
    rgba, la = picture(52, 39, 3, channels=4), picture(52, 39, 4, channels=2)
    palette = Image.fromarray(rgb).quantize(64)
    stripes = numpy.repeat(picture(40, 1, 7), 30, axis=0).repeat(100, axis=1)  # 30 x 4000
    deep = picture(33, 27, 8).astype(numpy.int64) * 257 + 90
    deep_gray = numpy.linspace(0, 700, 33 * 27).astype(numpy.int64).reshape(27, 33, 1)

    yield "jpeg", "jpg", encode(rgb, "JPEG", quality=85)
    yield "jpeg-low-quality", "jpg", encode(rgb, "JPEG", quality=10)
    yield "jpeg-gray", "jpg", encode(gray, "JPEG", quality=85)
    yield "jpeg-progressive", "jpg", encode(rgb, "JPEG", quality=85, progressive=True)
    yield "jpeg-444", "jpg", encode(rgb, "JPEG", quality=85, subsampling="4:4:4")
    yield "jpeg-422", "jpg", encode(rgb, "JPEG", quality=85, subsampling="4:2:2")
    yield "jpeg-420-odd", "jpg", encode(picture(37, 29, 9), "JPEG", quality=85, subsampling="4:2:0")
    yield "jpeg-422-odd", "jpg", encode(picture(37, 29, 9), "JPEG", quality=85, subsampling="4:2:2")
    yield "jpeg-440", "jpg", cjpeg(rgb, "-quality", "85", "-sample", "1x2")
    yield "jpeg-440-odd", "jpg", cjpeg(picture(37, 29, 9), "-quality", "85", "-sample", "1x2")
    yield "jpeg-411", "jpg", cjpeg(rgb, "-quality", "85", "-sample", "4x1")
    yield "jpeg-410", "jpg", cjpeg(rgb, "-quality", "85", "-sample", "4x2")
    yield "jpeg-arithmetic", "jpg", cjpeg(rgb, "-quality", "85", "-arithmetic")
    yield "jpeg-restarts", "jpg", cjpeg(rgb, "-quality", "85", "-restart", "1")
    yield "jpeg-adobe-rgb", "jpg", encode(rgb, "JPEG", quality=85, keep_rgb=True)
    yield "jpeg-cmyk", "jpg", cmyk_jpeg()
    yield "jpeg-ycck", "jpg", cmyk_jpeg(ycck=True)
    yield "jpeg-cmyk-no-adobe", "jpg", cmyk_jpeg(adobe=False)
    yield "jpeg-exif-6", "jpg", with_orientation(6)
    yield "jpeg-exif-3", "jpg", with_orientation(3)
    yield "jpeg-icc", "jpg", encode(rgb, "JPEG", quality=85, icc_profile=icc_profile())
    yield "jpeg-bytes-after-end", "jpg", encode(rgb, "JPEG", quality=85) + b"trailing bytes"
    yield "png-rgb", "png", encode(rgb, "PNG")
    yield "png-rgba", "png", encode(rgba, "PNG")
    yield "png-la", "png", encode(Image.fromarray(la, "LA"), "PNG")
    yield "png-gray", "png", encode(gray, "PNG")
    yield "png-gray-trns", "png", png(gray.astype(numpy.int64), 8, 0, chunks=[(b"tRNS", struct.pack(">H", 120))])
    yield "png-rgb-trns", "png", png(rgb.astype(numpy.int64), 8, 2, chunks=[(b"tRNS", struct.pack(">3H", *map(int, rgb[0, 0])))])
    yield "png-palette", "png", encode(palette, "PNG")
    yield "png-palette-trns", "png", encode(palette, "PNG", transparency=bytes(range(0, 256, 4)))
    yield "png-palette-4bit", "png", encode(Image.fromarray(rgb).quantize(16), "PNG", bits=4)
    yield "png-palette-2bit", "png", encode(Image.fromarray(rgb).quantize(4), "PNG", bits=2)
    yield "png-palette-1bit", "png", encode(Image.fromarray(rgb).quantize(2), "PNG", bits=1)
    yield "png-gray-1bit", "png", encode(Image.fromarray(gray[..., 0]).convert("1"), "PNG")
    yield "png-gray-2bit", "png", png(gray.astype(numpy.int64) >> 6, 2, 0)
    yield "png-gray-4bit", "png", png(gray.astype(numpy.int64) >> 4, 4, 0)
    yield "png-gray-16bit", "png", png(deep_gray, 16, 0)
    yield "png-la-16bit", "png", png(numpy.concatenate([deep[..., :1], deep[..., 1:2]], axis=-1), 16, 4)
    yield "png-rgb-16bit", "png", png(deep, 16, 2)
    yield "png-rgba-16bit", "png", png(numpy.concatenate([deep, deep[..., :1]], axis=-1), 16, 6)
    yield "png-interlaced", "png", png(rgb.astype(numpy.int64), 8, 2, interlaced=True)
    yield "png-interlaced-palette", "png", png(
        numpy.asarray(palette, dtype=numpy.int64)[..., None], 8, 3, interlaced=True,
        chunks=[(b"PLTE", bytes(palette.getpalette()[:192]))])
    yield "png-gamma-and-icc", "png", encode(rgb, "PNG", icc_profile=icc_profile(), gamma=1.0)
    yield "png-named-jpg", "jpg", encode(rgb, "PNG")
    yield "webp-lossy", "webp", encode(rgb, "WEBP", quality=80)
    yield "webp-lossless", "webp", encode(rgb, "WEBP", lossless=True)
    yield "webp-alpha-lossy", "webp", encode(rgba, "WEBP", quality=80)
    yield "webp-alpha-lossless", "webp", encode(rgba, "WEBP", lossless=True, exact=True)
    yield "webp-odd-lossy", "webp", encode(picture(37, 29, 9), "WEBP", quality=60)
    yield "size-1x1", "png", encode(picture(1, 1, 1), "PNG")
    yield "size-2x3", "png", encode(picture(2, 3, 1), "PNG")
    yield "size-3x3", "png", encode(picture(3, 3, 1), "PNG")
    yield "size-40x3", "png", encode(picture(40, 3, 1), "PNG")
    yield "size-40x1", "png", encode(picture(40, 1, 1), "PNG")
    yield "size-1x40", "png", encode(picture(1, 40, 1), "PNG")
    yield "size-3x40", "png", encode(picture(3, 40, 1), "PNG")
    yield "size-33x31", "png", encode(picture(33, 31, 1), "PNG")
    yield "size-32x32", "jpg", encode(picture(32, 32, 1), "JPEG", quality=85)
    yield "size-4000x30", "png", encode(stripes, "PNG")
    yield "size-30x4000", "png", encode(numpy.ascontiguousarray(stripes.transpose(1, 0, 2)), "PNG")
    yield "size-900x700", "jpg", encode(Image.fromarray(picture(90, 70, 2)).resize((900, 700)), "JPEG", quality=30)


def broken_images():
    """Pillow refuses these."""
    jpeg, plain = encode(picture(52, 39, 1), "JPEG", quality=85), encode(picture(52, 39, 1), "PNG")
    yield "empty", "jpg", b""
    yield "text", "jpg", b"<html>404 not found</html>"
    yield "jpeg-cut", "jpg", jpeg[:len(jpeg) * 2 // 3]
    yield "png-cut", "png", plain[:len(plain) // 2]
    yield "png-no-pixels", "png", plain[:8 + 25]


def samples():
    small = [("png", encode(picture(20, 16, 11), "PNG")), ("jpg", encode(picture(26, 30, 12), "JPEG", quality=80)),
             ("webp", encode(picture(31, 22, 13), "WEBP", quality=75)), ("jpg", encode(picture(17, 23, 14), "JPEG", quality=60))]
    for i, (name, caption) in enumerate(CAPTIONS.items()):
        extension, data = small[i % len(small)]
        yield f"caption-{name}", extension, data, caption if isinstance(caption, bytes) else caption.encode()
    for name, extension, data in images():
        yield f"image-{name}", extension, data, f"a test picture, {name.replace('-', ' ')}".encode()
    for name, extension, data in broken_images():
        yield f"broken-{name}", extension, data, b"a picture that cannot be decoded"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=pathlib.Path, default=OUTPUT)
    options = parser.parse_args()
    options.output.parent.mkdir(parents=True, exist_ok=True)
    count = 0
    with webdataset.TarWriter(str(options.output), encoder=False, mtime=MTIME_S, user="aitqe", group="aitqe",
                              mode=0o644) as writer:
        for key, extension, data, caption in samples():
            writer.write({"__key__": key, extension: data, "txt": caption})
            count += 1
    digest = hashlib.sha256(options.output.read_bytes()).hexdigest()
    print(f"{options.output}: {count} pairs, {options.output.stat().st_size} bytes, sha256 {digest}")


if __name__ == "__main__":
    main()
