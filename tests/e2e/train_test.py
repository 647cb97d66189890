"""`aitqe train`: a model comes out that the other commands run, and kill -9 changes nothing."""

import json
import signal
import subprocess
import time
import unittest

from support import BINARY, EXAMPLES, SOURCE_DIR, EndToEndTest, environment

RECIPE = """
model = "{model}"
dtype = "f32"
save_every_steps = 3
[[stage]]
name = "captions"
task = "caption"
shards = ["{training}"]
num_steps = 6
images_per_step = 4
[[stage.train]]
tensors = "mm_projector.*"
learning_rate = 1e-3
[[stage]]
name = "judge"
task = "judge"
shards = ["{training}"]
num_steps = 9
images_per_step = 4
[[stage.lora]]
modules = "model.model.layers.*"
rank = 4
alpha = 8
"""


class TrainTest(EndToEndTest):
    def setUp(self):
        super().setUp()
        self.aitqe("contrast", EXAMPLES, "-o", self.folder / "training")
        self.recipe = self.folder / "recipe.toml"
        self.recipe.write_text(RECIPE.format(model=SOURCE_DIR / "models/aitqe-tiny", training=self.folder / "training"))

    def train(self, output, **options):
        return self.aitqe("train", self.recipe, "-o", self.folder / output, "--threads", "1", **options)

    def file(self, output, name):
        return (self.folder / output / name).read_bytes()

    def test_the_model_that_comes_out_runs(self):
        result = self.train("model")
        self.assertIn("15 steps", result.stdout)
        rows = [json.loads(line) for line in self.file("model", "metrics.jsonl").splitlines()]
        self.assertEqual([r["step"] for r in rows], [*range(1, 7), *range(1, 10)])
        self.assertEqual({r["stage"] for r in rows}, {"captions", "judge"})
        self.assertIn(b"<polyline", self.file("model", "loss.svg"))
        model = json.loads(self.aitqe("inspect", self.folder / "model", "--json").stdout)
        self.aitqe("score", EXAMPLES, "-o", self.folder / "scored", "--model", self.folder / "model", "--limit", "4",
                   "--max-failed", "100%")
        self.assertEqual(json.loads(self.file("scored", "_aitqe/run.json"))["model_sha256"], model["model_sha256"])
        base = json.loads(self.aitqe("inspect", SOURCE_DIR / "models/aitqe-tiny", "--json").stdout)
        self.assertEqual(json.loads(self.file("model", "adapter/adapter.json"))["base_sha256"], base["base_sha256"])

    def test_killed_at_any_moment_it_goes_on_with_the_same_losses(self):
        self.train("whole")
        command = [str(a) for a in (BINARY, "train", self.recipe, "-o", self.folder / "killed", "--threads", "1")]
        kills = 0
        for rows_to_wait_for in (1, 4, 8, 12):
            process = subprocess.Popen(command, env=environment(), cwd=self.folder, stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL)
            metrics = self.folder / "killed/metrics.jsonl"
            while process.poll() is None and not (metrics.exists() and
                                                  metrics.read_bytes().count(b"\n") >= rows_to_wait_for):
                time.sleep(0.002)
            process.kill()
            kills += process.wait() == -signal.SIGKILL
        self.assertGreater(kills, 1)
        self.train("killed")
        self.assertEqual(self.file("killed", "metrics.jsonl"), self.file("whole", "metrics.jsonl"))
        self.assertEqual(self.file("killed", "model.safetensors"), self.file("whole", "model.safetensors"))
        self.assertEqual([p.name for p in (self.folder / "killed/_train").iterdir()], ["done"])

    def test_another_recipe_in_the_same_folder_is_refused(self):
        process = subprocess.Popen([str(a) for a in (BINARY, "train", self.recipe, "-o", self.folder / "model")],
                                   env=environment(), cwd=self.folder, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        state = self.folder / "model/_train/state.safetensors"
        while process.poll() is None and not state.exists():
            time.sleep(0.002)
        process.terminate()
        if process.wait() != 75:
            self.skipTest("the run was over before the signal came")
        self.recipe.write_text(self.recipe.read_text() + "\n# the same\n")
        self.recipe.write_text(self.recipe.read_text().replace("rank = 4", "rank = 5"))
        self.assertIn("another recipe", self.train("model", expect=2).stderr)

    def test_recipes_that_cannot_mean_anything_are_refused_at_once(self):
        text = self.recipe.read_text()
        for old, new, words in (("num_steps = 6", "num_step = 6", "unknown key \"num_step\""),
                                ("mm_projector.*", "nothing.*", "no tensor fits"),
                                ("aitqe-tiny", "aitqe-none", "no such model folder")):
            with self.subTest(new=new):
                self.recipe.write_text(text.replace(old, new))
                self.assertIn(words, self.train("bad", expect=6 if "none" in new else 2).stderr)


if __name__ == "__main__":
    unittest.main()
