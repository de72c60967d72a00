# SPDX-License-Identifier: BSD-2-Clause
"""ENGINE=ssh, with three hosts that are sshd on this machine."""
import hashlib
import os
import pathlib
import re
import shutil
import signal
import sys
import tempfile
import time
import unittest.mock

import harness
import machines
from engine_case import BATCH, FILM, EngineCase
from harness import ROOT, number

sys.path.insert(0, str(ROOT / "hosts"))
import pool  # noqa: E402

XC_HOSTS = ROOT / "hosts/xc-hosts"
hosts = directory = None


def setUpModule():
    global hosts, directory
    machines.need("ssh", "sshd", "ssh-keygen")
    directory = tempfile.mkdtemp(prefix="xc-ssh-")
    hosts = machines.Hosts(directory, "one", "two", "three")


def tearDownModule():
    if hosts:
        hosts.stop()
    shutil.rmtree(directory, ignore_errors=True)


class SshCase(EngineCase):
    compressed = "1"  # the default of this engine

    def setUp(self):
        super().setUp()
        for host in hosts.hosts.values():
            host.revive()

    def environment(self, **changes):
        return super().environment(**{"ENGINE": "ssh", "HOSTS": "one/1 two/2 :/1", **hosts.environment(), **changes})

    def xc_hosts(self, *arguments, **changes):
        return harness.run(XC_HOSTS, *arguments, cwd=self.dir, env=self.environment(**changes))

    def log_hosts(self, tool="xc-vpxenc", then=""):
        """Has a tool write down where it begins and ends. Returns variables for that."""
        self.log = self.dir.parent / f"{self.dir.name}.log"
        self.addCleanup(self.log.unlink, missing_ok=True)
        return self.stub(tool, f'''echo "begin ${{HOME##*/}} $$" >>{self.log}
            {then}
            "$tool" "$@"; status=$?
            echo "end ${{HOME##*/}} $$" >>{self.log}
            exit $status''')

    def logged(self):
        return [line.split()[:2] for line in self.log.read_text().splitlines()] if self.log.exists() else []


class Films(SshCase):
    def test_whole_films(self):
        """Without -j, and with nothing left here or there but the tools."""
        before = {name: hosts[name].has() for name in ("one", "two")}
        for structure in ("classic", "anchored", "prepared"):
            with self.subTest(structure):
                self.prepare(structure)
                self.assertEqual(self.makes_it(TIMINGS="timings.tsv"), "")
                self.nothing_is_left("timings.tsv")
                self.check_timings()
                for name in ("one", "two"):
                    self.assertTrue(list(hosts[name].cache.glob("data/*")), f"{name} had nothing to do")
                    self.assertEqual(hosts[name].has(), before[name])

    def test_pictures(self):
        self.makes_it_from_pictures()

    def test_slots(self):
        """No host runs more steps at once than it has slots, whatever -j is; and all that they have are used."""
        slots = {"one": 1, "two": 2, "three": 1}
        until_all_are_used = f"while [ $(grep -c begin {self.dir}.log) -lt 4 ]; do sleep 0.1; done"
        self.makes_it("-j16", HOSTS="one/1 two/2 three/1", **self.log_hosts(then=until_all_are_used))
        running, most = {}, {}
        for what, host in self.logged():
            running[host] = running.get(host, 0) + (1 if what == "begin" else -1)
            most[host] = max(most.get(host, 0), running[host])
        self.assertEqual(most, slots)

    def test_a_chain_stays_where_its_state_is(self):
        self.prepare("anchored")
        self.makes_it("-j1", HOSTS="one/1 two/1")
        self.assertFalse(list(hosts["three"].cache.glob("data/*")), "three is none of HOSTS")
        variables = self.log_hosts("xc-enc")
        self.prepare("anchored")
        done = self.make(f"{number(0)}-anchors.ivf", HOSTS="two/1", **variables)
        self.assertEqual(done.returncode, 0, done.stderr)
        done = self.make("-j1", f"{number(2)}-anchors.ivf", HOSTS="one/1 two/1", **variables)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual({host for _, host in self.logged()}, {"two"})

    def test_driver(self):
        film, options = harness.film(**FILM), ("-s", "4", "-k", "3", "-q", "30")
        for structure in ("anchored", "classic"):
            harness.must(ROOT / "excamera", film, "-o", "local.ivf", *options, "--structure", structure, cwd=self.dir)
            harness.must(ROOT / "excamera", film, "-o", "ssh.ivf", *options, "--structure", structure, cwd=self.dir,
                         env=self.environment())
            self.assertEqual((self.dir / "ssh.ivf").read_bytes(), (self.dir / "local.ivf").read_bytes())
        self.assertFalse((self.dir / "ssh.ivf.work").exists())

    def test_film_in_pieces(self):
        """The film goes to the hosts as it is; they get ffmpeg with the tool that runs it."""
        harness.must("ffmpeg", "-v", "error", "-i", harness.film(**FILM), "-c:v", "libx264", "-preset", "ultrafast",
                     "-g", "6", "film.mp4", cwd=self.dir)
        options = ("-s", "4", "-k", "3", "-q", "30", "--no-scenes")
        harness.must(ROOT / "excamera", "film.mp4", "-o", "local.ivf", *options, cwd=self.dir)
        done = harness.run(ROOT / "excamera", "film.mp4", "-o", "ssh.ivf", *options, "--decode", "there", cwd=self.dir,
                           env=self.environment(HOSTS="one/2 two/1"))
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        self.assertNotIn("decoded here", done.stderr.decode())
        self.assertEqual((self.dir / "ssh.ivf").read_bytes(), (self.dir / "local.ivf").read_bytes())
        ffmpeg = hashlib.sha256(pathlib.Path(shutil.which("ffmpeg")).read_bytes()).hexdigest()
        self.assertIn(hosts["one"].cache / "data" / ffmpeg, list(hosts["one"].cache.glob("data/*")))


class References(SshCase):
    def test_references(self):
        """What stays on the hosts is refused by tools, and can be fetched."""
        self.makes_it("KEEP=1", HOSTS="one/2 two/1")
        name = f"{number(1)}-0.state"
        self.assertTrue((self.dir / name).read_bytes().startswith(b"XCREF xc-hosts fetch\n"))
        message = self.refuses("xc-enc", "-W", "-w", "0.75", "-i", "y4m", "-o", "x.ivf", "-r", "-I", name, "-p",
                               f"{number(2)}-0.ivf", f"{number(2)}.y4m")
        self.assertRegex(message, r"is a reference to remote data; fetch it with: xc-hosts fetch 0000000[12]-0\.\w+$")
        done = self.xc_hosts("fetch", self.dir / name, f"{number(2)}-0.ivf", HOSTS="one/2 two/1")
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        self.assertEqual((self.dir / name).read_bytes(), self.expected(name))
        self.assertEqual((self.dir / name).read_bytes()[8], 2)
        done = self.make("KEEP=1", HOSTS="one/2 two/1")
        self.assertEqual(done.stdout.count(b"xc-"), 0, "what was fetched is nothing new")

    def test_states_that_are_not_compressed(self):
        name = f"{number(1)}-0.state"
        off = {"HOSTS": "one/1", "XC_COMPRESS_STATES": "0"}
        self.assertEqual(self.make(name, **off).returncode, 0)
        self.assertEqual(self.xc_hosts("fetch", self.dir / name, **off).returncode, 0)
        plain = (self.dir / name).read_bytes()
        self.assertEqual(plain[8], 1)
        self.assertLess(len(self.expected(name)), len(plain))
        self.write("compressed.state", self.expected(name))
        self.xc("xc-diff", name, "compressed.state")

    def test_mixed_with_local_steps(self):
        """What was made here, by whatever engine, goes on there, and the other way round."""
        self.assertEqual(self.make(f"{number(1)}-0.state", f"{number(2)}-0.ivf", ENGINE="local").returncode, 0)
        self.assertEqual(self.make(f"{number(1)}-1.state", f"{number(2)}-1.ivf", HOSTS="one/1").returncode, 0)
        self.makes_it(HOSTS=":/1 one/1")

    def test_nothing_useless_is_kept(self):
        """When a batch is finished, its intermediate files go from the hosts, too."""
        hosts["one"].lose()  # with what other tests left there
        hosts["one"].revive()
        self.assertEqual(self.make(f"batch-{number(0)}", HOSTS="one/1").returncode, 0)
        made = hosts["one"].has()
        self.assertEqual(self.make(f"{number(3)}.ivf", HOSTS="one/1").returncode, 0)
        self.assertEqual(len(made & hosts["one"].has()), 2 * BATCH)  # what is here as well: raw and finished chunks
        self.makes_it(HOSTS="one/1")

    def test_a_damaged_reference(self):
        self.make(f"{number(0)}-vpxenc.ivf", HOSTS="one/1")
        self.write(f"{number(0)}-vpxenc.ivf", b"XCREF xc-hosts fetch\nidentity x\n")
        done = self.make(HOSTS="one/1")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(b"ssh-step: 00000000-vpxenc.ivf: is a damaged reference; delete it and make it again\n",
                      done.stderr)
        (self.dir / f"{number(0)}-vpxenc.ivf").unlink()
        self.makes_it(HOSTS="one/1")


class Faults(SshCase):
    def test_a_host_dies(self):
        """In the middle, with a step at work and states that only it has."""
        begun = self.dir.parent / f"{self.dir.name}.begun"
        self.addCleanup(begun.unlink, missing_ok=True)
        for structure, tool, option in (("classic", "xc-rebase", "-W"), ("anchored", "xc-enc", "--follow")):
            with self.subTest(structure):
                begun.unlink(missing_ok=True)
                hosts["two"].revive()
                self.prepare(structure)
                stub = self.stub(tool, f'''case "$HOME $1" in
                    *"two {option}") touch {begun}; sleep 100 ;;
                    *"one {option}") while [ ! -e {begun} ]; do sleep 0.1; done ;;
                    esac
                    exec "$tool" "$@"''')
                run = self.popen(HOSTS="two/3 one/1", **stub)
                harness.wait_for(lambda: begun.exists() or run.poll() is not None)
                hosts["two"].lose()
                said = run.communicate(timeout=harness.TIMEOUT)[1].decode()
                self.assertEqual(run.returncode, 0, said)
                lost = re.findall("(?m)^engine-ssh: two: lost: .*; its steps run elsewhere$", said)
                self.assertEqual(len(lost), 1 + said.count("engine-ssh: two: is back\n"), said)
                self.is_made()

    def test_what_only_a_lost_host_had_is_made_anew(self):
        """Here, and on another host, down to the raw pictures."""
        for other in ("one/2", ":/2"):
            with self.subTest(other):
                hosts["two"].revive()
                self.prepare("classic")
                done = self.make(f"{number(1)}-0.state", f"{number(2)}-1.ivf", HOSTS="two/2")
                self.assertEqual(done.returncode, 0, done.stderr)
                hosts["two"].lose()
                self.assertIn("engine-ssh: two: lost: ", self.makes_it(HOSTS=f"two/1 {other}"))

    def test_a_host_hangs(self):
        begun = self.dir.parent / f"{self.dir.name}.begun"
        self.addCleanup(begun.unlink, missing_ok=True)
        stub = self.stub("xc-vpxenc", f'''case "$HOME" in *two) touch {begun}; sleep 1000 ;; esac; exec "$tool" "$@"''')
        run = self.popen(HOSTS="two/2 one/1", **hosts.environment(machines.IMPATIENT), **stub)
        harness.wait_for(begun.exists)
        hosts["two"].daemon.signal(signal.SIGSTOP)
        try:
            said = run.communicate(timeout=harness.TIMEOUT)[1].decode()
        finally:
            hosts["two"].daemon.kill()
        self.assertEqual(run.returncode, 0, said)
        self.assertIn("engine-ssh: two: lost: ", said)
        self.is_made()

    def test_a_step_hangs(self):
        stub = self.stub("xc-vpxenc", 'case "$HOME" in *two) sleep 1000 ;; esac; exec "$tool" "$@"')
        self.assertIn("engine-ssh: two: lost: a step has taken too long there; ",
                      self.makes_it(HOSTS="two/2 one/1", STEP_TIMEOUT="15", **stub))

    def test_a_full_disk(self):
        """A host that has no room for what it needs has no steps, either."""
        hosts["two"].lose()
        hosts["two"].revive()
        hosts["two"].cache.mkdir(parents=True)
        harness.must("mount", "-t", "tmpfs", "-o", "size=1m", "full", hosts["two"].cache)
        try:
            self.assertIn("engine-ssh: two: lost: its disk is full; ", self.makes_it(HOSTS="two/1 one/1"))
        finally:
            harness.must("umount", "--lazy", hosts["two"].cache)

    def test_a_program_that_a_host_cannot_run(self):
        stub = self.stub("xc-vpxenc", 'case "$HOME" in *two) exec /no/such/program ;; esac; exec "$tool" "$@"')
        self.assertRegex(self.makes_it(HOSTS="two/1 one/1", **stub),
                         "engine-ssh: two: lost: cannot run xc-vpxenc: .*not found; tools that run anywhere: make stat")

    def test_another_kind_of_machine(self):
        """It needs tools of its own."""
        harness.install_stubs(hosts["two"].home / "bin", {"uname": "echo strange"})
        self.addCleanup(shutil.rmtree, hosts["two"].home / "bin")
        self.assertIn("engine-ssh: two: lost: is another kind of machine; XC_TOOLS_strange has to name ",
                      self.makes_it(HOSTS="two/1 one/1"))
        self.prepare("anchored")
        self.assertEqual(self.makes_it(HOSTS="two/1", XC_TOOLS_strange=str(harness.BIN)), "")

    def test_a_lost_host_is_tried_again(self):
        """After a while, by one step; if that works, by all."""
        said, before = [], os.getcwd()
        os.chdir(self.dir)
        self.addCleanup(os.chdir, before)
        big, small = pool.parse("big/2 small/1")
        found = pool.Pool([big, small], "run", said.append)
        found.lose(big, "why")
        found.lose(big, "why again")
        self.assertEqual(said, ["big: lost: why; its steps run elsewhere"])
        self.assertFalse(found.is_usable(big))
        self.assertTrue(pool.Pool([big, small], "another run", said.append).is_usable(big))
        long_ago = time.time() - 2 * pool.RETRY
        os.utime(f"{pool.RUN_FOLDER}/lost/big", (long_ago, long_ago))
        taken = [found.take(lambda host: host is big) for _ in range(2)]
        self.assertEqual([host for host, _, _ in taken], [big, small])
        found.found(big)
        self.assertEqual(said[1:], ["big: is back"])
        self.assertIs(found.take(lambda host: host is big)[0], big)

    def test_a_host_is_back_meanwhile(self):
        """One step has found that all are lost, when another step finds one of them."""
        before = os.getcwd()
        os.chdir(self.dir)
        self.addCleanup(os.chdir, before)
        big, small = pool.parse("big/1 small/1")
        found = pool.Pool([big, small], "run", lambda text: None)
        is_usable = found.is_usable

        def look(host):
            usable = is_usable(host)
            if host is small:
                found.found(big)
            return usable
        for host in (big, small):
            found.lose(host, "why")
        with unittest.mock.patch.object(found, "is_usable", look):
            self.assertIs(found.take(lambda host: 0)[0], big)

    def test_no_host_is_left(self):
        done = self.make(HOSTS="nowhere.invalid/2")
        self.assertEqual(done.returncode, 2)
        self.assertRegex(done.stderr.decode(), r"(?m)^ssh-step: no host is left; nowhere.invalid: .*ot resolve.*$")

    def test_a_tool_fails(self):
        """As it does here: its words, its exit status."""
        self.damage(1)
        local, there = self.make("-k", ENGINE="local"), self.make("-k", HOSTS="one/1 two/1")
        self.assertEqual(there.returncode, local.returncode)
        said = [set(re.findall(r"(?m)^xc-.*|\S+ Error \d+$", done.stderr.decode())) for done in (local, there)]
        self.assertEqual(*said)
        self.assertTrue(said[0])
        self.assertEqual(self.make(PATH="/usr/bin:/bin", HOSTS="one/1").stderr.decode().splitlines()[0],
                         "xc-vpxenc: not found")

    def test_interrupted(self):
        """Nothing goes on there, and the next run goes on with what was done."""
        variables = self.log_hosts("xc-enc", then="sleep 1000 & wait $!")
        run = self.popen(HOSTS="one/1 two/1", **variables)
        harness.wait_for(self.logged)
        self.interrupt(run)
        pids = [int(line.split()[2]) for line in self.log.read_text().splitlines()]
        harness.wait_for(lambda: not any(map(machines.is_alive, pids)), "nothing goes on there")
        done = self.make(HOSTS="one/1 two/1")
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        self.assertNotIn(f"-o {number(0)}-vpxenc.ivf", done.stdout.decode())
        self.is_made()

    def test_the_driver_says_what_was_lost(self):
        done = harness.run(ROOT / "excamera", harness.film(**FILM), "-o", "x.ivf", "-s", "4", "-k", "3", cwd=self.dir,
                           env=self.environment(HOSTS="nowhere.invalid/2 one/2"))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stderr.decode(), "(?m)^engine-ssh: nowhere.invalid: lost: .*; its steps run elsewhere$")


class Hosts(SshCase):
    def test_check(self):
        done = self.xc_hosts("check", "one", "two/3", "nowhere.invalid/1")
        lines = done.stdout.decode().splitlines()
        self.assertEqual((done.returncode, done.stderr), (1, b""))
        self.assertRegex(lines[1], r"^one +\d+ +\S+ +[\d.]+ GB +0 s +fit; \d+ ms a step$")
        self.assertRegex(lines[2], r"^two +3 +\d+ +\S+ +[\d.]+ GB +0 s +fit; \d+ ms a step$")
        self.assertRegex(lines[3], r"^nowhere.invalid +1 +UNFIT: .*ot resolve")
        self.assertRegex(lines[-1], r'^HOSTS="one/\d+ two/3 :"$')
        self.assertEqual(self.xc_hosts("check", HOSTS="one/1 :").returncode, 0)
        self.assertFalse((self.dir / ".xc-hosts").exists())

    def test_list_as_argument_of_make(self):
        self.makes_it("HOSTS=one/1 two/1", HOSTS="")

    def test_bad_lists(self):
        for text, why in (("big", "has no number of slots"), ("", "is empty"), ("-oProxyCommand=x/1", "is not HOST"),
                          ("one/0", "is not HOST"), ("one/1 one/2", "is there twice"), ("one/x", "has no number")):
            with self.subTest(text):
                done = self.make(HOSTS=text)
                self.assertEqual(done.returncode, 2)
                self.assertRegex(done.stderr.decode(), rf"\A.*: \*\*\* xc-hosts: HOSTS: .*{why}.*\n\Z")
                done = harness.run(ROOT / "excamera", harness.film(**FILM), "-o", "x.ivf", cwd=self.dir,
                                   env=self.environment(HOSTS=text))
                self.assertRegex(done.stderr.decode(), rf"\Aexcamera: ENGINE=ssh in .*xc-hosts: .*{why}.*\n\Z")
