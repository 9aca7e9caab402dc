/** A question and its answer, as they are shown, and what can be done with each. */

import { Answer } from "./answer.js";
import { ONE_WAY } from "./branches.js";
import { copyButton } from "./clipboard.js";
import { make } from "./dom.js";

export class Turn {
  element;
  question;
  mood; // that it was asked in, as the service takes it
  answer;

  #ways = ONE_WAY;
  #colours;
  #acts;
  #asked = make("div", { class: "asked" });
  #said = make("div", { class: "said" });
  #goOn;
  #turner = make("span", { class: "turner", hidden: true });

  /** `acts`: what is called with the turn: `ask`, with another question in place of its own;
   * `retry`; `goOn` with its answer; `turnTo`, with the number of one of its ways; `changed` where
   * the answer was edited. */
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

  /** See `branches.js`; those that are not shown may be records, as below. */
  get ways() {
    return this.#ways;
  }

  set ways(ways) {
    this.#ways = ways;
    this.#turner.hidden = ways.length === 1;
    const at = ways.indexOf(null);
    const step = (text, label, to) => {
      const button = this.#button(text, label, () => this.#acts.turnTo(this, to));
      button.disabled = to < 0 || to >= ways.length;
      return button;
    };
    this.#turner.replaceChildren(
      step("‹", "version before", at - 1),
      make("span", { text: `${at + 1} of ${ways.length}` }),
      step("›", "next version", at + 1),
    );
  }

  /** As it is kept: `{question, answer, mood, ways}`. */
  get record() {
    const { question, answer, mood } = this;
    const ways = this.#ways.map((way) => way && way.map(recordOf));
    return { question, answer: answer.text, mood, ways };
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
    const actions = make("div", { class: "actions" }, this.#turner, this.#goOn, copy, edit, retry);
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
  end({ why = this.answer.untold, isFault = false, goesOn = false } = {}) {
    this.answer.end();
    this.#ended()?.remove();
    if (why !== null) {
      const kind = isFault ? "fault" : "hint cut";
      this.#said.lastElementChild.before(make("p", { class: `ended ${kind}`, text: why }));
    }
    this.#goOn.hidden = !goesOn || this.answer.text === "";
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
        this.#showQuestion();
        if (text !== null && text.trim() !== "") this.#acts.ask(this, text.trim());
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

/** As it is kept, of a turn that is one or that is a record already. */
export const recordOf = (turn) => (turn instanceof Turn ? turn.record : turn);

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
