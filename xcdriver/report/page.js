// SPDX-License-Identifier: BSD-2-Clause
// The page as a whole.

// The sizes of states.
class StatesChart extends Chart {
    constructor(canvas, states) {
        super(canvas, {
            full: [-0.5, states.length - 0.5], least: 1, whole: true, unit: "chunk",
            axis: (value) => states[value] ? String(Number(states[value].name.slice(0, 8))) : "",
            panels: [{ title: "Bytes of each state", height: 80, low: 0, high: largest(states.map((s) => s.bytes), 1) * 1.05,
                       text: bytesOfTick }],
        });
        this.states = states;
    }

    nearest(value) { return Math.min(Math.max(Math.round(value), 0), this.states.length - 1); }

    next(at, direction) { return this.nearest(Number.isInteger(at) ? at + direction : at); }

    look(x) {
        const at = this.nearest(this.valueAt(x)), state = this.states[at];
        return { at, tip: [state.name, `${grouped(state.bytes)} bytes`] };
    }

    paint() {
        const [panel] = this.panels, width = Math.max(1, (this.x(1) - this.x(0)) * 0.7);
        this.context.fillStyle = colour("anchor");
        this.states.forEach((state, i) => {
            const top = this.y(panel, state.bytes);
            this.context.fillRect(this.x(i) - width / 2, top, width, panel.top + panel.height - top);
        });
    }
}

function tellSummary(data, frames, run) {
    const { film } = data, fps = frames.rate ? ` at ${+frames.rate.toFixed(3)} frames per second` : "";
    const parts = [`${plural(frames.pictures, "picture")} of ${film.width} × ${film.height}${fps}`];
    if (frames.chunks) {
        parts.push(`in ${plural(frames.chunks.length, "chunk")} and ${plural(frames.batches.length, "batch", "batches")}, ` +
            `${data.structure}` + (data.quality === null ? "" : `, quality ${data.quality}`));
    }
    find("summary").textContent = parts.join(", ") + ".";
    const length = frames.rate ? frames.pictures / frames.rate : 0;
    const figure = (name, value, detail) => find("figures").append(make("div", {}, make("dt", {}, name),
        make("dd", {}, value, " ", make("small", {}, detail ?? ""))));
    figure("Video stream", bytes(film.bytes));
    if (film.file !== null && film.file !== film.bytes) {
        figure("File", bytes(film.file));
    }
    if (length) {
        figure("Bit rate", withUnit(8 * film.bytes / length, "bit/s"));
    }
    if (frames.ssim?.length) {
        const mean = sum(frames.ssim) / frames.ssim.length;
        figure("Mean SSIM", mean.toFixed(4), decibels(mean));
    }
    if (run) {
        figure("Time", seconds(run.seconds), plural(run.lanes, "slot"));
        figure("CPU time", seconds(run.cpu));
        if (run.paid) {
            figure("Paid on Lambda", seconds(run.paid));
        }
    }
}

function tellStates(data) {
    const total = sum(data.states.map((state) => state.bytes));
    find("states-told").textContent = `${plural(data.states.length, "state")}, ${bytes(total)} in all. The raw pictures ` +
        `are ${bytes(data.raw_bytes)}, the stream is ${bytes(data.film.bytes)}. Where steps run on other machines, states ` +
        "travel: docs/engines.md tells how.";
}

const MOST_ROWS = 2000; // of a table in the page

function frameRows(frames) {
    return frames.size.map((size, i) => [i, size, KINDS[frames.kind[i]].one, frames.quantizer[i],
        frames.shown[i] ? frames.picture[i] : null, frames.ssimOf(i), frames.chunks ? frames.firstChunk + frames.chunkOf(i)
            : null, ...GROUPS.map((group) => frames[group][i])]);
}

const FRAME_HEADS = ["frame", "bytes", "kind", "quantizer", "picture", "SSIM", "chunk", ...GROUPS.map((g) => g + ", bits")];

function offerTables(data, frames, run) {
    find("save-frames").addEventListener("click", () => save("frames.csv", [FRAME_HEADS, ...frameRows(frames)]));
    find("table-of-frames").addEventListener("toggle", () => {
        fillTable(find("table"), FRAME_HEADS, frameRows(frames).slice(0, MOST_ROWS).map((row) => row.map((v) => String(v ?? "–"))));
    }, { once: true });
    if (run) {
        const heads = ["name", "kind", "chunk", "start", "end", "cpu", "memory", "read", "wrote", "paid", "cause", "critical"];
        find("save-steps").hidden = false;
        find("save-steps").addEventListener("click", () => save("steps.csv", [heads,
            ...run.rows.map((step) => heads.map((head) => step[head]))]));
    }
}

function main() {
    const data = JSON.parse(find("data").textContent), frames = new Frames(data);
    const run = data.steps ? new Run(data) : null;
    tellSummary(data, frames, run);
    tellFrames(frames);
    tellBits(frames);
    const framesChart = new FramesChart(find("frames"), frames);
    if (run) {
        find("run-section").hidden = false;
        const runChart = new RunChart(find("run"), run);
        tellRun(run);
        tellPath(run);
        tellWaits(run);
        // What is pointed at in one chart is shown in the other.
        const choose = (chart) => (found) => {
            chart.chosen = found?.chunk ?? null;
            chart.redraw();
        };
        framesChart.seen = choose(runChart);
        runChart.seen = choose(framesChart);
    }
    if (data.states?.length) {
        find("states-section").hidden = false;
        tellStates(data);
        new StatesChart(find("states"), data.states);
    }
    if (data.cost) {
        find("cost-section").hidden = false;
        find("cost").append(...data.cost.map((line) => make("li", {}, line)));
    }
    find("notes").append(...data.notes.map((note) => make("li", {}, note)));
    offerTables(data, frames, run);
}

main();
