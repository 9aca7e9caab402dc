/** Copies text to the clipboard. */

import { make } from "./dom.js";

const SAID = 2000; // milliseconds that a button says what it did

/** False where the browser lets only pages of trusted origins copy. */
export async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

/** A button that copies what `text` gives, and says so. Where that is not allowed, what is in
 * `shown()` is selected, to be copied by keys. */
export function copyButton({ label, text, shown }) {
  const button = make("button", { type: "button", class: "quiet", text: "Copy", "aria-label": label });
  button.addEventListener("click", async () => {
    const isCopied = await copied(text());
    if (!isCopied) getSelection().selectAllChildren(shown());
    button.textContent = isCopied ? "Copied" : "Selected: Ctrl-C";
    setTimeout(() => (button.textContent = "Copy"), SAID);
  });
  return button;
}
