"""Nothing of a shard changes but the captions that are rewritten."""

import base64
import gzip
import hashlib
import json
import tarfile
import unittest

import pyarrow
import webdataset
from webdataset.tariterators import base_plus_ext

from support import (EXAMPLES, RECORD_SUFFIX, EndToEndTest, example_members, header, pair,
                     pairs, png, read_tar, sha256, tar_bytes, write_tar)


def samples_of(path):
    """What webdataset makes of a shard: key and members, of each sample."""
    samples = webdataset.WebDataset(str(path), shardshuffle=False, empty_check=False)
    return [(s["__key__"], {k: v for k, v in s.items() if not k.startswith("__")}) for s in samples]


def original_caption(record):
    """What docs/formats.md says about restoring."""
    encoded = record["caption_original_base64"]
    return base64.b64decode(encoded) if encoded else record["caption_original"].encode()


class LosslessTest(EndToEndTest):
    def check(self, input_tar, output, caption_suffix="txt"):
        """Compares input and output by tarfile and by webdataset."""
        before, after, rows = read_tar(input_tar), output.members, output.rows
        rewritten = {row["key"]: row for row in rows if row["decision"] == "rewrite"}
        records = output.records

        # Every member in its place with its metadata, and its bytes unless it is a rewritten caption.
        kept = [m for m in after if not m.is_record]
        self.assertEqual([m.name for m in kept], [m.name for m in before])
        for old, new in zip(before, kept):
            self.assertEqual(new._replace(data=b""), old._replace(data=b""))
            key, suffix = base_plus_ext(old.name)
            if (suffix or "").lower() == caption_suffix and key in rewritten:
                self.assertNotEqual(new.data, old.data, old.name)
            else:
                self.assertEqual(new.data, old.data, old.name)

        # One record a sample, right behind the sample's last member.
        samples_before, samples_after = samples_of(input_tar), samples_of(output.tar)
        keys = [key for key, _ in samples_before]
        self.assertEqual([row["key"] for row in rows], keys)
        self.assertEqual([row["index"] for row in rows], list(range(len(keys))))
        self.assertEqual(list(records), keys)
        own = [m.name for m in after if m.type == tarfile.REGTYPE and base_plus_ext(m.name)[1]]
        for at, name in enumerate(own):
            if name.endswith(RECORD_SUFFIX):
                key = name.removesuffix(RECORD_SUFFIX)
                self.assertEqual(base_plus_ext(own[at - 1])[0], key)
                self.assertFalse(at + 1 < len(own) and base_plus_ext(own[at + 1])[0] == key, name)

        # The same for a loader.
        self.assertEqual([key for key, _ in samples_after], keys)
        for (key, old), (_, new) in zip(samples_before, samples_after):
            self.assertEqual(set(new) - set(old), {"aitqe.json"})
            for suffix, data in old.items():
                if not (suffix == caption_suffix and key in rewritten):
                    self.assertEqual(new[suffix], data, f"{key}.{suffix}")
            if caption_suffix == "txt" and "txt" in old:
                self.assertEqual(original_caption(records[key]), old["txt"])
        return rows

    def test_the_example_shard_differs_only_in_rewritten_captions(self):
        self.enhance(EXAMPLES)
        rows = self.check(EXAMPLES, self.output("pairs-00000"))
        self.assertEqual(len(rows), 300)

    def test_a_shard_as_img2dataset_writes_it(self):
        members = []
        for i in range(3):
            record = {"caption": f"picture {i}", "url": f"http://example.org/{i}.jpg", "key": f"{i:09d}",
                      "status": "success", "error_message": None, "width": 8, "height": 8, "similarity": 0.25,
                      "uid": f"{i:032x}"}
            members += [(f"{i:09d}.jpg", png()), (f"{i:09d}.json", json.dumps(record, indent=4).encode()),
                        (f"{i:09d}.txt", f"picture {i}".encode())]
        shard = write_tar(self.folder / "in/00000.tar", members)
        self.enhance(shard)
        rows = self.check(shard, self.output("00000"))
        self.assertEqual([row["uid"] for row in rows], [f"{i:032x}" for i in range(3)])
        self.assertEqual(rows[2]["url"], "http://example.org/2.jpg")

    def test_keys_with_folders(self):
        shard = write_tar(self.folder / "in/a.tar", pair("cats/00/0001", "a cat") + pair("dogs.v2/0001", "a dog"))
        self.enhance(shard)
        rows = self.check(shard, self.output("a"))
        self.assertEqual([row["key"] for row in rows], ["cats/00/0001", "dogs.v2/0001"])

    def test_members_that_loaders_skip_keep_their_places(self):
        folder = header("folder", type=tarfile.DIRTYPE, mode=0o755)
        soft = header("0000.link.txt", type=tarfile.SYMTYPE, linkname="../../etc/passwd")
        hard = header("hard", type=tarfile.LNKTYPE, linkname="0000.txt")
        fifo = header("fifo", type=tarfile.FIFOTYPE)
        shard = write_tar(self.folder / "in/a.tar", [
            (folder, b""), ("README", b"no dot in this name"), *pair("0000", "first"), (soft, b""), (hard, b""),
            ("__index__", b"skipped"), *pair("0001", "second"), (fifo, b""), ("LICENSE", b"free")])
        self.enhance(shard)
        self.assertEqual(len(self.check(shard, self.output("a"))), 2)

    def test_a_member_that_loaders_skip_inside_a_sample(self):
        image, caption = pair("0000", "first")
        shard = write_tar(self.folder / "in/a.tar", [image, ("NOTES", b"between"), caption, *pair("0001", "second")])
        self.enhance(shard)
        self.assertEqual(len(self.check(shard, self.output("a"))), 2)

    def test_long_and_foreign_names(self):
        names = ["d/" * 60 + "x" * 40, "p" * 90 + "/" + "n" * 90, "n" * 250, "\u732b/\u043a\u043e\u0442", "with blank",
                 "a\nb"]
        for form in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT):
            with self.subTest(form=form):
                members = [member for name in names for member in pair(name, "a caption")]
                shard = write_tar(self.folder / f"in/{form}.tar", members, form)
                self.enhance(shard, output=f"out-{form}")
                rows = self.check(shard, self.output(str(form), f"out-{form}"))
                self.assertEqual([row["key"] for row in rows], names)

    def test_odd_times_modes_and_owners(self):
        fields = [{"mtime": 0}, {"mtime": 1_600_000_000.25}, {"mtime": 2**34}, {"mtime": -1}, {"mode": 0},
                  {"mode": 0o4755}, {"mode": 0o7777}, {"uid": 0, "gid": 0, "uname": "", "gname": ""},
                  {"uid": 3_000_000, "gid": 4_000_000}, {"uname": "J\u00fcrgen", "gname": "\u732b"}]
        members = []
        for i, field in enumerate(fields):
            (image_name, image), (caption_name, caption) = pair(f"{i:04d}", "a caption")
            members += [(header(image_name, **field), image), (header(caption_name, **field), caption)]
        shard = write_tar(self.folder / "in/a.tar", members)
        self.enhance(shard)
        self.assertEqual(len(self.check(shard, self.output("a"))), len(fields))

    def test_extensions_keep_their_case_and_any_bytes(self):
        everything = bytes(range(256)) * 9
        shard = write_tar(self.folder / "in/a.tar", [("a.PNG", png()), ("a.Txt", b"a cat"), ("a.seg.npy", everything),
                                                     ("a.empty", b""), ("b.png", png()), ("b.txt", b"a dog\r\n")])
        self.enhance(shard)
        rows = self.check(shard, self.output("a"))
        self.assertEqual([row["caption"] for row in rows], ["a cat", "a dog\r\n"])

    def test_compressed_shards_come_out_plain_with_the_same_members(self):
        plain = tar_bytes(pairs(3))
        (self.folder / "plain.tar").write_bytes(plain)
        compressed = {"a.tar.gz": gzip.compress(plain), "b.tgz": gzip.compress(plain),
                      "c.tar.zst": pyarrow.Codec("zstd").compress(plain, asbytes=True)}
        (self.folder / "in").mkdir()
        for name, data in compressed.items():
            (self.folder / "in" / name).write_bytes(data)
        self.enhance(self.folder / "in")
        for name in ("a", "b", "c"):
            with self.subTest(name=name):
                output = self.output(name)
                self.assertEqual(output.tar.read_bytes()[257:262], b"ustar")
                self.assertEqual(len(self.check(self.folder / "plain.tar", output)), 3)
        self.assertIn("0 shards written, 3 done before", self.enhance(self.folder / "in").stderr)

    def test_stats_name_every_file_with_its_size_and_hash(self):
        shard = write_tar(self.folder / "in/a.tar", pairs(2))
        (self.folder / "in/a.parquet").write_bytes(b"columns")
        self.enhance(shard)
        output = self.output("a")
        files = {f["name"]: f for f in output.stats["files"]}
        on_disk = {p.name for p in output.folder.iterdir() if p.is_file()}
        self.assertEqual(set(files), on_disk - {output.stats_file.name})
        for name, file in files.items():
            data = (output.folder / name).read_bytes()
            self.assertEqual((file["bytes"], file["sha256"]), (len(data), sha256(data)), name)
        self.assertEqual(output.stats["input"]["bytes"], shard.stat().st_size)
        self.assertEqual(output.stats["input"]["sha256"], hashlib.sha256(shard.read_bytes()).hexdigest())
        self.assertEqual(output.stats["summary"]["read"], 2)

    def test_files_beside_a_shard_are_copied_and_no_temporaries_stay(self):
        write_tar(self.folder / "in/00000.tar", pairs(1))
        write_tar(self.folder / "in/00001.tar", pairs(1))
        beside = {"00000.parquet": b"columns", "00000_stats.json": b'{"count": 1}', "00001.json": b"{}"}
        foreign = {"notes.txt": b"not of a shard", "000000.parquet": b"another stem"}
        for name, data in (beside | foreign).items():
            (self.folder / "in" / name).write_bytes(data)
        self.enhance(self.folder / "in")
        written = {str(p.relative_to(self.folder / "out")) for p in (self.folder / "out").rglob("*") if p.is_file()}
        ours = {f"{n}.{e}" for n in ("00000", "00001") for e in ("tar", "aitqe.jsonl", "aitqe.stats.json")}
        written = {n for n in written if not n.endswith(".aitqe.parquet")}
        self.assertEqual(written, ours | set(beside) | {"_aitqe/run.json"})
        for name, data in beside.items():
            self.assertEqual((self.folder / "out" / name).read_bytes(), data)

    def test_equal_runs_give_equal_bytes_whatever_the_threads(self):
        shard = write_tar(self.folder / "in/a.tar", example_members(12))
        self.enhance(shard, "--workers", "1", "--batch-size", "1", output="one")
        self.enhance(shard, "--workers", "3", "--batch-size", "5", output="other")
        one, other = self.output("a", "one"), self.output("a", "other")
        self.assertEqual(one.tar.read_bytes(), other.tar.read_bytes())
        self.assertEqual(one.rows_file.read_bytes(), other.rows_file.read_bytes())

    def test_enhancing_twice_renews_the_record(self):
        shard = write_tar(self.folder / "in/a.tar", pairs(2))
        self.enhance(shard)
        self.enhance(self.output("a").tar, output="twice")
        names = [m.name for m in self.output("a", "twice").members]
        self.assertEqual(names, [m.name for m in self.output("a").members])
        self.assertEqual(len(names), len(set(names)))

    def test_a_rewritten_caption_can_be_restored_byte_for_byte(self):
        captions = [b"card", b"caf\xe9, not UTF-8 \xff", b"two lines\nand an end\n", b"\xef\xbb\xbfmark \0 nul",
                    b"  blanks  "]
        images = [data for _, data in example_members(len(captions), ("jpg",))]
        members = []
        for i, (image, caption) in enumerate(zip(images, captions)):
            members += [(f"{i:04d}.jpg", image), (f"{i:04d}.txt", caption)]
        shard = write_tar(self.folder / "in/a.tar", members)
        self.enhance(shard, "--rewrite-when", "always")
        output = self.output("a")
        rows = self.check(shard, output)
        self.assertGreaterEqual(sum(row["decision"] == "rewrite" for row in rows), 3)
        written = {m.name.removesuffix(".txt"): m.data for m in output.members if m.name.endswith(".txt")}
        for row, caption in zip(rows, captions):
            self.assertEqual(original_caption(output.records[row["key"]]), caption)
            self.assertEqual(row["caption_sha256"], sha256(caption))
            if row["decision"] == "rewrite":
                line_end = "\n" if caption.endswith(b"\n") else ""
                self.assertEqual(written[row["key"]].decode(), row["caption_out"] + line_end)
                self.assertEqual(row["caption_out"], row["recaption"].strip())

    def test_a_caption_from_json_is_spliced_into_its_place(self):
        before, after = '{"url":"http://a.b",\n  "caption" :  ', ' , "tags": ["caption"], "n": 1.50, "e": "\\u00e9"}\n'
        images = [data for _, data in example_members(3, ("jpg",))]
        members = []
        for i, image in enumerate(images):
            document = f'{before}"old \\"quoted\\" {i}"{after}'
            members += [(f"{i}.jpg", image), (f"{i}.json", document.encode()), (f"{i}.txt", b"not the caption")]
        shard = write_tar(self.folder / "in/a.tar", members)
        self.enhance(shard, "--caption-from", "json:caption", "--rewrite-when", "always")
        output = self.output("a")
        rows = self.check(shard, output, caption_suffix="json")
        self.assertEqual([row["caption"] for row in rows], [f'old "quoted" {i}' for i in range(3)])
        self.assertIn("rewrite", [row["decision"] for row in rows])
        documents = [m.data.decode() for m in output.members if m.name.endswith(".json") and not m.is_record]
        for row, document in zip(rows, documents):
            self.assertTrue(document.startswith(before) and document.endswith(after), document)
            self.assertEqual(json.loads(document[len(before):-len(after)]), row["caption_out"])


if __name__ == "__main__":
    unittest.main(warnings="ignore")  # webdataset leaves files open
