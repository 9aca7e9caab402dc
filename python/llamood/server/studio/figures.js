/** How the last answer of a conversation came about: its curves, and the figures of a token. */

import { meaningOf } from "./colours.js";
import { Curves } from "./curves.js";
import { make, shown } from "./dom.js";

export class Figures {
  element;

  #emotions;
  #legend;
  #curves;
  #token = make("input", { type: "range", min: 0, max: 0, value: 0 });
  #table = make("table");
  #details = make("details", { toggle: () => this.#tabulate() });
  #told = null; // the token whose figures are shown
  #said = make("p", { class: "hint counts" });
  #meaning = make("p", { class: "hint meaning" });

  /** `emotions`: `[{id, colour}]`; `meant`: called with the number of the token that is pointed at. */
  constructor({ emotions, meant }) {
    this.#emotions = emotions;
    this.#curves = new Curves(emotions);
    this.#token.addEventListener("input", () => meant(this.#token.valueAsNumber));
    this.#curves.canvas.addEventListener("pointermove", (event) => meant(this.#curves.tokenAt(event)));
    const label = make("label", { class: "field scrub" }, "token", this.#token);
    this.#details.append(make("summary", { text: "Figures" }), this.#table);
    this.#legend = legend(emotions);
    const parts = [this.#legend, this.#curves.canvas, label, this.#meaning, this.#said, this.#details];
    this.element = make("div", { class: "figures" }, ...parts);
    this.areShown = false;
  }

  /** There are more emotions now. */
  renew() {
    const now = legend(this.#emotions);
    this.#legend.replaceWith(now);
    this.#legend = now;
  }

  set areShown(are) {
    this.element.hidden = !are;
    this.#said.textContent = "";
  }

  /** In words, under the curves. */
  say(text) {
    this.#said.textContent = text;
  }

  /** The figures of one of these tokens; where it is the last, no cursor stands there. */
  show(tokens, index) {
    const isLast = index === tokens.length - 1;
    this.#token.max = tokens.length - 1;
    this.#token.value = index;
    this.#curves.show(tokens, isLast ? -1 : index);
    this.#tell(tokens, index);
  }

  #tell(tokens, index) {
    const { text, mood, reading } = tokens[index];
    const [what, figures] = reading ? ["read", reading] : ["applied", mood];
    const parts = Object.entries(figures).map(([name, value]) => `${name} ${shown(value)}`);
    const said = parts.join(", ") || "nothing";
    this.#token.setAttribute("aria-valuetext", `${text.trim()}: ${what} ${said}`);
    this.#meaning.textContent = `“${text.trim()}” ${meaningOf(tokens, index, this.#emotions)}`;
    this.#curves.describe(
      `Weights asked and applied, and readings, over ${tokens.length} tokens. At token ` +
        `${index + 1}, ${what}: ${said}.`,
    );
    this.#told = { title: `Token ${index + 1} of ${tokens.length}: “${text.trim()}”`, ...tokens[index] };
    this.#tabulate();
  }

  #tabulate() {
    if (!this.#details.open || this.#told === null) return;
    const { title, asked, mood, reading } = this.#told;
    const columns = { asked, applied: mood, ...(reading ? { read: reading } : {}) };
    const head = ["emotion", ...Object.keys(columns)];
    const rows = this.#emotions.map(({ id }) => {
      const cells = Object.values(columns).map((column) => shown(column?.[id] ?? 0));
      const header = make("th", { scope: "row", text: id });
      return make("tr", {}, header, ...cells.map((text) => make("td", { text })));
    });
    this.#table.replaceChildren(
      make("caption", { text: title }),
      make("thead", {}, make("tr", {}, ...head.map((text) => make("th", { scope: "col", text })))),
      make("tbody", {}, ...rows),
    );
  }
}

function legend(emotions) {
  const names = emotions.map(({ id, colour }) =>
    make("li", { text: id, style: { "--c": colour } }),
  );
  const kinds = ["asked", "applied"].map((text) => make("li", { class: text, text }));
  return make("ul", { class: "legend", "aria-label": "Colours" }, ...names, ...kinds);
}
