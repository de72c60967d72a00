# SPDX-License-Identifier: BSD-2-Clause
"""The graph as the text of an AWS Step Functions state machine, in the Amazon States Language.

The states of a batch, in the classic structure:

    Map vpxenc, xcdec  ->  group  ->  Map reencode  ->  a loop: rebase, once for each chunk from the third on

In the anchored structure, the loop comes first: anchors, once for each chunk; then Map follow. A Map of batches is
around that. A batch is the list of its chunks' files, without their directory. The input of an execution:

    bucket, prefix   where the film is, such as "film/holiday/"; the prefix may be ""
    quality          vpxenc's --cq-level
    batches          the batches; or
    list, parallel   the key of an object with the batches, and how many of them are encoded at once

With `batches` they run in the execution itself, with `list` in an execution each, and other states are around them.
Steps are named as their functions, lambda/functions/."""
import json

from xcdriver import graph

# Limits of AWS Step Functions, from its documentation: 40 iterations of a Map at once in an execution, 256 KiB of input
# or output of a state, and 25,000 events in the history of an execution. A chunk has at most 28 events: six for each of
# its three or four steps, two for each iteration of a Map or of the loop; if each step fails once, 12 more.
AT_ONCE = 40
PAYLOAD = 256 * 1024
EVENTS = 25000
EVENTS_OF_CHUNK = 40
LARGEST_BATCH = 500  # 20,000 events, and results of 400 bytes for each chunk
MOST_BATCHES = 100000  # whose outputs are two bytes each
CONCURRENCY = 800  # functions at once; AWS lets an account run 1,000, unless it says otherwise
SECONDS = 900  # the longest that a function can take

# By the name of the error. What a tool refuses, and an event that is wrong, is not tried again.
RETRY = [
    {"ErrorEquals": ["Lambda.TooManyRequestsException"],
     "IntervalSeconds": 2, "BackoffRate": 2, "MaxDelaySeconds": 60, "MaxAttempts": 60, "JitterStrategy": "FULL"},
    {"ErrorEquals": ["StoreFailed", "Lambda.ServiceException", "Lambda.AWSLambdaException", "Lambda.SdkClientException",
                     "Lambda.ClientExecutionTimeoutException"],
     "IntervalSeconds": 1, "BackoffRate": 2, "MaxDelaySeconds": 30, "MaxAttempts": 8, "JitterStrategy": "FULL"},
    # These attempts are paid for.
    {"ErrorEquals": ["ToolKilled", "Lambda.Unknown", "Sandbox.Timedout", "Runtime.ExitError", "States.Timeout"],
     "IntervalSeconds": 1, "MaxAttempts": 2, "BackoffRate": 2, "JitterStrategy": "FULL"}]

FULL_NAME = "States.Format('{}{}', $.prefix, $$.Map.Item.Value)"
AT_POSITION = "States.Format('{}{}', $.prefix, States.ArrayGetItem($.files, $.at.position))"


WITH_CAUSE = "States.Format('{{}}: {{}}: {{}}', {}, $.failure.Error, $.failure.Cause)"
FAILED_KEY = "States.Format('{{}}failed/{{}}', $.prefix, {})"


class Machine:
    """The names that a state machine uses: of the functions, which begin with the same word, and of AWS's partition."""

    def __init__(self, function="excamera", partition="aws"):
        self.function, self.partition = function, partition

    def service(self, name):
        return f"arn:{self.partition}:states:::{name}"

    def step(self, name, payload, following, failed="Step failed", **fields):
        """A state that calls a function."""
        return {"Type": "Task", "Resource": self.service("lambda:invoke"),
                "Parameters": {"FunctionName": f"{self.function}-{name}", **payload},
                "TimeoutSeconds": SECONDS, "Retry": RETRY,
                "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.failure", "Next": failed}],
                **fields, **({"Next": following} if following else {"End": True})}

    def classic(self):
        """The structure of the paper: the first state of a batch, the place of the chunk that the loop begins with, and
        all states. Event and result of a step are the published ones."""
        alone = {
            "vpxenc": self.step("vpxenc", {"Payload.$": "$.event"}, "xcdec", "Chunk failed", ResultPath="$.alone"),
            "xcdec": self.step("xcdec", {"Payload.$": "$.alone.Payload"}, None, "Chunk failed", OutputPath="$.Payload"),
            "Chunk failed": failure("$.event.file")}
        again = {
            "reencode": self.step("reencode", {"Payload.$": "$.event"}, None, "Again failed", OutputPath="$.Payload"),
            "Again failed": failure("$.event['ivf file']")}
        item = "$$.Map.Item.Value"
        return "Each by itself", 2, {
            "Each by itself": every("$.files", {"event": chunk_event(FULL_NAME, "$$.Map.Item.Index")}, "vpxenc", alone,
                                    Next="group", ResultPath="$.alone"),
            "group": self.step("group", {"Payload.$": "$.alone"}, "Each from a guess", "Group failed",
                               ResultPath="$.pairs"),
            "Each from a guess": every("$.pairs.Payload", {"event": {
                "bucket.$": f"{item}.bucket", "prev state.$": f"{item}['prev state']",
                "ivf file.$": f"{item}['ivf file']", "index.$": "States.MathAdd($$.Map.Item.Index, 1)"}},
                "reencode", again, Next="Another to rebase", ResultPath="$.again"),
            "Another to rebase": another("rebase", "Encoded"),
            "rebase": self.step(
                "rebase", {"Payload.$": "States.Array(States.ArrayGetItem($.again, States.MathAdd($.at.position, -2)), "
                                        "States.ArrayGetItem($.again, States.MathAdd($.at.position, -1)))"},
                "Next to rebase", ResultPath=None),
            "Next to rebase": further("Another to rebase"),
            "Step failed": failure(AT_POSITION),
            "Group failed": failure("States.Format('{}{}', $.prefix, $.files[0])"),
            "Encoded": encoded()}

    def anchored(self):
        """The same for the anchored structure."""
        follow = {"follow": self.step("follow", {"Payload.$": "$.event"}, None, "Chunk failed", ResultSelector={}),
                  "Chunk failed": failure("$.event.file")}
        return "Another to anchor", 0, {
            "Another to anchor": another("anchors", "The other frames"),
            "anchors": self.step(
                "anchors", {"Payload": {**chunk_event(AT_POSITION, "$.at.position"), "count.$": "$.count"}},
                "Next to anchor", ResultPath=None),
            "Next to anchor": further("Another to anchor"),
            "The other frames": every("$.files", {"event": chunk_event(FULL_NAME, "$$.Map.Item.Index")}, "follow",
                                      follow, ResultPath=None, Next="Encoded"),
            "Step failed": failure(AT_POSITION),
            "Encoded": encoded()}

    def film(self, structure, inside):
        """The states around a batch: a Map of batches, inside this execution or in executions of their own."""
        begin, position, batch = STRUCTURES[structure](self)
        data = {"bucket.$": "$.bucket", "prefix.$": "$.prefix", "quality.$": "$.quality",
                "files.$": "$$.Map.Item.Value", "count.$": "States.ArrayLength($$.Map.Item.Value)",
                "at": {"position": position}}
        if inside:
            return {"Batches": every("$.batches", data, begin, batch, End=True, ResultSelector={})}
        return {
            "Batches": {
                **every(None, {**data, "run.$": "$$.Execution.Name"}, "Batch",
                        self.batch_of_its_own(begin, batch), mode={"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}),
                "MaxConcurrencyPath": "$.parallel", "Label": "batches",
                "ItemReader": {"Resource": self.service("s3:getObject"), "ReaderConfig": {"InputType": "JSON"},
                               "Parameters": {"Bucket.$": "$.bucket", "Key.$": "$.list"}},
                "ResultSelector": {},
                "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.failure", "Next": "What has failed"}],
                "End": True},
            "What has failed": {
                "Type": "Task", "Resource": self.service("aws-sdk:s3:getObject"),
                "Parameters": {"Bucket.$": "$.bucket", "Key.$": FAILED_KEY.format("$$.Execution.Name")},
                "ResultSelector": {"Cause.$": "$.Body"}, "ResultPath": "$.chunk", "Next": "A chunk failed",
                "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.chunk", "Next": "A batch failed"}]},
            "A chunk failed": {"Type": "Fail", "Error": "ChunkFailed", "CausePath": "$.chunk.Cause"},
            "A batch failed": failure("States.Format('{}: a batch', $.prefix)")}

    def batch_of_its_own(self, begin, batch):
        """The states of a batch that is an execution of its own: if it fails, it leaves the cause in the bucket, since
        the execution of the film is told nothing but that one has failed."""
        return {
            "Batch": {"Type": "Parallel", "Branches": [{"StartAt": begin, "States": batch}], "End": True,
                      "OutputPath": "$[0]",
                      "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.failure", "Next": "Tell the cause"}]},
            "Tell the cause": {
                "Type": "Task", "Resource": self.service("aws-sdk:s3:putObject"), "ResultPath": None,
                "Parameters": {"Bucket.$": "$.bucket", "Key.$": FAILED_KEY.format("$.run"),
                               "Body.$": "$.failure.Cause"},
                "Next": "Batch failed"},
            "Batch failed": {"Type": "Fail", "Error": "ChunkFailed", "CausePath": "$.failure.Cause"}}


STRUCTURES = {"classic": Machine.classic, "anchored": Machine.anchored}


def chunk_event(name, index):
    """What a function is told of a chunk. The name and the index are computed as is written there."""
    return {"bucket.$": "$.bucket", "file.$": name, "index.$": index, "quality.$": "$.quality"}


def every(items, selector, begin, states, mode=None, **fields):
    """A state that does the same with all items, side by side."""
    return {"Type": "Map", **({"ItemsPath": items} if items else {}), "ItemSelector": selector,
            "ItemProcessor": {"ProcessorConfig": mode or {"Mode": "INLINE"}, "StartAt": begin, "States": states},
            **fields}


def another(step, after):
    """The head of a loop over the chunks of a batch: whether there is one at this position."""
    return {"Type": "Choice", "Default": after,
            "Choices": [{"Variable": "$.at.position", "NumericLessThanPath": "$.count", "Next": step}]}


def further(head):
    """The tail of a loop."""
    return {"Type": "Pass", "Parameters": {"position.$": "States.MathAdd($.at.position, 1)"}, "ResultPath": "$.at",
            "Next": head}


def failure(name):
    """The end of an execution. Its cause has the name of what failed, the error and its cause. ErrorPath would not do:
    names that begin with "States." may not be given."""
    return {"Type": "Fail", "Error": "ChunkFailed", "CausePath": WITH_CAUSE.format(name)}


def encoded():
    """The end of a batch. Its output is as short as can be, since all of them are the output of a state."""
    return {"Type": "Pass", "End": True, "Result": 1}


def names(batches):
    """The batches as lists of their files."""
    return [[graph.raw(chunk) for chunk in batch] for batch in batches]


def fits(batches):
    """Whether an execution can hold the batches, and run them itself."""
    return (len(batches) <= AT_ONCE and sum(map(len, batches)) * EVENTS_OF_CHUNK <= EVENTS
            and len(json.dumps(names(batches))) <= PAYLOAD // 2)


def parallel(batches):
    """How many batches to run at once, so that there are no more functions than an account may have."""
    return max(1, CONCURRENCY // max(map(len, batches)))


def general(structure, inside, machine):
    """The definition for any film, whose batches the input names: `batches` if they run inside, else `list`."""
    return {"Comment": f"ExCamera, {structure}: a film in chunks", "StartAt": "Batches",
            "States": machine.film(structure, inside)}


def film_input(batches, quality, bucket, prefix):
    """The input of that. If it has `list`, this is the key of an object with names(batches)."""
    where = {"batches": names(batches)} if fits(batches) else {
        "list": f"{prefix}batches.json", "parallel": parallel(batches)}
    return {"bucket": bucket, "prefix": prefix, "quality": quality, **where}


def definition(batches, quality, structure, machine=Machine()):
    """The definition for some batches, ranges of chunks. Its input has only bucket and prefix. If one execution cannot
    hold the batches, they are read from PREFIXbatches.json."""
    inside = fits(batches)
    more = {"batches": names(batches)} if inside else {
        "list.$": "States.Format('{}batches.json', $.prefix)", "parallel": parallel(batches)}
    first, last, size = graph.stem(batches[0][0]), graph.stem(batches[-1][-1]), max(map(len, batches))
    per_key = size if all(len(batch) == size for batch in batches[:-1]) else f"at most {size}"
    return {"Comment": f"ExCamera: chunks {first} to {last}, {per_key} per key frame, {structure}",
            "StartAt": "Film", "States": {
                "Film": {"Type": "Pass", "Next": "Batches", "Parameters": {
                    "bucket.$": "$.bucket", "prefix.$": "$.prefix", "quality": quality, **more}},
                **machine.film(structure, inside)}}


def text(value):
    """A definition, or what goes with it, as a text."""
    return json.dumps(value, indent=2) + "\n"
