/** Draws the intensity of one emotion over tokens, by pen or by keys. */

import { chooser, clamp, draw, make, rounded, shown } from "./dom.js";
import { intensityOf, isDrawn, keysOf, withKeys } from "./mood.js";
import { ScheduleText } from "./schedule_text.js";
import { simplified } from "./simplify.js";

const HEIGHT = 160; // CSS pixels
const NARROWEST = 13; // CSS pixels of a token, which its text needs
const MOST_KEYS = 16;
const TWICE = 400; // milliseconds between two presses that delete a point
const FINENESS = 0.015; // of the height: what a stroke may be off by when it becomes points

export class ScheduleEditor {
  #mood;
  #preview;
  #emotions;
  #shown; // the emotion that is edited
  #svg;
  #text;
  #width = 0; // CSS pixels
  #lines = draw("g");
  #handles = draw("g");
  #cursor = draw("line", { class: "now unseen", y1: 0, y2: HEIGHT });
  #chooser;
  #ease;
  #stroke = null; // the points of the pen since it came down, or null
  #focusNext = null; // the handle that is to have the focus when it is made
  #pressed = null; // the handle that the pen last came down on, and when
  #adds = make("button", { type: "button", text: "Add a point", click: () => this.#add() });

  /** `emotions`: `[{id, ceiling, colour}]`; `preview`: a `Preview` of the same mood; `play`: called
   * to ask the last question again. */
  constructor(root, { emotions, mood, preview, play }) {
    this.#mood = mood;
    this.#preview = preview;
    this.#emotions = new Map(emotions.map((emotion) => [emotion.id, emotion]));
    this.#shown = emotions[0].id;
    this.#chooser = chooser("Emotion", emotions.map(({ id }) => id), (id) => this.edit(id));
    const lengths = chooser("Tokens", [32, 64, 128, 256], (n) => {
      preview.length = Number(n);
      this.#text.length = Number(n);
      this.#resize();
    });
    lengths.field.value = preview.length;
    this.#ease = chooser("Between points", ["smooth", "linear", "step"], () => {
      if (this.#keys().length > 0) this.#set(this.#keys());
    });
    this.#svg = this.#picture();
    this.#text = new ScheduleText(Object.fromEntries(emotions.map(({ id, colour }) => [id, colour])));
    this.#text.length = preview.length;
    const tools = make("div", { class: "tools" }, ...this.#tools(lengths, play));
    const scrolled = make("div", { class: "timeline" }, this.#svg, this.#text.element);
    root.replaceChildren(tools, scrolled, make("p", { class: "hint", text: HINT }));
    new ResizeObserver(() => this.#resize()).observe(scrolled);
    preview.draw(this.#shown);
    preview.rows.watch(() => this.#show());
    mood.watch(() => this.#show());
  }

  /** Turn to this emotion. */
  edit(id) {
    this.#shown = id;
    this.#chooser.field.value = id;
    this.#preview.draw(id);
    this.#show();
  }

  /** The tokens of the last answer, and the number of the one that is being said; null where none
   * is. */
  tell(tokens, token) {
    this.#text.tell(tokens);
    const isSeen = token !== null && token <= this.#last;
    this.#cursor.classList.toggle("unseen", !isSeen);
    if (!isSeen) return;
    this.#cursor.setAttribute("x1", this.#x(token));
    this.#cursor.setAttribute("x2", this.#x(token));
  }

  #tools(lengths, play) {
    const clear = make("button", { type: "button", text: "Erase", click: () => this.#set([]) });
    const plays = make("button", {
      type: "button",
      text: "Play",
      title: "Asks the last question again in this mood",
      "aria-label": "Play on the last question",
      click: play,
    });
    return [this.#chooser.label, this.#ease.label, lengths.label, this.#adds, clear, plays];
  }

  #picture() {
    const middle = draw("line", { class: "zero", x1: 0, x2: "100%", y1: HEIGHT / 2, y2: HEIGHT / 2 });
    const svg = draw(
      "svg",
      { height: HEIGHT, class: "schedule", role: "group" },
      middle,
      this.#lines,
      this.#cursor,
      this.#handles,
    );
    svg.addEventListener("pointerdown", (event) => this.#down(event));
    svg.addEventListener("pointermove", (event) => this.#move(event));
    svg.addEventListener("pointerup", () => this.#up());
    svg.addEventListener("pointercancel", () => this.#up());
    return svg;
  }

  // -- from tokens and intensities to the picture, and back

  /** As wide as there is room, or as the texts of all tokens need. */
  #resize() {
    const { clientWidth } = this.#svg.parentElement;
    this.#width = Math.max(clientWidth, this.#preview.length * NARROWEST);
    this.#svg.setAttribute("width", this.#width);
    this.#text.element.style.setProperty("width", `${this.#width}px`);
    this.#show();
  }

  get #last() {
    return this.#preview.length - 1;
  }

  get #most() {
    return this.#emotions.get(this.#shown).ceiling ?? 2;
  }

  #x = (token) => ((token + 0.5) / this.#preview.length) * this.#width;

  #y = (intensity) => (0.5 - (intensity / this.#most) * 0.45) * HEIGHT;

  #at({ clientX, clientY }) {
    const box = this.#svg.getBoundingClientRect();
    const token = Math.floor(((clientX - box.left) / box.width) * this.#preview.length);
    const intensity = ((0.5 - (clientY - box.top) / box.height) / 0.45) * this.#most;
    return this.#within(token, intensity);
  }

  #within(token, intensity) {
    const value = rounded(clamp(intensity, -this.#most, this.#most));
    return [clamp(token, 0, this.#last), value];
  }

  // -- the pen

  #down(event) {
    if (event.button !== 0 || event.target.closest("[role=slider]")) return;
    event.preventDefault();
    this.#svg.setPointerCapture(event.pointerId);
    this.#stroke = [this.#at(event)];
  }

  #move(event) {
    if (this.#stroke === null) return;
    const [token, intensity] = this.#at(event);
    const kept = this.#stroke.filter(([other]) => other !== token);
    this.#stroke = [...kept, [token, intensity]].sort(([a], [b]) => a - b);
    this.#show();
  }

  /** What was drawn replaces what was there between its ends. */
  #up() {
    if (this.#stroke === null) return;
    const stroke = simplified(this.#stroke, {
      within: FINENESS * this.#most * 2,
      most: MOST_KEYS,
    });
    this.#stroke = null;
    const [begin, end] = [stroke[0][0], stroke.at(-1)[0]];
    const outside = this.#keys().filter(([token]) => token < begin || token > end);
    this.#set([...outside, ...stroke].sort(([a], [b]) => a - b));
  }

  // -- points by keys

  #keys() {
    return keysOf(this.#mood.value, this.#shown);
  }

  #set(keys) {
    this.#mood.value = withKeys(this.#mood.value, this.#shown, keys, this.#ease.field.value);
  }

  /** Another point in the widest gap of what is seen; the first is as high as what is felt. */
  #add() {
    const keys = this.#keys();
    const ends = keys.map(([token]) => token).filter((token) => token <= this.#last);
    if (ends[0] !== 0) ends.unshift(0);
    if (ends.at(-1) !== this.#last) ends.push(this.#last);
    const gaps = ends.slice(1).map((end, i) => [end - ends[i], ends[i]]);
    const [gap, begin] = gaps.reduce((most, one) => (one[0] > most[0] ? one : most));
    const token = keys.length === 0 ? 0 : begin + Math.floor(gap / 2);
    const others = keys.filter(([other]) => other !== token);
    const felt = intensityOf(this.#mood.value, this.#shown) || this.#most / 2;
    const near = others.findLast(([other]) => other < token) ?? [0, felt];
    const all = [...others, [token, near[1]]].sort(([a], [b]) => a - b);
    this.#focusNext = all.findIndex(([other]) => other === token);
    this.#set(all);
  }

  #press(event, index) {
    const keys = this.#keys();
    const [token, intensity] = keys[index];
    const step = event.shiftKey ? 8 : 1;
    const moves = {
      ArrowLeft: [token - step, intensity],
      ArrowRight: [token + step, intensity],
      ArrowUp: [token, intensity + (step * this.#most) / 40],
      ArrowDown: [token, intensity - (step * this.#most) / 40],
    };
    if (event.key === "Delete" || event.key === "Backspace") {
      this.#delete(index);
    } else if (event.key in moves) {
      this.#moveKey(index, moves[event.key]);
    } else {
      return;
    }
    event.preventDefault();
  }

  #delete(index) {
    const keys = this.#keys().toSpliced(index, 1);
    this.#focusNext = Math.max(index - 1, 0);
    this.#set(keys);
    if (keys.length === 0) this.#adds.focus();
  }

  /** Points never pass each other. */
  #moveKey(index, [token, intensity]) {
    const keys = this.#keys();
    const least = index === 0 ? 0 : keys[index - 1][0] + 1;
    const most = index === keys.length - 1 ? this.#last : keys[index + 1][0] - 1;
    this.#focusNext = index;
    this.#set(keys.with(index, this.#within(clamp(token, least, most), intensity)));
  }

  // -- the picture

  #show() {
    const mood = this.#mood.value;
    const now = mood.intensities[this.#shown];
    if (isDrawn(now)) this.#ease.field.value = now.ease;
    const { colour } = this.#emotions.get(this.#shown);
    this.#svg.style.setProperty("--c", colour);
    this.#svg.setAttribute("aria-label", `${this.#shown} over ${this.#preview.length} tokens`);
    this.#lines.replaceChildren(...this.#curves());
    const seen = this.#keys().filter(([token]) => token <= this.#last); // others are kept
    const keys = this.#stroke === null ? seen : [];
    const focused = this.#focusNext ?? [...this.#handles.children].indexOf(document.activeElement);
    this.#focusNext = null;
    this.#handles.replaceChildren(...keys.map((key, i) => this.#handle(key, i)));
    this.#handles.children[focused]?.focus();
  }

  #curves() {
    const rows = this.#preview.rows.value;
    if (rows === null) return this.#stroke === null ? [] : [this.#line(this.#stroke, "drawn")];
    const lines = rows.emotions.flatMap((name, i) => {
      const weights = rows.applied.map((row) => row[i]);
      const isFelt = name === this.#shown ? this.#differs(weights) : weights.some((one) => one !== 0);
      const style = { "--c": this.#emotions.get(name)?.colour ?? "currentColor" };
      const kind = name === this.#shown ? "applied shown" : "applied";
      return isFelt ? [this.#line([...weights.entries()], kind, style)] : [];
    });
    const { name, weights } = rows.drawn;
    const own = name === this.#shown ? [...weights.entries()] : [];
    return [...lines, this.#line(this.#stroke ?? own, "drawn")];
  }

  /** Whether what is applied of the emotion is not what is drawn. */
  #differs(applied) {
    const { name, weights } = this.#preview.rows.value.drawn;
    return name === this.#shown && applied.some((weight, i) => Math.abs(weight - weights[i]) > 0.005);
  }

  #line(points, kind, style = {}) {
    const at = points.map(([token, intensity]) => `${this.#x(token)},${this.#y(intensity)}`);
    return draw("polyline", { class: kind, points: at.join(" "), style });
  }

  #handle([token, intensity], index) {
    return draw("circle", {
      cx: this.#x(token),
      cy: this.#y(intensity),
      r: 8,
      tabindex: 0,
      role: "slider",
      "aria-label": `point ${index + 1} of ${this.#shown}`,
      "aria-valuemin": -this.#most,
      "aria-valuemax": this.#most,
      "aria-valuenow": intensity,
      "aria-valuetext": `${shown(intensity)} at token ${token}`,
      keydown: (event) => this.#press(event, index),
      pointerdown: (event) => this.#drag(event, index),
    });
  }

  /** Handles are made anew at each move, so the picture hears where the pointer goes, and a second
   * press upon the first is told here. */
  #drag(event, index) {
    if (event.button !== 0) return;
    event.preventDefault();
    const isSecond = this.#pressed?.index === index && event.timeStamp - this.#pressed.at < TWICE;
    this.#pressed = isSecond ? null : { index, at: event.timeStamp };
    if (isSecond) {
      this.#delete(index);
      return;
    }
    event.currentTarget.focus();
    const moved = (at) => this.#moveKey(index, this.#at(at));
    const done = () => {
      this.#svg.removeEventListener("pointermove", moved);
      this.#svg.removeEventListener("pointerup", done);
      this.#svg.removeEventListener("pointercancel", done);
    };
    this.#svg.setPointerCapture(event.pointerId);
    this.#svg.addEventListener("pointermove", moved);
    this.#svg.addEventListener("pointerup", done);
    this.#svg.addEventListener("pointercancel", done);
  }
}

const HINT =
  "Draw a line. Points are dragged, or moved by the arrow keys; two clicks, or the delete key, take " +
  "one away. Dashes show what is applied, where limits or other parts of the mood make it another.";
