# SPDX-License-Identifier: BSD-2-Clause
"""Machines on this machine: hosts that ssh reaches, and a Slurm cluster. Each has directories and ports of its own."""
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import unittest

import harness

# How long a host may say nothing before it counts as lost: where nothing hangs, as long as a busy machine may take.
PATIENT = "-o ServerAliveInterval=15 -o ServerAliveCountMax=4 -o ConnectTimeout=60"
IMPATIENT = "-o ServerAliveInterval=1 -o ServerAliveCountMax=3 -o ConnectTimeout=3"

SSHD = """
Port {port}
ListenAddress 127.0.0.1
HostKey {directory}/hostkey
PidFile none
AuthorizedKeysFile {directory}/key.pub
StrictModes no
UsePAM no
PermitRootLogin yes
PasswordAuthentication no
SetEnv HOME={home} PATH={home}/bin:/usr/bin:/bin
"""

SSH = """
Host {name}
    HostName 127.0.0.1
    Port {port}
    User root
    IdentityFile {directory}/key
    IdentitiesOnly yes
    UserKnownHostsFile {directory}/known
    StrictHostKeyChecking accept-new
"""

SLURM = """
ClusterName=excamera
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={directory}/munge.socket
CredType=cred/munge
StateSaveLocation={directory}/state
SlurmctldPidFile={directory}/slurmctld.pid
SlurmdPidFile={directory}/%n.pid
SlurmdSpoolDir={directory}/%n
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
SlurmdParameters=config_overrides
SchedulerParameters=batch_sched_delay=0,sched_interval=2
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
ReturnToService=2
SlurmdTimeout=30
KillWait=2
NodeName=DEFAULT CPUs=2 State=UNKNOWN
{nodes}
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def need(*programs):
    """For a module's setUpModule."""
    if os.getuid():
        raise unittest.SkipTest("only root can start sshd and Slurm")
    for program in programs:
        if not shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin"):
            raise unittest.SkipTest(f"{program} is not installed; mk/setup engines does it")


def is_alive(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class Daemon:
    """A program that runs until the tests are done, with all that it starts."""

    def __init__(self, directory, name, *command, **environment):
        with open(directory / f"{name}.log", "ab") as log:
            self.process = subprocess.Popen(list(map(str, command)), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            start_new_session=True, env={**os.environ, **environment})

    def family(self):
        """The ids of the program and all its descendants."""
        children = {}
        for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
            try:
                parent = int(stat.read_text().rpartition(")")[2].split()[1])
            except OSError:  # it has just ended
                continue
            children.setdefault(parent, []).append(int(stat.parent.name))
        found = [self.process.pid]
        for pid in found:
            found += children.get(pid, [])
        return found

    def signal(self, number):
        for pid in self.family():
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass

    def kill(self):
        """The machine loses its power: nothing can say good-bye, nor start anything that outlives it."""
        stopped = []
        while stopped != (family := self.family()):
            stopped = family
            self.signal(signal.SIGSTOP)
        self.signal(signal.SIGKILL)
        self.process.wait()
        harness.wait_for(lambda: not any(map(is_alive, stopped)))


class Host:
    """A machine that ssh reaches."""

    def __init__(self, name, directory):
        self.name, self.directory, self.port = name, directory, harness.free_port()
        self.home = directory / name
        self.cache = self.home / ".cache/excamera"
        self.home.mkdir()
        (directory / f"{name}.conf").write_text(SSHD.format(port=self.port, directory=directory, home=self.home))
        with open(directory / "config", "a") as config:
            config.write(SSH.format(name=name, port=self.port, directory=directory))
        self.start()

    def start(self):
        self.daemon = Daemon(self.directory, self.name, shutil.which("sshd", path="/usr/sbin"), "-D", "-e", "-f",
                             self.directory / f"{self.name}.conf")
        harness.wait_for_port(self.port)

    def lose(self):
        """The machine is gone, and so is what it had."""
        self.daemon.kill()
        shutil.rmtree(self.home)
        self.home.mkdir()

    def revive(self):
        if self.daemon.process.poll() is not None:
            self.start()

    def has(self):
        """What it keeps of films."""
        programs = (b"\x7fELF", b"#!")
        return {path.name for path in self.cache.glob("data/*") if not path.read_bytes().startswith(programs)}


class Hosts:
    """Some of them, and what a client needs to know."""

    def __init__(self, directory, *names):
        self.directory = pathlib.Path(directory)
        os.makedirs("/run/sshd", exist_ok=True)
        for key in ("key", "hostkey"):
            harness.must("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.directory / key)
        self.hosts = {name: Host(name, self.directory) for name in names}

    def __getitem__(self, name):
        return self.hosts[name]

    def environment(self, patience=PATIENT):
        return {"SSH_OPTIONS": f"-F {self.directory}/config {patience}", "XDG_RUNTIME_DIR": str(self.directory)}

    def stop(self):
        for host in self.hosts.values():
            if host.daemon.process.poll() is None:
                host.daemon.kill()


class Cluster:
    """Slurm with some nodes of two processors each."""

    def __init__(self, directory, *nodes):
        self.directory, self.nodes = pathlib.Path(directory), {}
        (self.directory / "state").mkdir()
        (self.directory / "munge.key").write_bytes(os.urandom(1024))
        (self.directory / "munge.key").chmod(0o400)
        host, port = socket.gethostname().split(".")[0], harness.free_port()
        lines = [f"NodeName={node} NodeHostname={host} NodeAddr=127.0.0.1 Port={harness.free_port()}" for node in nodes]
        (self.directory / "slurm.conf").write_text(SLURM.format(host=host, port=port, directory=self.directory,
                                                                nodes="\n".join(lines)))
        self.munge = self.daemon("munged", "--foreground", "--force", "--num-threads=2", *(
            f"--{what}={self.directory}/munge.{what.split('-')[0]}"
            for what in ("socket", "key-file", "pid-file", "log-file", "seed-file")))
        harness.wait_for((self.directory / "munge.socket").exists)
        self.controller = self.daemon("slurmctld", "-D")
        harness.wait_for_port(port)
        for node in nodes:
            self.nodes[node] = self.daemon("slurmd", "-D", "-N", node)
        harness.wait_for(lambda: self.states() == {node: "idle" for node in nodes})

    def daemon(self, program, *arguments):
        name = "-".join([program, *arguments[2:3]])
        return Daemon(self.directory, name, shutil.which(program, path="/usr/sbin"), *arguments, **self.environment())

    def environment(self):
        return {"SLURM_CONF": str(self.directory / "slurm.conf")}

    def command(self, *command):
        return harness.must(*command, env=harness.environment(**self.environment())).decode()

    def states(self):
        """What each node is, in a word."""
        return dict(re.findall(r"(\S+) ([a-z]+)", self.command("sinfo", "--noheader", "--Node", "--format=%N %t")))

    def jobs(self):
        """The ids of all jobs that are not done."""
        return self.command("squeue", "--noheader", "--array", "--format=%i").split()

    def update(self, node, state):
        self.command("scontrol", "update", f"nodename={node}", f"state={state}", "reason=test")

    def stop(self):
        for daemon in (*self.nodes.values(), self.controller, self.munge):
            daemon.kill()
