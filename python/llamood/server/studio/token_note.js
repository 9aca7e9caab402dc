/** A note beside a token while it is pointed at. */

import { clamp, make } from "./dom.js";

const FAR = 6; // pixels between them

export class TokenNote {
  #element = make("div", { class: "note", role: "tooltip", hidden: true });
  #token = null;

  constructor() {
    document.body.append(this.#element);
    document.addEventListener("keydown", ({ key }) => {
      if (key === "Escape") this.hide();
    });
    document.addEventListener("scroll", () => this.#place(), { capture: true, passive: true });
  }

  show(token, text) {
    this.#element.textContent = text;
    this.#element.hidden = false;
    this.#token = token;
    this.#place();
  }

  hide() {
    this.#element.hidden = true;
    this.#token = null;
  }

  /** Above the token, or below it where there is no room; nowhere once the token is gone. */
  #place() {
    if (this.#token === null) return;
    const [at, own] = [this.#token, this.#element].map((one) => one.getBoundingClientRect());
    const { clientWidth, clientHeight } = document.documentElement;
    if (at.height === 0 || at.bottom < 0 || at.top > clientHeight) {
      this.hide();
      return;
    }
    const above = at.top - own.height - FAR;
    this.#element.style.setProperty("--top", `${above >= 0 ? above : at.bottom + FAR}px`);
    this.#element.style.setProperty("--left", `${clamp(at.left, 0, clientWidth - own.width)}px`);
  }
}
