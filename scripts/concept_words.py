"""What captions may call the thousand classes of ImageNet: their other names, the kinds they belong to, and common nouns
that are alike in meaning, by WordNet 3.0 and all-MiniLM-L6-v2. Used by make_default_model.py.

WordNet comes from Debian's package wordnet-base (apt-get, dpkg), the classes' synsets from timm's list. The format of
WordNet's files is described in its manual page wndb(5).
"""

import collections
import dataclasses
import random
import re
import subprocess

import numpy

DEBIAN_PACKAGE = "wordnet-base"
WORDNET = "usr/share/wordnet"
SYNSETS = "timm/data/_info/imagenet_synsets.txt"
PHYSICAL_ENTITY = "00001930"
MOST_CLASSES = 120  # below a kind that is still told: "dog", but not "animal"
MOST_KINDS, MOST_NOUNS = 4, 16  # of a class
# Too general to be seen, though few classes are below them.
EMPTY_KINDS = {"container", "conveyance", "instrument", "covering", "structure", "device", "instrumentality", "artifact"}
LEAST_LIKENESS, LIKENESS_APART = 0.45, 0.08  # of a noun with a class; of its classes with the likest of them
CANDIDATES = 3  # classes a noun may stand for
SEED = 7


@dataclasses.dataclass
class Synset:
    lemmas: list
    above: list  # offsets


def unpacked(work):
    """WordNet's folder."""
    folder = work / "root" / WORDNET
    if not folder.exists():
        (work / "deb").mkdir(parents=True, exist_ok=True)
        if not list((work / "deb").glob(f"{DEBIAN_PACKAGE}_*.deb")):
            subprocess.run(["apt-get", "download", DEBIAN_PACKAGE], cwd=work / "deb", check=True)
        deb = next((work / "deb").glob(f"{DEBIAN_PACKAGE}_*.deb"))
        subprocess.run(["dpkg", "-x", deb, work / "root"], check=True)
    return folder


def entries(path):
    """The lines of a file of WordNet, split, without the licence that it begins with."""
    with open(path, encoding="utf-8", errors="replace") as file:
        for line in file:
            if not line.startswith("  "):
                yield line.partition("|")[0].split()


def read_synsets(folder):
    """Offset -> Synset of the nouns."""
    synsets = {}
    for fields in entries(folder / "data.noun"):
        count = int(fields[3], 16)
        pointers = fields[5 + 2 * count:]
        kinds = [pointers[i:i + 3] for i in range(0, len(pointers), 4)]
        synsets[fields[0]] = Synset(lemmas=[lemma.replace("_", " ") for lemma in fields[4:4 + 2 * count:2]],
                                    above=[to for symbol, to, part in kinds if symbol in ("@", "@i") and part == "n"])
    return synsets


def all_above(synsets, offset):
    """Nearest first."""
    found, waiting = [], [offset]
    while waiting:
        for above in synsets[waiting.pop(0)].above:
            if above not in found:
                found.append(above)
                waiting.append(above)
    return found


def nouns_of_things(folder, synsets):
    """Nouns whose commonest sense is a physical thing: those that WordNet's texts use, and pairs of such."""
    senses = {}
    for fields in entries(folder / "index.noun"):
        num_pointers = int(fields[3])
        senses[fields[0].replace("_", " ")] = (int(fields[5 + num_pointers]), fields[6 + num_pointers])
    is_thing = {}

    def stands_below(offset):
        if offset not in is_thing:
            is_thing[offset] = False  # a circle ends here
            is_thing[offset] = offset == PHYSICAL_ENTITY or any(map(stands_below, synsets[offset].above))
        return is_thing[offset]

    def is_common(noun, times_seen):
        parts = noun.split()
        return times_seen > 0 or (len(parts) == 2 and all(senses.get(part, (0,))[0] > 0 for part in parts))

    return [noun for noun, (times_seen, first_sense) in senses.items()
            if len(noun) >= 3 and re.fullmatch(r"[^0-9./']*", noun) and noun.isascii() and stands_below(first_sense)
            and is_common(noun, times_seen)]


def with_article(noun):
    return f"{'an' if noun[:1].lower() in 'aeiou' else 'a'} {noun}"


def sentence(text):
    return f"{text[:1].upper()}{text[1:]}."


def own_names(class_name):
    return [re.sub(r"\s*\(.*?\)", "", part).strip() for part in class_name.split(" / ")]


def texts_of_classes(class_names, synset_ids, synsets):
    """By class: its names, its lemmas, the kinds above it."""
    above = {one: all_above(synsets, one[1:]) for one in synset_ids}
    covers = collections.Counter(kind for kinds in above.values() for kind in kinds)
    found = []
    for name, one in zip(class_names, synset_ids):
        names = own_names(name)
        is_latin = re.compile(r"[A-Z]\S* [a-z]")  # Equus caballus
        lemmas = [lemma for lemma in synsets[one[1:]].lemmas if not is_latin.match(lemma)]
        kinds = dict.fromkeys(synsets[kind].lemmas[0] for kind in above[one] if covers[kind] <= MOST_CLASSES)
        kinds = [kind for kind in kinds if kind not in EMPTY_KINDS and kind not in names + lemmas][:MOST_KINDS]
        texts = []
        for each in names:
            texts += [each, f"photo of {with_article(each)}", sentence(each), sentence(with_article(each))]
        for each in [lemma for lemma in lemmas if lemma not in names] + kinds:
            texts += [each, sentence(with_article(each))]
        found.append(list(dict.fromkeys(texts)))
    return found


def unit(rows):
    return rows / numpy.linalg.norm(rows, axis=1, keepdims=True)


def nouns_by_class(nouns, class_names, encode):
    """The likest nouns of each class, likest first."""
    vectors = encode(nouns)
    names = encode([" / ".join(own_names(name)) for name in class_names])
    likeness = unit(vectors - vectors.mean(0)) @ unit(names - vectors.mean(0)).T
    found = [[] for _ in class_names]
    for noun, row in zip(nouns, likeness):
        places = numpy.argsort(-row, kind="stable")[:CANDIDATES]
        for place in places:
            if row[place] >= max(LEAST_LIKENESS, row[places[0]] - LIKENESS_APART):
                found[place].append((row[place], noun))
    return [[noun for _, noun in sorted(each, reverse=True)[:MOST_NOUNS]] for each in found]


class ConceptWords:
    """By class, lists of texts."""

    def __init__(self, work, timm, class_names):
        """@param work  where packages are kept   @param timm  its wheel"""
        self.folder = unpacked(work)
        self.class_names = class_names
        self.synsets = read_synsets(self.folder)
        self.synset_ids = timm.read(SYNSETS).decode().split()

    def of_classes(self):
        return texts_of_classes(self.class_names, self.synset_ids, self.synsets)

    def with_nouns(self, encode):
        """@param encode  texts -> [N, D] f32"""
        found = self.of_classes()
        choice = random.Random(SEED)
        for known, nouns in zip(found, nouns_by_class(nouns_of_things(self.folder, self.synsets), self.class_names, encode)):
            have = {text.lower().rstrip(".") for text in known}
            for noun in nouns:
                text = noun if choice.random() < 0.5 else sentence(with_article(noun))
                if text.lower().rstrip(".") not in have:
                    known.append(text)
        return found
