# SPDX-License-Identifier: BSD-2-Clause
"""Late workers: who gets a spare one, whose answer counts, and that the other one does no harm."""
import fcntl
import itertools
import json
import subprocess
import threading
import time

import harness
import remote
import stack
import test_remote_answers as answers
import test_remote_faults as faults
from harness import number

RUN = "a-run"


def setUpModule():
    answers.setUpModule()
    remote.start(workers=6)


def tearDownModule():
    remote.stop()


class Handler(answers.Handler):
    """Keeps the first call waiting. So the first answer of the list is that to the second call."""

    def do_POST(self):
        self.server.asked = next(self.server.count) + 1
        if self.server.asked == 1:
            self.server.gate.wait(self.server.longest)
        self.answer()
        self.server.gate.set()


class Rule(answers.AnswerCase):
    """Of one step, after others have written down what became of them."""

    USUAL = ["begun"] * 4 + ["done 0.1"] * 4  # this step's own line is to come

    def setUp(self):
        super().setUp()
        self.server.RequestHandlerClass = Handler
        self.server.handle_error = lambda *_: None  # a client that no longer waits
        self.server.count, self.server.gate, self.server.longest = itertools.count(), threading.Event(), 0
        self.step(answers.done(), XC_LAMBDA_RUN="an-earlier-one")
        self.workers = self.dir / ".xc-lambda/workers"
        self.journal = next(self.workers.glob("xc-dump-*"))
        (self.dir / "out").unlink()

    def asked(self, lines, *calls, longest=4, store=(), **changes):
        """Runs the step, whose first call takes long; returns how often the function was called, and what was said."""
        self.server.count, self.server.gate, self.server.longest = itertools.count(), threading.Event(), longest
        self.write(self.journal, "".join(f"{RUN} {line}\n" for line in lines).encode())
        said = self.step(*(calls or [answers.done()] * 2), store=store, **{"XC_LAMBDA_RUN": RUN, **changes})[0]
        return self.server.asked, said

    def test_a_late_step_gets_one(self):
        self.assertEqual(self.asked(self.USUAL, longest=60), (2, ""))
        lines = self.journal.read_text().splitlines()[len(self.USUAL):]
        self.assertEqual(lines[:2], [f"{RUN} begun", f"{RUN} spare"])
        self.assertRegex(lines[2], rf"\A{RUN} done \d+\.\d+\Z")

    def test_others_get_none(self):
        held = open(self.workers / "lock-0", "w")
        self.addCleanup(held.close)
        for why, lines, changes in (
                ("nothing is known of its kind", [], {}),
                ("only of another run", self.USUAL, {"XC_LAMBDA_RUN": "another"}),
                ("little", ["begun"] * 3 + ["done 0.1"] * 3, {}),
                ("most of its kind take as long", ["begun"] * 9 + ["done 0.1"] * 6, {}),
                ("its kind takes long", ["begun"] * 4 + ["done 9"] * 4, {}),
                ("another one has had it", [*self.USUAL, "spare"], {}),
                ("and that is all for so many", ["begun"] * 49 + ["done 0.1"] * 49 + ["spare"], {}),
                ("there shall be none", self.USUAL, {"XC_LAMBDA_SPARES": "0"}),
                ("others have all that there may be", self.USUAL, {"XC_LAMBDA_SPARES": "1"})):
            with self.subTest(why):
                fcntl.flock(held, fcntl.LOCK_EX if "all that" in why else fcntl.LOCK_UN)
                self.assertEqual(self.asked(lines, **changes), (1, ""))
        self.assertEqual(self.asked(["begun"] * 50 + ["done 0.1"] * 50 + ["spare"], longest=60), (2, ""))

    def test_kinds(self):
        """Steps are of a kind if their files have the same names but for the numbers of chunks."""
        task = json.loads(json.dumps(answers.TASK))
        for name, kinds in (("00000003-after-00000002.state", 2), ("00000103-after-00000102.state", 2),
                            ("00000103-anchors.state", 3), ("00000104-0.state", 4), ("00000104-1.state", 5)):
            task["steps"][0]["outputs"] = [name, "out"]
            self.write("task", json.dumps(task).encode() + b"\n")
            self.step(answers.done())
            self.assertEqual(len([*self.workers.glob("xc-dump-*")]), kinds, name)

    def test_none_is_noted_where_there_shall_be_none(self):
        self.asked([], XC_LAMBDA_SPARES="0", longest=0)
        self.assertEqual(self.journal.read_text(), "")

    def test_failures(self):
        """A spare worker that fails changes nothing. If the first one fails, the spare one's answer counts. If both do,
        it is the first one's failure that is told."""
        full = answers.error("TooManyRequestsException", 429)
        broken = answers.function_error("Runtime.ExitError", "signal: killed")
        self.assertEqual(self.asked(self.USUAL, full, answers.done(), longest=60), (2, ""))
        refused = 200, {}, {"refused": "no such data"}
        self.assertEqual(self.asked(self.USUAL, full, refused, longest=60)[1],
                         "xc-lambda: the function: no such data\n")
        self.server.RequestHandlerClass = TwoWaiting
        self.assertEqual(self.asked(self.USUAL, broken, answers.done(), longest=60), (2, ""))

    def test_what_it_waits_for_is_not_there(self):
        """A step is not late as long as it waits for another one."""
        task = json.loads(json.dumps(answers.TASK))
        task["inputs"], task["steps"][0]["inputs"] = {"state": "@" + "1" * 64}, ["state"]
        self.write("task", json.dumps(task).encode() + b"\n")
        asked = answers.s3_error("NoSuchKey", 404)
        dated = 200, {"Date": "Mon, 30 Nov 2026 02:00:00 GMT", "Last-Modified": "Mon, 30 Nov 2026 01:00:00 GMT"}, b""
        young = 200, {"Date": "Mon, 30 Nov 2026 02:00:00 GMT", "Last-Modified": "Mon, 30 Nov 2026 02:00:00 GMT"}, b""
        for answer, count in ((asked, 1), (young, 1), (dated, 2)):
            # Before that, the step looks for its answer. Later, it may look more often.
            longest = 60 if count == 2 else 5  # or until it has had its spare worker
            self.assertEqual(self.asked(self.USUAL, store=[asked, *[answer] * 9], longest=longest), (count, ""))

    def test_wrong_numbers(self):
        for given in ("many", "-1", "1001"):
            self.assertIn(f"XC_LAMBDA_SPARES: '{given}' is not a number", self.asked([], XC_LAMBDA_SPARES=given)[1])


class TwoWaiting(Handler):
    """The first call is answered when the second one has come, which is answered later."""

    def do_POST(self):
        self.server.asked = next(self.server.count) + 1
        if self.server.asked == 1:
            self.server.gate.wait(self.server.longest)
            self.answer()
        else:
            self.server.gate.set()
            time.sleep(1)
            self.answer()


class Films(faults.FaultCase):
    film = {"width": 64, "height": 48, "frames": 48}

    # Of the workers that do this step, the first one is late: it waits for a file.
    LATE = """
        case "{tool} $*" in *STEP*)
            if mkdir {mark} 2>/dev/null; then
                while [ ! -e {mark}/go ]; do sleep 0.1; done
                END
            elif [ SPARE ]; then
                mkdir {mark}/spare && exit
            fi ;;
        esac
        exec {real} "$@"
        """

    def environment(self, **changes):
        return super().environment(**{"XC_LAMBDA_SPARES": "", "XC_LAMBDA_RUN": self.id()[-50:], **changes})

    def late(self, step, end="", spare=""):
        """Prepares for it; returns variables. end: what the late worker does at last. spare: not empty if the other one
        is to write nothing."""
        self.let_workers_wait()
        self.addCleanup(self.stack.kill_bootstraps)
        return self.replace_tools(self.LATE.replace("STEP", step).replace("END", end).replace("SPARE", spare))

    def spares(self, tool):
        """How many spare workers there were. Tasks that begin with this tool have had one."""
        journals = (self.dir / ".xc-lambda/workers").iterdir()
        found = {path.name: path.read_text().count(" spare\n") for path in journals}
        self.assertIn(1, [count for name, count in found.items() if name.startswith(tool)])
        return sum(found.values())

    def answers(self):
        return {key: self.stack.curl("GET", f"task/{key}") for key in self.stack.objects("task")}

    def check(self, engine, structure, step, invocations, end=""):
        """The film is finished by another worker, before the late one."""
        tool = step.partition("?")[0]
        self.prepare(self.dir, structure)
        expected = self.local()
        changes = self.late(step, end)
        made = self.made(engine, **changes)
        self.assertEqual(made, invocations + self.spares(tool if engine == "lambda" else "xc-vpxenc"))
        self.assertEqual(self.finished(), expected)
        self.check_cost()
        before, data = self.answers(), self.stack.objects("data")
        (self.marks / tool / "go").touch()
        harness.wait_for(self.has_failed if end else lambda: self.answers() != before)
        self.check_late(before, data)
        self.clear()
        self.assertEqual(self.made(engine, **changes), 0)
        self.assertEqual(self.finished(), expected)

    def has_failed(self):
        """Whether a worker of this run has told others that its task cannot be done."""
        top = self.stack.directory / "s3" / stack.BUCKET / "meet"
        return any(f"failed {self.id()[-50:]}".encode() in path.read_bytes() for path in top.glob("*/.worker/xl.meta"))

    def check_cost(self):
        """The step of the late worker is paid for twice: for two seconds more than it took, at least."""
        dear = [row for row in self.rows() if float(row[8]) > float(row[3]) - float(row[2]) + 2]
        self.assertIn(f"{number(6)}", [row[1] for row in dear])

    def check_late(self, before, data):
        """Its answer has other times, but names the same files."""
        after = self.answers()
        self.assertLessEqual(sum(after[key] != before[key] for key in before), 1)
        self.assertEqual({key: json.loads(text)["outputs"] for key, text in after.items()},
                         {key: json.loads(text)["outputs"] for key, text in before.items()})
        self.assertEqual(self.stack.objects("data"), data)

    def test_lambda(self):
        self.check("lambda", "anchored", f"xc-enc?--follow*-o?{number(6)}.ivf", 16)

    def test_lambda_chunk(self):
        """The chunk after it waits for it, too."""
        self.check("lambda-chunk", "classic", f"xc-rebase?*-o?{number(6)}.ivf", 8)

    def test_late_failure(self):
        """That the late worker fails at last is no news to anybody."""
        self.check("lambda-chunk", "classic", f"xc-rebase?*-o?{number(6)}.ivf", 8, "exit 1")

    def test_spare_failure(self):
        """A spare worker that fails does not keep others from waiting for the step."""
        expected = self.local()
        changes, before = self.late(f"xc-rebase?*-o?{number(6)}.ivf", spare="yes"), self.stack.invocations()
        with subprocess.Popen(self.command("lambda-chunk"), cwd=self.dir, env=self.environment(**changes),
                              stderr=subprocess.PIPE) as run:
            harness.wait_for(self.has_failed)
            time.sleep(5)  # those who wait look every two seconds
            (self.marks / "xc-rebase/go").touch()
            self.assertEqual((run.communicate()[1], run.returncode), (b"", 0))
        self.assertEqual(self.finished(), expected)
        self.assertEqual(self.stack.invocations() - before, self.chunks + self.spares("xc-vpxenc"))
