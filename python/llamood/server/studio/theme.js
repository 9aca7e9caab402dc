/** Light, dark, or as the system has it. */

import { recalled, stored } from "./browser_store.js";
import { byId } from "./dom.js";

const STORE = "llamood.theme";

export function themed() {
  const field = byId("theme");
  field.value = ["light", "dark"].includes(recalled(STORE)) ? recalled(STORE) : "system";
  const show = () => (document.documentElement.dataset.theme = field.value);
  field.addEventListener("change", () => {
    stored(STORE, field.value);
    show();
  });
  show();
}
