/** Moods with names: some that come with the page, and those that are kept in this browser. */

import { recalled, stored } from "./browser_store.js";
import { byId, make } from "./dom.js";
import { NEUTRAL, readFrom, restored, withAffect, withIntensity, withKeys, within } from "./mood.js";

const STORE = "llamood.presets";

export class Presets {
  #mood;
  #emotions;
  #kept;
  #given;
  #offered = null; // what the personality that was chosen last is told to be, or null

  /** `emotions`: `[{id, ceiling}]`, of which there may be more later; `personalities`: `[{name, about, mood, system}]`, of which
   * those are shown whose emotions there are. `tell`: called with what the model is to be told that
   * it is, once somebody who chose a personality takes that, too. */
  constructor({ emotions, mood, personalities, tell }) {
    this.#mood = mood;
    this.#emotions = emotions;
    const names = this.#names;
    this.#given = [...builtIn(names), ...characters(personalities, names)];
    byId("tell").addEventListener("click", () => {
      tell(this.#offered);
      this.#offer(null);
    });
    this.#kept = this.#read();
    byId("keep").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#keep(byId("preset-name"));
    });
    addEventListener("storage", ({ key }) => {
      if (key !== STORE) return; // another tab kept or forgot one
      this.#kept = this.#read();
      this.#show();
    });
    this.#show();
  }

  get #names() {
    return this.#emotions.map(({ id }) => id);
  }

  #keep(field) {
    const name = field.value.trim();
    if (name === "") return;
    const others = this.#kept.filter((preset) => preset.name !== name);
    this.#write([...others, { name, mood: this.#mood.value }]);
    field.value = "";
  }

  #drop(name) {
    this.#write(this.#kept.filter((preset) => preset.name !== name));
    byId("preset-name").focus();
  }

  #write(kept) {
    this.#kept = kept;
    stored(STORE, kept);
    this.#show();
  }

  #read() {
    const kept = recalled(STORE);
    if (!Array.isArray(kept)) return [];
    const named = kept.filter((preset) => typeof preset?.name === "string");
    return named.map(({ name, mood }) => ({ name, mood: restored(mood, this.#names) }));
  }

  #show() {
    const own = this.#kept.map(({ name, mood }) => {
      const drop = make("button", {
        type: "button",
        class: "quiet",
        text: "×",
        "aria-label": `delete ${name}`,
        click: () => this.#drop(name),
      });
      return make("li", {}, this.#button(name, mood), drop);
    });
    const given = this.#given.map(([name, mood, , about, system]) =>
      make("li", {}, this.#button(name, mood, about, system)),
    );
    byId("presets").replaceChildren(...given, ...own);
  }

  #button(name, mood, title, system = null) {
    const click = () => {
      this.#mood.value = within(mood, this.#emotions);
      this.#offer(system);
    };
    return make("button", { type: "button", text: name, title, click });
  }

  #offer(system) {
    this.#offered = system;
    byId("offer").hidden = system === null;
    byId("offered").textContent = system ?? "";
  }
}

/** Those of the page, as far as there are such emotions. */
function builtIn(names) {
  const all = [
    ["glad", withIntensity(NEUTRAL, "joy", 1), ["joy"]],
    ["furious", withIntensity(NEUTRAL, "anger", 1), ["anger"]],
    ["bittersweet", withIntensity(withIntensity(NEUTRAL, "joy", 0.6), "sadness", 0.6), ["joy", "sadness"]],
    ["dread rising", withKeys(NEUTRAL, "fear", [[0, 0], [24, 1]]), ["fear"]],
    [
      "joy turns to anger",
      withKeys(withKeys(NEUTRAL, "joy", [[0, 1], [12, 1], [16, 0]]), "anger", [[12, 0], [16, 1]]),
      ["joy", "anger"],
    ],
    ["serene", withAffect(NEUTRAL, Object.freeze({ valence: 0.7, arousal: -0.4 })), []],
  ];
  return all.filter(([, , needed]) => needed.every((name) => names.includes(name)));
}

/** Those of the service. */
function characters(personalities, names) {
  const all = personalities.map(({ name, mood, about, system }) => {
    return [name, readFrom(mood, names), [], about, system];
  });
  return all.filter(([, mood]) => mood !== null);
}
