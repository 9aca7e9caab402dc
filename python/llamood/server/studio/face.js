/** A face that shows what an answer expresses: its mouth follows valence, its eyes and brows
 * arousal, its colour the emotion that the service says is to be shown. */

import { clamp, draw } from "./dom.js";

const CORNER = 7; // how far the ends of the mouth move, of a face of 48 across

export class Face {
  #colours; // emotion -> colour
  #mouth = draw("path", { class: "line" });
  #brows = draw("path", { class: "line" });
  #eyes = [17, 31].map((cx) => draw("ellipse", { cx, cy: 21, rx: 2 }));
  element = draw(
    "svg",
    { class: "face", viewBox: "0 0 48 48", role: "img" },
    draw("circle", { class: "skin", cx: 24, cy: 24, r: 22 }),
    ...this.#eyes,
    this.#brows,
    this.#mouth,
  );

  constructor(colours) {
    this.#colours = colours;
    this.show({ face: "neutral", valence: 0, arousal: 0 });
    this.element.toggleAttribute("hidden", true);
  }

  /** `{face, valence, arousal}` of a token; nothing is shown of one that was not read. */
  show({ face, valence, arousal }) {
    this.element.toggleAttribute("hidden", face == null);
    if (face == null) return;
    const up = clamp(valence, -1, 1) * CORNER;
    const wide = clamp(arousal, -1, 1);
    this.#mouth.setAttribute("d", `M15 ${33 - up / 2} Q24 ${33 + up} 33 ${33 - up / 2}`);
    const brow = 15 - 2 * wide;
    const inner = brow + clamp(-valence, 0, 1) * 3 * Math.sign(wide || 1);
    this.#brows.setAttribute("d", `M13 ${brow} L21 ${inner} M35 ${brow} L27 ${inner}`);
    for (const eye of this.#eyes) eye.setAttribute("ry", 2.5 + 1.5 * wide);
    this.element.style.setProperty("--c", this.#colours[face] ?? "transparent");
    this.element.setAttribute("aria-label", `face: ${face}`);
  }
}
