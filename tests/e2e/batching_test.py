"""Who shares a batch, how many threads there are and how pairs are ordered changes nothing."""

import io
import json
import pathlib
import tarfile
import tempfile
import unittest

import oracle

CHECKPOINTS = ["tiny", "grouped-bf16-sharded"]
MAX_NEW_TOKENS = {"tiny": "384", "grouped-bf16-sharded": "24"}


def options(name, batch, threads, workers, dtype="f32", *more):
    return ["--dtype", dtype, "--batch-size", str(batch), "--threads", str(threads), "--workers", str(workers),
            "--max-new-tokens", MAX_NEW_TOKENS[name], *more]


def mixed_shard(folder, name, order):
    """The first 30 pairs of both shards (short and long captions, all kinds of images), in the given order."""
    samples = []
    for shard in oracle.SHARDS:
        found = {}
        with tarfile.open(shard) as archive:
            for member in archive:
                key, suffix = member.name.split(".", 1)
                if key not in found and len(found) == 30:
                    break
                found.setdefault(key, []).append((suffix, archive.extractfile(member).read()))
        samples += found.items()
    path = pathlib.Path(folder) / name
    with tarfile.open(path, "w") as archive:
        for key, members in order(samples):
            for suffix, data in members:
                member = tarfile.TarInfo(f"{key}.{suffix}")
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))
    return path


class BatchingTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.shard = mixed_shard(self.folder.name, "mixed.tar", lambda samples: samples)

    def check_same_bytes(self, name):
        base = oracle.Run(name, *options(name, 1, 1, 1), shards=[self.shard], command="enhance")
        self.assertGreaterEqual(len(base.trace), 60)
        for batch, threads, workers in ((3, 2, 4), (16, 1, 2), (16, 2, 1), (64, 2, 3)):
            other = oracle.Run(name, *options(name, batch, threads, workers), shards=[self.shard], command="enhance")
            self.assertEqual(other.trace, base.trace, (batch, threads, workers))
            self.assertEqual(other.rows, base.rows, (batch, threads, workers))
            self.assertEqual(other.tars, base.tars, (batch, threads, workers))
        small_steps = oracle.Run(name, *options(name, 16, 2, 2, "f32", "--batch-tokens", "50", "--packing", "none"),
                                 shards=[self.shard], command="enhance")
        self.assertEqual(small_steps.rows, base.rows)

    def check_any_order(self, name):
        base = oracle.Run(name, *options(name, 16, 2, 2), shards=[self.shard])
        turned = mixed_shard(self.folder.name, "mixed.tar", lambda samples: reversed(samples))
        other = oracle.Run(name, *options(name, 16, 2, 2), shards=[turned])
        self.assertEqual(other.trace, base.trace)

        def by_key(run):
            rows = [json.loads(line) for line in run.rows["mixed.aitqe.jsonl"].splitlines()]
            return {row["key"]: {k: v for k, v in row.items() if k != "index"} for row in rows}

        self.assertEqual(by_key(other), by_key(base))

    def check_repeatable_in_bf16(self, name):
        base = oracle.Run(name, *options(name, 16, 2, 2, "bf16"), shards=[self.shard], command="enhance")
        for workers in (1, 4):
            other = oracle.Run(name, *options(name, 16, 2, workers, "bf16"), shards=[self.shard], command="enhance")
            self.assertEqual(other.rows, base.rows)
            self.assertEqual(other.tars, base.tars)
        # Our own kernels go further than is asked: the batch does not matter in bf16 either.
        other = oracle.Run(name, *options(name, 1, 1, 1, "bf16"), shards=[self.shard], command="enhance")
        self.assertEqual(other.rows, base.rows)

    def check_int8(self, name):
        exact = oracle.Run(name, *options(name, 16, 2, 2), shards=[self.shard], command="enhance")
        base = oracle.Run(name, *options(name, 16, 2, 2, "int8"), shards=[self.shard], command="enhance")
        self.assertNotEqual(base.rows, exact.rows)
        other = oracle.Run(name, *options(name, 1, 1, 1, "int8", "--packing", "none"), shards=[self.shard],
                           command="enhance")
        self.assertEqual(other.rows, base.rows)
        self.assertEqual(other.tars, base.tars)


def add_tests():
    for name in CHECKPOINTS:
        label = name.replace("-", "_")
        setattr(BatchingTest, f"test_same_bytes_{label}", lambda self, n=name: self.check_same_bytes(n))
        setattr(BatchingTest, f"test_any_order_{label}", lambda self, n=name: self.check_any_order(n))
        setattr(BatchingTest, f"test_bf16_{label}", lambda self, n=name: self.check_repeatable_in_bf16(n))
        setattr(BatchingTest, f"test_int8_{label}", lambda self, n=name: self.check_int8(n))


add_tests()

if __name__ == "__main__":
    unittest.main(verbosity=2)
