# SPDX-License-Identifier: BSD-2-Clause
"""The results of speed.py as a table, as JSON and as a picture. results: by key of a promise and by film, a Figure."""
import os
import platform
from math import log2

from promises import PROMISES


def as_text(figure, promise):
    scale, unit = (1000, "ms") if promise.unit == "s" else (1, promise.unit)
    digits = 0 if promise.unit == "MiB" else 2
    figures = figure.value, figure.low, figure.high, promise.limit
    value, low, high, limit = (f"{x * scale:.{digits}f}" for x in figures)
    return value, f"{low} to {high}", f"{limit} {unit}".strip(), "" if figure.value <= promise.limit else "MISSED"


def print_table(results):
    rows = [("what", "against", "film", "median", "spread", "at most", "")]
    for key, figures in results.items():
        promise = PROMISES[key]
        rows += [(promise.what, promise.against, film, *as_text(figure, promise)) for film, figure in figures.items()]
    widths = [max(len(row[i]) for row in rows) for i in range(7)]
    print()
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


def as_json(results, runs, load):
    return {
        "machine": {"processor": platform.processor() or platform.machine(), "cpus": os.cpu_count(), "load": load},
        "runs": runs,
        "results": [
            {**PROMISES[key]._asdict(), "key": key, "film": film,
             "median": figure.value, "low": figure.low, "high": figure.high,
             "samples": [[sample._asdict() for sample in side] for side in (figure.ours, figure.theirs)]}
            for key, figures in results.items() for film, figure in figures.items()],
    }


def as_svg(results):
    """Draws each figure as a bar, relative to what is promised. A bar that ends left of the red line keeps the
    promise."""
    left, right, line, top, low, high = 330, 80, 18, 52, 1 / 8, 8
    colors = ("#3b6ea5", "#8fb4d9", "#5f8f5f", "#a8cfa8")

    def x(relative):
        return left + (log2(min(max(relative, low), high)) - log2(low)) * 520 / (log2(high) - log2(low))

    films = [film for film in dict.fromkeys(film for figures in results.values() for film in figures) if film]
    body, y = [], top
    for key, figures in results.items():
        promise = PROMISES[key]
        label = promise.what + (f" / {promise.against}" if promise.against else "")
        body.append(f'<text x="{left - 10}" y="{y + 13}" text-anchor="end">{label}</text>')
        for film, figure in figures.items():
            value, start, end = (x(v / promise.limit) for v in (figure.value, figure.low, figure.high))
            color = colors[films.index(film) % 4] if film else "#999"
            body.append(f'<rect x="{left}" y="{y + 2}" width="{value - left:.1f}" height="{line - 4}" '
                        f'fill="{color}"/>')
            body.append(f'<path d="M{start:.1f} {y + line / 2}H{end:.1f}" stroke="#222"/>')
            body.append(f'<text x="{max(end, x(1)) + 6:.1f}" y="{y + 13}">{as_text(figure, promise)[0]}</text>')
            y += line
        if promise.original:
            middle = y - line * len(figures) / 2
            body.append(f'<circle cx="{x(promise.original / promise.limit):.1f}" cy="{middle}" r="4" fill="none" '
                        'stroke="#b03030" stroke-width="2"/>')
        y += 10
    grid = []
    for relative in (1 / 8, 1 / 4, 1 / 2, 1, 2, 4, 8):
        strong = relative == 1
        name = f"{relative:g}" if relative >= 1 else f"1/{1 / relative:g}"
        grid.append(f'<path d="M{x(relative):.1f} {top - 4}V{y}" stroke="{"#b03030" if strong else "#ddd"}"/>')
        grid.append(f'<text x="{x(relative):.1f}" y="{top - 10}" text-anchor="middle" fill="#666">{name}</text>')
    legend, at = [], left
    for film in films:
        legend.append(f'<rect x="{at}" y="{y + 6}" width="12" height="12" fill="{colors[films.index(film) % 4]}"/>'
                      f'<text x="{at + 17}" y="{y + 16}">{film}</text>')
        at += 40 + 7 * len(film)
    legend.append(f'<circle cx="{at + 6}" cy="{y + 12}" r="4" fill="none" stroke="#b03030" stroke-width="2"/>'
                  f'<text x="{at + 17}" y="{y + 16}">the original implementation</text>')
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + 520 + right}" height="{y + 30}" '
        'font-family="sans-serif" font-size="11">', '<rect width="100%" height="100%" fill="white"/>',
        f'<text x="{left}" y="20" font-size="14">Medians and ranges, relative to what is promised (1)'
        '</text>',
        *grid, *body, *legend, "</svg>", ""])
