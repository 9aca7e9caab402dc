/** Where a question is written, and how its answers are to be drawn. */

import { byId, clamp, make } from "./dom.js";

// Fields whose name is that of the API with - for _. Empty ones are left to the service.
const LEFT_OUT = ["top_p", "top_k", "min_p", "repeat_penalty", "presence_penalty", "frequency_penalty", "max_tokens"];
const WHOLE = ["seed", "top_k", "max_tokens"];

const MOST_SUGGESTED = 8;
const MOST_STOPS = 4; // as OpenAI has it
const ANY = ["How was your day?", "Tell me a story in five sentences.", "What should I do tomorrow?"];

export class Composer {
  #form = byId("composer");
  #text = byId("question");
  #seed = byId("seed");
  #stop = byId("stop-texts");
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
    const given = ["seed", "temperature", ...LEFT_OUT.filter((name) => fieldOf(name).value !== "")];
    const stop = this.#stop.value.split("\n").filter((text) => text !== "").slice(0, MOST_STOPS);
    return {
      ...Object.fromEntries(given.map((name) => [name, within(name)])),
      ...(stop.length === 0 ? {} : { stop }),
      remembers: this.#remembers.checked,
    };
  }

  /** Fields show what is used. */
  #settle() {
    for (const [name, value] of Object.entries(this.how)) {
      if (Number.isFinite(value)) fieldOf(name).value = value;
    }
  }

  /** A question that was refused is there again, with the reason. */
  giveBack(text, why) {
    this.#text.value = text;
    byId("unheard").textContent = why;
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

const fieldOf = (name) => byId(name.replaceAll("_", "-"));

function within(name) {
  const { valueAsNumber, min, max } = fieldOf(name);
  const value = clamp(valueAsNumber || 0, Number(min), Number(max));
  return WHOLE.includes(name) ? Math.round(value) : value;
}
