/** What the mood being edited would ask for, and get, at each token: as the service works it out. */

import { onceQuiet } from "./dom.js";
import { written } from "./mood.js";
import { Observable } from "./observable.js";

const WAIT = 60; // milliseconds without a change

export class Preview {
  /** `{emotions, asked, applied, notices, drawn}`, tables of a row a token, and of the emotion that is
   * drawn, `{name, weights}` as its schedule alone would have it; null until there is one. */
  rows = new Observable(null);
  /** Why there is none, "" where there is. */
  fault = new Observable("");

  #service;
  #mood;
  #length = 64;
  #drawn = ""; // the emotion that is drawn
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

  /** Tell of this emotion what its schedule alone comes to. */
  draw(name) {
    this.#drawn = name;
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
      draw: (name) => trunk.draw(name),
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
    const mood = written(this.#mood.value);
    const name = this.#drawn;
    const alone = mood[name] === undefined ? {} : { [name]: mood[name] };
    const rowsOf = (one) => this.#service.rows(one, this.#length, signal);
    const isAlone = Object.keys(mood).length === Object.keys(alone).length;
    try {
      const all = rowsOf(mood);
      const [rows, own] = await Promise.all([all, isAlone ? all : rowsOf(alone)]);
      const at = own.emotions.indexOf(name);
      const drawn = { name, weights: own.asked.map((row) => row[at]) };
      this.rows.value = { ...rows, drawn };
      this.fault.value = "";
    } catch (error) {
      if (!signal.aborted) this.fault.value = error.message;
    }
  }
}
