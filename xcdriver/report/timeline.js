// SPDX-License-Identifier: BSD-2-Clause
// The run: what ran when and in which slot, what it waited for, and the critical path.

// The colours of steps. Blue are those that run one after another in a batch, grey those that run in parallel.
const TOOLS = {
    "xc-enc --anchors": "anchor", "xc-enc --follow": "other",
    "xc-rebase": "anchor", "xc-vpxenc": "other", "xc-enc": "second", "xc-terminate-chunk": "third", "xc-dump": "third",
};
const toolColour = (kind) => TOOLS[kind] ?? "soft";
const CAUSES = {
    input: (name) => `It began when ${name} was there, which it reads.`,
    slot: (name) => `It waited for a slot until ${name} was done.`,
    start: (name) => name ? `It began some time after ${name}, with nothing else to wait for.` : "It began first.",
};

class Run {
    constructor(data) {
        Object.assign(this, data.steps);
        this.firstChunk = data.first_chunk || 0;
        this.busy = sum(this.rows.map((step) => step.end - step.start));
        this.cpu = sum(this.rows.map((step) => step.cpu));
        this.kinds = [...new Set(this.rows.map((step) => step.kind))];
        this.rows.forEach((step) => {
            step.ready = step.input >= 0 ? this.rows[step.input].end : null;
            step.waited = step.ready === null ? 0 : Math.max(0, step.start - step.ready);
        });
        this.waiting = this.countWaiting();
    }

    // [time, number]: how many steps have their inputs and do not run, from each time on.
    countWaiting() {
        const changes = this.rows.filter((step) => step.waited > 0)
            .flatMap((step) => [[step.ready, 1], [step.start, -1]]).sort((a, b) => a[0] - b[0]);
        let count = 0;
        return [[0, 0], ...changes.map(([time, change]) => [time, count += change])];
    }

    tip(step) {
        const before = step.before >= 0 ? this.rows[step.before].name : null;
        const lines = [step.name, step.kind,
            `${seconds(step.end - step.start)}, from ${step.start.toFixed(2)} to ${step.end.toFixed(2)}${SPACE}s`,
            `${seconds(step.cpu)} of CPU, ${bytes(step.memory)} of memory`,
            `reads ${bytes(step.read)}, writes ${bytes(step.wrote)}`];
        if (step.waited > 0.005) {
            lines.push(`Its inputs were there for ${seconds(step.waited)} before it began.`);
        }
        lines.push(CAUSES[step.cause](before));
        if (step.critical) {
            lines.push("It is on the critical path.");
        }
        return lines;
    }
}

class RunChart extends Chart {
    constructor(canvas, run) {
        const lane = Math.min(26, Math.max(1, 420 / run.lanes)), height = Math.max(34, lane * run.lanes);
        const most = largest(run.waiting.map(([, count]) => count), 1);
        super(canvas, {
            full: [0, run.seconds], least: run.seconds / 1000, axis: (value) => `${+value.toFixed(3)}${SPACE}s`,
            panels: [
                { title: run.lanes === 1 ? "One slot" : `${run.lanes} slots`, height, low: run.lanes, high: 0,
                  text: () => "", ticks: [] },
                { title: "Steps that have all they need, and wait for a slot", height: 64, low: 0, high: most * 1.05,
                  text: String, whole: true }],
        });
        Object.assign(this, { run, lane: height / run.lanes, chosen: null });
    }

    next(at, direction) {
        const starts = this.run.rows.map((step) => step.start);
        const later = starts.filter((start) => direction > 0 ? start > at : start < at);
        return later.length ? later[direction > 0 ? 0 : later.length - 1] : at;
    }

    look(x, y) {
        const time = this.valueAt(x), [lanes, waits] = this.panels;
        if (y > lanes.top + lanes.height + 4) {
            const count = this.run.waiting.filter(([when]) => when <= time).pop()?.[1] ?? 0;
            return y < waits.top ? null : { at: time, tip: [`${plural(count, "step")} at ${time.toFixed(2)}${SPACE}s`] };
        }
        const lane = Math.floor((y - lanes.top) / this.lane), near = this.valueAt(x + 1) - time;
        const step = this.run.rows.find((row) => row.lane === lane && row.start - near <= time && row.end + near >= time);
        return step ? { at: step.start, step, tip: this.run.tip(step), chunk: step.chunk - this.run.firstChunk } : null;
    }

    box(step) {
        const x = this.x(step.start), gap = this.lane > 6 ? 2 : 0;
        return [x, this.panels[0].top + step.lane * this.lane, Math.max(1, this.x(step.end) - x - (gap ? 0.5 : 0)),
            Math.max(1, this.lane - gap)];
    }

    paint() {
        const context = this.context, shown = this.found?.step;
        for (const step of this.run.rows) {
            if (step.end < this.range[0] || step.start > this.range[1]) {
                continue;
            }
            const isOther = this.chosen !== null && step.chunk - this.run.firstChunk !== this.chosen;
            context.globalAlpha = isOther ? 0.25 : 1;
            context.fillStyle = colour(toolColour(step.kind));
            context.fillRect(...this.box(step));
            this.paintName(step);
        }
        context.globalAlpha = 1;
        this.paintPauses();
        this.paintPath(this.run.path.map((i) => this.run.rows[i]));
        if (shown) {
            context.strokeStyle = colour("ink");
            context.lineWidth = 2;
            context.strokeRect(...this.box(shown));
        }
        this.paintWaiting();
    }

    paintName(step) {
        const [x, y, width, height] = this.box(step), context = this.context;
        const from = Math.max(x, MARGIN.left), text = String(step.chunk);
        const room = Math.min(x + width, this.right) - from;
        if (height >= 14 && room > context.measureText(text).width + 8) {
            context.fillStyle = colour(toolColour(step.kind) === "other" ? "ink" : "paper"); // what can be read on it
            context.textAlign = "left";
            context.fillText(text, from + 4, y + height / 2 + 1);
        }
    }

    // Along the top of each step; thin lines lead to the next one.
    paintPath(path) {
        const context = this.context, thick = this.lane > 6 ? 3 : 1.5;
        const height = (step) => this.panels[0].top + step.lane * this.lane + (this.lane > 6 ? thick / 2 : this.lane / 2);
        context.strokeStyle = context.fillStyle = colour("critical");
        context.lineWidth = 1;
        context.beginPath();
        path.forEach((step, i) => {
            if (i) {
                context.lineTo(this.x(path[i - 1].end), height(path[i - 1]));
                context.lineTo(this.x(path[i - 1].end), height(step));
                context.lineTo(this.x(step.start), height(step));
            }
            context.moveTo(this.x(step.end), height(step));
        });
        context.stroke();
        path.forEach((step) => context.fillRect(this.x(step.start), height(step) - thick / 2,
            Math.max(1, this.x(step.end) - this.x(step.start)), thick));
    }

    paintPauses() {
        const context = this.context, [lanes] = this.panels;
        context.fillStyle = colour("soft");
        context.textAlign = "left";
        for (const [at, length] of this.run.pauses) {
            const x = this.x(at);
            context.fillRect(x - 1, lanes.top - 4, 2, lanes.height + 8);
            context.fillText(`${seconds(length)} without a step`, x + 6, lanes.top - 8);
        }
    }

    paintWaiting() {
        const context = this.context, panel = this.panels[1], bottom = panel.top + panel.height;
        context.fillStyle = colour("other");
        context.beginPath();
        context.moveTo(this.x(0), bottom);
        let last = 0;
        for (const [time, count] of this.run.waiting) {
            context.lineTo(this.x(time), this.y(panel, last));
            context.lineTo(this.x(time), this.y(panel, count));
            last = count;
        }
        context.lineTo(this.x(this.run.seconds), this.y(panel, last));
        context.lineTo(this.x(this.run.seconds), bottom);
        context.fill();
    }
}

function tellRun(run) {
    const line = find("run-told");
    for (const kind of run.kinds) {
        const rows = run.rows.filter((step) => step.kind === kind);
        const spent = sum(rows.map((step) => step.end - step.start));
        line.append(make("span", { class: "told" }, swatch(toolColour(kind)),
            `${kind}: ${plural(rows.length, "step")}, ${percent(spent, run.busy)} of the time`), "   ");
    }
    line.append(make("span", { class: "told" }, swatch("critical"), "critical path"), make("br"),
        `The steps took ${seconds(run.seconds)} with ${plural(run.lanes, "slot")}, which were busy for ` +
        `${percent(run.busy, run.lanes * run.seconds)} of it. `,
        `With any number of slots, these steps would take ${seconds(run.chain)}: the longest chain of them in which each ` +
        "reads what the one before has written. The numbers are those of chunks.");
}

function tellPath(run) {
    const path = run.path.map((i) => run.rows[i]);
    const running = sum(path.map((step) => step.end - step.start));
    const parts = run.kinds.map((kind) => [kind, path.filter((step) => step.kind === kind)])
        .filter(([, steps]) => steps.length)
        .map(([kind, steps]) => `${seconds(sum(steps.map((step) => step.end - step.start)))} in ${kind}`);
    const slots = path.filter((step) => step.cause === "slot").length;
    const inputs = path.filter((step) => step.cause === "input").length;
    const between = run.seconds - running;
    find("path-told").textContent = `Its ${plural(path.length, "step")} took ${seconds(running)}: ${parts.join(", ")}. ` +
        `Between them, ${seconds(between)} passed. ` +
        `${plural(inputs, "step")} waited for what the one before wrote, ${grouped(slots)} for a slot. ` +
        (between > run.seconds / 4 ? "A good part of the time no step of it ran: that is starting, transfers, or waiting " +
            "for the source."
            : slots > inputs ? "More slots would have made the run shorter."
                : "More slots would have helped little; shorter chunks or batches would.");
    fillTable(find("path"), ["step", "begins", "takes", "after"], path.map((step) => [
        `${step.name} (${step.kind})`, seconds(step.start), seconds(step.end - step.start),
        step.before < 0 ? "–" : `${run.rows[step.before].name} (${step.cause})`]));
}

function tellWaits(run) {
    const rows = run.kinds.map((kind) => {
        const steps = run.rows.filter((step) => step.kind === kind);
        const spans = steps.map((step) => step.end - step.start);
        const because = (cause) => steps.filter((step) => step.cause === cause).length;
        return [kind, grouped(steps.length), seconds(sum(spans)), seconds(sum(steps.map((step) => step.cpu))),
            seconds(sum(spans) / steps.length), seconds(largest(spans)), bytes(largest(steps.map((step) => step.memory))),
            grouped(because("input")), grouped(because("slot")), grouped(because("start")),
            seconds(sum(steps.map((step) => step.waited)))];
    });
    fillTable(find("waits"), ["step", "number", "time", "CPU time", "mean", "longest", "memory", "began after an input",
        "after a slot", "later", "had inputs, waited"], rows);
    find("waits-told").textContent = "The slots are not written down: a step is drawn in the slot that was free last. " +
        "A step that began within a tenth of a second after an input was there, or a slot became free, counts as having " +
        "waited for that.";
}
