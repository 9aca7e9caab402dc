/** What this browser shows in one of a few ways: its theme, its colours of tokens. */

import { recalled, stored } from "./browser_store.js";
import { byId } from "./dom.js";

/** Lets a field choose: what it has is kept, and shown to the style sheets as `data-NAME`. `name`:
 * of the field. Without a choice it is as the page has it at first. */
export function preference(name) {
  const [field, store] = [byId(name), `llamood.${name}`];
  const options = [...field.options].map(({ value }) => value);
  if (options.includes(recalled(store))) field.value = recalled(store);
  const show = () => (document.documentElement.dataset[name] = field.value);
  field.addEventListener("change", () => {
    stored(store, field.value);
    show();
  });
  show();
}
