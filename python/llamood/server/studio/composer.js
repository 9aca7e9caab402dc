/** Where a question is written, and how its answers are to be drawn. */

import { byId, clamp, make } from "./dom.js";

const MOST_SUGGESTED = 8;
const ANY = ["How was your day?", "Tell me a story in five sentences.", "What should I do tomorrow?"];

export class Composer {
  #form = byId("composer");
  #text = byId("question");
  #seed = byId("seed");
  #temperature = byId("temperature");
  #length = byId("max-tokens");
  #remembers = byId("remembers");
  #system = byId("system");

  /** `about`: what the service says of itself. `ask`: called with a question, gives whether anybody
   * is there to answer; `again`, `stop` and `afresh`: called without. */
  constructor({ about, ask, again, stop, afresh }) {
    this.#remembers.checked = about.context >= 1024;
    const heard = (text) => {
      const isHeard = ask(text);
      byId("unheard").textContent = isHeard ? "" : "Nobody is to answer.";
      return isHeard;
    };
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      const text = this.draft;
      if (text !== "" && heard(text)) this.#text.value = "";
    });
    this.#form.addEventListener("change", () => this.#settle());
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
    const questions = about.questions.length > 0 ? about.questions : ANY;
    const suggested = questions.slice(0, MOST_SUGGESTED).map((text) =>
      make("button", { type: "button", text, click: () => heard(text) }),
    );
    byId("suggestions").replaceChildren(...suggested);
    this.isSpeaking = false;
  }

  /** What of a request is decided here: within what the service takes, whatever was written. */
  get how() {
    return {
      seed: Math.round(within(this.#seed)),
      temperature: within(this.#temperature),
      ...(this.#length.value === "" ? {} : { max_tokens: Math.round(within(this.#length)) }),
      remembers: this.#remembers.checked,
    };
  }

  /** Fields show what is used. */
  #settle() {
    const { seed, temperature, max_tokens } = this.how;
    this.#seed.value = seed;
    this.#temperature.value = temperature;
    this.#length.value = max_tokens ?? "";
  }

  /** What the model is told to be, "" for nothing. */
  get system() {
    return this.#system.value.trim();
  }

  set system(text) {
    this.#system.value = text;
    if (text !== "") byId("drawing").open = true;
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
}

const within = ({ valueAsNumber, min, max }) => clamp(valueAsNumber || 0, Number(min), Number(max));
