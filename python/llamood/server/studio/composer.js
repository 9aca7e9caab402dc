/** Where a question is written, and how its answers are to be drawn. */

import { byId, make } from "./dom.js";

const MOST_SUGGESTED = 8;

export class Composer {
  #form = byId("composer");
  #text = byId("question");
  #seed = byId("seed");
  #temperature = byId("temperature");
  #length = byId("max-tokens");
  #remembers = byId("remembers");

  /** `about`: what the service says of itself. `ask`: called with a question; `again`,
   * `stop` and `afresh` without. */
  constructor({ about, ask, again, stop, afresh }) {
    this.#remembers.checked = about.context >= 1024;
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      const text = this.#text.value.trim();
      if (text === "") return;
      this.#text.value = "";
      ask(text);
    });
    this.#text.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#form.requestSubmit();
    });
    byId("again").addEventListener("click", again);
    byId("stop").addEventListener("click", stop);
    byId("afresh").addEventListener("click", afresh);
    byId("dice").addEventListener("click", () => {
      this.#seed.value = Math.floor(Math.random() * 10_000);
      again();
    });
    const suggested = about.questions.slice(0, MOST_SUGGESTED).map((text) =>
      make("button", { type: "button", text, click: () => ask(text) }),
    );
    byId("suggestions").replaceChildren(...suggested);
    this.isSpeaking = false;
  }

  /** What of a request is decided here. */
  get how() {
    return {
      seed: this.#seed.valueAsNumber || 0,
      temperature: Math.max(this.#temperature.valueAsNumber || 0, 0),
      max_tokens: Math.max(this.#length.valueAsNumber || 1, 1),
      remembers: this.#remembers.checked,
    };
  }

  /** What is being written, "" where nothing is. */
  get draft() {
    return this.#text.value.trim();
  }

  get isLive() {
    return byId("live").checked;
  }

  set isSpeaking(is) {
    byId("stop").disabled = !is;
    document.body.classList.toggle("speaking", is);
  }

  focus() {
    this.#text.focus();
  }
}
