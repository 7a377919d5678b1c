// What each panel shows of the chosen net.

const strong = (cell) => ({ ...cellLook(cell), width: 3, strong: true, dash: [] });
const thin = (cell) => ({ ...cellLook(cell), width: 1.3 });
const places = (net) => normOf(net)?.product?.[0].map((_, i) => i * group().every) ?? [];

function showNumbers(net) {
  const { hidden_size, input_size, seq_len, input } = group().settings;
  const start = group().recommended ? say("recommended")
    : `W_s = ${net.ws}, ${say("forget_bias_short")} ${net.forget_bias}, ${say("input_scale_short")} ${net.input_scale}`;
  typeset(byId("chosen"), `${label(net.cell)}, ${start}; ${say("sizes", { hidden_size, input_size, seq_len })}, ${say(input)}`);
  typeset(byId("rate"), normOf(net).rate_text);
  typeset(byId("memory"), normOf(net).memory_text);
  typeset(byId("exponent"), net.exponent ?? "–");
  byId("from").textContent = `${net.source}, ${say("seeds", net)}`;
  byId("band").textContent = say(net.seeds >= lab.data.few ? "band_interval" : "band_range", net);
}

function showProduct(net) {
  const product = normOf(net).product, lag = byId("lag");
  const slider = lag.closest("p");
  slider.hidden = !product;
  if (!product) {
    byId("product-says").textContent = "";
    return empty("product", "nothing");
  }
  const xs = places(net), at = Math.min(Math.round(lab.state.lag / group().every), xs.length - 1);
  lag.max = xs.length - 1;
  lag.value = at;
  lag.setAttribute("aria-valuetext", String(xs[at]));
  byId("lag-value").textContent = xs[at];
  const curves = [{ curve: product, look: strong(net.cell) }];
  for (const cell of compared()) {
    const other = group().byKey.get(key(cell, lab.state));
    if (other && normOf(other).product) curves.push({ curve: normOf(other).product, look: thin(cell) });
  }
  const dotted = { color: "#7a7a7a", width: 2 };
  if (lab.state.adjoint && net.adjoint)
    curves.push({ curve: net.adjoint, look: { ...dotted, dash: [8, 4], label: "ln ‖∂L_T/∂S_k‖" } });
  if (lab.state.clip && net.clipped)
    curves.push({ curve: net.clipped, look: { ...dotted, color: "#cc2e7a", dash: [2, 3], label: say("clipped") } });
  const said = [say("product_says", {
    cell: label(net.cell), lag: xs[at], product: product[0][at] ?? "–", factor: factor(product[0][at]) })];
  if (lab.state.adjoint && net.adjoint) said.push(say("adjoint_says", { adjoint: net.adjoint[0][at] ?? "–" }));
  if (lab.state.clip && net.clipped) said.push(say("clip_says", { clipped: net.clipped[0][at] ?? "–", whole: net.whole }));
  typeset(byId("product-says"), said.join(" "));
  draw("product", { xs, curves, x: say("lag"), y: say("product_y"), marked: [at, product[0][at]], about: said.join(" "),
    choose: (value) => change({ lag: value }) });
}

// The lines of all shown cells along the axis, over the values that any of them has.
function along(pick) {
  const axis = lab.state.axis, cells = [lab.state.cell, ...compared()];
  const lines = cells.map((cell) => line(cell, axis));
  const xs = [...new Set(lines.flat().map((net) => net[axis]))].sort((a, b) => a - b);
  const curves = lines.map((nets, i) => {
    const at = new Map(nets.map((net) => [net[axis], pick(net)]));
    const curve = [0, 1, 2].map((part) => xs.map((x) => at.get(x)?.[part] ?? null));
    const look = i === 0 ? strong(cells[i]) : thin(cells[i]);
    return { curve, look: { ...look, points: { show: true, size: 5, fill: lifted(look.color), stroke: lifted(look.color) } } };
  }).filter(({ curve }, i) => i === 0 || curve[0].some((v) => v !== null));
  return { xs, curves, own: lines[0].length };
}

function showAlong(name, net, pick, { y, said, logY = false }) {
  const axis = lab.state.axis, { xs, curves, own } = along(pick);
  typeset(byId(`${name}-says`), said);
  if (own < 2) return empty(name, "one_place");
  if (!curves.some(({ curve }) => curve[0].some((v) => v !== null))) return empty(name, "nothing");
  const value = pick(net)[0];
  draw(name, { xs, curves, x: say(axis), y, logX: isLog(xs), logY, about: said,
    marked: value === null ? null : [xs.indexOf(net[axis]), value], choose: (x) => change({ [axis]: x }, axis) });
}

function showGrowth(net) {
  const [rate, low, high] = normOf(net).rate, axis = lab.state.axis;
  const way = low > 0 ? "growth_says_up" : high < 0 ? "growth_says_down" : "growth_says_even";
  const said = rate === null ? say("nothing") : say(way,
    { cell: label(net.cell), axis: say(`${axis}_short`), x: net[axis], rate: normOf(net).rate_text });
  showAlong("growth", net, (one) => normOf(one).rate, { y: say("growth_y"), said });
}

function showMemory(net) {
  const said = say("memory_says", { cell: label(net.cell), memory: normOf(net).memory_text });
  // A logarithmic axis has no place for a memory of 0 steps.
  const pick = (one) => normOf(one).memory.map((steps) => (steps > 0 ? steps : null));
  showAlong("memory", net, pick, { y: say("memory_y"), said, logY: true });
}

function showSpectrum(net) {
  const looks = [{ color: "#e69f00", dash: [2, 3] }, { color: "#56b4e9", dash: [7, 3] }, { color: "#009e73", dash: [] }];
  if (!net.spectra.length) {
    byId("spectrum-says").textContent = "";
    return empty("spectrum", "nothing");
  }
  const most = Math.max(...net.spectra.map((one) => one.values[0].length));
  const curves = net.spectra.map((one, i) => {
    const padded = one.values.map((part) => [...part, ...Array(most - part.length).fill(null)]);
    const look = one.lag === null
      ? { color: "#d55e00", dash: [], width: 3, strong: true, label: say("exponents", one) }
      : { ...looks[i % looks.length], label: say("singular", one) };
    return { curve: padded, look };
  });
  const said = say("spectrum_says");
  byId("spectrum-says").textContent = said;
  const xs = Array.from({ length: most }, (_, i) => i + 1);
  draw("spectrum", { xs, curves, x: say("direction"), y: say("spectrum_y"), about: said });
}

function showGates(net) {
  const fields = ["mean_value", "mean_slope", "share_low", "share_high"], gates = Object.entries(net.gates);
  if (!gates.length) return byId("gates").replaceChildren(make("p", { class: "soft" }, say("nothing")));
  const rows = gates.map(([gate, values]) => {
    const bar = make("span", { class: "bar", "aria-hidden": "true" });
    const [low, high] = ["share_low", "share_high"].map((field) => values[field]?.[0] ?? 0);
    for (const [name, share] of [["low", low], ["", 1 - low - high], ["high", high]]) {
      const part = make("i", name ? { class: name } : {});
      part.style.width = `${100 * share}%`;
      bar.append(part);
    }
    return [gate, ...fields.map((field) => values[field]?.[1] ?? "–"), bar];
  });
  byId("gates").replaceChildren(table([say("gate"), ...fields.map((field) => say(field)), say("shares")], rows));
}

function showClaims() {
  const rows = lab.data.claims.map((one) => [
    String(one.number), one[lab.language], one.measured, one.verdict,
  ]);
  const made = table([say("number"), say("claim"), say("measured"), say("verdict")], rows);
  [...made.tBodies[0].rows].forEach((row, i) => {
    const one = lab.data.claims[i], cell = row.cells[3];
    row.cells[2].lang = "en";
    cell.replaceChildren(make("span", { class: `verdict ${one.verdict}` }, say(one.verdict)));
    if (one.condition) cell.append(": ", make("span", { lang: "en" }, one.condition));
  });
  byId("claims").replaceChildren(...made.children);
}

function showMissing() {
  byId("missing-part").hidden = !lab.data.missing.length;
  byId("missing").replaceChildren(...lab.data.missing.map((one) => {
    const item = make("li", {});
    item.append(`${one.name}: `, make("code"));
    item.lastChild.textContent = one.command;
    return item;
  }));
}
