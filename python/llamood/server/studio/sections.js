/** Sections of the page that stay open or closed from visit to visit. */

import { recalled, stored } from "./browser_store.js";

const STORE = "llamood.sections";

/** `sections`: `details` elements with ids. */
export function remembered(sections) {
  const kept = recalled(STORE) ?? {};
  for (const section of sections) {
    if (typeof kept[section.id] === "boolean") section.open = kept[section.id];
    section.addEventListener("toggle", () => {
      stored(STORE, { ...recalled(STORE), [section.id]: section.open });
    });
  }
}
