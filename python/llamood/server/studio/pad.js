/** A pad of valence and arousal: drag on it, or move its two sliders. */

import { clamp, make, shown } from "./dom.js";
import { withAffect } from "./mood.js";

const AXES = ["valence", "arousal"];

export class Pad {
  #mood;
  #field;
  #ranges;

  /** `emotions`: `[{id, affect, colour}]`; those that have an affect are shown where they lie. */
  constructor(root, { emotions, mood }) {
    this.#mood = mood;
    const placed = emotions.filter((emotion) => emotion.affect);
    const dots = placed.map((emotion) => dot(emotion, placed));
    this.#field = make("div", { class: "pad", "aria-hidden": "true" }, ...axisNames(), ...dots);
    this.#field.append(make("div", { class: "point" }));
    this.#ranges = AXES.map((axis) => this.#range(axis));
    const clear = make("button", {
      type: "button",
      class: "quiet",
      text: "Off",
      "aria-label": "Off: valence and arousal",
      click: () => (mood.value = withAffect(mood.value, null)),
    });
    const rows = this.#ranges.map(({ row }) => row);
    root.replaceChildren(this.#field, make("div", { class: "axes" }, ...rows, clear));
    this.#field.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      this.#field.setPointerCapture(event.pointerId);
      this.#feel(event);
    });
    this.#field.addEventListener("pointermove", (event) => {
      if (this.#field.hasPointerCapture(event.pointerId)) this.#feel(event);
    });
    mood.watch(() => this.#show());
  }

  #range(axis) {
    const range = make("input", {
      type: "range",
      id: `affect-${axis}`,
      min: -1,
      max: 1,
      step: 0.05,
      input: () => this.#set({ ...this.#point(), [axis]: range.valueAsNumber }),
    });
    const figure = make("output", { for: range.id });
    const label = make("label", { for: range.id, text: axis });
    return { axis, range, figure, row: make("div", { class: "slider" }, label, range, figure) };
  }

  #point() {
    return this.#mood.value.affect ?? { valence: 0, arousal: 0 };
  }

  #set(point) {
    this.#mood.value = withAffect(this.#mood.value, Object.freeze(point));
  }

  #feel({ clientX, clientY }) {
    const box = this.#field.getBoundingClientRect();
    const valence = clamp(((clientX - box.left) / box.width) * 2 - 1, -1, 1);
    const arousal = clamp(1 - ((clientY - box.top) / box.height) * 2, -1, 1);
    this.#set({ valence, arousal });
  }

  #show() {
    const affect = this.#mood.value.affect;
    const point = this.#point();
    this.#field.classList.toggle("unused", affect === null);
    at(this.#field.lastElementChild, point.valence, point.arousal);
    for (const { axis, range, figure, row } of this.#ranges) {
      row.style.setProperty("--share", (point[axis] + 1) / 2);
      if (range.valueAsNumber !== point[axis]) range.value = point[axis];
      figure.textContent = affect ? shown(point[axis]) : "–";
      range.setAttribute("aria-valuetext", affect ? shown(point[axis]) : "off");
    }
  }
}

const NEAR = [0.4, 0.12]; // on the axes; names of emotions as near as that would cover each other

/** Its name stands below it, or beside it where another lies on the other side. */
function dot({ id, affect: [valence, arousal], colour }, all) {
  const beside = all
    .filter((other) => other.id !== id && Math.abs(other.affect[1] - arousal) < NEAR[1])
    .map((other) => other.affect[0] - valence)
    .filter((distance) => Math.abs(distance) < NEAR[0]);
  const kind = beside.length === 0 ? "" : beside[0] > 0 ? "left" : "right";
  const element = make("span", { class: `dot ${kind}`, text: id, style: { "--c": colour } });
  return at(element, valence, arousal);
}

function at(element, valence, arousal) {
  element.style.setProperty("--x", valence);
  element.style.setProperty("--y", arousal);
  return element;
}

function axisNames() {
  const names = { left: "unpleasant", right: "pleasant", top: "excited", bottom: "calm" };
  return Object.entries(names).map(([side, text]) => make("span", { class: `axis ${side}`, text }));
}
