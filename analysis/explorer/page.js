// The controls, the story, the language and the address.

const DEFAULTS = { group: 0, cell: "rnn", ws: 1, forget_bias: 0, input_scale: 1, norm: "spectral", axis: "ws", lag: 20,
  adjoint: false, clip: false, others: true };

// Changes settings. Those that were not measured together with what changed become the nearest that were; the note says which.
function change(wanted, first = null) {
  const before = { ...lab.state };
  const next = Object.assign(lab.state, wanted);
  if (!group().cells.includes(next.cell)) next.cell = group().cells[0];
  const net = nearest(next.cell, next, first);
  const moved = AXES.filter((axis) => net[axis] !== next[axis]);
  for (const axis of AXES) next[axis] = net[axis];
  if (!(next.norm in net.norms)) next.norm = Object.keys(net.norms)[0];
  const told = moved.filter((axis) => axis !== first);
  const isNew = told.length && before.group === next.group;
  byId("note").replaceChildren();
  if (isNew) typeset(byId("note"), say("moved", {
    changes: told.map((axis) => `${say(`${axis}_short`)} = ${net[axis]}`).join(lab.language === "zh" ? "，" : ", ") }));
  if (first && AXES.includes(first)) next.axis = first;
  show();
}

function showControls() {
  const state = lab.state;
  byId("group-row").hidden = lab.data.groups.length < 2;
  byId("group").replaceChildren(...lab.data.groups.map((one, i) => {
    const text = `${say("sizes", one.settings)}, ${say(one.settings.input)}${one.recommended ? `; ${say("recommended")}` : ""}`;
    const option = make("option", { value: i });
    option.textContent = text;
    return option;
  }));
  byId("group").value = state.group;
  byId("cell").replaceChildren(...group().cells.map((cell) => {
    const option = make("option", { value: cell });
    option.textContent = label(cell);
    return option;
  }));
  byId("cell").value = state.cell;
  for (const axis of AXES) {
    const values = valuesOf(state.cell, axis), slider = byId(axis), text = minus(String(state[axis]));
    slider.max = values.length - 1;
    slider.value = values.indexOf(state[axis]);
    slider.disabled = values.length < 2;
    slider.setAttribute("aria-valuetext", text);
    byId(`${axis}-value`).textContent = text;
  }
  for (const input of document.querySelectorAll("input[type=radio]")) {
    input.checked = input.value === state[input.name];
    if (input.name === "norm") input.disabled = !(input.value in chosen().norms);
  }
  for (const name of ["adjoint", "clip", "others"]) byId(name).checked = state[name];
  for (const name of ["adjoint", "clip"]) byId(name).disabled = !chosen().adjoint;
}

// The numbers that a step of the story fills in.
function numbersOf(net) {
  const gates = Object.entries(net.gates), first = gates[0]?.[1];
  const forget = gates.find(([name]) => name === "forget")?.[1];
  const product = normOf(net).product, at = Math.round(20 / group().every);
  const closed = group().byKey.get(key(net.cell, { ...net, forget_bias: 0 }));
  const factors = lab.data.surface.find((one) => one.forget_bias === 0 && one.input_scale === 1);
  const critical = Object.fromEntries(["rnn", "lstm", "gru"].map((cell) => [`critical.${cell}`, short(group().critical[cell])]));
  return {
    ...critical, ws: net.ws, forget_bias: net.forget_bias, input_scale: net.input_scale,
    rate: normOf(net).rate_text, memory: normOf(net).memory_text, left: factor(product?.[0][at]),
    slope: first?.mean_slope?.[1], high: first?.share_high?.[1], open: forget?.mean_value?.[1], whole: net.whole,
    "memory.0": closed && closed.norms[lab.state.norm]?.memory_text, near0: factors?.low, near1: factors?.high,
  };
}

function showStory() {
  byId("steps").replaceChildren(...lab.data.story.map((one, i) => {
    const item = make("li"), button = make("button", { type: "button" });
    const title = one[lab.language].title;
    typeset(button, lab.step === null ? `${i + 1}. ${title}` : String(i + 1));
    button.setAttribute("aria-label", `${i + 1}. ${title}`);
    button.title = title;
    if (i === lab.step) button.setAttribute("aria-current", "step");
    button.addEventListener("click", () => go(i));
    item.append(button);
    return item;
  }));
  byId("steps").classList.toggle("row", lab.step !== null);
  byId("step").hidden = lab.step === null;
  if (lab.step === null) return;
  const one = lab.data.story[lab.step], text = one[lab.language];
  typeset(byId("step-title"), text.title);
  byId("step-place").textContent = say("step_of", { step: lab.step + 1, steps: lab.data.story.length });
  typeset(byId("step-claim"), text.claim);
  typeset(byId("step-measured"), one.lacks ? `${say("missing_says")} ${one.needs}` : fill(text.measured, lab.told));
  byId("step-back").disabled = lab.step === 0;
  byId("step-next").disabled = lab.step === lab.data.story.length - 1;
}

// A step sets the controls. What it says is of the net that it chose, and stays when the reader goes on from there.
function go(step, focus = true) {
  lab.step = step;
  const set = { ...DEFAULTS, group: 0, others: lab.state.others, ...lab.data.story[step].set };
  change(set, set.axis);
  byId("note").replaceChildren();
  lab.told = numbersOf(chosen());
  showStory();
  keep();
  if (focus) byId("step-title").focus();
}

function keep() {
  const said = { ...lab.state, language: lab.language, ...(lab.step === null ? {} : { step: lab.step + 1 }) };
  history.replaceState(null, "", `#${new URLSearchParams(said)}`);
}

function recall() {
  const found = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
  const state = { ...DEFAULTS };
  for (const [name, value] of Object.entries(DEFAULTS)) {
    if (!(name in found)) continue;
    const given = typeof value === "number" ? Number(found[name]) : typeof value === "boolean" ? found[name] === "true" : found[name];
    if (!Number.isNaN(given)) state[name] = given;
  }
  if (!(state.group in lab.data.groups)) state.group = 0;
  if (!AXES.includes(state.axis)) state.axis = "ws";
  lab.language = found.language ?? (navigator.language.startsWith("zh") ? "zh" : "en");
  if (!["en", "zh"].includes(lab.language)) lab.language = "en";
  lab.state = state;
  const step = Number(found.step) - 1;
  return Number.isInteger(step) && step in lab.data.story ? step : null;
}

function showWords() {
  document.documentElement.lang = lab.language === "zh" ? "zh-Hans" : "en";
  document.title = `${say("title")} · recurrent_lab`;
  for (const element of document.querySelectorAll("[data-say]")) typeset(element, say(element.dataset.say));
  for (const element of document.querySelectorAll("[data-label]")) element.setAttribute("aria-label", say(element.dataset.label));
  for (const button of document.querySelectorAll("[data-language]"))
    button.setAttribute("aria-pressed", String(button.dataset.language === lab.language));
  showStory();
  showClaims();
  showMissing();
}

function show() {
  const net = chosen();
  showControls();
  showNumbers(net);
  showProduct(net);
  showGrowth(net);
  showSpectrum(net);
  showMemory(net);
  showGates(net);
  keep();
}

function listen() {
  byId("group").addEventListener("change", (event) => change({ group: Number(event.target.value) }));
  byId("cell").addEventListener("change", (event) => change({ cell: event.target.value }));
  for (const axis of AXES)
    byId(axis).addEventListener("input", (event) => change({ [axis]: valuesOf(lab.state.cell, axis)[event.target.value] }, axis));
  byId("lag").addEventListener("input", (event) => change({ lag: Number(event.target.value) * group().every }));
  for (const input of document.querySelectorAll("input[type=radio]"))
    input.addEventListener("change", () => change({ [input.name]: input.value }));
  for (const name of ["adjoint", "clip", "others"])
    byId(name).addEventListener("change", (event) => change({ [name]: event.target.checked }));
  byId("controls").addEventListener("submit", (event) => event.preventDefault());
  byId("step-back").addEventListener("click", () => go(lab.step - 1));
  byId("step-next").addEventListener("click", () => go(lab.step + 1));
  for (const button of document.querySelectorAll("[data-language]"))
    button.addEventListener("click", () => {
      lab.language = button.dataset.language;
      byId("note").replaceChildren();
      showWords();
      show();
    });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show);
  let width = innerWidth;
  addEventListener("resize", () => {
    if (innerWidth !== width) show();
    width = innerWidth;
  });
}

(async () => {
  if (!("DecompressionStream" in window)) {
    byId("note").textContent = "This page needs a newer browser, with DecompressionStream. / 本页需要较新的浏览器。";
    return;
  }
  lab.data = await unpack();
  index(lab.data);
  const step = recall();
  listen();
  if (step === null) change({});
  else go(step, false);
  byId("note").replaceChildren();
  showWords();
  document.documentElement.dataset.ready = "yes";
})();
