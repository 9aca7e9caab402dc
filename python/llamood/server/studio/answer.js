/** One answer as it grows: its tokens, and its text coloured by what each of them expresses. */

import { REACH, expressed } from "./colours.js";
import { make, oncePerFrame, rounded } from "./dom.js";
import { Face } from "./face.js";

export class Answer {
  /** `[{text, asked, mood, reading, score, face, valence, arousal}]`: the weights asked and applied,
   * what was read of the answer up to there, and of the token before it alone, and its face. */
  tokens = [];
  element = make("p", { class: "answer", "aria-busy": "true" });
  face; // what it expresses, as a picture

  #colours; // emotion -> colour
  #spans = [];
  #write = oncePerFrame(() => this.#append());
  #marked = null;

  constructor(colours) {
    this.#colours = colours;
    this.face = new Face(colours);
  }

  get text() {
    return this.tokens.map(({ text }) => text).join("");
  }

  add(token) {
    this.tokens.push(token);
    this.#write();
  }

  /** More is to come, after it had ended. */
  goOn() {
    this.element.setAttribute("aria-busy", true);
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

  /** What a token expresses is known with the next one, and the colours of those near it with
   * those after. */
  #append() {
    const n = this.#spans.length;
    const fresh = this.tokens.slice(n).map(({ text }) => make("span", { text }));
    this.#spans.push(...fresh);
    this.element.append(...fresh);
    if (fresh.length > 0) this.face.show(this.tokens.at(-1));
    for (let i = Math.max(n - REACH - 1, 0); i < this.tokens.length; i++) this.#colour(i);
  }

  #colour(index) {
    const felt = expressed(this.tokens, index);
    const span = this.#spans[index];
    span.classList.toggle("felt", felt !== null);
    if (felt === null) return;
    span.style.setProperty("--c", this.#colours[felt.name] ?? "transparent");
    span.style.setProperty("--strength", `${rounded(felt.strength * 100, 0)}%`);
  }
}
