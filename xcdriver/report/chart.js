// SPDX-License-Identifier: BSD-2-Clause
// Charts: panels below one another, which share what is on the x axis, on a canvas that can be zoomed.

const MARGIN = { left: 58, right: 10, top: 4, bottom: 28 };
const GAP = 38; // between panels, for the title of the lower one
const TITLE = 20;
const MOST_ZOOM = 4; // units of x, at least, remain visible

// Steps of 1, 2 or 5 times a power of ten, at most so many between low and high.
function ticks(low, high, most, whole = false) {
    const rough = (high - low) / Math.max(1, most);
    const power = 10 ** Math.floor(Math.log10(rough || 1));
    let step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough * 0.999);
    step = whole ? Math.max(1, Math.round(step)) : step;
    const found = [];
    for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i++) {
        found.push(i * step);
    }
    return found;
}

class Chart {
    // about.panels: { title, height, low, high, text(value) }, from top to bottom; about.full: [low, high] of x;
    // about.axis(value): the text of a tick; about.unit: what
    // is on the axis; about.whole: ticks are whole numbers; about.paint(chart): draws the data;
    // about.look(x, y): what is there, { at, tip: [lines] }, or null; about.seen(found): called when that changes.
    constructor(canvas, about) {
        Object.assign(this, about);
        this.canvas = canvas;
        this.context = canvas.getContext("2d");
        this.range = [...this.full];
        this.found = this.selection = null;
        let top = MARGIN.top;
        for (const panel of this.panels) {
            panel.top = top += TITLE;
            top += panel.height + GAP - TITLE;
        }
        this.height = top - GAP + TITLE + MARGIN.bottom;
        canvas.style.height = this.height + "px";
        new ResizeObserver(() => this.redraw()).observe(canvas);
        matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.redraw());
        this.listen();
    }

    get width() { return this.canvas.clientWidth; }
    get right() { return this.width - MARGIN.right; }

    x(value) {
        const [low, high] = this.range;
        return MARGIN.left + (value - low) / (high - low) * (this.right - MARGIN.left);
    }

    valueAt(x) {
        const [low, high] = this.range;
        return low + (x - MARGIN.left) / (this.right - MARGIN.left) * (high - low);
    }

    y(panel, value) {
        return panel.top + panel.height * (1 - (value - panel.low) / (panel.high - panel.low));
    }

    // Shows this range, or the part of it that there is.
    zoom(low, high) {
        const [first, last] = this.full, width = Math.min(Math.max(high - low, this.least ?? MOST_ZOOM), last - first);
        const middle = Math.min(Math.max((low + high) / 2, first + width / 2), last - width / 2);
        this.range = [middle - width / 2, middle + width / 2];
        this.redraw();
    }

    redraw() {
        this.waiting ??= requestAnimationFrame(() => {
            this.waiting = null;
            this.draw();
        });
    }

    draw() {
        const context = this.context, scale = devicePixelRatio || 1;
        this.canvas.width = Math.round(this.width * scale);
        this.canvas.height = Math.round(this.height * scale);
        context.setTransform(scale, 0, 0, scale, 0, 0);
        context.font = "12px " + getComputedStyle(document.body).fontFamily;
        context.textBaseline = "middle";
        for (const panel of this.panels) {
            this.drawGrid(panel);
        }
        this.drawAxis();
        context.save();
        context.beginPath();
        context.rect(MARGIN.left, 0, this.right - MARGIN.left, this.height);
        context.clip();
        this.paint(this);
        this.drawCursor();
        context.restore();
    }

    drawGrid(panel) {
        const context = this.context;
        context.textAlign = "left";
        context.fillStyle = colour("ink");
        context.font = context.font.replace(/^/, "600 ");
        context.fillText(panel.title, 0, panel.top - 13);
        context.font = context.font.replace("600 ", "");
        context.textAlign = "right";
        context.strokeStyle = colour("line");
        context.lineWidth = 1;
        for (const value of panel.ticks ?? ticks(panel.low, panel.high, Math.max(2, panel.height / 30), panel.whole)) {
            const y = Math.round(this.y(panel, value)) + 0.5;
            context.beginPath();
            context.moveTo(MARGIN.left, y);
            context.lineTo(this.right, y);
            context.stroke();
            context.fillStyle = colour("soft");
            context.fillText(panel.text(value), MARGIN.left - 8, y);
        }
    }

    drawAxis() {
        const context = this.context, [low, high] = this.range;
        context.fillStyle = colour("soft");
        context.textAlign = "right";
        context.fillText(this.unit ?? "", MARGIN.left - 8, this.height - MARGIN.bottom + 14);
        context.textAlign = "center";
        for (const value of ticks(low, high, (this.right - MARGIN.left) / 90, this.whole)) {
            const text = this.axis(value), half = context.measureText(text).width / 2;
            const x = Math.min(Math.max(this.x(value), MARGIN.left + half), this.right - half);
            context.fillText(text, x, this.height - MARGIN.bottom + 14);
        }
    }

    drawCursor() {
        const context = this.context;
        if (this.selection) {
            const [from, to] = this.selection.map((x) => Math.min(Math.max(x, MARGIN.left), this.right));
            context.fillStyle = colour("shade");
            context.fillRect(from, 0, to - from, this.height - MARGIN.bottom);
        } else if (this.found && this.found.at !== undefined) {
            context.strokeStyle = colour("soft");
            context.lineWidth = 1;
            this.verticalLine(this.found.at);
        }
    }

    // At a value of x, through all panels but not through their titles.
    verticalLine(value) {
        const x = Math.round(this.x(value)) + 0.5;
        this.context.beginPath();
        for (const panel of this.panels) {
            this.context.moveTo(x, panel.top);
            this.context.lineTo(x, panel.top + panel.height);
        }
        this.context.stroke();
    }

    // Shows what is at a place of the canvas.
    point(x, y) {
        const inside = x >= MARGIN.left - 4 && x <= this.right + 4 && y < this.height - MARGIN.bottom + 8;
        this.found = inside ? this.look(x, y) : null;
        this.seen?.(this.found);
        const tip = find("tip");
        tip.hidden = !this.found;
        if (this.found) {
            const [head, ...lines] = this.found.tip;
            tip.replaceChildren(make("b", {}, head), ...lines.map((line) => make("div", {}, line)));
            const box = this.canvas.getBoundingClientRect(), after = box.left + x + 18;
            const left = after + tip.offsetWidth < innerWidth - 8 ? after : box.left + x - 18 - tip.offsetWidth;
            tip.style.left = Math.max(8, left) + scrollX + "px";
            tip.style.top = box.top + scrollY + Math.max(0, y - tip.offsetHeight - 8) + "px";
        }
        this.redraw();
    }

    leave() {
        this.found = null;
        this.seen?.(null);
        find("tip").hidden = true;
        this.redraw();
    }

    listen() {
        const canvas = this.canvas;
        canvas.addEventListener("pointerdown", (event) => {
            if (event.pointerType !== "touch" && event.button === 0) {
                canvas.setPointerCapture(event.pointerId);
                this.dragged = event.offsetX;
            }
        });
        canvas.addEventListener("pointermove", (event) => {
            const far = this.dragged !== undefined && Math.abs(event.offsetX - this.dragged) > 4;
            if (far || this.selection) {
                this.selection = [this.dragged, event.offsetX].sort((a, b) => a - b);
            }
            this.point(event.offsetX, event.offsetY);
        });
        canvas.addEventListener("pointerup", () => {
            if (this.selection) {
                this.zoom(...this.selection.map((x) => this.valueAt(x)));
            }
            this.selection = this.dragged = undefined;
        });
        canvas.addEventListener("pointercancel", () => {
            this.selection = this.dragged = undefined;
        });
        canvas.addEventListener("pointerleave", () => this.leave());
        canvas.addEventListener("blur", () => this.leave());
        canvas.addEventListener("dblclick", () => this.zoom(...this.full));
        canvas.addEventListener("wheel", (event) => {
            if (event.ctrlKey || event.metaKey) { // what pinching a touchpad sends, too
                event.preventDefault();
                this.zoomAround(this.valueAt(event.offsetX), Math.exp(event.deltaY / 200));
            }
        }, { passive: false });
        canvas.addEventListener("keydown", (event) => this.press(event));
    }

    // Makes the range so many times as long, with a value staying where it is.
    zoomAround(value, factor) {
        const [low, high] = this.range;
        this.zoom(value - (value - low) * factor, value + (high - value) * factor);
    }

    press(event) {
        const [low, high] = this.range, middle = (low + high) / 2;
        const actions = {
            "+": () => this.zoomAround(this.found?.at ?? middle, 1 / 2),
            "=": () => this.zoomAround(this.found?.at ?? middle, 1 / 2),
            "-": () => this.zoomAround(this.found?.at ?? middle, 2),
            "0": () => this.zoom(...this.full),
            Escape: () => this.leave(),
            ArrowLeft: () => this.move(-1),
            ArrowRight: () => this.move(1),
        };
        if (actions[event.key] && !event.ctrlKey && !event.metaKey && !event.altKey) {
            event.preventDefault();
            actions[event.key]();
        }
    }

    // Moves the cursor to the next thing in this direction, and the range with it.
    move(direction) {
        const [low, high] = this.range;
        const value = this.next(this.found?.at ?? (direction > 0 ? low : high), direction);
        if (value < low || value > high) {
            this.zoom(value - (high - low) / 2, value + (high - low) / 2);
        }
        this.point(this.x(value), this.panels[0].top + this.panels[0].height / 2);
    }
}
