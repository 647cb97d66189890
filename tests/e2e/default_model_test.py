"""`aitqe enhance` without --model: the default model, on real pairs it was not trained on."""

import json
import tarfile
import unittest

from support import EXAMPLES, SOURCE_DIR, EndToEndTest

SELECTION = SOURCE_DIR / "scripts/openclipart_selection.tsv"


def generic_urls():
    """Drawings of the example shard that came with a generic caption: a person wrote a better one for each."""
    rows = [line.split("\t") for line in SELECTION.read_text(encoding="utf-8").splitlines()]
    return {row[0] for row in rows if len(row) > 2 and row[2] and not row[0].startswith("#")}


class DefaultModelTest(EndToEndTest):
    def test_it_mends_generic_captions_and_keeps_the_others(self):
        result = self.aitqe("enhance", EXAMPLES, "-o", self.folder / "out")
        self.assertIn("aitqe-small", result.stderr)
        with tarfile.open(EXAMPLES) as tar:
            urls = {m.name.split(".")[0]: json.load(tar.extractfile(m))["url"] for m in tar if m.name.endswith(".json")}
        generic = {key for key, url in urls.items() if url.split(":", 1)[1].rsplit(".", 1)[0] in generic_urls()}
        self.assertEqual(len(generic), 80)
        rows = self.output("pairs-00000").rows
        rewritten = {row["key"] for row in rows if row["decision"] == "rewrite"}
        kept = {row["key"] for row in rows if row["decision"] == "keep"}
        self.assertGreaterEqual(len(rewritten & generic), 0.75 * len(generic))
        self.assertGreaterEqual(len(kept - generic), 0.75 * (len(rows) - len(generic)))
        for row in rows:
            if row["key"] in kept:
                self.assertEqual(row["caption_out"], row["caption"])


if __name__ == "__main__":
    unittest.main()
