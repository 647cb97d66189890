"""What captions may call the thousand classes of ImageNet, by WordNet 3.0: their other names and the kinds they belong
to. Used by make_default_model.py.

WordNet comes from Debian's package wordnet-base (apt-get, dpkg), the classes' synsets from timm's list. The format of
WordNet's files is described in its manual page wndb(5).
"""

import collections
import dataclasses
import re
import subprocess

DEBIAN_PACKAGE = "wordnet-base"
WORDNET = "usr/share/wordnet"
SYNSETS = "timm/data/_info/imagenet_synsets.txt"
MOST_CLASSES = 120  # below a kind that is still told: "dog", but not "animal"
MOST_KINDS = 4  # of a class
# Too general to be seen, though few classes are below them.
EMPTY_KINDS = {"container", "conveyance", "instrument", "covering", "structure", "device", "instrumentality", "artifact"}


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


def with_article(noun):
    return f"{'an' if noun[:1].lower() in 'aeiou' else 'a'} {noun}"


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
            texts += [each, f"photo of {with_article(each)}", each[:1].upper() + each[1:] + ".",
                      with_article(each).capitalize() + "."]
        for each in [lemma for lemma in lemmas if lemma not in names] + kinds:
            texts += [each, with_article(each).capitalize() + "."]
        found.append(list(dict.fromkeys(texts)))
    return found


def texts(work, timm, class_names):
    """By class, a list of texts. @param work  where packages are kept   @param timm  its wheel"""
    return texts_of_classes(class_names, timm.read(SYNSETS).decode().split(), read_synsets(unpacked(work)))
