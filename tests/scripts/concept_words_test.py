"""What scripts/concept_words.py takes from WordNet, on a WordNet of a few words. Needs numpy."""

import io
import os
import pathlib
import sys
import tempfile
import unittest
import unittest.mock
import zipfile

import numpy

ROOT = pathlib.Path(os.environ.get("AITQE_SOURCE_DIR", pathlib.Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(ROOT / "scripts"))

import concept_words  # noqa: E402

# Offset, lemmas, offsets above. The animals have two above them, one of them by another way as well.
SYNSETS = [("00001930", ["physical_entity"], []), ("00000100", ["artifact"], ["00001930"]),
           ("00000200", ["dog", "domestic_dog"], ["00000300"]), ("00000300", ["animal"], ["00001930"]),
           ("00000400", ["beagle", "Canis b"], ["00000200", "00000300"]), ("00000500", ["tub", "vat"], ["00000100"]),
           ("00000600", ["thought"], []), ("00000700", ["house_dog"], ["00000200"]), ("00000800", ["snow_dog"], ["00000200"])]
# Noun, times seen, its senses.
NOUNS = [("dog", 5, ["00000200", "00000600"]), ("beagle", 1, ["00000400"]), ("thought", 9, ["00000600", "00000200"]),
         ("house_dog", 0, ["00000700"]), ("house", 1, ["00000100"]), ("snow_dog", 0, ["00000800"]), ("vat", 1, ["00000500"]),
         ("r2-d2", 1, ["00000100"])]


def write_wordnet(folder):
    folder.mkdir(parents=True)
    licence = "  1 This is the licence, with a | in it.\n"
    with open(folder / "data.noun", "w", encoding="utf-8") as file:
        file.write(licence)
        for offset, lemmas, above in SYNSETS:
            words = " ".join(f"{lemma.replace(' ', '_')} 0" for lemma in lemmas)
            pointers = "".join(f" @ {one} n 0000" for one in above) + " ~ 00000100 n 0000 + 00000100 v 0000"
            file.write(f"{offset} 05 n {len(lemmas):02x} {words} {len(above) + 2:03}{pointers} | what it means | twice\n")
    with open(folder / "index.noun", "w", encoding="utf-8") as file:
        file.write(licence)
        for noun, times_seen, senses in NOUNS:
            file.write(f"{noun} n {len(senses)} 2 @ ~ {len(senses)} {times_seen} {' '.join(senses)}  \n")


def encode(texts):
    """Likeness by what a text is about: animals, or vessels, and a little of all."""
    return numpy.array([[1.0, 0.1, 0.2] if "dog" in text or "beagle" in text else [0.1, 1.0, 0.2] for text in texts],
                       numpy.float32)


class ConceptWordsTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.work = pathlib.Path(folder.name)
        write_wordnet(self.work / "root" / concept_words.WORDNET)
        self.folder = concept_words.unpacked(self.work)
        self.synsets = concept_words.read_synsets(self.folder)

    def test_kinds_above_are_told_nearest_first_and_once(self):
        self.assertEqual(concept_words.all_above(self.synsets, "00000400"), ["00000200", "00000300", "00001930"])

    def test_a_class_has_its_names_lemmas_and_kinds_but_no_latin_and_nothing_empty(self):
        beagle, tub = concept_words.texts_of_classes(["beagle / hound (dog)", "tub"], ["n00000400", "n00000500"], self.synsets)
        self.assertEqual(beagle, ["beagle", "photo of a beagle", "Beagle.", "A beagle.", "hound", "photo of a hound", "Hound.",
                                  "A hound.", "dog", "A dog.", "animal", "An animal.", "physical entity", "A physical entity."])
        self.assertNotIn("artifact", tub)
        self.assertIn("A vat.", tub)

    def test_kinds_of_too_many_classes_are_left_out(self):
        with unittest.mock.patch.object(concept_words, "MOST_CLASSES", 1):
            beagle, _ = concept_words.texts_of_classes(["beagle", "tub"], ["n00000400", "n00000500"], self.synsets)
        self.assertIn("animal", beagle)
        self.assertNotIn("physical entity", beagle)

    def test_nouns_are_common_and_things_in_their_first_sense(self):
        # `snow dog` was never seen, and neither was `snow`; `house dog` was not, but its parts were.
        self.assertEqual(concept_words.nouns_of_things(self.folder, self.synsets),
                         ["dog", "beagle", "house dog", "house", "vat"])

    def test_nouns_go_to_the_classes_they_are_like(self):
        self.assertEqual(concept_words.nouns_by_class(["house dog", "vat", "dog"], ["beagle", "tub (for baths)"], encode),
                         [["house dog", "dog"], ["vat"]])

    def test_texts_of_a_class_are_its_own_and_its_nouns_none_twice(self):
        wheel = io.BytesIO()
        with zipfile.ZipFile(wheel, "w") as file:
            file.writestr(concept_words.SYNSETS, "n00000400\nn00000500\n")
        words = concept_words.ConceptWords(self.work, zipfile.ZipFile(wheel), ["beagle", "tub"])
        beagle, tub = words.with_nouns(encode)
        self.assertEqual(beagle[:len(words.of_classes()[0])], words.of_classes()[0])
        self.assertEqual(sum(text.lower().rstrip(".") in ("house dog", "a house dog") for text in beagle), 1)
        self.assertEqual(len(set(beagle)), len(beagle))
        self.assertEqual(tub.count("vat"), 1)


if __name__ == "__main__":
    unittest.main()
