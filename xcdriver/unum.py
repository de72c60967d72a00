# SPDX-License-Identifier: BSD-2-Clause
"""The graph of the classic structure as an application of unum, which runs functions on AWS Lambda without an
orchestrator: for each function, a configuration says which functions come next.

In a configuration, $0 is the function's index in the innermost Map, here the chunk's place in its batch; $size is the
size of that Map; $1 is the index in the Map around it, here the batch. A fan-in names the calls whose values it needs;
whoever of them is last makes the call. "$0=$0+1" has the next call belong to the next chunk."""
import json

from xcdriver import graph

RUNTIME = "python3.13"
STATE_AND_NEXT = "$0=$0+1"


def fan_in(name, first, second, batch, condition=None):
    """A call that needs the values of two others. These are written FUNCTION and index."""
    values = [f"{function}-unumIndex-{index}{batch}" for function, index in (first, second)]
    edge = {"Name": name, "InputType": {"Fan-in": {"Values": values}}}
    return {**edge, "Conditional": condition} if condition else edge


def scalar(name, condition):
    return {"Name": name, "InputType": "Scalar", "Conditional": condition}


def configurations(several):
    """The configuration of each function, for one batch, or for several."""
    batch = ".$1" if several else ""
    of_chunk = (("vpxenc", "$0"), ("xcdec", "($0-1)"))
    of_state = (("vpxenc", "($0+1)"), ("xcdec", "$0"))
    maps = ["UnumMap0", *(["UnumMap1"] if several else []), "vpxenc"]
    found = {name: {"Next": {"Name": following, "InputType": "Map"}} for name, following in zip(maps, maps[1:])}
    found["UnumMap0"]["Start"] = True
    found["vpxenc"] = {"Next": [
        scalar("xcdec", "$0 < $size-1"),
        fan_in("reencode", *of_chunk, batch, "$0 > 1"),
        fan_in("rebase", *of_chunk, batch, "$0 == 1")]}
    found["xcdec"] = {"Next Payload Modifiers": [STATE_AND_NEXT], "Next": [
        fan_in("reencode", *of_state, batch, "$0<$size-1 and $0>0"),
        fan_in("rebase", *of_state, batch, "$0==0")]}
    found["reencode"] = {"Next": fan_in("rebase", ("rebase", "($0-1)"), ("reencode", "$0"), batch)}
    found["rebase"] = {"Next Payload Modifiers": [STATE_AND_NEXT], "Next": fan_in(
        "rebase", ("rebase", "$0"), ("reencode", "($0+1)"), batch, "$0 < $size-1")}
    return {name: {"Name": name, **config, "Checkpoint": True, "Debug": False} for name, config in found.items()}


def template(functions, name, table):
    """unum-template.yaml: all functions, and where unum keeps the values."""
    lines = ["Globals:", f"  ApplicationName: {name}", "  FaaSPlatform: aws",
             "  UnumIntermediaryDataStoreType: dynamodb",
             f"  UnumIntermediaryDataStoreName: {table}", "  Checkpoint: true", "  GC: false", "  Debug: false",
             "Functions:"]
    for function in functions:
        lines += [f"  {function}:", "    Properties:", f"      CodeUri: {function}/", f"      Runtime: {RUNTIME}",
                  *(["      Start: true"] if function == "UnumMap0" else [])]
    return "\n".join(lines) + "\n"


def event(batches, quality, bucket, prefix):
    """What UnumMap0 is called with: what vpxenc is given for each chunk, for each batch if there are several."""
    films = [[{"bucket": bucket, "file": f"{prefix}{graph.raw(chunk)}", "index": index, "quality": quality}
              for index, chunk in enumerate(batch)] for batch in batches]
    return {"Data": {"Source": "http", "Value": films if len(films) > 1 else films[0]}}


def application(batches, quality, bucket, prefix, name="excamera"):
    """The files of the application that have to be written, by their names. The event is for an invocation."""
    configs = configurations(len(batches) > 1)
    files = {"unum-template.yaml": template(configs, name, f"{name}-unum"),
             "event.json": json.dumps(event(batches, quality, bucket, prefix), indent=2) + "\n"}
    for function, config in configs.items():
        module = "each" if function.startswith("UnumMap") else function
        files[f"{function}/unum_config.json"] = json.dumps(config, indent=2) + "\n"
        files[f"{function}/app.py"] = f"from functions.{module} import handler as lambda_handler  # noqa: F401\n"
        files[f"{function}/requirements.txt"] = "cfn-flip\n"  # what unum's runtime imports
    return files
