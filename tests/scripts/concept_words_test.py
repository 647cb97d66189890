"""What scripts/concept_words.py takes from WordNet, on a WordNet of a few words."""

import io
import os
import pathlib
import sys
import tempfile
import unittest
import unittest.mock
import zipfile

ROOT = pathlib.Path(os.environ.get("AITQE_SOURCE_DIR", pathlib.Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(ROOT / "scripts"))

import concept_words  # noqa: E402

# Offset, lemmas, offsets above. The animals have two above them, one of them by another way as well.
SYNSETS = [("00001930", ["physical_entity"], []), ("00000100", ["artifact"], ["00001930"]),
           ("00000200", ["dog", "domestic_dog"], ["00000300"]), ("00000300", ["animal"], ["00001930"]),
           ("00000400", ["beagle", "Canis b"], ["00000200", "00000300"]), ("00000500", ["tub", "vat"], ["00000100"])]


def write_wordnet(folder):
    folder.mkdir(parents=True)
    licence = "  1 This is the licence, with a | in it.\n"
    with open(folder / "data.noun", "w", encoding="utf-8") as file:
        file.write(licence)
        for offset, lemmas, above in SYNSETS:
            words = " ".join(f"{lemma.replace(' ', '_')} 0" for lemma in lemmas)
            pointers = "".join(f" @ {one} n 0000" for one in above) + " ~ 00000100 n 0000 + 00000100 v 0000"
            file.write(f"{offset} 05 n {len(lemmas):02x} {words} {len(above) + 2:03}{pointers} | what it means | twice\n")


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

    def test_texts_come_in_the_order_of_the_classes(self):
        wheel = io.BytesIO()
        with zipfile.ZipFile(wheel, "w") as file:
            file.writestr(concept_words.SYNSETS, "n00000500\nn00000400\n")
        found = concept_words.texts(self.work, zipfile.ZipFile(wheel), ["tub", "beagle"])
        self.assertEqual([texts[0] for texts in found], ["tub", "beagle"])
        self.assertIn("A dog.", found[1])


if __name__ == "__main__":
    unittest.main()
