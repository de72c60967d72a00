#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What many wrappers at once cost on the workstation: scale.py [WRAPPERS [MEGABYTES]]

Runs that many lambda/run at once, each with an input of its own, against an endpoint on loopback that speaks TLS, knows
nothing, and takes its time, and prints processes, memory, file descriptors and CPU time, in all and per task. They
belong to one run of make, and so have one xc-requests together."""
import asyncio
import contextlib
import json
import os
import pathlib
import resource
import ssl
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))  # where harness.py is
import stack  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def reply(status, body=b""):
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n" % (status, len(body)) + body


class Endpoint:
    """S3 that has nothing yet, and takes everything; Lambda that answers late."""

    def __init__(self):
        self.requests = self.waiting = self.most_waiting = 0
        self.end = 0

    async def invoke(self, body):
        self.waiting += 1
        self.most_waiting = max(self.waiting, self.most_waiting)
        await asyncio.sleep(max(self.end - time.monotonic(), 0.1))
        self.waiting -= 1
        output = {"sha256": "0" * 64, "size": 1}
        names = json.loads(body)["task"]["outputs"]
        return reply(b"200 OK", json.dumps({"outputs": {name: output for name in names}, "steps": []}).encode())

    async def connection(self, reader, writer):
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                self.requests += 1
                method = head.split()[0]
                fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:] if b": " in line)
                if b"100-continue" in fields.get(b"expect", b""):
                    writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                body = await reader.readexactly(int(fields.get(b"content-length", 0)))
                if method == b"POST":
                    writer.write(await self.invoke(body))
                else:
                    writer.write(reply(b"200 OK" if method == b"PUT" else b"404 Not Found"))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    def run(self, ready, certificate):
        async def serve():
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            server = await asyncio.start_server(self.connection, "127.0.0.1", 0, backlog=2000, ssl=context)
            self.port = server.sockets[0].getsockname()[1]
            ready.set()
            await server.serve_forever()
        asyncio.run(serve())


def cpu_of_requesters(directory):
    """CPU seconds of the xc-requests that serve wrappers in a directory."""
    ticks = 0
    for process in stack.processes_in(directory, "xc-requests"):
        with contextlib.suppress(OSError):
            status = pathlib.Path(f"/proc/{process}/stat").read_text()
            ticks += sum(map(int, status.rpartition(")")[2].split()[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")


def census(parents):
    """Processes below some, their memory (each shared page counted once, in shares), and open descriptors."""
    family, memory, descriptors = 0, 0, 0
    ours = set(parents)
    for path in sorted(pathlib.Path("/proc").glob("[0-9]*"), key=lambda path: int(path.name)):
        try:
            parent = int((path / "stat").read_text().rpartition(")")[2].split()[1])
            if int(path.name) not in ours and parent not in ours:
                continue
            ours.add(int(path.name))
            family += 1
            memory += int((path / "smaps_rollup").read_text().split("Pss:")[1].split()[0])
            descriptors += len(os.listdir(path / "fd"))
        except OSError:
            pass
    return family, memory / 1024, descriptors


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 800
    megabytes = float(sys.argv[2]) if len(sys.argv) > 2 else 0.2
    endpoint, ready = Endpoint(), threading.Event()
    with tempfile.TemporaryDirectory() as directory:
        stack.make_certificates(pathlib.Path(directory))
        threading.Thread(target=endpoint.run, args=[ready, f"{directory}/server.pem"], daemon=True).start()
        ready.wait()
        environment = {**os.environ, "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_REGION": "x",
                       "AWS_ENDPOINT_URL": f"https://127.0.0.1:{endpoint.port}", "AWS_CA_BUNDLE": f"{directory}/ca.pem",
                       "XC_LAMBDA_BUCKET": "bucket", "XC_LAMBDA_RUN": "scale"}
        rest = os.urandom(int(megabytes * 1e6))
        for i in range(count):
            pathlib.Path(directory, f"{i:08d}.y4m").write_bytes(b"%d\n" % i + rest)
        start = time.monotonic()
        endpoint.end = start + 10 + count / 25  # the functions take so long that all wrappers have started before
        wrappers = [subprocess.Popen([ROOT / "lambda/run", f"{i:08d}-vpxenc.ivf", f"{i:08d}.y4m", "", "xc-vpxenc",
                                      "-o", f"{i:08d}-vpxenc.ivf", f"{i:08d}.y4m"], cwd=directory, env=environment)
                    for i in range(count)]
        while endpoint.waiting < count and time.monotonic() < endpoint.end - 1:
            time.sleep(0.1)
            if all(wrapper.poll() is not None for wrapper in wrappers):
                break
        started = time.monotonic() - start
        processes, memory, descriptors = census([wrapper.pid for wrapper in wrappers])
        failed = sum(wrapper.wait() != 0 for wrapper in wrappers)
        requests = cpu_of_requesters(directory)  # soon they end, and no process waits for them
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = used.ru_utime + used.ru_stime + requests
    print(f"{count} wrappers, inputs of {megabytes} MB: {endpoint.most_waiting} waiting at once after {started:.1f} s, "
          f"{failed} failed\n{processes} processes, {memory:.0f} MB, {descriptors} descriptors, "
          f"{endpoint.requests / count:.1f} requests per task\n"
          f"CPU {cpu:.1f} s, {1000 * cpu / count:.1f} ms per task, {1000 * requests / count:.1f} of it for requests")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
