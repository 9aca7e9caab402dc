/** A question and its answer, as they are shown, and what can be done with each. */

import { Answer } from "./answer.js";
import { copyButton } from "./clipboard.js";
import { make } from "./dom.js";

export class Turn {
  element;
  question;
  mood; // that it was asked in, as the service takes it
  answer;

  #colours;
  #acts;
  #asked = make("div", { class: "asked" });
  #said = make("div", { class: "said" });
  #goOn;

  /** `acts`: what is called with the turn: `ask` to ask its question, which may be another now;
   * `retry`; `goOn` with its answer; `changed` where the answer was edited. */
  constructor({ question, mood, colours, acts }) {
    this.question = question;
    this.mood = mood;
    this.#colours = colours;
    this.#acts = acts;
    this.#goOn = this.#button("Continue", "continue this answer", () => acts.goOn(this));
    this.element = make("li", {}, this.#asked, this.#said);
    this.#showQuestion();
    this.renew();
  }

  /** Another answer, of which nothing is said yet. */
  renew() {
    this.answer = new Answer(this.#colours);
    const { answer } = this;
    const copy = copyButton({
      label: "copy this answer",
      text: () => answer.text,
      shown: () => answer.element,
    });
    const edit = this.#button("Edit", "edit this answer", () => this.#editAnswer());
    const retry = this.#button("Retry", "retry this answer", () => this.#acts.retry(this));
    const actions = make("div", { class: "actions" }, this.#goOn, copy, edit, retry);
    this.#goOn.hidden = true;
    this.#said.replaceChildren(answer.face.element, answer.element, actions);
  }

  /** The answer goes on from where it is. */
  goOn() {
    this.#ended()?.remove();
    this.#goOn.hidden = true;
    this.answer.goOn();
  }

  /** It is over. `why`: why before its end, null where it has one; `isFault`: whether something
   * went wrong; `goesOn`: whether there is a way on from there. */
  end({ why = null, isFault = false, goesOn = false } = {}) {
    this.answer.end();
    this.#ended()?.remove();
    if (why !== null) {
      const kind = isFault ? "fault" : "hint cut";
      this.#said.lastElementChild.before(make("p", { class: `ended ${kind}`, text: why }));
    }
    this.#goOn.hidden = !goesOn || this.answer.text === "";
  }

  /** What the guard did about an answer that collapsed, under it, in its own words. */
  tellGuard(words) {
    let told = this.#said.querySelector(".guard");
    if (told === null) {
      told = make("p", { class: "guard hint", role: "status" });
      this.answer.element.after(told);
    }
    told.textContent = words;
  }

  #ended() {
    return this.#said.querySelector(":scope > .ended");
  }

  #button(text, label, click) {
    return make("button", { type: "button", class: "quiet", text, "aria-label": label, click });
  }

  #showQuestion() {
    const text = make("p", { class: "question", text: this.question });
    const edit = this.#button("Edit", "edit this question", () => this.#editQuestion());
    this.#asked.replaceChildren(text, make("div", { class: "actions" }, edit));
  }

  #editQuestion() {
    const editor = editorOf({
      text: this.question,
      label: "Question, edited",
      does: "Send again",
      done: (text) => {
        const isAnother = text !== null && text.trim() !== "";
        if (isAnother) this.question = text.trim();
        this.#showQuestion();
        if (isAnother) this.#acts.ask(this);
      },
    });
    this.#asked.replaceChildren(editor);
    editor.elements[0].focus();
  }

  #editAnswer() {
    const { answer } = this;
    const editor = editorOf({
      text: answer.text,
      label: "Answer, edited",
      does: "Save",
      done: (text) => {
        this.#said.hidden = false;
        editor.remove();
        if (text === null || text === answer.text) return;
        this.say(text);
        this.#acts.changed(this);
      },
    });
    this.#said.hidden = true;
    this.element.append(editor);
    editor.elements[0].focus();
  }

  /** The answer is this text, of whose tokens nothing is known. */
  say(text) {
    this.renew();
    this.answer.add({ text, asked: {}, mood: {}, reading: null, score: null });
    this.end({ goesOn: true });
  }
}

/** `done`: called with the text once it is taken, null where it is not. */
function editorOf({ text, label, does, done }) {
  const field = make("textarea", { "aria-label": label, rows: 4, maxlength: 100000 });
  field.value = text;
  const cancel = make("button", { type: "button", class: "quiet", text: "Cancel", click: () => done(null) });
  const form = make("form", { class: "editor" }, field, make("button", { text: does }), cancel);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    done(field.value);
  });
  form.addEventListener("keydown", (event) => {
    if (event.key === "Escape") done(null);
  });
  return form;
}
