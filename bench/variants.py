#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Compares variants of an encode on some films, and prints a table of BD-rates.

usage: variants.py --films F.y4m... [--sk 6,16] [--q 12,24,36,48] [--frames N] [--jobs 2] [--cache DIR] NAME=COMMAND...

A variant is a name and the options for gen_makefile.py, as in classic= or anchored='--structure anchored'. Options for
make can follow after a semicolon:

    coarse='--structure anchored;ANCHORED_OPTIONS="--anchor-weight 0.4"'

Each film is split into chunks, encoded with the variant's makefile, merged, decoded by vpxdec, and compared with the
source by ffmpeg (luma SSIM in dB, and PSNR). The reference of the BD-rate is vpxenc with one thread on the whole film,
with the published options. A negative figure means fewer bits at the same quality. Results are cached. The key covers
everything that they depend on, including the tools.
"""
import argparse
import concurrent.futures
import hashlib
import itertools
import json
import math
import os
import pathlib
import re
import shlex
import shutil
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent))  # with PYTHONSAFEPATH, Python does not do this
from xcdriver import files, graph, y4m  # noqa: E402
from xcdriver.places import ROOT  # noqa: E402


def run(command, **more):
    """Runs a command that must succeed. Returns what it printed."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **more)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stdout.decode()[-1500:]}")
    return done.stdout.decode()


def tools_digest():
    """A digest of all programs that an encode depends on."""
    digest = hashlib.sha256()
    for path in sorted([ROOT / 'gen_makefile.py', *ROOT.glob('xcdriver/*.py'), *ROOT.glob('bin/*')]):
        if path.is_file():
            digest.update(path.read_bytes())
    return digest.hexdigest()


def cut(film, chunk, frames, directory):
    """Writes the whole chunks of a film to separate files and to all.y4m. Returns how many there are."""
    with open(film, 'rb') as source, open(f'{directory}/all.y4m', 'wb') as whole:
        header = y4m.read_header(source)
        whole.write(header.line)
        pictures = y4m.read_frames(source, header)
        count = 0
        while not frames or (count + 1) * chunk <= frames:
            body = list(itertools.islice(pictures, chunk))
            if len(body) < chunk:
                break
            whole.writelines(body)
            with open(f'{directory}/{graph.raw(count)}', 'wb') as out:
                out.writelines([header.line, *body])
            count += 1
        return count


def payload(ivf):
    """The size of all frames in an IVF file, without headers."""
    data, at, total = open(ivf, 'rb').read(), 32, 0
    while at + 12 <= len(data):
        size = struct.unpack('<I', data[at:at + 4])[0]
        total += size
        at += 12 + size
    return total


def quality(ivf, source, directory):
    """Luma SSIM in dB and luma PSNR of a stream, compared with its source."""
    run(['vpxdec', '--codec=vp8', '-o', f'{directory}/decoded.y4m', ivf])
    text = run(['ffmpeg', '-hide_banner', '-i', f'{directory}/decoded.y4m', '-i', source, '-lavfi',
                '[0:v]settb=1,setpts=N[a];[1:v]settb=1,setpts=N[b];[a]split[a1][a2];[b]split[b1][b2];'
                '[a1][b1]ssim;[a2][b2]psnr', '-f', 'null', '-'])
    ssim = float(re.search(r'SSIM Y:([\d.]+)', text)[1])
    return -10 * math.log10(1 - ssim), float(re.search(r'PSNR y:([\d.]+)', text)[1])


def measure(film, chunk, batch, level, frames, variant):
    """Encodes a film at one quality level, with a variant or, if that is None, with vpxenc. Returns the size, quality
    and CPU time."""
    with tempfile.TemporaryDirectory() as directory:
        count = cut(film, chunk, frames, directory)
        before = os.times()
        if variant is None:
            run(['vpxenc', *graph.vpxenc_options(level), '-o', 'm.ivf', 'all.y4m'], cwd=directory)
        else:
            generator, _, make = variant.partition(';')
            env = dict(os.environ, PATH=f"{ROOT}/bin:{os.environ['PATH']}")
            makefile = run([sys.executable, f'{ROOT}/gen_makefile.py', '0', str(count - 1), str(batch), str(level),
                            *shlex.split(generator)], cwd=directory, env=env)
            with open(f'{directory}/film.mk', 'w') as out:
                out.write(makefile)
            run(['make', '-s', '-f', 'film.mk', *shlex.split(make)], cwd=directory, env=env)
            run(['xc-merge', '-o', 'm.ivf', *map(graph.finished, range(count))], cwd=directory, env=env)
        after = os.times()
        cpu = after.children_user - before.children_user + after.children_system - before.children_system
        ssim, psnr = quality(f'{directory}/m.ivf', f'{directory}/all.y4m', directory)
        return {'bytes': payload(f'{directory}/m.ivf'), 'ssim': ssim, 'psnr': psnr, 'cpu': cpu}


def monotone_cubic(points):
    """A piecewise cubic through (quality, log rate) without overshoot: PCHIP with the slopes of Fritsch and Butland.
    Returns the function and the range of qualities."""
    points = sorted((quality, math.log(rate)) for rate, quality in points)
    x, y = [p[0] for p in points], [p[1] for p in points]
    step = [b - a for a, b in zip(x, x[1:])]
    slope = [(b - a) / h for a, b, h in zip(y, y[1:], step)]
    tangent = [slope[0]] + [0.0] * (len(x) - 2) + [slope[-1]]
    for i in range(1, len(x) - 1):
        if slope[i - 1] * slope[i] > 0:
            left, right = 2 * step[i] + step[i - 1], step[i] + 2 * step[i - 1]
            tangent[i] = (left + right) / (left / slope[i - 1] + right / slope[i])

    def value(at):
        i = max(0, min(len(x) - 2, sum(1 for p in x if p <= at) - 1))
        h, t = step[i], (at - x[i]) / step[i]
        return ((1 + 2 * t) * (1 - t) ** 2 * y[i] + t * (1 - t) ** 2 * h * tangent[i]
                + t * t * (3 - 2 * t) * y[i + 1] + t * t * (t - 1) * h * tangent[i + 1])
    return value, x[0], x[-1]


def bd_rate(reference, tested):
    """Bjontegaard's delta rate in percent. Both arguments are lists of (rate, quality)."""
    a, a_low, a_high = monotone_cubic(reference)
    b, b_low, b_high = monotone_cubic(tested)
    low, high = max(a_low, b_low), min(a_high, b_high)
    if high <= low:
        return float('nan')
    steps = 400
    mean = sum(b(q) - a(q) for q in (low + (high - low) * (i + 0.5) / steps for i in range(steps))) / steps
    return (math.exp(mean) - 1) * 100


class Cache:
    """Keeps results as JSON files, named by a digest of their key."""

    def __init__(self, directory):
        self.directory = directory
        os.makedirs(directory, exist_ok=True)

    def get(self, key, make):
        path = f'{self.directory}/{hashlib.sha256(key.encode()).hexdigest()[:24]}.json'
        if os.path.exists(path):
            return json.load(open(path))
        value = make()
        with open(path + '.new', 'w') as out:
            json.dump(dict(value, key=key), out)
        os.replace(path + '.new', path)
        return value


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--films', nargs='+', required=True)
    parser.add_argument('--sk', default='6,16')
    parser.add_argument('--q', default='12,24,36,48')
    parser.add_argument('--frames', type=int, default=0)
    parser.add_argument('--jobs', type=int, default=2)
    parser.add_argument('--cache', default=os.path.join(tempfile.gettempdir(), 'excamera-variants'))
    parser.add_argument('variants', nargs='+', metavar='NAME=COMMAND')
    args = parser.parse_args()
    if not shutil.which('vpxenc') or not shutil.which('ffmpeg'):
        sys.exit('variants.py: vpxenc and ffmpeg are needed; make setup installs them')
    chunk, batch = map(int, args.sk.split(','))
    levels = [int(q) for q in args.q.split(',')]
    variants = dict([('vpxenc', None)] + [v.split('=', 1) for v in args.variants])
    cache, tools = Cache(args.cache), tools_digest()
    digests = {film: files.digest(film) for film in args.films}

    def point(film, name, level):
        variant = variants[name]
        key = json.dumps([digests[film], args.frames, level, chunk]
                         + ([] if variant is None else [batch, variant, tools]))
        return cache.get(key, lambda: measure(film, chunk, batch, level, args.frames, variant))

    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        todo = {(f, n, q): pool.submit(point, f, n, q) for f in args.films for n in variants for q in levels}
        points = {k: v.result() for k, v in todo.items()}

    names = [n for n in variants if n != 'vpxenc']
    print('BD-rate in percent by SSIM (by PSNR), and CPU time, both relative to vpxenc with one thread')
    print('film'.ljust(14) + ''.join(n.rjust(24) for n in names))
    sums = {n: [0.0, 0.0, 0.0] for n in names}
    for film in args.films:
        row = pathlib.Path(film).stem.ljust(14)
        for name in names:
            def curve(n, metric):
                return [(points[film, n, q]['bytes'], points[film, n, q][metric]) for q in levels]
            cpu = [sum(points[film, n, q]['cpu'] for q in levels) for n in (name, 'vpxenc')]
            figures = [bd_rate(curve('vpxenc', 'ssim'), curve(name, 'ssim')),
                       bd_rate(curve('vpxenc', 'psnr'), curve(name, 'psnr')), cpu[0] / cpu[1]]
            sums[name] = [a + b for a, b in zip(sums[name], figures)]
            row += '{:+9.1f} ({:+6.1f}) {:5.2f}'.format(*figures).rjust(24)
        print(row)
    count = len(args.films)
    print('mean'.ljust(14) + ''.join('{:+9.1f} ({:+6.1f}) {:5.2f}'.format(*(x / count for x in sums[n])).rjust(24)
                                     for n in names))


if __name__ == '__main__':
    main()
