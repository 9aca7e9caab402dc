/** One answer as it grows: its tokens, and its text coloured by what each of them expresses. */

import { REACH, expressed } from "./colours.js";
import { make, oncePerFrame, rounded } from "./dom.js";
import { Face } from "./face.js";
import { Rendered } from "./rendered.js";

export class Answer {
  /** `[{text, asked, mood, reading, score, face, valence, arousal}]`: the weights asked and applied,
   * what was read of the answer up to there, and of the token before it alone, and its face. */
  tokens = [];
  element = make("div", { class: "answer", "aria-busy": "true" });
  face; // what it expresses, as a picture

  #colours; // emotion -> colour
  #rendered = new Rendered(this.element, (token, element) => this.#colour(token, [element]));
  #n = 0; // tokens that are shown
  #write = oncePerFrame(() => this.#append());
  #marked = -1;
  #told = ""; // all that the guard has said of this answer
  #untold = ""; // what of it is new, until there is a token to be told at

  constructor(colours) {
    this.#colours = colours;
    this.face = new Face(colours);
  }

  /** Whether anything is known of how it came about. */
  get isRead() {
    return this.tokens.some(({ asked }) => Object.keys(asked).length > 0);
  }

  get text() {
    return this.tokens.map(({ text }) => text).join("");
  }

  /** What the guard did is told at the first token after it that can be seen. The guard says with
   * each token all that it did so far. */
  add(token) {
    const words = token.guard?.words ?? "";
    const news = words.startsWith(this.#told) ? words.slice(this.#told.length) : words;
    if (words !== "") this.#told = words;
    const guard = `${this.#untold} ${news}`.trim();
    const isSeen = token.text.trim() !== "";
    this.#untold = isSeen ? "" : guard;
    this.tokens.push({ ...token, guard: isSeen ? guard : "" });
    this.#write();
  }

  /** What the guard did in the end, in its words; null where nothing is left to be told. */
  get untold() {
    return this.#untold || null;
  }

  /** More is to come, after it had ended. */
  goOn() {
    this.element.setAttribute("aria-busy", true);
  }

  end() {
    this.#append();
    this.#rendered.end();
    this.element.removeAttribute("aria-busy");
  }

  /** Show which token is meant, -1 for none. */
  mark(index) {
    this.#rendered.placesOf(this.#marked).forEach((one) => one.classList.remove("marked"));
    this.#marked = index;
    this.#rendered.placesOf(index).forEach((one) => one.classList.add("marked"));
  }

  /** The token at a point of the page, -1 where there is none. */
  tokenAt(target) {
    return this.#rendered.tokenOf(target);
  }

  /** What a token expresses is known with the next one, and the colours of those near it with
   * those after. */
  #append() {
    const n = this.#n;
    const fresh = this.tokens.slice(n);
    if (fresh.length === 0) return;
    this.#n = this.tokens.length;
    this.#rendered.add(fresh.map(({ text }) => text));
    this.face.show(this.tokens.at(-1));
    for (let i = Math.max(n - REACH - 1, 0); i < n; i++) this.#colour(i, this.#rendered.placesOf(i));
  }

  #colour(index, elements) {
    const { guard } = this.tokens[index];
    const [first] = this.#rendered.placesOf(index);
    const felt = expressed(this.tokens, index);
    for (const element of elements) {
      if (guard && element === first) element.dataset.guard = guard;
      element.classList.toggle("felt", felt !== null);
      if (felt === null) continue;
      element.style.setProperty("--c", this.#colours[felt.name] ?? "transparent");
      element.style.setProperty("--strength", `${rounded(felt.strength * 100, 0)}%`);
    }
  }
}
