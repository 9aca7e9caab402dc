/** Lets an emotion wait for what is read, by fields; and shows which of them are felt now. */

import { chooser, make } from "./dom.js";
import { describedGate, fieldsOf, gateOf, isGate, isOpen, isSimple } from "./gate.js";
import { intensityOf, scheduleOf, withSchedule } from "./mood.js";

const FURTHEST = 20; // z-scores; the service takes no further ones
const NOTHING_ELSE = { otherwise: 0, lasts: "while", hysteresis: 0.5 };

export class GateEditor {
  #mood;
  #emotions;
  #asked = null; // of the token that is being said, or null
  #list = make("ul", { class: "gates" });
  #of;
  #fields;
  #form;
  #filled; // the schedule that the fields were filled with
  #adds = make("button", { text: "Add condition" });

  /** `emotions`: `[{id, ceiling, colour}]`; `reads`: whether the service reads anything. */
  constructor(root, { emotions, mood, reads }) {
    this.#mood = mood;
    this.#emotions = emotions;
    const names = emotions.map(({ id }) => id);
    this.#of = chooser("Emotion", names, () => this.#fill());
    this.#fields = {
      then: number("feels", 1, {}),
      of: chooser("while in", ["user", "answer"]),
      emotion: chooser("the reading of", names),
      sign: chooser("is", [">", "<"]),
      at: number("than", 1, { min: -FURTHEST, max: FURTHEST }),
      otherwise: number("else", 0, {}),
      lasts: chooser("lasts", ["while", "always"]),
      hysteresis: number("hysteresis", 0.5, { min: 0, max: FURTHEST }),
    };
    const labels = Object.values(this.#fields).map(({ label }) => label);
    this.#form = make("form", { class: "tools" }, this.#of.label, ...labels, this.#adds);
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#set();
    });
    const hint = make("p", { class: "hint", text: reads ? HINT : UNREAD });
    if (reads) root.replaceChildren(this.#list, this.#form, hint);
    else root.replaceChildren(this.#list, hint);
    mood.watch(() => this.#show());
  }

  /** Turn to this emotion. */
  edit(id) {
    this.#of.field.value = id;
    this.#fill();
  }

  /** What the token that is being said was asked, emotion -> weight; null where none is. */
  mark(asked) {
    this.#asked = asked;
    for (const item of this.#list.children) this.#light(item);
  }

  #set() {
    const value = ({ field }) => (field.type === "number" ? field.valueAsNumber || 0 : field.value);
    const fields = Object.entries(this.#fields).map(([name, field]) => [name, value(field)]);
    const gate = gateOf(Object.fromEntries(fields));
    this.#mood.value = withSchedule(this.#mood.value, this.#of.field.value, gate);
  }

  /** The fields show the gate of the emotion; where it has none, what was waited for last. */
  #fill() {
    const id = this.#of.field.value;
    const gate = scheduleOf(this.#mood.value, id);
    const then = intensityOf(this.#mood.value, id) || 1;
    const shown = isSimple(gate) ? fieldsOf(gate) : { ...NOTHING_ELSE, then };
    for (const [name, value] of Object.entries(shown)) this.#fields[name].field.value = value;
    this.#adds.textContent = isGate(gate) ? "Update condition" : "Add condition";
    this.#filled = gate;
  }

  #show() {
    const mood = this.#mood.value;
    const gated = this.#emotions.filter(({ id }) => isGate(scheduleOf(mood, id)));
    this.#list.replaceChildren(...gated.map((emotion) => this.#item(emotion)));
    if (scheduleOf(mood, this.#of.field.value) !== this.#filled) this.#fill();
  }

  #item({ id, colour }) {
    const gate = scheduleOf(this.#mood.value, id);
    const light = make("span", { class: "light", role: "img" });
    const text = `${id} ${describedGate(gate)}`;
    const words = make("button", { type: "button", class: "quiet", text, click: () => this.edit(id) });
    const drop = make("button", {
      type: "button",
      class: "quiet",
      text: "×",
      "aria-label": `remove the condition of ${id}`,
      click: () => (this.#mood.value = withSchedule(this.#mood.value, id, null)),
    });
    const item = make("li", { style: { "--c": colour }, "data-emotion": id }, light, words, drop);
    this.#light(item);
    return item;
  }

  #light(item) {
    const id = item.dataset.emotion;
    const gate = scheduleOf(this.#mood.value, id);
    const isTold = this.#asked !== null && isSimple(gate);
    const open = isTold ? isOpen(gate, this.#asked[id] ?? 0) : null;
    item.classList.toggle("open", open === true);
    const said = open === null ? "not known" : open ? "open" : "closed";
    item.firstElementChild.setAttribute("aria-label", said);
  }
}

const HINT =
  "What is read of you, or of the answer so far, in z-scores: about 1 is clear. It closes where the " +
  "limit is missed by the hysteresis, unless it lasts always. The dot is lit while it is open.";
const UNREAD = "Nothing is read here, so that nothing can be waited for.";

function number(text, value, bounds) {
  const field = make("input", { type: "number", step: "any", value, ...bounds });
  return { field, label: make("label", { class: "field" }, text, field) };
}
