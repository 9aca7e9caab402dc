/** Keeps the end of what is being said in sight while the reader is there, and offers the way back
 * where the reader is elsewhere. */

import { byId } from "./dom.js";

const NEAR = 48; // pixels from the end that still are at it

export class Follow {
  #root; // what answers are in
  #isAtEnd = true;
  #back = byId("latest");

  constructor(root) {
    this.#root = root;
    const grown = new ResizeObserver(() => this.#grown());
    for (const panel of root.querySelectorAll(":scope > [role=tabpanel]")) grown.observe(panel);
    // What scrolls is the root or the page, as there is room.
    document.addEventListener("scroll", () => this.#look(), { capture: true, passive: true });
    this.#back.addEventListener("click", () => this.toEnd());
  }

  /** An answer begins where the reader is. */
  begin() {
    this.#look();
  }

  toEnd() {
    this.#isAtEnd = true;
    this.#grown();
  }

  over() {
    this.#back.hidden = true;
  }

  /** How far the end of the answers that grow lies below what is seen; null where none grows. */
  get #below() {
    const growing = [...this.#root.querySelectorAll(".answer[aria-busy]")].filter((one) =>
      one.checkVisibility(),
    );
    if (growing.length === 0) return null;
    const end = Math.max(...growing.map((one) => one.getBoundingClientRect().bottom));
    return end - byId("asking").getBoundingClientRect().top;
  }

  #look() {
    const below = this.#below;
    this.#isAtEnd = below === null || below < NEAR;
    this.#back.hidden = this.#isAtEnd;
  }

  #grown() {
    const below = this.#below;
    if (below === null || below <= 0) return;
    if (this.#isAtEnd) this.#scroller.scrollTop += below + NEAR / 2;
    this.#back.hidden = this.#isAtEnd;
  }

  get #scroller() {
    const isRoot = getComputedStyle(this.#root).overflowY === "auto";
    return isRoot ? this.#root : document.scrollingElement;
  }
}
