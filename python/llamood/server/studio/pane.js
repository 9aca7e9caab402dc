/** A conversation with the model: what was said, and how the last answer came about. */

import { Answer } from "./answer.js";
import { Curves } from "./curves.js";
import { make, oncePerFrame, shown } from "./dom.js";
import { Gone } from "./service.js";

const TELLING = 100; // milliseconds; tokens that came within fewer say nothing of a speed

export class Pane {
  element;

  #service;
  #emotions;
  #colours;
  #messages = []; // of the conversation, as the service takes them
  #before = []; // the same, before the last question
  #session = true; // its name; true where none has begun
  #log = make("ol", { class: "log" });
  #curves;
  #token = make("input", { type: "range", min: 0, max: 0, value: 0 });
  #table = make("table");
  #details = make("details", { toggle: () => this.#tabulate() });
  #told = null; // the token whose figures are shown
  #said = make("p", { class: "hint" });
  #answer = null;
  #stopping = new AbortController();
  #asked = ""; // the last question
  #mood = null; // that it was asked in, as the service takes it
  #title;
  #show = oncePerFrame(() => this.#showLast());

  /** `emotions`: `[{id, colour}]`; `said`: called with the number of each token and with what is
   * told of it, null at the end. */
  constructor({ service, emotions, title, said = () => {} }) {
    this.#service = service;
    this.#emotions = emotions;
    this.#colours = Object.fromEntries(emotions.map(({ id, colour }) => [id, colour]));
    this.#curves = new Curves(emotions);
    this.said = said;
    this.#token.addEventListener("input", () => this.#meant(this.#token.valueAsNumber));
    this.#curves.canvas.addEventListener("pointermove", (event) =>
      this.#meant(this.#curves.tokenAt(event)),
    );
    this.#log.addEventListener("pointerover", ({ target }) => {
      const index = this.#answer?.tokenAt(target) ?? -1;
      if (index >= 0) this.#meant(index);
    });
    this.element = make(
      "section",
      { class: "pane" },
      this.#log,
      make("div", { class: "figures" }, ...this.#figures()),
    );
    this.#figuresShown(false);
    this.title = title;
  }

  get title() {
    return this.#title;
  }

  set title(title) {
    this.#title = title;
    this.element.setAttribute("aria-label", title);
  }

  get isSpeaking() {
    return this.#answer !== null && this.#answer.element.hasAttribute("aria-busy");
  }

  /** The question of the last answer, "" where there is none. */
  get asked() {
    return this.#asked;
  }

  /** Ask, and let the answer grow. `how`: the rest of the request; `remembers`: whether what was
   * said before belongs to it; `system`: what it is told to be. Gives the answer's text once it is
   * over, null where it was stopped; raises what the service refused with, after telling of it. */
  async ask(text, { system = "", remembers, ...how }) {
    if (this.isSpeaking) this.#remember(this.#answer);
    this.stop();
    if (!remembers) this.#messages = [];
    this.#before = [...this.#messages];
    this.#asked = text;
    this.#mood = how.mood;
    const answer = new Answer(this.#colours);
    const question = make("p", { class: "question", text });
    const item = make("li", {}, question, answer.face.element, answer.element);
    this.#log.append(item);
    this.#answer = answer;
    this.#figuresShown(true);
    const told = system ? [{ role: "system", content: system }] : [];
    const messages = [...told, ...this.#messages, { role: "user", content: text }];
    const request = { ...how, messages, readings: true, llamood: { session: this.#session } };
    this.#stopping = new AbortController();
    const { signal } = this.#stopping;
    try {
      await this.#listenInSession(request, answer, signal);
    } catch (error) {
      item.append(make("p", { class: "fault", text: faultOf(error, signal) }));
      if (!signal.aborted) throw error;
    } finally {
      answer.end();
      if (this.#answer === answer && answer.tokens.length === 0) this.#figuresShown(false);
      if (this.#answer === answer) this.#remember(answer);
    }
    return signal.aborted ? null : answer.text;
  }

  /** Whether that is the mood of the last question. */
  hasAnsweredIn(mood) {
    return JSON.stringify(mood) === JSON.stringify(this.#mood);
  }

  /** Ask the same again, in place of the last answer. */
  again(how) {
    this.stop();
    this.#answer = null;
    this.#log.lastElementChild?.remove();
    this.#messages = [...this.#before];
    return this.ask(this.#asked, how);
  }

  stop() {
    this.#stopping.abort();
  }

  /** Bring the last question to the top of what is seen. */
  reveal() {
    this.#log.lastElementChild?.scrollIntoView({ block: "start" });
  }

  /** As if nothing had been said. */
  forget() {
    this.stop();
    this.#messages = [];
    this.#before = [];
    this.#session = true;
    this.#log.replaceChildren();
    this.#answer = null;
    this.#asked = "";
    this.said(null);
    this.#figuresShown(false);
  }

  /** It is over, and what was said of it stays. */
  #remember({ text }) {
    this.said(null);
    if (text === "") return;
    const question = { role: "user", content: this.#asked };
    this.#messages.push(question, { role: "assistant", content: text });
  }

  /** In the session of the conversation, in a new one where the service has forgotten it. */
  async #listenInSession(request, answer, signal) {
    try {
      await this.#listen(request, answer, signal);
    } catch (error) {
      if (error.code !== "session_not_found") throw error;
      await this.#listen({ ...request, llamood: { session: true } }, answer, signal);
    }
  }

  async #listen(request, answer, signal) {
    const began = performance.now();
    let first = 0;
    for await (const { choices, llamood } of this.#service.chat(request, signal)) {
      signal.throwIfAborted(); // more may have come before it was stopped
      this.#session = llamood?.session ?? this.#session;
      if (choices.length === 0 || !llamood?.asked) continue;
      this.#tellGuard(answer, llamood.guard);
      first ||= performance.now();
      const text = choices[0].delta.content ?? "";
      answer.add({ text, ...llamood });
      this.said(answer.tokens.length - 1, llamood);
      this.#show();
    }
    this.#say(answer.tokens.length, first - began, performance.now() - first);
  }

  /** What the guard did about an answer that collapsed, under it, in its own words. */
  #tellGuard(answer, guard) {
    if (!guard) return;
    if (answer.element.nextElementSibling?.className !== "guard hint") {
      answer.element.after(make("p", { class: "guard hint", role: "status" }));
    }
    answer.element.nextElementSibling.textContent = guard.words;
  }

  #say(n, before, during) {
    const speed = during >= TELLING ? `, ${Math.round(((n - 1) / during) * 1000)} a second` : "";
    this.#said.textContent = `${n} tokens${speed}; the first after ${Math.round(before)} ms`;
  }

  // -- how the answer came about

  #figures() {
    const label = make("label", { class: "field scrub" }, "token", this.#token);
    this.#details.append(make("summary", { text: "Figures" }), label, this.#table);
    return [legend(this.#emotions), this.#curves.canvas, this.#said, this.#details];
  }

  #figuresShown(are) {
    this.element.querySelector(".figures").hidden = !are;
    this.#said.textContent = "";
  }

  #showLast() {
    const { tokens } = this.#answer ?? { tokens: [] };
    if (tokens.length === 0) return;
    this.#token.max = tokens.length - 1;
    this.#token.value = tokens.length - 1;
    this.#curves.show(tokens, -1);
    this.#tell(tokens, tokens.length - 1);
  }

  #meant(token) {
    const tokens = this.#answer?.tokens ?? [];
    const index = Math.min(Math.max(token, 0), tokens.length - 1);
    if (index < 0) return;
    this.#token.value = index;
    this.#answer.mark(index);
    this.#curves.show(tokens, index);
    this.#tell(tokens, index);
  }

  #tell(tokens, index) {
    const { text, mood, reading } = tokens[index];
    const [what, figures] = reading ? ["read", reading] : ["applied", mood];
    const parts = Object.entries(figures).map(([name, value]) => `${name} ${shown(value)}`);
    const said = parts.join(", ") || "nothing";
    this.#token.setAttribute("aria-valuetext", `${text.trim()}: ${what} ${said}`);
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

function faultOf(error, signal) {
  if (signal.aborted) return "stopped";
  if (error instanceof Gone) return "cut off: the service went away";
  if (error.code === "context_length_exceeded") return `${error.message}; begin a new chat, or ask less`;
  return error.message;
}

function legend(emotions) {
  const names = emotions.map(({ id, colour }) =>
    make("li", { text: id, style: { "--c": colour } }),
  );
  const kinds = ["asked", "applied"].map((text) => make("li", { class: text, text }));
  return make("ul", { class: "legend", "aria-label": "Colours" }, ...names, ...kinds);
}
