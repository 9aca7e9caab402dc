/** The weights asked and applied, and what is read, as curves over the tokens of an answer. */

import { make, oncePerFrame } from "./dom.js";

const HEIGHT = 170; // CSS pixels
const LEFT = 44; // where the curves begin
const RIGHT = 4; // and what is free behind them
const GAP = 16; // between the weights and the readings
const FEWEST = 32; // tokens that the width is for at least
const FAINT = 0.3;

export class Curves {
  canvas = make("canvas", { role: "img", "aria-label": "no curves yet" });

  #emotions; // [{id, colour}]
  #inks = new Map();
  #tokens = [];
  #cursor = -1;
  #size = [0, 0]; // CSS pixels
  #paint = oncePerFrame(() => this.#draw());

  constructor(emotions) {
    this.#emotions = emotions;
    new ResizeObserver(() => this.#resize()).observe(this.canvas);
    new MutationObserver(() => this.#recolour()).observe(document.documentElement, {
      attributeFilter: ["data-theme"],
    });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#recolour());
  }

  /** `tokens`: as an `Answer` has them; `cursor`: the one that is meant, -1 for none. */
  show(tokens, cursor) {
    this.#tokens = tokens;
    this.#cursor = cursor;
    this.#paint();
  }

  describe(text) {
    this.canvas.setAttribute("aria-label", text);
  }

  /** The token under a pointer, which may be past the last. */
  tokenAt({ offsetX }) {
    return Math.round(((offsetX - LEFT) / (this.#size[0] - LEFT - RIGHT)) * this.#last);
  }

  get #last() {
    return Math.max(this.#tokens.length, FEWEST) - 1;
  }

  #recolour() {
    this.#inks.clear();
    this.#paint();
  }

  #resize() {
    const { clientWidth } = this.canvas;
    this.#size = [clientWidth, HEIGHT];
    this.canvas.width = clientWidth * devicePixelRatio;
    this.canvas.height = HEIGHT * devicePixelRatio;
    this.#paint();
  }

  /** What a colour of the page is in the theme of now. */
  #ink(colour) {
    if (!this.#inks.has(colour)) {
      this.canvas.style.color = colour;
      this.#inks.set(colour, getComputedStyle(this.canvas).color);
    }
    return this.#inks.get(colour);
  }

  #draw() {
    const [width, height] = this.#size;
    if (width === 0) return;
    const pen = this.canvas.getContext("2d");
    pen.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    pen.clearRect(0, 0, width, height);
    const middle = (height - GAP) / 2;
    const reads = this.#tokens.some(({ reading }) => reading);
    const weights = { top: 4, bottom: reads ? middle : height - 4, name: "weight" };
    this.#panel(pen, weights, ["asked", "mood"], 1);
    if (reads) this.#panel(pen, { top: middle + GAP, bottom: height - 4, name: "read" }, ["reading"], 4);
    if (this.#cursor >= 0) this.#line(pen, this.#x(this.#cursor), 0, this.#x(this.#cursor), height);
  }

  #x(token) {
    return LEFT + (token / this.#last) * (this.#size[0] - LEFT - RIGHT);
  }

  /** `fields`: what of the tokens is drawn, the first of two dashed. `least`: what the height is
   * for at least, on either side of zero. */
  #panel(pen, { top, bottom, name }, fields, least) {
    const figures = this.#tokens.flatMap((token) =>
      fields.flatMap((field) => Object.values(token[field] ?? {})),
    );
    const most = figures.reduce((largest, value) => Math.max(largest, value), least);
    const lowest = figures.reduce((smallest, value) => Math.min(smallest, value), 0);
    const y = (value) => bottom - ((value - lowest) / (most - lowest)) * (bottom - top);
    this.#scale(pen, { most, lowest, y, name });
    for (const { id, colour } of this.#emotions) {
      for (const [i, field] of fields.entries()) {
        const points = this.#tokens.map((token) => token[field]?.[id] ?? 0);
        if (points.every((value) => value === 0)) continue;
        const isFelt = name === "weight" || (points.at(-1) ?? 0) >= 1;
        pen.globalAlpha = isFelt ? 1 : FAINT;
        pen.setLineDash(i === 0 && fields.length > 1 ? [4, 4] : []);
        this.#curve(pen, this.#ink(colour), points, y);
      }
    }
    pen.globalAlpha = 1;
    pen.setLineDash([]);
  }

  #curve(pen, ink, points, y) {
    pen.strokeStyle = ink;
    pen.lineWidth = 2;
    pen.beginPath();
    points.forEach((value, token) => pen.lineTo(this.#x(token), y(value)));
    pen.stroke();
  }

  #scale(pen, { most, lowest, y, name }) {
    pen.fillStyle = this.#ink("var(--soft)");
    pen.font = "11px system-ui, sans-serif";
    pen.textBaseline = "middle";
    const marks = lowest < 0 ? [lowest, 0, most] : [0, most];
    for (const mark of marks) {
      pen.fillText(mark.toFixed(1).replace("-", "−"), 2, Math.max(y(mark), 8));
    }
    pen.fillText(name, 2, (y(most) + y(0)) / 2);
    this.#line(pen, LEFT, y(0), this.#size[0], y(0));
  }

  #line(pen, x0, y0, x1, y1) {
    pen.strokeStyle = this.#ink("var(--faint)");
    pen.lineWidth = 1;
    pen.beginPath();
    pen.moveTo(x0, y0);
    pen.lineTo(x1, y1);
    pen.stroke();
  }
}
