"""The statistics of scripts/proof, on numbers that a reader can check by eye. Needs numpy."""

import contextlib
import importlib.util
import io
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import textwrap
import unittest
from unittest import mock

import numpy

ROOT = pathlib.Path(os.environ.get("AITQE_SOURCE_DIR", pathlib.Path(__file__).resolve().parents[2]))
sys.path[:0] = [str(ROOT / "scripts/proof"), str(ROOT / "scripts")]

import arms  # noqa: E402
import cells  # noqa: E402
import results  # noqa: E402
import scores  # noqa: E402
import settings  # noqa: E402
import tables  # noqa: E402


def has(*modules):
    return all(importlib.util.find_spec(name) for name in modules)


class RanksTest(unittest.TestCase):
    def test_rank_is_the_place_of_the_own_one_and_ties_count_against_it(self):
        similarities = numpy.array([[0.9, 0.1, 0.2], [0.8, 0.5, 0.1], [0.3, 0.3, 0.3]])
        self.assertEqual(scores.ranks(similarities).tolist(), [1, 2, 3])

    def test_recalls_are_of_both_directions(self):
        figures = {"ranks_of_texts": [1, 5, 9], "ranks_of_pictures": [1, 1, 9]}
        self.assertEqual(results.recalls(figures, 1).tolist(), [1.0, 0.5, 0.0])


class IntervalTest(unittest.TestCase):
    def test_equal_values_have_none(self):
        for value in scores.with_interval(numpy.full((3, 50), 0.25)):
            self.assertAlmostEqual(value, 0.25)

    def test_of_one_seed_is_that_of_a_mean(self):
        values = numpy.random.default_rng(1).normal(0.0, 1.0, (1, 400))
        mean, low, high = scores.with_interval(values)
        half = 1.96 * values.std() / 400**0.5
        self.assertAlmostEqual(mean, values.mean())
        self.assertAlmostEqual(high - mean, half, delta=0.2 * half)
        self.assertAlmostEqual(mean - low, half, delta=0.2 * half)

    def test_seeds_that_disagree_widen_it(self):
        values = numpy.tile([[0.0], [1.0], [0.5]], 100)  # no two pairs differ, the seeds do
        _, low, high = scores.with_interval(values)
        self.assertLessEqual(low, 0.2)
        self.assertGreaterEqual(high, 0.8)

    def test_differences_are_taken_pair_by_pair(self):
        base = numpy.random.default_rng(2).uniform(0, 1, (3, 40))
        for value in scores.difference(base + 0.25, base):
            self.assertAlmostEqual(value, 0.25)

    def test_seeds_and_pairs_are_drawn_again_independently(self):
        # By hand: of two seeds with means 0 and 1 a quarter of the draws takes the first twice, a quarter the second twice.
        drawn = scores.draws_of_mean(numpy.tile([[0.0], [1.0]], 10), numpy.random.default_rng(3))
        self.assertAlmostEqual((drawn < 1e-9).mean(), 0.25, delta=0.05)
        self.assertAlmostEqual((drawn > 1 - 1e-9).mean(), 0.25, delta=0.05)


class ThresholdTest(unittest.TestCase):
    def test_is_the_lowest_whose_rest_is_good_enough(self):
        values = [1, 2, 3, 4, 5]
        self.assertEqual(scores.threshold_for(values, 3.0), 1)
        self.assertEqual(scores.threshold_for(values, 3.1), 2)
        self.assertEqual(scores.threshold_for(values, 4.5), 4)
        self.assertEqual(scores.threshold_for(values, 9.0), 5)


class NoiseTest(unittest.TestCase):
    TRUTHS = [f"caption {i}" for i in range(100)]
    NONE = [[]] * 100

    def test_has_the_stated_shares_and_leaves_the_others(self):
        translations = [["das Bild"] if i < 10 else [] for i in range(100)]
        noisy = arms.spoil(self.TRUTHS, {"junk": ["image", "IMG_1"], "new junk": ["caption 7", "DSC1"]}, translations,
                           {"junk": 0.25, "new junk": 0.1, "mismatch": 0.25, "translated": 0.05}, seed=1)
        done = [what for _, what in noisy]
        self.assertEqual([done.count(name) for name in ("junk", "new junk", "mismatch", "translated", "clean")],
                         [25, 10, 25, 5, 35])
        for truth, (caption, what) in zip(self.TRUTHS, noisy):
            self.assertEqual(caption == truth, what == "clean")
            self.assertEqual(caption == "das Bild", what == "translated")

    def test_mismatches_change_places_among_each_other(self):
        noisy = arms.spoil(self.TRUTHS, {"junk": ["image"]}, self.NONE, {"junk": 0.2, "mismatch": 0.3, "translated": 0}, seed=2)
        swapped = [(truth, caption) for truth, (caption, what) in zip(self.TRUTHS, noisy) if what == "mismatch"]
        self.assertEqual(sorted(t for t, _ in swapped), sorted(c for _, c in swapped))

    def test_depends_on_the_seed_alone(self):
        made = [arms.spoil(self.TRUTHS, {"junk": ["a"]}, self.NONE, {"junk": 0.5, "mismatch": 0.1, "translated": 0}, seed)
                for seed in (3, 3, 4)]
        self.assertEqual(made[0], made[1])
        self.assertNotEqual(made[0], made[2])

    def test_what_cannot_be_had_is_refused(self):
        with self.assertRaisesRegex(ValueError, "10 pairs are to be `translated`, 0 can be"):
            arms.spoil(self.TRUTHS, {}, self.NONE, {"mismatch": 0.1, "translated": 0.1}, 1)


@unittest.skipUnless(has("PIL", "fontTools", "webdataset"), "needs scripts/requirements-proof.txt")
class SplitTest(unittest.TestCase):
    def test_no_test_caption_is_in_the_pool_or_was_taught(self):
        import make_caption_shards as captions
        import pool
        pairs = [captions.Pair("s", f"{i}", b"", text, "specific", "", "") for i, text in
                 enumerate(["Axe", "axe", "sword", "bow", "shield", "helmet", "dog"] * 2)]
        chosen, test = pool.split(pairs, {"dog", "bow"}, 4, 3)
        tested = {pair.caption.lower() for pair in test}
        self.assertEqual(len(tested), 3)
        self.assertFalse(tested & {"dog", "bow"})
        self.assertFalse(tested & {pair.caption.lower() for pair in chosen})


class ArmsTest(unittest.TestCase):
    RECORDS = [{"key": key, "caption": f"raw {key}", "truth": f"true {key}"} for key in "abcd"]
    ROWS = {"a": {"score_expected": 2.0, "caption_out": "new a"}, "b": {"score_expected": 8.0, "caption_out": "raw b"},
            "c": {"score_expected": -1.0, "caption_out": "raw c"}, "d": {"score_expected": 5.0, "caption_out": "new d"}}

    def captions(self, arm, **more):
        return {self.RECORDS[p.index]["key"]: p.captions
                for p in arms.training_pairs(arm, range(4), self.RECORDS, self.ROWS, **more)}

    def test_the_better_half_by_score(self):
        self.assertEqual(self.captions("best-by-score"), {"b": [("raw b", 1.0)], "d": [("raw d", 1.0)]})

    def test_the_better_half_by_clip_whose_scores_may_be_negative(self):
        clip = {"a": -0.1, "b": -0.5, "c": 0.3, "d": -0.2}
        self.assertEqual(list(self.captions("best-by-clip", clip=clip)), ["a", "c"])

    def test_enhanced_and_mixed(self):
        self.assertEqual(self.captions("enhanced")["a"], [("new a", 1.0)])
        self.assertEqual(self.captions("dose-25")["a"], [("raw a", 0.75), ("new a", 0.25)])
        self.assertEqual(self.captions("dose-25")["b"], [("raw b", 1.0)])  # was kept
        self.assertEqual(self.captions("clean")["c"], [("true c", 1.0)])

    def test_every_arm_is_known(self):
        clip = dict.fromkeys("abcd", 0.0)
        for arm in settings.ARMS:
            self.assertTrue(self.captions(arm, clip=clip, recaptioned=self.ROWS), arm)

    def test_all_arms_of_a_seed_get_the_same_pairs(self):
        self.assertEqual(arms.subset(100, 10, 1), arms.subset(100, 10, 1))
        self.assertNotEqual(arms.subset(100, 10, 1), arms.subset(100, 10, 2))
        self.assertEqual(len(set(arms.subset(100, 10, 1))), 10)
        with self.assertRaises(ValueError):
            arms.subset(5, 10, 1)


class CellsTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.enterContext(mock.patch.object(settings, "RESULTS", self.folder / "results"))
        # A cell's process, in little: `echo` instead of the work.
        self.calls = self.folder / "calls"
        self.enterContext(mock.patch.object(cells, "run_slice", self.run_slice))
        self.statuses = {}

    def run_slice(self, cell, work, device):
        with self.calls.open("a") as file:
            file.write(cell.name + "\n")
        status = self.statuses.get(cell.name, 0)
        if isinstance(status, list):
            status = status.pop(0)
        if status == 0:
            cells.write_atomically(cell.result(work), {"figures": {}})
        return status

    def run_cells(self, *table):
        self.calls.write_text("")
        with contextlib.redirect_stdout(io.StringIO()):
            status = cells.run(list(table), self.folder, "cpu")
        return status, self.calls.read_text().split()

    def test_what_is_done_is_not_done_again(self):
        table = [cells.Cell("prepare.a", ""), cells.Cell("b", "", needs=("prepare.a",))]
        self.assertEqual(self.run_cells(*table), (0, ["prepare.a", "b"]))
        self.assertEqual(self.run_cells(*table), (0, []))
        table[1].result(self.folder).unlink()
        self.assertEqual(self.run_cells(*table), (0, ["b"]))

    def test_preparations_are_made_for_what_is_not_done_alone(self):
        table = [cells.Cell("prepare.a", ""), cells.Cell("prepare.c", "", needs=("prepare.a",)),
                 cells.Cell("b", "", needs=("prepare.c",)), cells.Cell("d", "")]
        cells.write_atomically(table[2].result(self.folder), {"figures": {}})
        self.assertEqual(self.run_cells(*table), (0, ["d"]))
        self.assertEqual(self.run_cells(*table[:2]), (0, ["prepare.a", "prepare.c"]))  # asked for by name

    def test_what_another_process_is_at_is_left_to_it(self):
        table = [cells.Cell("a", ""), cells.Cell("b", "")]
        with cells.held(table[0], self.folder) as is_ours:
            self.assertTrue(is_ours)
            self.assertEqual(self.run_cells(*table), (1, ["b"]))
        self.assertEqual(self.run_cells(*table), (0, ["a"]))

    def test_slices_add_up(self):
        cell = cells.Cell("a", "")
        cells.slices_file(cell, self.folder).parent.mkdir(parents=True)
        cells.slices_file(cell, self.folder).write_text("600.5\n10\n")
        self.assertEqual(cells.seconds_before(cell, self.folder), 610.5)
        self.assertEqual(cells.seconds_before(cells.Cell("b", ""), self.folder), 0)

    def test_what_failed_keeps_back_what_needs_it_and_nothing_else(self):
        self.statuses["prepare.a"] = 1
        table = [cells.Cell("prepare.a", ""), cells.Cell("b", "", needs=("prepare.a",)), cells.Cell("c", "")]
        self.assertEqual(self.run_cells(*table), (1, ["prepare.a", "c"]))
        self.statuses.clear()
        self.assertEqual(self.run_cells(*table), (0, ["prepare.a", "b"]))

    def test_a_long_one_goes_on_slice_by_slice(self):
        self.statuses["prepare.a"] = [None, None, 0]
        self.assertEqual(self.run_cells(cells.Cell("prepare.a", "", goes_on=True)), (0, ["prepare.a"] * 3))
        self.statuses["b"] = [None, 0]
        self.assertEqual(self.run_cells(cells.Cell("b", "")), (1, ["b"]))

    def test_a_choice_brings_what_it_needs(self):
        table = cells.all_cells(seeds=1, sizes=[600])
        names = [cell.name for cell in cells.choose(table, ["downstream.trunk.600.best-by-clip.0"])]
        self.assertEqual(names[-1], "downstream.trunk.600.best-by-clip.0")
        self.assertEqual(set(names[:-1]), {f"prepare.{n}" for n in ("pool", "enhanced", "features", "clip")})

    def test_names_are_unique_and_found_again(self):
        table = cells.all_cells(seeds=2, sizes=[100, 1000])
        self.assertEqual(len({cell.name for cell in table}), len(table))
        for cell in table:
            self.assertEqual(cells.find(cell.name).arguments, cell.arguments)

    def test_a_result_is_json_with_a_line_for_each_figure(self):
        value = {"cell": "x", "figures": {"ranks": [1, 2], "cider": [0.5]}}
        self.assertEqual(json.loads(cells.to_json(value)), value)
        self.assertEqual(len(cells.to_json(value).splitlines()), 7)


class RunnerTest(unittest.TestCase):
    def test_a_cell_is_stopped_at_its_limit(self):
        with tempfile.TemporaryDirectory() as folder:
            script = pathlib.Path(folder) / "scripts/proof"
            script.parent.mkdir()
            script.write_text("import time\ntime.sleep(60)\n")
            with mock.patch.object(cells, "ROOT", pathlib.Path(folder)):
                cell = cells.Cell("x", "", limit_s=0.2)
                self.assertIsNone(cells.run_slice(cell, pathlib.Path(folder), "cpu"))

    def test_help_needs_no_other_package(self):
        done = subprocess.run([sys.executable, ROOT / "scripts/proof", "--help"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("--work WORK run", done.stdout)


def downstream_result(arm, seed, ranks, size=500):
    figures = {"ranks_of_texts": ranks, "ranks_of_pictures": ranks, "cider": [0.0] * len(ranks),
               "similarity": [0.5] * len(ranks), "similarity_of_others": [0.25] * len(ranks), "last_loss": 1.5,
               "different_captions": 7}
    return {"cell": f"downstream.trunk.{size}.{arm}.{seed}", "figures": figures, "seconds": 1,
            "arguments": {"learner": "trunk", "size": size, "arm": arm, "seed": seed}, "version": "v",
            "machine": {"processor": "p", "cores": 2, "device": "cpu"}}


class TablesTest(unittest.TestCase):
    def test_a_missing_cell_is_shown_as_missing(self):
        made = tables.blocks({})
        self.assertIn("missing", made["downstream-trunk"])
        self.assertEqual(made["distribution"], "missing")
        self.assertIn("| 0 of ", made["cells"])

    def test_a_row_has_values_and_a_contrast_has_differences(self):
        found = {r["cell"]: r for r in (downstream_result("raw", 0, [20] * 10), downstream_result("enhanced", 0, [2] * 10))}
        lines = tables.downstream_tables(found, "trunk").splitlines()

        def row(name):
            return [cell.strip() for cell in next(line for line in lines if line.startswith(f"| {name}")).split("|")[2:-1]]
        self.assertEqual(row("enhanced: "), ["1", "0.000 (0.000 to 0.000)", "1.000 (1.000 to 1.000)", "1.000 (1.000 to 1.000)",
                                             "0.000 (0.000 to 0.000)", "0.250 (0.250 to 0.250)", "1.50", "7"])
        self.assertEqual(row("enhanced - raw"), ["1", "+0.000 (+0.000 to +0.000)", "+1.000 (+1.000 to +1.000)",
                                                 "+1.000 (+1.000 to +1.000)", "+0.000 (+0.000 to +0.000)",
                                                 "+0.000 (+0.000 to +0.000)"])
        self.assertEqual(row("enhanced - best-by-clip"), ["0"] + ["missing"] * 5)

    def test_only_marked_places_of_the_page_change(self):
        page = textwrap.dedent("""\
            before
            <!-- proof: cells -->
            old
            <!-- end of proof -->
            after
            """)
        self.assertEqual(tables.fill(page, {"cells": "new"}), page.replace("old", "new"))
        with self.assertRaises(KeyError):
            tables.fill(page, {})

    def test_the_page_in_the_tree_is_made_from_the_results_in_the_tree(self):
        page = tables.PAGE.read_text(encoding="utf-8")
        self.assertEqual(tables.fill(page, tables.blocks(results.read())), page, "run: python scripts/proof tables")


def judge_figures(good, bad, shipped=(), p_rewrite=None):
    """Of a split: pictures 0, 1, ... with a good and a bad caption each, and others that came with a generic one."""
    num = len(good)
    pictures = [str(i) for i in range(num + len(shipped))]
    none, no_shipped = [None] * len(shipped), [None] * num
    score = {"good": [*good, *none], "other_image": [*bad, *none], "shipped": [*no_shipped, *shipped]}
    return {"failed": 0, "rewrites": 2, "trials": {"pictures": pictures, "score": score, "p_rewrite": p_rewrite or {},
                                                   "rewrites": {"good": [0, 1, *[0] * (num - 2), *none]}},
            "rewrite_cosines": {"pictures": ["0", "1"], "rewrite": [0.5, 0.2], "bad": [0.1, 0.2], "for_another": [0.6, 0.1]}}


class JudgesTest(unittest.TestCase):
    def test_auroc_is_the_mean_of_the_seeds(self):
        by_seed = {0: judge_figures([3, 4], [1, 2]), 1: judge_figures([1, 2], [1, 2])}
        self.assertEqual(results.judge_auroc(by_seed, "other_image")[0], 0.75)  # 1.0 and 0.5

    def test_pictures_that_a_seed_lacks_are_left_out_of_all(self):
        by_seed = {0: judge_figures([3, 4, 0], [1, 2, 9]), 1: judge_figures([3, 4, None], [1, 2, 9])}
        pictures, good, bad = results.judge_pairs(by_seed, "other_image")
        self.assertEqual((pictures, good.shape, bad.shape), (["0", "1"], (2, 2), (2, 2)))
        self.assertEqual(results.judge_auroc(by_seed, "other_image"), (1.0, 1.0, 1.0))

    def test_shipped_captions_stand_beside_good_ones_of_other_pictures(self):
        by_seed = {0: judge_figures([3, 4], [1, 2], shipped=[3.5, 0, 1])}
        self.assertAlmostEqual(results.judge_auroc(by_seed, "shipped")[0], 5 / 6)

    def test_a_high_probability_of_a_rewrite_counts_as_bad(self):
        by_seed = {0: judge_figures([1, 1], [1, 1], p_rewrite={"good": [0.1, 0.2], "other_image": [0.8, 0.9]})}
        self.assertEqual(results.judge_auroc(by_seed, "other_image", measure="p_rewrite")[0], 1.0)

    def test_the_interval_of_one_seed_is_that_of_an_auroc(self):
        random = numpy.random.default_rng(5)
        good, bad = random.normal(1, 1, 200), random.normal(0, 1, 200)
        value, low, high = results.judge_auroc({0: judge_figures(good.tolist(), bad.tolist())}, "other_image")
        self.assertAlmostEqual(value, 0.76, delta=0.05)
        self.assertAlmostEqual(high - low, 0.095, delta=0.02)  # Hanley and McNeil: 1.96 * 2 * 0.024

    def test_a_judge_is_not_told_from_itself(self):
        by_seed = {seed: judge_figures([3, 4, 1], [1, 2, 2]) for seed in range(3)}
        self.assertEqual(results.judge_difference(by_seed, by_seed, "other_image")[0], 0.0)
        better = {seed: judge_figures([3, 4, 5], [1, 2, 2]) for seed in range(3)}
        value, low, high = results.judge_difference(better, by_seed, "other_image")
        self.assertGreater(value, 0)
        self.assertLessEqual(low, value)
        self.assertGreaterEqual(high, value)

    def test_shares_and_nearness(self):
        by_seed = {0: judge_figures([3, 4, 5, 6], [1, 2, 3, 4])}
        self.assertEqual(results.judge_share(by_seed, "good", 0)[0], 0.75)
        self.assertEqual(results.judge_nearer(by_seed, "bad")[0], 0.5)  # a tie is not nearer
        self.assertEqual(results.judge_nearer(by_seed, "for_another")[0], 0.5)

    def test_tables_show_arms_beside_each_other(self):
        figures = {split: judge_figures([3, 4], [1, 2], shipped=[0, 1]) for split in ("own", "foreign", "photo")}
        found = {f"ablation.both.{seed}": {"cell": f"ablation.both.{seed}", "figures": figures} for seed in range(2)}
        lines = tables.ablation_table(found, "own").splitlines()
        row = next(line for line in lines if line.startswith("| other_image (2 pictures)"))
        self.assertEqual([cell.strip() for cell in row.split("|")[2:-1]],
                         ["-", "-", "missing", "missing", "missing", "missing", "1.000 (1.000 to 1.000)", "missing"])

    def test_starts_stand_below_each_other(self):
        def judged(good, bad):
            figures = {split: judge_figures(good, bad) for split in ("own", "foreign", "photo")}
            return {f"ablation.{arm}.0": {"cell": f"ablation.{arm}.0", "figures": figures} for arm in ("contrastive", "scores")}

        table = tables.starts_table(judged([3, 4], [1, 2]), judged([1, 2], [3, 4]))
        rows = {row.split("|")[1].strip(): [cell.strip() for cell in row.split("|")[2:-1]] for row in table.splitlines()[2:]}
        place = list(settings.ABLATIONS).index("contrastive")
        self.assertEqual(rows["Own sources, earlier"][place], "0.000")
        self.assertEqual(rows["Own sources, this one"][place], "1.000")
        self.assertEqual(rows["Photographs, this one"][list(settings.ABLATIONS).index("both")], "missing")
        self.assertEqual(rows["Own sources, this one"][len(settings.ABLATIONS)], "+0.000 (+0.000 to +0.000)")


@unittest.skipUnless(has("torch", "tokenizers"), "needs scripts/requirements-proof.txt")
class LearnerTest(unittest.TestCase):
    def test_learns_to_tell_and_describe_two_kinds_of_pictures(self):
        import learner
        import torch
        generator = torch.Generator().manual_seed(1)
        kinds = torch.arange(64) % 2
        stored = {"trunk": (torch.randn(64, 1280, generator=generator) + 3 * kinds[:, None]).numpy()}
        texts = ["a red cat", "two blue dogs"]
        pairs = [arms.TrainingPair(i, [(texts[kind], 1.0)]) for i, kind in enumerate(kinds.tolist())]
        pictures = learner.Pictures(stored, "trunk", "cpu")
        model, vocabulary, _ = learner.train(pairs, pictures, "trunk", 256, 0, "cpu")
        with torch.inference_mode():
            written = model.write(model.image(pictures.take([0, 1])))
        self.assertEqual([vocabulary.decode(ids) for ids in written], texts)

    def test_batches_show_every_pair_as_often(self):
        import learner
        import random
        shown = [place for batch in learner.batches(5, 6, random.Random(0)) for place in batch]
        self.assertEqual(sorted(shown), sorted(list(range(5)) * 6))


@unittest.skipUnless(has("torch", "transformers", "gguf"), "needs scripts/requirements-proof.txt")
class AurocsTest(unittest.TestCase):
    def test_bad_captions_are_compared_with_the_good_one_of_their_picture_and_shipped_ones_with_all(self):
        import eval_baselines
        trials = [{"key": "a", "kind": "good"}, {"key": "a", "kind": "truncated"}, {"key": "b", "kind": "good"},
                  {"key": "c", "kind": "shipped"}, {"key": "b", "kind": "control_bad"}]
        found = eval_baselines.aurocs(trials, [0.2, 0.1, 0.9, 0.5, 1.0])
        self.assertEqual(found["truncated"], (1, 1.0, 1.0, 1.0))
        self.assertEqual(found["shipped"][:2], (1, 0.5))
        self.assertEqual(set(found), {"truncated", "shipped"})


@unittest.skipUnless(has("pycocoevalcap"), "needs scripts/requirements-proof.txt")
class CiderTest(unittest.TestCase):
    def test_the_truth_is_better_than_another_caption(self):
        references = [["a red cat"], ["two blue dogs"], ["the map of a country"]]
        said = scores.cider(references, ["a red cat", "a red cat", "the map of a town"])
        self.assertGreater(said[0], said[2])
        self.assertGreater(said[2], said[1])
        self.assertEqual(said[1], 0.0)


if __name__ == "__main__":
    unittest.main()
