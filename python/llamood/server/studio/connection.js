/** Whether the service answers, and what is said where it does not. */

import { byId } from "./dom.js";
import { Gone } from "./service.js";

const OFTEN = 1000; // milliseconds between looks while it is gone
const SELDOM = 5000; // and while it is there

export class Connection {
  #service;
  #back;
  #isGone = false;
  #timer = 0;

  /** `back`: called when it answers again; it may raise `Gone`, and is called once more then. */
  constructor({ service, back }) {
    this.#service = service;
    this.#back = back;
    this.#later();
    document.addEventListener("visibilitychange", () => this.#later());
  }

  /** It did not answer. */
  lost() {
    this.#set(true);
    this.#later();
  }

  #later() {
    clearTimeout(this.#timer);
    if (document.hidden) return;
    this.#timer = setTimeout(() => this.#look(), this.#isGone ? OFTEN : SELDOM);
  }

  async #look() {
    const wasGone = this.#isGone;
    this.#set(!(await this.#service.isReady()));
    this.#later();
    if (!wasGone || this.#isGone) return;
    try {
      await this.#back();
    } catch (error) {
      if (!(error instanceof Gone)) throw error;
      this.lost();
    }
  }

  #set(isGone) {
    this.#isGone = isGone;
    byId("gone").hidden = !isGone;
  }
}

/** Waits until the service is ready, and says so meanwhile. */
export async function untilReady(service) {
  while (!(await service.isReady())) {
    byId("loading").hidden = false;
    await new Promise((resolve) => setTimeout(resolve, OFTEN / 2));
  }
  byId("loading").hidden = true;
}
