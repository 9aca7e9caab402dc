/** Adds an emotion to those of the service: from a description, or from texts that express it. */

import { byId, chooser, make } from "./dom.js";
import { Gone, Refused } from "./service.js";

const OFTEN = 1000; // milliseconds between looks at how far it is
const TOLD = {
  answers: "the model answers in this manner",
  texts: "texts are read",
  doses: "its largest fluent dose is looked for",
  readings: "what reads it is measured",
};
const DESCRIBED = "a description";
const WRITTEN = "texts";

export class NewEmotion {
  #service;
  #fewest;
  #added;
  #running = null; // the name of the one that is being added
  #timer = 0;
  #name = make("input", { maxlength: 64, required: true, autocomplete: "off" });
  #from = chooser("From", [DESCRIBED, WRITTEN], () => this.#show());
  #manner = make("textarea", { rows: 2, "aria-label": "Description", placeholder: MANNER });
  #texts = make("textarea", { rows: 6, "aria-label": "Texts", input: () => this.#count() });
  #counted = make("output", { class: "hint" });
  #adds = make("button", { text: "Add emotion" });
  #form;
  #bar = make("progress", { max: 1, "aria-label": "how much is done" });
  #stops = make("button", { type: "button", text: "Cancel", click: () => this.#cancel() });
  #work = make("div", { class: "work", hidden: true }, this.#bar, this.#stops);
  #said = make("p", { role: "status" });

  /** `limits`: `{fewest, most, longest}`, how many texts are needed and how many are used, and how
   * long a description is at most. `added`: called once there is one more. */
  constructor(root, { service, limits, added }) {
    this.#service = service;
    this.#fewest = limits.fewest;
    this.#added = added;
    this.#manner.maxLength = limits.longest;
    this.#texts.placeholder = `One a line, about different things: ${limits.fewest} at least, up to ${limits.most}`;
    const name = make("label", { class: "field" }, "Name", this.#name);
    const head = make("div", { class: "tools" }, name, this.#from.label);
    const foot = make("div", { class: "tools" }, this.#adds, this.#counted);
    this.#form = make("form", {}, head, this.#manner, this.#texts, foot);
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#begin();
    });
    root.replaceChildren(this.#form, this.#work, this.#said, make("p", { class: "hint", text: HINT }));
    this.#show();
    this.#look();
    byId("new-part").addEventListener("toggle", () => this.#look());
  }

  get #isWritten() {
    return this.#from.field.value === WRITTEN;
  }

  get #lines() {
    const lines = this.#texts.value.split("\n").map((line) => line.trim());
    return [...new Set(lines.filter((line) => line !== ""))];
  }

  #show() {
    this.#manner.hidden = this.#isWritten;
    this.#manner.required = !this.#isWritten;
    this.#texts.hidden = !this.#isWritten;
    this.#count();
  }

  /** It is said how many texts are still needed. */
  #count() {
    const n = this.#lines.length;
    const isEnough = n >= this.#fewest;
    const fault = `${n} different texts, ${this.#fewest} are needed`;
    this.#texts.setCustomValidity(!this.#isWritten || isEnough ? "" : fault);
    this.#counted.textContent = !this.#isWritten ? "" : isEnough ? `${n} texts` : fault;
  }

  #begin() {
    const what = this.#isWritten ? { texts: this.#lines } : { describe: this.#manner.value.trim() };
    this.#ask(this.#service.add({ name: this.#name.value.trim(), ...what }));
  }

  #cancel() {
    this.#say("It is being stopped …");
    this.#ask(this.#service.cancelAddition(this.#running));
  }

  #look() {
    clearTimeout(this.#timer);
    this.#ask(this.#service.addition());
  }

  /** Shows what the service answers, and looks again while something is added: it may have been
   * begun before the page was loaded, or elsewhere. */
  async #ask(answer) {
    try {
      this.#tell(await answer);
    } catch (error) {
      if (error instanceof Refused) this.#say(error.message);
      else if (!(error instanceof Gone)) throw error;
    }
    clearTimeout(this.#timer);
    if (this.#running !== null) this.#timer = setTimeout(() => this.#look(), OFTEN);
  }

  /** What is said already is not read out once more. */
  #say(text) {
    if (this.#said.textContent !== text) this.#said.textContent = text;
  }

  #tell({ name, status, part, progress, seconds_left, error }) {
    const wasRunning = this.#running;
    this.#running = status === "running" ? name : null;
    this.#work.hidden = this.#running === null;
    this.#adds.disabled = this.#running !== null;
    if (this.#running !== null) {
      this.#bar.value = progress;
      this.#say(`${name}: ${TOLD[part] ?? "it begins"}${leftSaid(seconds_left)}`);
      return;
    }
    if (wasRunning === null) return;
    const said = { added: `${name} is there: move its slider.`, cancelled: `${name} is not added.` };
    this.#say(said[status] ?? `${name} is not added: ${error}`);
    if (status !== "added") return;
    this.#form.reset();
    this.#show();
    this.#added();
  }
}

function leftSaid(seconds) {
  if (seconds === null) return "";
  return seconds < 60 ? ", about a minute left" : `, about ${Math.ceil(seconds / 60)} minutes left`;
}

const MANNER = "The manner of one who feels it, as in: warm, unhurried, at peace";
const HINT =
  "It is measured beside the answers, which takes minutes. Texts serve better than a description " +
  "where the model is small, which may only echo the words.";
