/** Asks for the key of a service that has one. */

import { byId } from "./dom.js";

let asked = null; // one dialog, however many wait for it

/** The key that is entered, null where none is. */
export function keyGiven(service) {
  asked ??= new Promise((resolve) => {
    const [dialog, field] = [byId("key-dialog"), byId("key")];
    byId("key-wrong").hidden = service.key === "";
    field.value = "";
    const done = () => {
      asked = null;
      resolve(field.value || null);
    };
    dialog.addEventListener("close", done, { once: true });
    dialog.showModal();
  });
  return asked;
}
