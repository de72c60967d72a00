# SPDX-License-Identifier: BSD-2-Clause
"""A film of ours on AWS Lambda, with both engines: every request, transfer and handshake of lambda/run and
lambda/worker/, as time on the way of a chunk."""
import itertools
import typing

from latency.chance import Film
from latency.polling import Polling
from latency.schedule import Traffic, files_later
from latency.tasks import film_steps, in_make_order, role, tasks_of, weight
from latency.uplink import upload_ends
from xcdriver import graph

ROUNDS = 2     # round trips until a connection is open: TCP, TLS 1.3
AT_ONCE = 128  # requests of the workstation that are no calls (lambda/requests/request.c)


class Service(typing.NamedTuple):
    """What the model assumes about Lambda, S3 and the workstation. docs/notes/latency.md names the sources."""
    speed: float = 0.4         # of a function's CPU, relative to the machine where the steps were measured
    launch: float = 1.5        # seconds until the first function runs
    launch_rate: float = 450   # functions launched per second
    latency: float = 0.15      # seconds until the first byte of an S3 request
    bandwidth: float = 45e6    # bytes per second between one function and S3
    invoke: float = 0.1        # seconds from the call of a warm function until it runs
    handshake: float = 0.002   # CPU seconds of a TLS handshake, on the machine where the steps were measured
    home: float = 0.03         # seconds of a round trip between the workstation and the region
    wrapper: float = 0.004     # CPU seconds of the workstation for a task's own processes
    requests: float = 0.0024   # CPU seconds of xc-requests, which is one thread, for a task, with TLS
    cores: float = 4           # of the workstation

    def transfer(self, size):
        return self.latency + size / self.bandwidth

    def connecting(self):
        """Seconds until a call has its connection. Other requests find one that was kept."""
        return ROUNDS * self.home

    def asking(self, inputs):
        """Seconds of a wrapper before it uploads anything: a request for the answer, and one for each input."""
        return (1 + inputs) * self.latency

    def interval(self, inputs):
        """Seconds from when a task begins until the next one does."""
        return max(1 / self.launch_rate, (self.wrapper + self.requests) / self.cores, self.requests,
                   self.asking(inputs) / AT_ONCE)


class Job(typing.NamedTuple):
    """A film on Lambda, and what is paid for it beside the seconds."""
    film: Film
    invocations: int
    uploaded: float  # bytes, by the workstation
    stored: float    # bytes, by the functions


class Model:
    """What both engines have in common."""

    def __init__(self, measured, source, service, chunks, polling=Polling()):
        self.measured, self.source, self.service, self.chunks = measured, source, service, chunks
        self.polling = polling

    def size(self, name):
        if name.endswith(".nut"):
            return self.source.piece_size()
        what, raw = role(name), self.measured.size.get(role(graph.raw(0)), 0)
        if what in self.source.pictures:
            return self.source.pictures[what] / self.source.frames * raw
        return self.measured.size.get(what, 0)  # a plan has a few lines

    def transfer(self, name):
        return self.service.transfer(self.size(name))

    def seconds(self, tasks):
        """How long the tool of each task takes."""
        return [(self.source.decoding(task.chunk, self.chunks) if task.kind == "unpack" else
                 self.measured.cpu[task.kind] * weight(task)) / self.service.speed for task in tasks]

    def given(self, tasks):
        """For each chunk the files that its tasks read and no task makes, in the order of the chunks."""
        made = {name for task in tasks for name in task.outputs}
        names = [{} for _ in range(self.chunks)]
        for task in tasks:
            names[task.chunk].update(dict.fromkeys(name for name in task.inputs if name not in made))
        return names

    def uploads(self, given):
        """When each of the given files is in the store, if they go up in the order of the chunks; and their bytes."""
        names = list({name: None for chunk in given for name in chunk})
        sizes = [self.size(name) for name in names]
        ends = upload_ends(sizes, self.source.uplink * 1e6 / 8) if self.source.uplink else [0.0] * len(names)
        return dict(zip(names, ends)), sum(sizes)

    def steps(self, structure, batch, apart):
        return film_steps(structure, self.chunks, batch, apart=apart, source=self.source.steps(self.chunks))

    def in_chunks(self, batch, spares=0):
        """ENGINE=lambda-chunk: each chunk has a worker, and only what other chunks need goes through S3."""
        service, tasks = self.service, tasks_of(self.steps(self.measured.structure, batch, True))
        traffic, published = self.traffic(tasks)
        given = self.given(tasks)
        there, uploaded = self.uploads(given)
        turns = itertools.accumulate((service.interval(len(names)) for names in given), initial=0.0)
        called = [max([turn + service.asking(len(names)), *map(there.get, names)])
                  for turn, names in zip(turns, given)]
        start = service.connecting() + service.launch + service.handshake / service.speed
        finished = [self.size(graph.finished(chunk)) for chunk in range(self.chunks)]
        kinds = [[] for _ in range(self.chunks)]
        for task in tasks:
            kinds[task.chunk].append((task.kind, *map(role, task.outputs)))
        film = Film(tasks, self.seconds(tasks), [task.chunk for task in tasks],
                    [service.transfer(size) + service.transfer(0) for size in finished],  # the chunk, and the answer
                    delivery=service.home + service.transfer(finished[0]), called=called,
                    begin=[at + start for at in called], traffic=traffic, kinds=list(map(tuple, kinds)),
                    most_spares=spares, launch=start)
        return Job(film, self.chunks, uploaded, published + sum(finished))

    def traffic(self, tasks):
        """What the workers send each other, and how many bytes they publish."""
        maker = {name: number for number, task in enumerate(tasks) for name in task.outputs}
        elsewhere = {name for task in tasks for name in task.inputs
                     if name in maker and tasks[maker[name]].chunk != task.chunk}
        here = [set() for _ in range(self.chunks)]
        fetch, take = [0.0] * len(tasks), [{} for _ in tasks]
        for number, task in enumerate(tasks):
            for name in dict.fromkeys(name for name in task.inputs if name not in here[task.chunk]):
                if name in maker:
                    take[number][maker[name]] = take[number].get(maker[name], 0) + self.transfer(name)
                else:
                    fetch[number] += self.transfer(name)
            here[task.chunk].update(task.inputs, task.outputs)
        publish = [sum(self.transfer(name) for name in task.outputs if name in elsewhere) for task in tasks]
        return (Traffic(fetch, take, publish, files_later(tasks, take), self.polling, self.service.latency),
                sum(map(self.size, sorted(elsewhere))))

    def in_steps(self, batch, jobs, spares=0):
        """ENGINE=lambda: every step is a task, which fetches its inputs and stores its outputs."""
        service, tasks = self.service, tasks_of(in_make_order(self.steps(self.measured.structure, batch, False)))
        there, uploaded = self.uploads(self.given(tasks))
        release = [0.0 if task.before else max([task.chunk * service.interval(len(task.inputs)),
                                                *(there[name] for name in task.inputs)]) for task in tasks]
        delivery = service.home + self.transfer(graph.finished(0))
        first = service.connecting() + service.launch  # later calls find a connection whose call has ended
        calling = [service.asking(len(task.inputs)) + (service.invoke if task.before else first)
                   + (delivery if graph.finished(task.chunk) in task.outputs else 0) for task in tasks]
        moving = [sum(map(self.transfer, [*task.inputs, *task.outputs])) + service.transfer(0) for task in tasks]
        film = Film(tasks, self.seconds(tasks), list(range(len(tasks))), [0.0] * self.chunks, workers=jobs,
                    release=release, calling=calling, moving=moving,
                    kinds=[(task.kind, *map(role, task.outputs)) for task in tasks], most_spares=spares,
                    launch=service.launch)
        return Job(film, len(tasks), uploaded, sum(self.size(name) for task in tasks for name in task.outputs))
