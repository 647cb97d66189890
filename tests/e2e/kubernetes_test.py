"""scripts/kubernetes/enhance.yaml fits what aitqe does, and the published API of Kubernetes (no cluster is asked: that it is
accepted, scheduled and restarted by a real one is not shown)."""

import os
import re
import subprocess
import unittest

import yaml

from support import SOURCE_DIR, EndToEndTest, environment, pairs, write_tar

MANIFEST = SOURCE_DIR / "scripts/kubernetes/enhance.yaml"
CLUSTER_PYTHON = SOURCE_DIR / ".deps/cluster/bin/python3"
RESUMABLE = 75
LONGEST_WAIT_S = 30


def exit_codes():
    """Those of the README's table that the program gives by itself when something is wrong."""
    readme = (SOURCE_DIR / "README.md").read_text(encoding="utf-8")
    return {int(code) for code in re.findall(r"^\| (\d+) \|", readme, re.M)} - {0}


class KubernetesTest(EndToEndTest):
    def setUp(self):
        super().setUp()
        self.job = yaml.safe_load(MANIFEST.read_text(encoding="utf-8"))
        self.pod = self.job["spec"]["template"]["spec"]
        (self.container,) = self.pod["containers"]

    def test_each_index_is_a_task_of_the_job(self):
        arguments = self.container["args"]
        self.assertEqual(self.job["spec"]["completionMode"], "Indexed")
        self.assertIn("--task-index=auto", arguments)
        self.assertIn(f"--task-count={self.job['spec']['completions']}", arguments)

    def test_every_exit_code_has_its_rule(self):
        rules = self.job["spec"]["podFailurePolicy"]["rules"]
        actions = {code: rule["action"] for rule in rules if "onExitCodes" in rule for code in rule["onExitCodes"]["values"]}
        self.assertEqual(actions.pop(RESUMABLE), "Count")
        self.assertEqual(set(actions.values()), {"FailIndex"})
        # 1 is a bug and what lies above 128 a signal: both are tried again as Kubernetes does by itself.
        self.assertEqual(set(actions), {code for code in exit_codes() if 1 < code < RESUMABLE})
        self.assertEqual(self.pod["restartPolicy"], "Never")  # or the rules would not count

    def test_the_program_takes_what_it_is_given(self):
        write_tar(self.folder / "in/a.tar", pairs(1))
        places = {"/data/in": "in", "--output=/data/out": "--output=out", "--device=cuda": "--device=cpu"}
        arguments = [places.get(argument, argument) for argument in self.container["args"]]
        self.aitqe(*self.container["command"][1:], *arguments, "--model", SOURCE_DIR / "models/aitqe-tiny", "--dry-run",
                   "--forecast-s", "0", env={"JOB_COMPLETION_INDEX": "3"})

    def test_the_wait_in_its_head_ends_whichever_way_the_job_does(self):
        wait, = re.findall(r"^#   (until .*)", MANIFEST.read_text(encoding="utf-8"), re.M)
        for conditions in ("Complete", "SuccessCriteriaMet Complete", "FailureTarget Failed"):
            with self.subTest(conditions=conditions):
                # About to fail, and over when somebody has slept.
                self.write_program("kubectl", f'echo "$@" >>asked; [ -e slept ] && echo "{conditions}" || echo FailureTarget')
                self.write_program("sleep", "touch slept")
                subprocess.run(["bash", "-c", wait], cwd=self.folder, timeout=LONGEST_WAIT_S, check=True,
                               env=environment(PATH=f"{self.folder}:{os.environ['PATH']}"))
                self.assertEqual((self.folder / "asked").read_text().splitlines(),
                                 [f"get job/{self.job['metadata']['name']} -o jsonpath={{.status.conditions[*].type}}"] * 2)
                (self.folder / "asked").unlink()
                (self.folder / "slept").unlink()

    def write_program(self, name, script):
        (self.folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (self.folder / name).chmod(0o755)

    @unittest.skipUnless(CLUSTER_PYTHON.exists() and os.environ.get("AITQE_LARGE_SHARDS"),
                         "only with scripts/test.sh --full, which installs the schemas")
    def test_it_fits_the_published_schemas(self):
        program = ("import sys, yaml, kubernetes_validate as k\n"
                   "data = yaml.safe_load(sys.stdin)\n"
                   "for version in ('1.33', k.latest_version()):\n"
                   "    k.validate(data, version, strict=True)\n"
                   "data['spec']['podFailurePolicy']['rulez'] = []\n"
                   "try:\n"
                   "    k.validate(data, '1.33', strict=True)\n"
                   "except k.ValidationError:\n"
                   "    print('refuses what is not in it')\n")
        done = subprocess.run([CLUSTER_PYTHON, "-c", program], input=MANIFEST.read_text(encoding="utf-8"), text=True,
                              capture_output=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("refuses", done.stdout)


if __name__ == "__main__":
    unittest.main()
