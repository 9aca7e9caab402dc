/** A conversation with the model: what was said, and how the last answer came about. */

import { branched, turnedTo } from "./branches.js";
import { meaningOf } from "./colours.js";
import { make, oncePerFrame } from "./dom.js";
import { Figures } from "./figures.js";
import { after } from "./mood.js";
import { Gone, faultSaid } from "./service.js";
import { Turn, recordOf } from "./turn.js";

const TELLING = 100; // milliseconds; tokens that came within fewer say nothing of a speed

export class Pane {
  element;

  /** Called where what was said is another now. */
  changed = () => {};

  #service;
  #emotions;
  #colours;
  #context;
  #wants;
  #turns = [];
  #session = true; // its name; true where none has begun
  #log = make("ol", { class: "log" });
  #figures;
  #stopping = new AbortController();
  #title;
  #note;
  #show = oncePerFrame(() => this.#showLast());

  /** `emotions`: `[{id, colour}]`; `context`: tokens of a prompt and its answer; `said`: called with
   * the tokens of the last answer and the number of the one that is being said, null where none is.
   * `note`: the page's `TokenNote`. `wants`: called with a function that asks, given how, where a
   * question or an answer is to be worked on. */
  constructor({ service, emotions, context, title, note, said = () => {}, wants }) {
    this.#service = service;
    this.#emotions = emotions;
    this.#colours = coloursOf(emotions);
    this.#context = context;
    this.#wants = wants;
    this.#figures = new Figures({ emotions, meant: (token) => this.#meant(token) });
    this.#note = note;
    this.said = said;
    this.#log.addEventListener("pointerover", ({ target }) => this.#pointedAt(target));
    this.#log.addEventListener("pointerleave", () => this.#note.hide());
    this.element = make("section", { class: "pane" }, this.#log, this.#figures.element);
    this.title = title;
  }

  /** There are more emotions now. */
  renew() {
    Object.assign(this.#colours, coloursOf(this.#emotions));
    this.#figures.renew();
  }

  get title() {
    return this.#title;
  }

  set title(title) {
    this.#title = title;
    this.element.setAttribute("aria-label", title);
  }

  /** All that was said, as it is kept. */
  get turns() {
    return this.#turns.map(recordOf);
  }

  /** What was said before, instead of what is said here. */
  restore(turns) {
    this.forget();
    this.#hold(turns, 0);
    this.#showHeld();
    this.reveal();
  }

  /** Turns, some of them records perhaps, of which those before the `i`th are there already. */
  #hold(turns, i) {
    for (const gone of this.#turns.slice(i)) gone.element.remove();
    this.#turns = turns.map((turn) => (turn instanceof Turn ? turn : this.#revived(turn)));
    this.#log.append(...this.#turns.slice(i).map(({ element }) => element));
  }

  /** How the last answer came about that is there now, where that is known. */
  #showHeld() {
    const answer = this.#last?.answer ?? null;
    this.#figuresOf(answer?.isRead ? answer : null);
    this.said(answer?.tokens ?? [], null);
    this.#show();
  }

  #revived({ question, answer, mood, ways }) {
    const turn = this.#turn(question, mood);
    turn.ways = ways;
    if (answer === "") turn.end();
    else turn.say(answer);
    return turn;
  }

  /** The question of the last answer, "" where there is none. */
  get asked() {
    return this.#last?.question ?? "";
  }

  get #last() {
    return this.#turns.at(-1);
  }

  /** Ask, and let the answer grow. `how`: the rest of the request; `remembers`: whether what was
   * said before belongs to it; `system`: what it is told to be. Gives the answer's text once it is
   * over, null where it was stopped; raises what the service refused with, after telling of it. */
  ask(question, how) {
    this.stop();
    const turn = this.#turn(question, how.mood);
    this.#hold([...this.#turns, turn], this.#turns.length);
    return this.#listenTo(turn, how, []);
  }

  /** Whether there is a word of the last answer. */
  get hasAnswered() {
    return this.#last !== undefined && this.#last.answer.text !== "";
  }

  /** Forget the last question, where no word of an answer came. */
  takeBack() {
    if (!this.hasAnswered) this.#hold(this.#turns.slice(0, -1), this.#turns.length - 1);
    this.#showHeld();
    this.changed();
  }

  #turn(question, mood) {
    const acts = {
      ask: (turn, text) => this.#wants((how) => this.#anew(turn, how, text)),
      retry: (turn) => this.#wants((how) => this.#anew(turn, how)),
      turnTo: (turn, way) => this.#turnTo(turn, way),
      goOn: (turn) => this.#wants((how) => this.#goOn(turn, how)),
      changed: (turn) => {
        if (turn === this.#last) this.#showHeld();
        this.changed();
      },
    };
    return new Turn({ question, mood, colours: this.#colours, acts });
  }

  #turnTo(turn, way) {
    this.stop();
    const i = this.#turns.indexOf(turn);
    this.#hold(turnedTo(this.#turns, i, way), i);
    this.#showHeld();
    this.changed();
    this.#turns[i].element.querySelector(".turner button:enabled")?.focus();
  }

  /** Whether that is the mood of the last question. */
  hasAnsweredIn(mood) {
    return JSON.stringify(mood) === JSON.stringify(this.#last?.mood);
  }

  /** Ask the last question again. `isKept`: whether its answer stays as another way. */
  again(how, { isKept = true } = {}) {
    return this.#anew(this.#last, how, this.#last.question, isKept);
  }

  /** Ask in place of this turn; what was said there and after it stays as another way, unless
   * nothing was said. */
  #anew(turn, how, question = turn.question, isKept = true) {
    this.stop();
    const i = this.#turns.indexOf(turn);
    const next = this.#turn(question, how.mood);
    const isEmpty = turn === this.#last && turn.answer.text === "";
    if (isKept && !isEmpty) {
      this.#hold(branched(this.#turns, i, next), i);
    } else {
      next.ways = turn.ways;
      this.#hold([...this.#turns.slice(0, i), next], i);
    }
    return this.#listenTo(next, how, []);
  }

  /** Let the last answer go on from where it is. */
  #goOn(turn, how) {
    const { text, tokens } = turn.answer;
    const mood = after(how.mood, tokens.length, tokens.at(-1).asked);
    turn.goOn();
    return this.#listenTo(turn, { ...how, mood }, [{ role: "assistant", content: text }]);
  }

  stop() {
    this.#stopping.abort();
  }

  /** Bring the last question to the top of what is seen. */
  reveal() {
    this.#last?.element.scrollIntoView({ block: "start" });
  }

  /** As if nothing had been said. */
  forget() {
    this.stop();
    this.#turns = [];
    this.#session = true;
    this.#log.replaceChildren();
    this.#showHeld();
  }

  /** What the service is to be told before the question of a turn. */
  #before(turn) {
    return this.#turns
      .slice(0, this.#turns.indexOf(turn))
      .filter(({ answer }) => answer.text !== "")
      .flatMap(({ question, answer }) => [
        { role: "user", content: question },
        { role: "assistant", content: answer.text },
      ]);
  }

  async #listenTo(turn, { system = "", remembers, ...how }, begun) {
    const { answer } = turn;
    const told = system ? [{ role: "system", content: system }] : [];
    const before = remembers ? this.#before(turn) : [];
    const messages = [...told, ...before, { role: "user", content: turn.question }, ...begun];
    const request = {
      ...how,
      messages,
      readings: true,
      stream_options: { include_usage: true },
      llamood: { session: this.#session, continues: begun.length > 0 },
    };
    this.#figuresOf(answer);
    this.changed();
    this.#stopping = new AbortController();
    const { signal } = this.#stopping;
    const isLast = () => this.#last?.answer === answer;
    const end = (how) => turn.answer === answer && turn.end(how); // it may be asked anew by then
    try {
      end(await this.#listenInSession(request, turn, signal));
    } catch (error) {
      const goesOn = signal.aborted || error instanceof Gone;
      const isCut = error instanceof Gone && answer.text !== "";
      const fault = isCut ? "cut off: the service went away" : faultSaid(error);
      const why = signal.aborted ? "stopped" : fault;
      end({ why, isFault: true, goesOn });
      if (!signal.aborted) throw error;
    } finally {
      if (isLast() && answer.tokens.length === 0) this.#figuresOf(null);
      if (isLast()) this.said(answer.tokens, null);
      if (turn.answer === answer) this.changed();
    }
    return signal.aborted ? null : answer.text;
  }

  /** In the session of the conversation, in a new one where the service has forgotten it. */
  async #listenInSession(request, turn, signal) {
    try {
      return await this.#listen(request, turn, signal);
    } catch (error) {
      if (error.code !== "session_not_found") throw error;
      const llamood = { ...request.llamood, session: true };
      return await this.#listen({ ...request, llamood }, turn, signal);
    }
  }

  /** Gives how it ended, as `Turn.end` takes it. */
  async #listen(request, turn, signal) {
    const { answer } = turn;
    const began = performance.now();
    let [first, reason, used] = [0, null, null];
    for await (const { choices, llamood, usage } of this.#service.chat(request, signal)) {
      signal.throwIfAborted(); // more may have come before it was stopped
      this.#session = llamood?.session ?? this.#session;
      used = usage ?? used;
      reason = choices[0]?.finish_reason ?? reason;
      if (choices.length === 0 || !llamood?.asked) continue;
      first ||= performance.now();
      answer.add({ text: choices[0].delta.content ?? "", ...llamood });
      this.said(answer.tokens, answer.tokens.length - 1);
      this.#show();
    }
    this.#say(used, first - began, performance.now() - first);
    return reason === "length" ? this.#cut(request.max_tokens, used) : {};
  }

  /** Why an answer has no end, and whether it can go on. */
  #cut(limit, { completion_tokens, total_tokens }) {
    if (completion_tokens >= limit) {
      return { why: `Cut at the limit of ${limit} tokens.`, goesOn: total_tokens < this.#context };
    }
    const full = `Cut: all ${this.#context} tokens of the context are used.`;
    return { why: `${full} Begin a new chat to go on.` };
  }

  #say({ completion_tokens: n, total_tokens }, before, during) {
    const speed = during >= TELLING ? `, ${Math.round(((n - 1) / during) * 1000)} a second` : "";
    const room = `${total_tokens} of ${this.#context} tokens of context used`;
    this.#figures.say(`${n} tokens${speed}; the first after ${Math.round(before)} ms; ${room}`);
  }

  // -- how the answer came about

  /** None where the answer is null. */
  #figuresOf(answer) {
    this.#figures.areShown = answer !== null;
  }

  #showLast() {
    const tokens = this.#last?.answer.tokens ?? [];
    if (tokens.length > 0) this.#figures.show(tokens, tokens.length - 1);
  }

  /** What the token at this place of the page means, beside it. */
  #pointedAt(target) {
    const turn = this.#turns.find(({ element }) => element.contains(target));
    const index = turn?.answer.tokenAt(target) ?? -1;
    if (index < 0) {
      this.#note.hide();
      return;
    }
    if (turn === this.#last) this.#meant(index);
    const { tokens } = turn.answer;
    this.#note.show(target, meaningOf(tokens, index, this.#emotions));
  }

  #meant(token) {
    const tokens = this.#last?.answer.tokens ?? [];
    const index = Math.min(Math.max(token, 0), tokens.length - 1);
    if (index < 0 || this.#figures.element.hidden) return;
    this.#last.answer.mark(index);
    this.#figures.show(tokens, index);
  }
}

const coloursOf = (emotions) => Object.fromEntries(emotions.map(({ id, colour }) => [id, colour]));
