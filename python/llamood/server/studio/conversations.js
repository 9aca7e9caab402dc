/** The conversations that this browser keeps, each under a name of its own, so that tabs do not
 * write over each other's. */

import { dropped, namesKept, recalled, stored } from "./browser_store.js";
import { conversationOf } from "./conversation.js";

const NAME = "llamood.chat.";

export class Conversations {
  #changed;

  /** `changed`: called where they are others now, also by another tab. */
  constructor(changed) {
    this.#changed = changed;
    addEventListener("storage", ({ key }) => {
      if (key === null || key.startsWith(NAME)) changed();
    });
  }

  /** All of them, the latest first. */
  get all() {
    const kept = namesKept().filter((name) => name.startsWith(NAME));
    const read = kept.map((name) => this.get(name.slice(NAME.length))).filter((one) => one !== null);
    return read.sort((a, b) => b.when - a.when);
  }

  /** The one of an id, null where there is none. */
  get(id) {
    try {
      return { ...conversationOf(recalled(NAME + id)), id };
    } catch {
      return null;
    }
  }

  /** False where the browser has no room for it. */
  keep(conversation) {
    const isKept = stored(NAME + conversation.id, conversation);
    this.#changed();
    return isKept;
  }

  drop(id) {
    dropped(NAME + id);
    this.#changed();
  }
}
