/** One answer as it grows: its tokens, and its text coloured by what each of them expresses. */

import { expressed } from "./colours.js";
import { make, oncePerFrame, rounded } from "./dom.js";

export class Answer {
  /** `[{text, asked, mood, reading}]`: the weights asked and applied, and what was read. */
  tokens = [];
  element = make("p", { class: "answer", "aria-busy": "true" });

  #colours; // emotion -> colour
  #spans = [];
  #write = oncePerFrame(() => this.#append());
  #marked = null;

  constructor(colours) {
    this.#colours = colours;
  }

  get text() {
    return this.tokens.map(({ text }) => text).join("");
  }

  add(token) {
    this.tokens.push(token);
    this.#write();
  }

  end() {
    this.#append();
    this.element.removeAttribute("aria-busy");
  }

  /** Show which token is meant, -1 for none. */
  mark(index) {
    this.#marked?.classList.remove("marked");
    this.#marked = this.#spans[index] ?? null;
    this.#marked?.classList.add("marked");
  }

  /** The token at a point of the page, -1 where there is none. */
  tokenAt(target) {
    return this.#spans.indexOf(target);
  }

  #append() {
    const fresh = this.tokens.slice(this.#spans.length).map((token) => this.#span(token));
    this.#spans.push(...fresh);
    this.element.append(...fresh);
  }

  #span(token) {
    const span = make("span", { text: token.text });
    const felt = expressed(token);
    if (felt && this.#colours[felt.name]) {
      span.style.setProperty("--c", this.#colours[felt.name]);
      span.style.setProperty("--strength", `${rounded(felt.strength * 100, 0)}%`);
      span.className = "felt";
    }
    return span;
  }
}
