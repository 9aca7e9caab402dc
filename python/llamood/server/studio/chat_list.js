/** The list of conversations: opens, deletes, exports and imports them, and keeps the one that is
 * held. */

import { recalled, stored } from "./browser_store.js";
import { asJson, asMarkdown, newId, readText, titleOf } from "./conversation.js";
import { Conversations } from "./conversations.js";
import { byId, make } from "./dom.js";

const OPEN = "llamood.chat"; // of this tab
const FULL = "This browser has no room for this chat: export it, or delete others.";

export class ChatList {
  #pane;
  #model;
  #system; // {get, set}
  #id;
  #list = byId("chat-list");
  #said = byId("chat-said");
  #kept = new Conversations(() => this.#show());

  /** `pane`: where it is held; `system`: `{get, set}`, what the model is told to be. */
  constructor({ pane, model, system }) {
    this.#pane = pane;
    this.#model = model;
    this.#system = system;
    pane.changed = () => this.keep();
    addEventListener("pagehide", () => this.keep());
    byId("chat-json").addEventListener("click", () => this.#export("json", asJson));
    byId("chat-markdown").addEventListener("click", () => this.#export("md", asMarkdown));
    byId("chat-import").addEventListener("click", () => byId("chat-file").click());
    byId("chat-file").addEventListener("change", ({ target }) => this.#import(target));
    this.#open(this.#kept.get(recalled(OPEN, "sessionStorage")));
  }

  /** Another conversation, in which nothing is said yet; this one stays in the list. */
  begin() {
    this.keep();
    this.#open(null);
  }

  /** What is held is kept, as soon as something is said in it. */
  keep() {
    const conversation = this.#held;
    const before = this.#kept.get(this.#id);
    if (conversation.turns.length === 0) return;
    if (JSON.stringify(before?.turns) === JSON.stringify(conversation.turns)) return;
    this.#said.textContent = this.#kept.keep(conversation) ? "" : FULL;
  }

  get #held() {
    const { turns } = this.#pane;
    const about = { model: this.#model, system: this.#system.get() };
    return { id: this.#id, title: titleOf(turns), when: Date.now(), ...about, turns };
  }

  #open(conversation) {
    this.#id = conversation?.id ?? newId();
    stored(OPEN, this.#id, "sessionStorage");
    this.#pane.restore(conversation?.turns ?? []);
    if (conversation !== null) this.#system.set(conversation.system);
    this.#said.textContent = "";
    this.#show();
  }

  #drop(id) {
    if (id === this.#id) this.#open(null);
    this.#kept.drop(id);
    byId("chat-count").parentElement.focus();
  }

  #show() {
    const all = this.#kept.all;
    byId("chat-count").textContent = all.length;
    this.#list.replaceChildren(...all.map((conversation) => this.#item(conversation)));
  }

  #item(conversation) {
    const { id, title } = conversation;
    const open = make("button", {
      type: "button",
      text: title,
      title: new Date(conversation.when).toLocaleString(),
      "aria-current": id === this.#id && "true",
      click: () => {
        this.keep();
        this.#open(this.#kept.get(id));
      },
    });
    const drop = make("button", {
      type: "button",
      class: "quiet",
      text: "×",
      "aria-label": `delete the chat ${title}`,
      click: () => this.#drop(id),
    });
    return make("li", {}, open, drop);
  }

  #export(ending, write) {
    const conversation = this.#held;
    const name = conversation.title.replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-|-$/g, "") || "chat";
    const href = URL.createObjectURL(new Blob([write(conversation)], { type: "text/plain" }));
    make("a", { href, download: `${name}.${ending}` }).click();
    setTimeout(() => URL.revokeObjectURL(href), 1000);
  }

  /** As one more, whatever it was called where it comes from. */
  async #import(field) {
    const [file] = field.files;
    if (!file) return;
    try {
      const conversation = { ...readText(await file.text()), id: newId() };
      this.keep();
      const isKept = this.#kept.keep(conversation);
      this.#open(conversation);
      this.#said.textContent = isKept ? "" : FULL;
    } catch (error) {
      this.#said.textContent = `${file.name}: ${error.message}`;
    }
    field.value = "";
  }
}
