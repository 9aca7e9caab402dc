/** A slider for each emotion. */

import { make, shown } from "./dom.js";
import { isGate } from "./gate.js";
import { intensityOf, isDrawn, scheduleOf, withIntensity } from "./mood.js";

const MOST = 2; // where no ceiling is known
const UNKNOWN = "how much of it stays fluent was not measured";

export class Sliders {
  #mood;
  #rows;

  /** `emotions`: `[{id, ceiling, colour}]`. `edit`: called with the emotion to draw. */
  constructor(root, { emotions, mood, edit }) {
    this.#mood = mood;
    this.#rows = emotions.map((emotion) => this.#row(emotion, edit));
    root.replaceChildren(...this.#rows.map((row) => row.element));
    mood.watch(() => this.#show());
  }

  #row({ id, ceiling, colour }, edit) {
    const most = ceiling ?? MOST;
    const range = make("input", {
      type: "range",
      id: `intensity-${id}`,
      min: -most,
      max: most,
      step: most / 20,
      title: ceiling === null ? UNKNOWN : `fluent up to ${shown(ceiling)}, as measured`,
      input: () => (this.#mood.value = withIntensity(this.#mood.value, id, range.valueAsNumber)),
      dblclick: () => (this.#mood.value = withIntensity(this.#mood.value, id, 0)),
    });
    const figure = make("output", { for: range.id });
    const end = make("span", { class: "end", text: ceiling === null ? "of ?" : `of ${shown(ceiling)}` });
    const pencil = make("button", {
      type: "button",
      class: "quiet",
      click: () => edit(id),
    });
    const label = make("label", { for: range.id, text: id });
    const kind = ceiling === null ? "slider unmeasured" : "slider";
    const parts = [label, range, make("span", { class: "figure" }, figure, end), pencil];
    const element = make("div", { class: kind, style: { "--c": colour } }, ...parts);
    return { id, most, range, figure, pencil, element };
  }

  #show() {
    const mood = this.#mood.value;
    for (const { id, most, range, figure, pencil, element } of this.#rows) {
      const value = intensityOf(mood, id);
      const schedule = scheduleOf(mood, id);
      const drawn = isDrawn(mood.intensities[id]);
      if (range.valueAsNumber !== value) range.value = value;
      range.setAttribute("aria-valuetext", drawn ? `peak ${shown(value)}` : shown(value));
      figure.textContent = shown(value);
      const [text, label] = drawn
        ? ["Curve", `edit the curve of ${id}`]
        : isGate(schedule)
          ? ["Condition", `edit the condition of ${id}`]
          : [schedule === null ? "Draw" : "Custom", `draw ${id} over tokens`];
      pencil.textContent = text;
      pencil.setAttribute("aria-label", label);
      element.classList.toggle("felt", value !== 0 || schedule !== null);
      element.style.setProperty("--share", (value + most) / (2 * most));
    }
  }
}
