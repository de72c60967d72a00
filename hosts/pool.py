# SPDX-License-Identifier: BSD-2-Clause
"""The machines of HOSTS: how many steps run on each at once, and which machines are lost for now.

All that the many processes of a run of make have to agree on is in files of the run folder. A slot is a locked file:
when its owner dies, however that happens, the slot is free."""
import contextlib
import fcntl
import os
import time

RUN_FOLDER = ".xc-hosts"
MOST_SLOTS = 9999
RETRY = 60  # seconds after which one step tries a lost host again
POLL = 0.1  # seconds between two looks for a free slot; only one process of a run looks


class Fault(Exception):
    """A message for the user. The step fails with it."""


class Lost(Exception):
    """A host cannot be used at present. The message says why."""


class Host:
    """An entry of HOSTS. The name is whatever ssh takes, or : for this machine, where no ssh is needed."""

    def __init__(self, name, slots):
        self.name, self.slots, self.here = name, slots, name == ":"
        self.key = "".join(c if c.isalnum() or c in "-._@" else f"%{ord(c):x}" for c in name)  # a plain file name

    def __str__(self):
        return "this machine" if self.here else self.name


def parse(text):
    """The hosts of a list such as "big/8 user@small/4 :". Raises Fault."""
    hosts = []
    for entry in text.split():
        name, slash, slots = entry.rpartition("/")
        if not (slash and slots.isdecimal()):
            name, slots = entry, ""
        if not slots and name != ":":
            raise Fault(f"HOSTS: {entry}: has no number of slots; write {entry}/8, say (xc-hosts check counts cores)")
        slots = int(slots or len(os.sched_getaffinity(0)))
        if not name or name.startswith("-") or not 1 <= slots <= MOST_SLOTS:
            raise Fault(f"HOSTS: {entry}: is not HOST/SLOTS, with 1 to {MOST_SLOTS} slots")
        if name in (host.name for host in hosts):
            raise Fault(f"HOSTS: {name}: is there twice")
        hosts.append(Host(name, slots))
    if not hosts:
        raise Fault('HOSTS: is empty; set it as in HOSTS="big/8 small/4 :"')
    return hosts


def locked(path, how=fcntl.LOCK_EX):
    """A descriptor of a locked file, which is made if need be; None if the lock was asked for without waiting and
    somebody has it. Closing the descriptor releases the lock."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        fcntl.flock(descriptor, how)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


class Pool:
    """The hosts, as all steps of a run of make share them. `run` names that run, `say` prints a message."""

    def __init__(self, hosts, run, say):
        self.hosts, self.run, self.say = hosts, run, say
        for name in ("slots", "lost"):
            os.makedirs(f"{RUN_FOLDER}/{name}", exist_ok=True)

    def take(self, worth):
        """Waits for a free slot. Returns its host, its number there and its descriptor. If several hosts have one,
        it is on the one with the highest worth(host); of equals, on the first. Raises Fault if all are lost."""
        queue = locked(f"{RUN_FOLDER}/queue")
        try:
            best = sorted(self.hosts, key=worth, reverse=True)
            while True:
                usable = [host for host in best if self.is_usable(host)]
                for host in usable:
                    for number in range(host.slots):
                        slot = locked(f"{RUN_FOLDER}/slots/{host.key}.{number}", fcntl.LOCK_EX | fcntl.LOCK_NB)
                        if slot is not None:
                            self.try_again(host)
                            return host, number, slot
                lost = [(host, self.lost(host)) for host in self.hosts]
                if not usable and all(since for _, since in lost):  # else one is back by now
                    raise Fault("no host is left; " + "; ".join(f"{host}: {since[1]}" for host, since in lost))
                time.sleep(POLL)
        finally:
            os.close(queue)

    def mark(self, host):
        return f"{RUN_FOLDER}/lost/{host.key}"

    def lost(self, host):
        """Since when and why a host is lost in this run of make; None if it is not."""
        try:
            with open(self.mark(host)) as mark:
                run, why = mark.read().split("\n", 1)
                return (os.fstat(mark.fileno()).st_mtime, why) if run == self.run else None
        except FileNotFoundError:
            return None

    def is_usable(self, host):
        """Whether steps may go to a host: it is not lost, or so long ago that one of them may try again."""
        lost = self.lost(host)
        return not lost or time.time() - lost[0] > RETRY

    def try_again(self, host):
        """Whoever tries a lost host is the only one for a while: others would wait in vain at the same time."""
        if self.lost(host):
            with contextlib.suppress(FileNotFoundError):  # another step has just found it
                os.utime(self.mark(host))

    def lose(self, host, why):
        """No more steps for this host. The first one that notices says so."""
        lock = locked(f"{RUN_FOLDER}/lost.lock")
        known = self.lost(host)
        with open(f"{self.mark(host)}.new", "w", errors="surrogateescape") as mark:
            mark.write(f"{self.run}\n{why}")
        os.replace(f"{self.mark(host)}.new", self.mark(host))
        os.close(lock)
        if not known:
            self.say(f"{host}: lost: {why}; its steps run elsewhere")

    def found(self, host):
        """A host works. If it was lost, it is not any more."""
        lock = locked(f"{RUN_FOLDER}/lost.lock")
        if self.lost(host):
            os.unlink(self.mark(host))
            self.say(f"{host}: is back")
        os.close(lock)
