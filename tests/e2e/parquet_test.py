"""NAME.aitqe.parquet says what NAME.aitqe.jsonl says, to every reader of Parquet that people use."""

import os
import tempfile
import unittest

HF_HOME = tempfile.TemporaryDirectory(prefix="aitqe-e2e-hf-")  # before datasets is imported
os.environ |= {"HF_HOME": HF_HOME.name, "HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1",
               "HF_DATASETS_DISABLE_PROGRESS_BARS": "1"}

import datasets
import duckdb
import pandas
import pyarrow.parquet

from support import (ANY_NUMBER_MAY_FAIL, MODEL_FLAGS, EndToEndTest, SharedRunTest, content_of, example_members,
                     sha256, write_tar)

FLOATS = {"score_expected", "score_forced", "score_recaption", "p_rewrite"}
TOO_LONG = b"far too long " * 20_000  # fails, so that rows of failed pairs are there


def with_nulls(row):
    """A row of the JSON lines as Parquet has it: null where a float is absent."""
    def null(value):
        return None if value == -1.0 else value

    row = {name: null(value) if name in FLOATS else value for name, value in row.items()}
    return row | {"scores": {name: null(value) for name, value in row["scores"].items()}}


class ParquetTest(SharedRunTest):
    @classmethod
    def run_once(cls, runner):
        members = example_members(12)
        members[5 * 3 + 2] = (members[5 * 3 + 2][0], TOO_LONG)
        members[7 * 3 + 2] = (members[7 * 3 + 2][0], b"caf\xe9 \xff")
        members[8 * 3 + 2] = (members[8 * 3 + 2][0], "a \u2028 line, \U0001f600 and \x00".encode())
        write_tar(runner.folder / "in/00000.tar", members[:18])
        write_tar(runner.folder / "in/00001.tar", members[18:])
        runner.enhance(runner.folder / "in")
        cls.outputs = [runner.output(name) for name in ("00000", "00001")]
        cls.files = [str(runner.folder / f"out/{name}.aitqe.parquet") for name in ("00000", "00001")]
        cls.rows = [with_nulls(row) for output in cls.outputs for row in output.rows]

    def test_pyarrow_reads_the_rows(self):
        table = pyarrow.concat_tables(pyarrow.parquet.read_table(file) for file in self.files)
        self.assertEqual(table.to_pylist(), self.rows)
        self.assertEqual({row["decision"] for row in self.rows} & {"failed"}, {"failed"})
        self.assertIsNone(self.rows[5]["score_expected"])
        self.assertIsNotNone(self.rows[0]["score_expected"])

    def test_the_schema_names_its_version_and_describes_the_columns(self):
        schema = pyarrow.parquet.read_schema(self.files[0])
        self.assertEqual(schema.metadata[b"aitqe.schema"], b"aitqe.row/2")
        self.assertEqual(schema.field("key").metadata[b"description"], b"the pair's key in its shard")
        self.assertEqual(str(schema.field("image").type.field("width").type), "int64")

    def test_pandas_reads_the_rows(self):
        frame = pandas.concat([pandas.read_parquet(file) for file in self.files], ignore_index=True)
        self.assertEqual(list(frame["caption"]), [row["caption"] for row in self.rows])
        self.assertEqual(str(frame["score_expected"].dtype), "float64")
        self.assertEqual([None if pandas.isna(score) else score for score in frame["score_expected"]],
                         [row["score_expected"] for row in self.rows])
        self.assertEqual(list(frame["scores"]), [row["scores"] for row in self.rows])

    def test_duckdb_reads_the_rows(self):
        connection = duckdb.connect()
        found = connection.execute("SELECT * FROM read_parquet($files) ORDER BY shard, index",
                                   {"files": self.files})
        names = [column[0] for column in found.description]
        self.assertEqual([dict(zip(names, values)) for values in found.fetchall()], self.rows)

    def test_duckdb_filters_and_sums(self):
        connection = duckdb.connect()
        found = connection.execute("SELECT count(score_expected), min(score_expected), sum(image.width) "
                                   "FROM read_parquet($files) WHERE failure.stage = ''",
                                   {"files": self.files}).fetchone()
        judged = [row for row in self.rows if not row["failure"]["stage"]]
        scores = [row["score_expected"] for row in judged if row["score_expected"] is not None]
        self.assertEqual(found, (len(scores), min(scores), sum(row["image"]["width"] for row in judged)))

    def test_hf_datasets_reads_the_rows(self):
        dataset = datasets.load_dataset("parquet", data_files=self.files, split="train")
        self.assertEqual(list(dataset), self.rows)
        self.assertEqual(dataset.features["score_expected"], datasets.Value("float64"))
        streamed = datasets.load_dataset("parquet", data_files=self.files, split="train", streaming=True)
        self.assertEqual(list(streamed), self.rows)

    def test_groups_of_rows_have_statistics(self):
        metadata = pyarrow.parquet.read_metadata(self.files[0])
        column = {metadata.row_group(0).column(i).path_in_schema: metadata.row_group(0).column(i)
                  for i in range(metadata.num_columns)}["score_expected"]
        scores = [row["score_expected"] for row in self.rows[:6] if row["score_expected"] is not None]
        self.assertEqual((column.statistics.min, column.statistics.max, column.statistics.null_count),
                         (min(scores), max(scores), 6 - len(scores)))
        self.assertEqual(column.compression, "ZSTD")

    def test_the_stats_list_the_file(self):
        for output, file in zip(self.outputs, self.files):
            names = [entry["name"] for entry in output.stats["files"]]
            self.assertEqual(names, [f"{output.tar.stem}{end}" for end in
                                     (".tar", ".aitqe.jsonl", ".aitqe.parquet")])
            with open(file, "rb") as stream:
                data = stream.read()
            self.assertEqual(output.stats["files"][2],
                             {"name": names[2], "bytes": len(data), "sha256": sha256(data)})


class ParquetRunTest(EndToEndTest):
    def setUp(self):
        super().setUp()
        self.shard = write_tar(self.folder / "in/00000.tar", example_members(3))

    def test_the_same_run_gives_the_same_bytes(self):
        self.enhance(self.shard, output="one")
        self.enhance(self.shard, "--batch-size", "1", "--workers", "1", output="two")
        self.assertIn("00000.aitqe.parquet", content_of(self.folder / "one"))
        self.assertEqual(content_of(self.folder / "one"), content_of(self.folder / "two"))

    def test_score_writes_it_too(self):
        self.aitqe("score", self.shard, "-o", self.folder / "out", *MODEL_FLAGS, *ANY_NUMBER_MAY_FAIL)
        table = pyarrow.parquet.read_table(self.folder / "out/00000.aitqe.parquet")
        self.assertEqual(table.to_pylist(), [with_nulls(row) for row in self.output("00000").rows])

    def test_it_can_be_left_out_and_a_run_over_the_old_one_removes_it(self):
        self.enhance(self.shard)
        self.enhance(self.shard, "--no-parquet", expect=2)  # another configuration
        self.enhance(self.shard, "--no-parquet", "--overwrite")
        names = {path.name for path in (self.folder / "out").iterdir()}
        self.assertEqual(names, {"00000.tar", "00000.aitqe.jsonl", "00000.aitqe.stats.json", "_aitqe"})

    def test_what_lay_beside_the_input_is_not_taken_for_ours(self):
        (self.folder / "in/00000.parquet").write_bytes(b"img2dataset's")
        (self.folder / "in/00000.aitqe.parquet").write_bytes(b"of an earlier run")
        self.enhance(self.shard)
        self.assertEqual((self.folder / "out/00000.parquet").read_bytes(), b"img2dataset's")
        self.assertEqual(pyarrow.parquet.read_metadata(self.folder / "out/00000.aitqe.parquet").num_rows, 3)


if __name__ == "__main__":
    unittest.main(warnings="ignore")
