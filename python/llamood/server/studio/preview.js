/** What the mood being edited would ask for, and get, at each token: as the service works it out. */

import { onceQuiet } from "./dom.js";
import { written } from "./mood.js";
import { Observable } from "./observable.js";

const WAIT = 60; // milliseconds without a change

export class Preview {
  /** `{emotions, asked, applied, notices}`, tables of a row a token; null until there is one. */
  rows = new Observable(null);
  /** Why there is none, "" where there is. */
  fault = new Observable("");

  #service;
  #mood;
  #length = 64;
  #asking = new AbortController();
  #ask;

  constructor({ service, mood }) {
    this.#service = service;
    this.#mood = mood;
    this.#ask = onceQuiet(() => this.#fetch(), WAIT);
    mood.watch(() => this.#ask());
  }

  get length() {
    return this.#length;
  }

  set length(tokens) {
    this.#length = tokens;
    this.#ask();
  }

  /** The same for some who watch its rows together, until `end` is called. */
  branch() {
    const [trunk, rows] = [this, this.rows.branch()];
    return {
      rows,
      get length() {
        return trunk.length;
      },
      set length(tokens) {
        trunk.length = tokens;
      },
      end: () => rows.end(),
    };
  }

  /** Ask anew, as the service may be another now. */
  again() {
    this.#ask();
  }

  async #fetch() {
    this.#asking.abort();
    this.#asking = new AbortController();
    const { signal } = this.#asking;
    try {
      this.rows.value = await this.#service.rows(written(this.#mood.value), this.#length, signal);
      this.fault.value = "";
    } catch (error) {
      if (!signal.aborted) this.fault.value = error.message;
    }
  }
}
