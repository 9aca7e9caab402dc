/** The tokens of an answer under the picture of a schedule, each at its place. */

import { REACH, expressed } from "./colours.js";
import { make, oncePerFrame, rounded } from "./dom.js";

export class ScheduleText {
  element = make("div", { class: "schedule-text", "aria-hidden": "true" });

  #colours; // emotion -> colour
  #tokens = [];
  #n = 0; // of the tokens, how many are shown
  #length = 0; // how many there is room for
  #show = oncePerFrame(() => this.#append());

  constructor(colours) {
    this.#colours = colours;
  }

  /** There is room for so many tokens, over the whole width. */
  set length(tokens) {
    this.#length = tokens;
    this.element.style.setProperty("--n", tokens);
    this.#begin();
  }

  /** Of this answer, which may be the one of before and longer now. */
  tell(tokens) {
    const isOther = tokens !== this.#tokens;
    this.#tokens = tokens;
    if (isOther) this.#begin();
    else this.#show();
  }

  #begin() {
    this.#n = 0;
    this.element.replaceChildren();
    this.#show();
  }

  /** The colours of the last ones may be others with those after them. */
  #append() {
    const begin = Math.max(this.#n - REACH - 1, 0);
    while (this.element.children.length > begin) this.element.lastChild.remove();
    this.#n = Math.min(this.#tokens.length, this.#length);
    for (let i = begin; i < this.#n; i++) this.element.append(this.#token(i));
  }

  #token(index) {
    const felt = expressed(this.#tokens, index);
    const text = this.#tokens[index].text.replace(/\s+/g, " ");
    const strength = felt === null ? 0 : felt.strength * 100;
    const colour = this.#colours[felt?.name] ?? "transparent";
    return make("span", { text, style: { "--c": colour, "--strength": `${rounded(strength, 0)}%` } });
  }
}
