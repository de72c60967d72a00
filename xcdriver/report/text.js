// SPDX-License-Identifier: BSD-2-Clause
// Numbers and words, and how they get into the page: always as text, never as HTML.
"use strict";

const SPACE = "\u202f"; // narrow, does not break

const find = (id) => document.getElementById(id);

// An element with attributes and what is in it: texts and elements.
function make(name, attributes, ...inside) {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes || {})) {
        element.setAttribute(key, value);
    }
    element.append(...inside);
    return element;
}

function grouped(value) {
    return Math.round(value).toString().replace(/\B(?=(\d{3})+$)/g, SPACE);
}

// Three digits, without an exponent.
function digits(value) {
    const size = Math.abs(value);
    return size >= 100 || size === 0 ? grouped(value) : value.toFixed(size >= 10 ? 1 : 2);
}

function withUnit(value, unit) {
    const step = [["G", 1e9], ["M", 1e6], ["k", 1e3]].find(([, factor]) => value >= factor);
    return step ? digits(value / step[1]) + SPACE + step[0] + unit : grouped(value) + SPACE + unit;
}

// On an axis: round values.
const bytesOfTick = (value) => value >= 1e6 ? +(value / 1e6).toFixed(2) + SPACE + "MB"
    : value >= 1e3 ? +(value / 1e3).toFixed(2) + SPACE + "kB" : String(value);

const bytes = (value) => withUnit(value, value < 1e3 ? (value === 1 ? "byte" : "bytes") : "B");

function seconds(value) {
    if (value >= 3600) {
        return `${Math.floor(value / 3600)}${SPACE}h ${Math.floor(value / 60) % 60}${SPACE}min`;
    }
    if (value >= 120) {
        return `${Math.floor(value / 60)}${SPACE}min ${Math.round(value) % 60}${SPACE}s`;
    }
    return (value === 0 || value >= 10 ? value.toFixed(1) : value.toFixed(2)) + SPACE + "s";
}

function percent(part, whole) {
    const share = whole ? 100 * part / whole : 0;
    return (share > 0 && share < 1 ? "under 1" : Math.round(share)) + SPACE + "%";
}

const plural = (count, one, many) => `${grouped(count)} ${count === 1 ? one : many || one + "s"}`;
const decibels = (ssim) => ssim < 1 ? (-10 * Math.log10(1 - ssim)).toFixed(2) + SPACE + "dB" : "lossless";
const sum = (values) => values.reduce((a, b) => a + b, 0);

// The largest, of however many values.
const largest = (values, start = 0) => values.reduce((a, b) => b > a ? b : a, start);

// A colour of page.css.
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();

function swatch(name) {
    const element = make("span", { class: "swatch" });
    element.style.background = `var(--${name})`;
    return element;
}

// A table: heads and rows of texts.
function fillTable(table, heads, rows) {
    table.replaceChildren(make("tr", {}, ...heads.map((head) => make("th", {}, head))),
        ...rows.map((row) => make("tr", {}, ...row.map((cell) => make("td", {}, cell)))));
}

// Has the browser save a text as a file.
function save(name, rows) {
    const quoted = (value) => /[",\n]/.test(value) ? `"${String(value).replace(/"/g, '""')}"` : value;
    const text = rows.map((row) => row.map((value) => quoted(value ?? "")).join(",") + "\n").join("");
    const address = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
    make("a", { href: address, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(address), 1000);
}
