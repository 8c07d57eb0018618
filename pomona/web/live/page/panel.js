// The side panel: what the controls say, and the numbers.

const SIDES = [480, 640, 960, 1280];
const KEPT = 45; // frames over which times are told, by their median

/** The settings that the controls of `form` stand for. */
export function readSettings(form) {
  const parts = [...form.elements.part].filter((box) => box.checked).map((box) => box.value);
  return {
    parts,
    people: Number(form.elements.people.value),
    complexity: Number(form.elements.complexity.value),
    hand_model: form.elements.hand_model.value,
    face_detector: form.elements.face_detector.value,
    irises: form.elements.irises.checked,
    mask: form.elements.mask.checked,
    smooth: form.elements.smooth.checked,
  };
}

/** Sets the controls of `form` to the settings that the server works with. */
export function showSettings(form, settings) {
  for (const box of form.elements.part) {
    box.checked = settings.parts.includes(box.value);
    // something must be looked for
    box.disabled = box.checked && settings.parts.length === 1;
  }
  form.elements.people.value = settings.people;
  form.elements.complexity.value = settings.complexity;
  form.elements.hand_model.value = settings.hand_model;
  form.elements.face_detector.value = settings.face_detector;
  for (const name of ["irises", "mask", "smooth"]) form.elements[name].checked = settings[name];
  form.elements.irises.disabled = !settings.parts.includes("face");
}

/** Fills the lists whose length the server decides. */
export function showLimits(form, view, limits) {
  const options = (values) => values.map((value) => new Option(value, value));
  form.elements.people.replaceChildren(...options(Array.from({ length: limits.people }, (_, i) => i + 1)));
  const chosen = view.elements.side.value || 640;
  const sides = SIDES.filter((side) => side <= limits.longest_side);
  view.elements.side.replaceChildren(...sides.map((side) => new Option(`${side} px`, side)));
  view.elements.side.value = sides.includes(Number(chosen)) ? chosen : sides.at(-1);
}

/** Numbers over the newest frames, told a few times a second. */
export class Meter {
  #arrivals = [];
  #delays = [];
  #stages = new Map();
  #last = null;

  add(result, delayMs, now) {
    this.#arrivals.push(now);
    keep(this.#delays, delayMs);
    const times = { "picture in": result.decode_ms, ...result.stage_ms, total: result.total_ms };
    for (const [name, ms] of Object.entries(times)) {
      if (!this.#stages.has(name)) this.#stages.set(name, { times: [], seen: 0 });
      const stage = this.#stages.get(name);
      keep(stage.times, ms);
      stage.seen = now;
    }
    this.#last = result;
  }

  reset() {
    this.#arrivals = [];
    this.#delays = [];
    this.#stages.clear();
    this.#last = null;
  }

  /** {rate, delay, people, drops, stages: [[name, ms]]}; null before the first result. */
  read(now) {
    if (!this.#last) return null;
    this.#arrivals = this.#arrivals.filter((time) => now - time < 1000);
    // a stage that did not run for a while is not shown
    const stages = [...this.#stages].filter(([, stage]) => now - stage.seen < 2000);
    stages.sort(([a], [b]) => (a === "total") - (b === "total"));
    return {
      rate: this.#arrivals.length,
      delay: median(this.#delays),
      people: this.#last.people.length,
      drops: this.#last.drops,
      stages: stages.map(([name, stage]) => [name, median(stage.times)]),
    };
  }
}

/** Writes what a Meter read into the page. */
export function showNumbers(numbers) {
  const set = (id, text) => (document.getElementById(id).textContent = text);
  set("rate", numbers ? numbers.rate : "–");
  set("delay", numbers ? numbers.delay.toFixed(0) : "–");
  set("people-found", numbers ? numbers.people : "–");
  if (!numbers) return;
  set("drops", `${numbers.drops} frames gave way to newer ones`);
  document.getElementById("drops").hidden = !numbers.drops;
  const longest = Math.max(1, ...numbers.stages.map(([, ms]) => ms));
  document.getElementById("stages").replaceChildren(...numbers.stages.flatMap(([name, ms]) => row(name, ms, longest)));
}

function row(name, ms, longest) {
  const cell = (kind, text) => Object.assign(document.createElement("span"), { className: kind, textContent: text });
  const track = cell("track", "");
  const fill = cell("fill", "");
  fill.style.width = `${(100 * ms) / longest}%`;
  track.append(fill);
  const whole = name === "total" ? " whole" : "";
  return [cell(`name${whole}`, name.replaceAll("_", " ")), track, cell(`value${whole}`, ms.toFixed(1))];
}

function keep(list, value) {
  list.push(value);
  if (list.length > KEPT) list.shift();
}

function median(list) {
  return list.toSorted((a, b) => a - b)[list.length >> 1];
}
