/** A text that grows, shown with its Markdown: each token of it in elements of its own.
 *
 * Blocks but the last are final, and what of the last is as it was stays in the page. The text goes
 * into the page as text alone. A paragraph that grows without end is cut into several until its end.
 */

import { copyButton } from "./clipboard.js";
import { make } from "./dom.js";
import { parsed } from "./markdown.js";

const LONG = 4_000; // characters of a paragraph that are looked at again and again while it grows

export class Rendered {
  #made;
  #root;
  #text = "";
  #ends = []; // of each token, in characters
  #from = 0; // where the last block begins
  #places = []; // of each token, the elements that show it
  #tokens = new WeakMap(); // element -> token

  /** `root`: what it is shown in; `made`: called with a token that has another element now. */
  constructor(root, made) {
    this.#root = { element: root, inner: root, children: [] };
    this.#made = made;
  }

  /** The texts of further tokens. */
  add(texts) {
    for (const text of texts) {
      this.#text += text;
      this.#ends.push(this.#text.length);
    }
    this.#show();
  }

  /** No more comes for now: what only its end tells is known. */
  end() {
    this.#from = 0;
    this.#show();
  }

  /** The elements that show a token; none where all of it is marks. */
  placesOf(token) {
    return this.#places[token] ?? [];
  }

  /** The token that an element shows, -1 where it shows none. */
  tokenOf(element) {
    return this.#tokens.get(element) ?? -1;
  }

  #show() {
    const blocks = parsed(this.#text, this.#from);
    const { children } = this.#root;
    const open = children.findIndex(({ from }) => from >= this.#from);
    this.#patch(this.#root, blocks.map((block) => this.#wanted(block)), open < 0 ? children.length : open);
    const last = blocks.at(-1);
    if (last === undefined) return;
    const isLong = last.tag === "p" && this.#text.length - last.from > LONG;
    this.#from = isLong ? this.#text.length : last.from;
  }

  /** A node of Markdown as it is to be shown, `{key, from, node, children}`, or of a piece of text,
   * `{key, from, to, token}`. Those of one key look the same. */
  #wanted(node) {
    const { tag, from, kind, children } = node;
    const pieces = children.flatMap((child) => (child.tag ? [this.#wanted(child)] : this.#pieces(child)));
    return { key: `${tag} ${from} ${kind ?? ""}`, from, node, children: pieces };
  }

  /** A piece of text, cut where tokens end. */
  #pieces({ from, to }) {
    const pieces = [];
    for (let token = this.#tokenAt(from), at = from; at < to; token++) {
      const end = Math.min(this.#ends[token], to);
      if (end > at) pieces.push({ key: `${at} ${end}`, from: at, to: end, token });
      at = end;
    }
    return pieces;
  }

  #tokenAt(character) {
    let [low, high] = [0, this.#ends.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#ends[middle] > character) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** Let the children from `begin` on be those that are wanted. */
  #patch(parent, wanted, begin = 0) {
    const { children, inner } = parent;
    let n = 0;
    for (; n < wanted.length && children[begin + n]?.key === wanted[n].key; n++) {
      if (wanted[n].children) this.#patch(children[begin + n], wanted[n].children);
    }
    for (const gone of children.splice(begin + n)) {
      this.#forget(gone);
      gone.element.remove();
    }
    for (const one of wanted.slice(n)) {
      const child = one.children ? elementOf(one) : this.#pieceOf(one);
      inner.append(child.element);
      children.push(child);
      if (one.children) this.#patch(child, one.children);
    }
  }

  #pieceOf({ key, from, to, token }) {
    const element = make("span", { text: this.#text.slice(from, to) });
    this.#tokens.set(element, token);
    (this.#places[token] ??= []).push(element);
    this.#made(token, element);
    return { key, from, token, element };
  }

  #forget({ element, token, children = [] }) {
    children.forEach((child) => this.#forget(child));
    if (token === undefined) return;
    this.#places[token] = this.#places[token].filter((other) => other !== element);
  }
}

function elementOf({ key, from, node }) {
  const { tag, kind, attributes } = node;
  if (tag === "pre") return codeOf({ key, from, language: kind });
  const more = tag === "a" ? { target: "_blank", rel: "noopener noreferrer" } : {};
  const start = tag === "ol" && kind !== 1 ? { start: kind } : {};
  const element = make(tag, { ...attributes, ...more, ...start });
  return { key, from, element, inner: element, children: [] };
}

function codeOf({ key, from, language }) {
  const inner = make("code");
  const pre = make("pre", { tabindex: 0, "data-language": language || null }, inner);
  const copy = copyButton({ label: "copy this code", text: () => inner.textContent, shown: () => inner });
  return { key, from, element: make("div", { class: "code" }, pre, copy), inner, children: [] };
}
