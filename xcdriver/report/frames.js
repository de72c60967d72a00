// SPDX-License-Identifier: BSD-2-Clause
// The film frame by frame: bytes, quantizer and SSIM, with the borders of chunks and batches.

const KINDS = [
    { one: "key frame", many: "key frames", colour: "key" },
    { one: "hidden frame", many: "hidden frames", colour: "anchor" },
    { one: "other frame", many: "other frames", colour: "other" },
];
const GROUPS = ["coefficients", "vectors", "modes", "headers"];

// What is known of the frames, and where the chunks are.
class Frames {
    constructor(data) {
        Object.assign(this, data.frames);
        this.count = this.size.length;
        this.rate = data.film.rate[0] / data.film.rate[1] || 0;
        let pictures = 0; // the number of the picture that a frame shows, or that comes next
        this.picture = this.shown.map((shown) => shown ? pictures++ : pictures);
        this.pictures = pictures;
        this.bytes = sum(this.size);
        this.chunks = data.chunks; // the first frame of each
        this.firstChunk = data.first_chunk || 0;
        this.keys = this.kind.flatMap((kind, i) => kind === 0 ? [i] : []);
        this.batches = this.chunks ? data.batches.map((chunk) => this.chunks[chunk]) : this.keys;
    }

    ssimOf(frame) {
        return this.ssim && this.shown[frame] ? this.ssim[this.picture[frame]] : undefined;
    }

    // Counted from the first one that there is.
    chunkOf(frame) {
        let low = 0, high = this.chunks.length;
        while (high - low > 1) {
            const middle = (low + high) >> 1;
            [low, high] = this.chunks[middle] <= frame ? [middle, high] : [low, middle];
        }
        return low;
    }

    endOf(chunk) { return this.chunks[chunk + 1] ?? this.count; }

    tip(frame) {
        const kind = KINDS[this.kind[frame]], size = this.size[frame];
        const time = this.rate ? ` at ${(this.picture[frame] / this.rate).toFixed(2)}${SPACE}s` : "";
        const lines = [`Frame ${grouped(frame)}: ${kind.one}`,
            this.shown[frame] ? `shows picture ${grouped(this.picture[frame])}${time}` : "shows no picture itself",
            `${grouped(size)} bytes, quantizer ${this.quantizer[frame] ?? "–"}`];
        if (size) {
            lines.push(GROUPS.map((group) => `${group} ${percent(this[group][frame] / 8, size)}`).join(", "));
        }
        const ssim = this.ssimOf(frame);
        if (ssim !== undefined) {
            lines.push(`SSIM ${ssim.toFixed(5)} (${decibels(ssim)})`);
        }
        if (this.chunks) {
            lines.push(`chunk ${this.firstChunk + this.chunkOf(frame)}`);
        }
        return lines;
    }
}

// The bottom of the scale for SSIM: a round value below nearly all, so that one bad picture does not flatten the others.
function lowestSsim(values) {
    const low = [...values].sort((a, b) => a - b)[Math.floor(values.length / 200)], step = low < 0.9 ? 0.05 : 0.01;
    return Math.max(0, Math.min(0.99, Math.floor(low / step) * step));
}

class FramesChart extends Chart {
    constructor(canvas, frames) {
        const wide = canvas.clientWidth > 600;
        const panels = [
            { title: "Bytes of each frame", height: wide ? 190 : 150, low: 0, high: largest(frames.size, 1) * 1.04,
              text: bytesOfTick },
            { title: "Quantizer index: higher is coarser", height: 72, low: 0,
              high: Math.max(10, largest(frames.quantizer)) + 2, text: String, whole: true }];
        if (frames.ssim) {
            const low = lowestSsim(frames.ssim);
            panels.push({ title: "SSIM of each picture: higher is better", height: 90, low, high: 1,
                          text: (value) => value.toFixed(low >= 0.9 ? 3 : 2) });
        }
        super(canvas, { full: [-0.5, frames.count - 0.5], panels, whole: true, axis: grouped, unit: "frame" });
        this.frames = frames;
        this.chosen = null; // a chunk, in the run's chart
    }

    nearest(value) { return Math.min(Math.max(Math.round(value), 0), this.frames.count - 1); }

    next(at, direction) { return this.nearest(Number.isInteger(at) ? at + direction : at); }

    look(x) {
        const frame = this.nearest(this.valueAt(x));
        return { at: frame, tip: this.frames.tip(frame), chunk: this.frames.chunks ? this.frames.chunkOf(frame) : null };
    }

    visible() {
        return [Math.max(0, Math.floor(this.range[0])), Math.min(this.frames.count, Math.ceil(this.range[1]) + 1)];
    }

    paint() {
        this.paintBorders();
        const [begin, end] = this.visible(), one = Math.max(1, (this.x(1) - this.x(0)) * 0.8);
        for (const kind of [2, 1, 0]) { // those that are few come last, above the others
            this.context.fillStyle = colour(KINDS[kind].colour);
            for (let i = begin; i < end; i++) {
                if (this.frames.kind[i] === kind) {
                    this.paintFrame(i, one);
                }
            }
        }
        if (this.frames.ssim) {
            this.paintSsim(begin, end);
        }
    }

    paintFrame(frame, width) {
        const [bars, quantizers] = this.panels, x = this.x(frame);
        const top = this.y(bars, this.frames.size[frame]);
        this.context.fillRect(x - width / 2, top, width, bars.top + bars.height - top);
        const radius = Math.min(3, Math.max(1.2, width / 2));
        if (this.frames.quantizer[frame] !== null) {
            this.context.beginPath();
            this.context.arc(x, this.y(quantizers, this.frames.quantizer[frame]), radius, 0, 2 * Math.PI);
            this.context.fill();
        }
    }

    paintSsim(begin, end) {
        const context = this.context, panel = this.panels[2];
        context.strokeStyle = colour("anchor");
        context.lineWidth = 1.5;
        context.beginPath();
        for (let i = begin; i < end; i++) {
            const ssim = this.frames.ssimOf(i);
            if (ssim !== undefined) {
                context.lineTo(this.x(i), this.y(panel, Math.max(panel.low, ssim)));
            }
        }
        context.stroke();
    }

    // A line where a chunk begins, a stronger one for a batch; names where there is room.
    paintBorders() {
        const { frames, context } = this;
        if (this.chosen !== null && frames.chunks && this.chosen < frames.chunks.length) {
            context.fillStyle = colour("shade");
            const from = this.x(frames.chunks[this.chosen] - 0.5);
            const width = this.x(frames.endOf(this.chosen) - 0.5) - from;
            this.panels.forEach((panel) => context.fillRect(from, panel.top, width, panel.height));
        }
        const chunks = frames.chunks ?? [], room = frames.count ? this.x(frames.count / (chunks.length || 1)) - this.x(0) : 0;
        if (room > 8) {
            this.paintLines(chunks, "line");
        }
        const batches = frames.batches, apart = this.x(frames.count / (batches.length || 1)) - this.x(0);
        if (apart > 12) {
            this.paintLines(batches, "soft");
        }
        context.fillStyle = colour("soft");
        context.textAlign = "left";
        if (frames.chunks && room > 62) {
            chunks.forEach((frame, i) => context.fillText(`chunk ${frames.firstChunk + i}`, this.x(frame - 0.5) + 4,
                this.panels[0].top + 6));
        } else if (apart > 62) {
            batches.forEach((frame, i) => context.fillText(frames.chunks ? `batch ${i}` : `key frame ${i}`,
                this.x(frame - 0.5) + 4, this.panels[0].top + 6));
        }
    }

    paintLines(at, name) {
        this.context.strokeStyle = colour(name);
        this.context.lineWidth = 1;
        at.forEach((frame) => this.verticalLine(frame - 0.5));
    }
}

// How many frames of each kind there are, and their part of the bytes: the legend of the chart.
function tellFrames(frames) {
    const line = find("frames-told");
    KINDS.forEach((kind, number) => {
        const sizes = frames.size.filter((_, i) => frames.kind[i] === number);
        if (sizes.length) {
            const text = `${plural(sizes.length, kind.one, kind.many)}: ${percent(sum(sizes), frames.bytes)} of the bytes`;
            line.append(make("span", { class: "told" }, swatch(kind.colour), text), "   ");
        }
    });
    line.append(make("br"), frames.chunks
        ? "Lines show where chunks begin; the darker ones, where batches do, with a key frame. "
        : "Lines show where the key frames are. ",
    "Frames are in the order of the stream. ",
    frames.kind.includes(1) ? "A hidden frame shows no picture; others predict from it." : "");
}

// A bar as long as `whole` is of `all`, in parts. Their number is that of GROUPS.
function bitsBar(values, whole, all) {
    const bar = make("div", { class: "bar" });
    values.forEach((value, i) => {
        const part = make("span", { title: `${GROUPS[i]}: ${bytes(value / 8)}, ${percent(value, whole)}`, class: GROUPS[i] },
            make("span", {}, `${GROUPS[i]} ${percent(value, whole)}`));
        part.style.width = 100 * value / all + "%";
        bar.append(part);
    });
    return bar;
}

// Bars for the kinds of frames, as long as their part of the film, of what the bits are.
function tellBits(frames) {
    const rows = make("div", { class: "bits" });
    const total = (group, kind) => sum(frames[group].filter((_, i) => kind === null || frames.kind[i] === kind));
    const all = sum(GROUPS.map((group) => total(group, null)));
    for (const kind of [null, 0, 1, 2]) {
        const values = GROUPS.map((group) => total(group, kind)), whole = sum(values);
        if (!whole) {
            continue;
        }
        rows.append(make("div", { class: "who" }, kind === null ? "all frames" : KINDS[kind].many),
            bitsBar(values, whole, all));
    }
    find("bits").append(rows);
    // A name that does not fit is not shown; pointing at the part still tells it.
    new ResizeObserver(() => rows.querySelectorAll("span span").forEach((name) => {
        name.hidden = false;
        name.hidden = name.offsetWidth + 12 > name.parentElement.clientWidth;
    })).observe(rows);
}
