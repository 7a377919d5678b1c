"use strict";
// The stored numbers, the chosen net, and the texts in the chosen language.

const byId = (id) => document.getElementById(id);
const AXES = ["ws", "forget_bias", "input_scale"];
const lab = { data: null, state: null, language: "en", step: null };

async function unpack() {
  const bytes = Uint8Array.from(atob(byId("data").textContent.trim()), (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
}

// Texts. Braces hold numbers; W_s is set as W with a subscript.
const fill = (text, values) => text.replace(/\{([\w.]+)\}/g, (_, name) => values[name] ?? "–");
const say = (key, values = {}) => fill(lab.data.words[key][lab.language], values);
const minus = (text) => String(text).replace(/(?<![\w)\u2212])-(?=[\d∞])/g, "−");

function typeset(element, text) {
  const parts = minus(text).split(/(?<=(?:^|[^A-Za-z])[A-Za-z])_(\{[^}]*\}|[A-Za-z](?![A-Za-z_]))/);
  element.replaceChildren(...parts.map((part, i) => {
    if (i % 2 === 0) return part;
    const sub = document.createElement("sub");
    sub.textContent = part.replace(/[{}]/g, "");
    return sub;
  }));
  return element;
}

function make(tag, attributes = {}, text = null) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return text === null ? element : typeset(element, text);
}

// A canvas and an option have no subscripts of their own.
const flat = (text) => minus(text).replace(/_s\b/g, "ₛ");

// Numbers as text: three digits, and powers of ten for what is far from 1.
const SUPER = { "-": "⁻", ...Object.fromEntries([..."0123456789"].map((d, i) => [d, "⁰¹²³⁴⁵⁶⁷⁸⁹"[i]])) };
const short = (value) => (value === null || value === undefined ? "–" : String(Number(value.toPrecision(3))));

function factor(nats) {
  if (nats === null || nats === undefined) return "–";
  const power = Math.floor(nats / Math.LN10);
  if (Math.abs(power) < 4) return short(Math.exp(nats));
  const digits = Math.exp(nats - power * Math.LN10).toFixed(1);
  return `${digits}·10${[...String(power)].map((d) => SUPER[d]).join("")}`;
}

// Nets.
const group = () => lab.data.groups[lab.state.group];
const label = (cell) => lab.data.cells[cell].label;
const key = (cell, at) => [cell, ...AXES.map((axis) => at[axis])].join("|");

function index(data) {
  for (const one of data.groups) one.byKey = new Map(one.nets.map((net) => [key(net.cell, net), net]));
}

const valuesOf = (cell, axis) =>
  [...new Set(group().nets.filter((net) => net.cell === cell).map((net) => net[axis]))].sort((a, b) => a - b);
const chosen = () => group().byKey.get(key(lab.state.cell, lab.state));
const normOf = (net) => net.norms[lab.state.norm];

// The nearest net of a cell; `first` is the axis that must fit best, then as many others as possible.
function nearest(cell, wanted, first = null) {
  const ranks = Object.fromEntries(AXES.map((axis) => [axis, valuesOf(cell, axis)]));
  const apart = (net, axis) => {
    const values = ranks[axis];
    const place = (value) => values.reduce((n, other) => n + (other < value), 0) + (values.includes(value) ? 0 : -0.5);
    return Math.abs(place(net[axis]) - place(wanted[axis])) / values.length;
  };
  const cost = (net) => AXES.reduce((sum, axis) => {
    const distance = axis === first ? 100 * apart(net, axis) : apart(net, axis);
    return sum + distance + (net[axis] === wanted[axis] ? 0 : axis === first ? 0 : 1);
  }, 0);
  return group().nets.filter((net) => net.cell === cell).reduce((best, net) => (cost(net) < cost(best) ? net : best));
}

// The line along an axis: nets of a cell that share the other settings of the chosen one.
function line(cell, axis) {
  const rest = AXES.filter((other) => other !== axis);
  return group().nets
    .filter((net) => net.cell === cell && rest.every((other) => net[other] === lab.state[other]))
    .sort((a, b) => a[axis] - b[axis]);
}

// The cells that are drawn beside the chosen one: those of the introductions.
function compared() {
  if (!lab.state.others) return [];
  return ["rnn", "lstm", "gru"].filter((cell) => cell !== lab.state.cell && group().cells.includes(cell));
}
