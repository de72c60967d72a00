# SPDX-License-Identifier: BSD-2-Clause
"""ENGINE=slurm, on a cluster of three nodes that are slurmd on this machine."""
import json
import shutil
import tempfile
import time

import harness
import machines
from engine_case import FILM, EngineCase
from harness import ROOT, number

cluster = directory = None


def setUpModule():
    global cluster, directory
    machines.need("munged", "slurmctld", "slurmd", "sbatch", "salloc")
    directory = tempfile.mkdtemp(prefix="xc-slurm-")
    cluster = machines.Cluster(directory, "n1", "n2", "n3")


def tearDownModule():
    if cluster:
        cluster.stop()
    shutil.rmtree(directory, ignore_errors=True)


class SlurmCase(EngineCase):
    def environment(self, **changes):
        return super().environment(**{"ENGINE": "slurm", **cluster.environment(), **changes})

    def tearDown(self):
        for node, state in cluster.states().items():
            if state not in ("idle", "mix", "alloc", "comp"):
                cluster.update(node, "resume")
        harness.wait_for(lambda: set(cluster.states().values()) == {"idle"})
        super().tearDown()

    def nodes_log(self, then=""):
        """Has xc-vpxenc write down on which node it runs. Returns variables for that."""
        self.log = self.dir.parent / f"{self.dir.name}.log"
        self.addCleanup(self.log.unlink, missing_ok=True)
        return self.stub("xc-vpxenc", f'echo "$SLURMD_NODENAME" >>{self.log}; {then} exec "$tool" "$@"')

    def logged(self):
        return self.log.read_text().split() if self.log.exists() else []


class InAnAllocation(SlurmCase):
    """Each recipe line is a job step."""

    def make(self, *arguments, salloc=("--nodes=3", "--ntasks=6"), **changes):
        return harness.run("salloc", "--quiet", *salloc, "make", "-f", "excamera.mk", *arguments, cwd=self.dir,
                           env=self.environment(**changes))

    def test_whole_films(self):
        for structure in ("classic", "anchored", "prepared"):
            with self.subTest(structure):
                self.prepare(structure)
                self.assertEqual(self.makes_it(TIMINGS="timings.tsv"), "")
                self.nothing_is_left("timings.tsv")
                self.check_timings()

    def test_pictures(self):
        self.makes_it_from_pictures()

    def test_all_nodes_are_used(self):
        self.makes_it(**self.nodes_log(f"while [ $(grep -c . {self.dir}.log) -lt 5 ]; do sleep 0.1; done;"))
        self.assertEqual(set(self.logged()), {"n1", "n2", "n3"})

    def test_a_tool_fails(self):
        self.damage(1)
        done = self.make("-k")
        self.assertEqual(done.returncode, 2)
        self.assertRegex(done.stderr.decode(), rf"(?m)^xc-vpxenc: {number(1)}.y4m: ")
        self.assertRegex(done.stderr.decode(), rf"(?m)^make.*{number(1)}-vpxenc.ivf\] Error 1$")

    def test_a_node_is_lost(self):
        """srun cannot begin a step there any more; the other node has them all."""
        done = self.make(f"{number(0)}.ivf", salloc=("--nodes=2", "--ntasks=4", "--no-kill"))
        self.assertEqual(done.returncode, 0, done.stderr)
        stub = self.nodes_log("case $SLURMD_NODENAME in n1) kill -9 $PPID ;; esac;")
        self.assertRegex(self.makes_it(salloc=("--nodelist=n1,n2", "--ntasks=4", "--no-kill"), **stub),
                         "engine-slurm: n1: lost: .*; its steps run elsewhere")

    def test_outside(self):
        done = super().make(SLURM_MODE="steps")
        self.assertEqual(done.returncode, 2)
        self.assertIn("SLURM_MODE=steps is for the inside of an allocation", done.stderr.decode())

    def test_driver(self):
        film, options = harness.film(**FILM), ("-s", "4", "-k", "3")
        harness.must(ROOT / "excamera", film, "-o", "local.ivf", *options, cwd=self.dir)
        harness.must("salloc", "--quiet", "--ntasks=4", ROOT / "excamera", film, "-o", "slurm.ivf", *options,
                     cwd=self.dir, env=self.environment())
        self.assertEqual((self.dir / "slurm.ivf").read_bytes(), (self.dir / "local.ivf").read_bytes())


class Jobs(SlurmCase):
    """The steps of a chunk are a job."""

    apart = True

    def test_whole_films(self):
        for structure in ("classic", "anchored", "prepared"):
            with self.subTest(structure):
                self.prepare(structure)
                self.assertEqual(self.makes_it(TIMINGS="timings.tsv"), "")
                self.nothing_is_left("timings.tsv")
                self.check_timings()
                self.assertEqual(cluster.jobs(), [])

    def test_pictures(self):
        self.makes_it_from_pictures()

    def test_arrays(self):
        """What is wanted at the same time is submitted together; the account's options go with it."""
        seen = self.dir.parent / f"{self.dir.name}.seen"
        self.addCleanup(seen.unlink, missing_ok=True)
        run = self.popen(SLURM_OPTIONS="--comment=hello --nodelist=n1",
                         **self.nodes_log(f"while [ ! -e {seen} ]; do sleep 0.1; done;"))
        harness.wait_for(lambda: len(self.logged()) > 1)
        jobs = cluster.command("squeue", "--noheader", "--array", "--format=%F %k").splitlines()
        seen.touch()
        said = run.communicate(timeout=harness.TIMEOUT)[1].decode()
        self.assertEqual((run.returncode, said), (0, ""))
        self.assertLess(len(set(jobs)), len(jobs))
        self.assertEqual({job.split()[1] for job in jobs}, {"hello"})
        self.assertEqual(set(self.logged()), {"n1"})
        self.is_made()

    def test_a_node_is_drained(self):
        """In the middle. What runs there ends there, what waits goes elsewhere."""
        self.prepare("anchored")
        self.log = self.dir.parent / f"{self.dir.name}.log"
        seen = self.dir.parent / f"{self.dir.name}.seen"
        for path in (self.log, seen):
            self.addCleanup(path.unlink, missing_ok=True)
        stub = self.stub("xc-enc", f'''echo "$SLURMD_NODENAME" >>{self.log}
            while [ ! -e {seen} ]; do sleep 0.1; done
            exec "$tool" "$@"''')
        run = self.popen("-j3", SLURM_OPTIONS="--exclude=n3", **stub)
        harness.wait_for(self.logged)
        drained = self.logged()[0]
        cluster.update(drained, "drain")
        seen.touch()
        said = run.communicate(timeout=harness.TIMEOUT)[1].decode()
        self.assertEqual((run.returncode, said), (0, ""))
        self.is_made()
        self.assertEqual(set(self.logged()), {"n1", "n2"})
        self.assertEqual(self.logged()[-1], ({"n1", "n2"} - {drained}).pop())

    def test_a_job_is_cancelled(self):
        """By somebody, or with its node: it is submitted again."""
        once = self.dir.parent / f"{self.dir.name}.once"
        self.addCleanup(once.unlink, missing_ok=True)
        stub = self.stub("xc-vpxenc", f'''if [ ! -e {once} ]; then
            touch {once}; scancel ${{SLURM_ARRAY_JOB_ID}}_$SLURM_ARRAY_TASK_ID; sleep 100
            fi
            exec "$tool" "$@"''')
        self.assertRegex(self.makes_it(**stub),
                         r"engine-slurm: \d{8}.ivf: job \d+_\d+ has ended without a result: .*CANCELLED")

    def test_a_tool_is_killed(self):
        """By the system, for example: it gets another chance."""
        once = self.dir.parent / f"{self.dir.name}.once"
        self.addCleanup(once.unlink, missing_ok=True)
        stub = self.stub("xc-vpxenc", f'if [ ! -e {once} ]; then touch {once}; kill -9 $$; fi; exec "$tool" "$@"')
        self.assertRegex(self.makes_it(**stub), r"engine-slurm: \d{8}.ivf: job \d+_\d+ has ended without a result: "
                                                r"slurm-job: a tool was killed, perhaps for want of memory")

    def test_a_tool_fails(self):
        """Its words and exit status; those who wait for the chunk give up."""
        self.damage(1)
        done = self.make("-k")
        self.assertEqual(done.returncode, 2)
        said = done.stderr.decode()
        self.assertRegex(said, rf"(?m)^xc-vpxenc: {number(1)}.y4m: ")
        self.assertRegex(said, rf"(?m)^make.*{number(1)}.ivf\] Error 1$")
        self.assertRegex(said, rf"(?m)^slurm-chunk: {number(2)}.ivf: cannot be made: .* is missing, since its chunk fa")
        self.assertTrue((self.dir / f"{number(3)}.ivf").exists())

    def test_interrupted(self):
        """No job stays, and the next run goes on with what was done."""
        run = self.popen(**self.nodes_log("sleep 1000;"))
        harness.wait_for(self.logged)
        self.interrupt(run)
        harness.wait_for(lambda: not cluster.jobs(), "no job is there")
        self.makes_it()
        self.nothing_is_left()

    def test_one_chunk(self):
        """The chunk before it is made, too, though make sees no reason to."""
        self.prepare("anchored")
        done = self.make(f"{number(1)}.ivf")
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        self.assertEqual((self.dir / f"{number(1)}.ivf").read_bytes(), self.expected(f"{number(1)}.ivf"))
        self.makes_it()

    def test_other_tools(self):
        """After an interrupted run, nothing of other tools' is used."""
        other = self.stub("xc-enc", 'exec "$tool" --no-such-option "$@"')
        self.prepare("anchored")
        self.assertEqual(self.make("-k", **other).returncode, 2)
        key = json.loads((self.dir / f"{number(0)}.task").read_text())["key"]
        time.sleep(0.01)
        self.makes_it("KEEP=1")
        self.assertNotEqual(json.loads((self.dir / f"{number(0)}.task").read_text())["key"], key)

    def test_no_slurm(self):
        done = self.make(PATH=f"{harness.BIN}:{self.path_without_slurm()}")
        self.assertEqual(done.returncode, 2)
        self.assertIn("slurm-chunk: sbatch is not installed\n", done.stderr.decode())

    def path_without_slurm(self):
        folder = self.dir.parent / f"{self.dir.name}-path"
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        folder.mkdir()
        for name in ("sh", "make", "python3", "od", "rm", "sed", "mv"):
            (folder / name).symlink_to(shutil.which(name, path="/usr/bin:/bin"))
        return folder

    def test_driver(self):
        film, options = harness.film(**FILM), ("-s", "4", "-k", "3", "--structure", "classic")
        harness.must(ROOT / "excamera", film, "-o", "local.ivf", *options, cwd=self.dir)
        harness.must(ROOT / "excamera", film, "-o", "slurm.ivf", *options, cwd=self.dir, env=self.environment())
        self.assertEqual((self.dir / "slurm.ivf").read_bytes(), (self.dir / "local.ivf").read_bytes())
