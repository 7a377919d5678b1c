// The charts: uPlot with the colours of the page, bands over seeds, and a line at 0.

const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
const charts = {};

// Colours of cells are made for white; in the dark they are mixed with white.
function lifted(hex, alpha = 1) {
  const lift = Number(color("lift"));
  const parts = [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16)).map((v) => Math.round(v + lift * (255 - v)));
  return `rgba(${parts.join(",")},${alpha})`;
}

const cellLook = (cell) => ({ color: lab.data.cells[cell].color, dash: lab.data.cells[cell].dash, label: label(cell) });
const isLog = (xs) => xs.length > 2 && xs[0] > 0 && xs[xs.length - 1] / xs[0] >= 50;

function bandOf(curve, look, offset) {
  const stroke = lifted(look.color);
  const side = { stroke: "transparent", width: 0, points: { show: false } };
  return {
    series: [
      { stroke, width: look.width ?? 2, dash: look.dash, points: look.points ?? { show: false }, spanGaps: false }, side, side,
    ],
    data: [curve[0], curve[2], curve[1]],
    bands: [{ series: [offset + 1, offset + 2], fill: lifted(look.color, 0.22) }],
  };
}

function zeroLine(u) {
  const y = u.valToPos(0, "y", true);
  if (!Number.isFinite(y) || y < u.bbox.top || y > u.bbox.top + u.bbox.height) return;
  u.ctx.save();
  u.ctx.strokeStyle = color("ink");
  u.ctx.lineWidth = uPlot.pxRatio;
  u.ctx.beginPath();
  u.ctx.moveTo(u.bbox.left, y);
  u.ctx.lineTo(u.bbox.left + u.bbox.width, y);
  u.ctx.stroke();
  u.ctx.restore();
}

function keyOf(name, curves) {
  byId(`${name}-key`).replaceChildren(...curves.filter((one) => one.look.label).map(({ look }) => {
    const dash = look.dash.length ? ` stroke-dasharray="${look.dash.join(" ")}"` : "";
    const item = make("span");
    item.innerHTML = `<svg width="30" height="8" aria-hidden="true"><line x1="0" x2="30" y1="4" y2="4" stroke="${
      lifted(look.color)}" stroke-width="${look.width ?? 2}"${dash}/></svg>`;
    const text = make("b", {}, look.label);
    if (!look.strong) text.style.fontWeight = "400";
    item.append(text);
    return item;
  }));
}

function empty(name, reason) {
  charts[name]?.destroy();
  delete charts[name];
  const place = byId(`${name}-chart`);
  place.replaceChildren(make("p", {}, say(reason)));
  place.className = "chart empty";
  place.removeAttribute("role");
  place.removeAttribute("aria-label");
  byId(`${name}-key`).replaceChildren();
  tableOf(name, null);
}

// curves: [{ curve: [mean, low, high], look }] over the same xs; marked: the point that is chosen, [place in xs, value].
function draw(name, { xs, curves, x, y, logX = false, logY = false, marked = null, choose = null, about }) {
  charts[name]?.destroy();
  const place = byId(`${name}-chart`);
  place.replaceChildren();
  place.className = "chart";
  place.setAttribute("role", "img");
  place.setAttribute("aria-label", minus(about));
  const series = [{}], data = [xs], bands = [];
  for (const { curve, look } of curves) {
    const made = bandOf(curve, look, series.length);
    series.push(...made.series);
    data.push(...made.data);
    bands.push(...made.bands);
  }
  if (marked) {
    const ink = color("ink");
    series.push({ stroke: ink, width: 0, points: { show: true, size: 13, width: 3, stroke: ink, fill: color("paper") } });
    data.push(xs.map((_, i) => (i === marked[0] ? marked[1] : null)));
  }
  const look = { stroke: color("ink"), grid: { stroke: color("line"), width: 1 }, ticks: { stroke: color("line"), width: 1 },
    font: "12px system-ui, sans-serif", labelFont: "12px system-ui, sans-serif", labelSize: 20, labelGap: 2 };
  const values = (u, splits) => splits.map((v) => (v === null ? "" : minus(String(Number(v.toPrecision(4))))));
  // 1, 2 and 5 in every power of ten.
  const decades = (u, i, low, high) => {
    const found = [];
    for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++)
      for (const digit of [1, 2, 5]) {
        const at = Number(`${digit}e${power}`);
        if (at >= low && at <= high) found.push(at);
      }
    return found.length > 9 ? found.filter((at) => Number.isInteger(Math.log10(at))) : found;
  };
  const logAxis = (is) => (is ? { splits: decades, filter: (u, splits) => splits } : {});
  const wide = (u, low, high) => (low === high ? [low - 1, high + 1] : [low - 0.02 * (high - low), high + 0.02 * (high - low)]);
  const wideLog = (u, low, high) => [low / 1.3, high * 1.3];
  charts[name] = new uPlot({
    width: Math.max(place.clientWidth, 200), height: 260, series, bands, legend: { show: false }, padding: [8, 10, 0, 0],
    cursor: { drag: { x: false, y: false }, points: { show: false } },
    scales: {
      x: { time: false, distr: logX ? 3 : 1, range: logX ? wideLog : wide },
      y: { distr: logY ? 3 : 1, ...(logY ? { range: wideLog } : {}) },
    },
    axes: [
      { ...look, ...logAxis(logX), label: flat(x), values },
      { ...look, ...logAxis(logY), label: flat(y), size: 58, values },
    ],
    hooks: { draw: logY ? [] : [zeroLine] },
  }, data, place);
  if (choose) {
    charts[name].over.style.cursor = "pointer";
    charts[name].over.addEventListener("click", () => {
      const at = charts[name].posToIdx(charts[name].cursor.left);
      if (at !== null) choose(xs[at]);
    });
  }
  keyOf(name, curves);
  tableOf(name, { x, xs, curves });
}

// A table is built when it is opened.
function tableOf(name, numbers) {
  const place = byId(`${name}-table`), details = place.closest("details");
  details.hidden = !numbers;
  details.ontoggle = null;
  place.replaceChildren();
  if (!numbers) return;
  const fillIt = () => {
    if (!details.open || place.firstChild) return;
    const { x, xs, curves } = numbers;
    const shown = curves.filter((one) => one.curve[0].length);
    const heads = [x, ...shown.flatMap(({ look }, i) =>
      i === 0 ? ["mean", "low", "high"].map((part) => `${look.label}: ${say(part)}`) : [`${look.label}: ${say("mean")}`])];
    const rows = xs.map((at, j) => [at, ...shown.flatMap(({ curve }, i) =>
      (i === 0 ? [0, 1, 2] : [0]).map((part) => curve[part][j]))]);
    place.append(table(heads, rows.map((row) => row.map((value) => value ?? "–"))));
  };
  details.ontoggle = fillIt;
  place.setAttribute("aria-label", say("table"));
  fillIt();
}

function table(heads, rows) {
  const made = make("table"), head = make("thead"), body = make("tbody"), top = make("tr");
  top.append(...heads.map((text) => make("th", { scope: "col" }, text)));
  head.append(top);
  for (const row of rows) {
    const line = make("tr");
    line.append(...row.map((cell, i) => {
      if (cell instanceof Node) {
        const holder = make("td");
        holder.append(cell);
        return holder;
      }
      return make(i === 0 ? "th" : "td", i === 0 ? { scope: "row" } : {}, cell);
    }));
    body.append(line);
  }
  made.append(head, body);
  return made;
}
