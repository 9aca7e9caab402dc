/** Several characters, each with its own words of who it is, its own mood and conversation. */

import { make } from "./dom.js";
import { NEUTRAL, described } from "./mood.js";

const MOST = 5; // browsers hold six connections to a service, and one is for what is foreseen
const NAMES = ["Ada", "Bruno", "Chiara", "Dmitri", "Esi"];

export class CastView {
  #root;
  #mood;
  #makePane;
  #characters = [];
  #selected = null;
  #isShown = false;
  #add;

  /** `mood`: what the page edits, which is that of the selected character while this is shown.
   * `makePane`: called with a title; `moods`: of the first characters. */
  constructor(root, { mood, makePane, moods }) {
    this.#root = root;
    this.#mood = mood;
    this.#makePane = makePane;
    this.#add = make("button", { type: "button", text: "Add a character" });
    this.#add.addEventListener("click", () => this.#select(this.#join(NEUTRAL)));
    root.append(make("div", { class: "cast" }), this.#add);
    for (const one of moods) this.#join(one);
    [this.#selected] = this.#characters;
    mood.watch(() => this.#take());
  }

  /** While it is shown, the page edits the mood of its selected character. */
  set isShown(is) {
    this.#isShown = is;
    if (is) this.#select(this.#selected);
  }

  /** Those who are to answer: `[{pane, mood, system}]`. */
  get speakers() {
    return this.#characters.filter(({ listens }) => listens.checked).map(speaker);
  }

  /** Who speaks in this pane; null where it is nobody's. */
  speakerOf(pane) {
    const character = this.#characters.find((one) => one.pane === pane);
    return character ? speaker(character) : null;
  }

  /** Those whose mood is being edited. */
  get edited() {
    return this.#selected === null ? [] : [speaker(this.#selected)];
  }

  /** Who is selected is told to be that; nobody is where nobody is there. */
  tell(system) {
    if (this.#selected !== null) this.#selected.system.value = system;
  }

  #join(mood) {
    const taken = this.#characters.map(({ name }) => name.value);
    const free = NAMES.find((name) => !taken.includes(name)) ?? "Somebody";
    const character = { mood, pane: this.#makePane(free) };
    character.name = make("input", { value: free, "aria-label": "Name", maxlength: 40 });
    character.system = make("textarea", {
      rows: 2,
      "aria-label": `Who ${free} is`,
      placeholder: "Who this is, as a system prompt",
      maxlength: 4000,
    });
    character.listens = make("input", { type: "checkbox", checked: true });
    character.label = make("button", { type: "button", class: "mood" });
    character.element = this.#card(character);
    character.name.addEventListener("input", () => {
      const name = character.name.value;
      character.system.setAttribute("aria-label", `Who ${name} is`);
      character.pane.title = name;
      character.element.setAttribute("aria-label", name);
    });
    this.#characters.push(character);
    this.#root.firstElementChild.append(character.element);
    this.#show();
    return character;
  }

  #card(character) {
    const leave = make("button", {
      type: "button",
      class: "quiet",
      text: "Remove",
      click: () => this.#leave(character),
    });
    character.label.addEventListener("click", () => this.#select(character));
    const listens = make("label", { class: "field" }, character.listens, "Answers");
    const head = make("div", { class: "who" }, character.name, listens, leave);
    const { system, label, pane } = character;
    return make("article", { "aria-label": pane.title }, head, system, label, pane.element);
  }

  #leave(character) {
    character.pane.forget();
    character.element.remove();
    this.#characters = this.#characters.filter((other) => other !== character);
    if (this.#selected === character) this.#select(this.#characters[0] ?? null);
    this.#show();
    this.#add.focus();
  }

  #select(character) {
    this.#selected = character;
    if (character !== null) this.#mood.value = character.mood;
    this.#show();
  }

  #take() {
    if (!this.#isShown || this.#selected === null) return;
    this.#selected.mood = this.#mood.value;
    this.#show();
  }

  #show() {
    for (const character of this.#characters) {
      const isIt = character === this.#selected;
      character.label.textContent = `feels ${described(character.mood)}`;
      character.label.setAttribute("aria-pressed", isIt);
      character.element.classList.toggle("selected", isIt);
    }
    this.#add.disabled = this.#characters.length >= MOST;
  }
}

const speaker = ({ pane, mood, system }) => ({ pane, mood, system: system.value.trim() });
