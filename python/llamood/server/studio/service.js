/** The service that this page belongs to, over HTTP. */

import { recalled, stored } from "./browser_store.js";

/** It refused: `status` and `code` as OpenAI has them. */
export class Refused extends Error {
  constructor(status, { message, code, param } = {}) {
    super(message ?? `the service answered ${status}`);
    this.status = status;
    this.code = code ?? null;
    this.param = param ?? null;
  }
}

/** It does not answer, or stopped in the middle. */
export class Gone extends Error {
  constructor() {
    super("the service does not answer");
  }
}

/** What went wrong, for people. */
export function faultSaid(error) {
  if (error.code === "context_length_exceeded") return `${error.message}; begin a new chat, or ask less`;
  return error.message;
}

const KEY = "llamood.key";
const PATIENCE = 10_000; // milliseconds until a service that says nothing counts as gone

export class Service {
  #key = recalled(KEY, "sessionStorage") ?? "";

  /** What callers must send, where the service asks for a key; kept while the tab is open. */
  get key() {
    return this.#key;
  }

  set key(key) {
    this.#key = key;
    stored(KEY, key, "sessionStorage");
  }

  /** Where OpenAI clients find it. */
  get base() {
    return new URL("v1", document.baseURI).href;
  }

  /** `{model, file, quantisation, parameters, bytes, version, readings, unread, trusted, voices,
   * context, questions, extracts, personalities}`; `unread`: why nothing is read; `trusted`: the
   * least quality of a reading that is; `extracts`: see `NewEmotion`, null where no emotion may be
   * added */
  about() {
    return this.#json("v1/studio");
  }

  /** `[{id, ceiling, affect}]` */
  async emotions() {
    return (await this.#json("v1/emotions")).data;
  }

  /** The weights of the first `tokens` of an answer in this mood: `{emotions, asked, applied}`. */
  rows(mood, tokens, signal) {
    return this.#json("v1/mood/rows", { mood, tokens }, signal);
  }

  /** What is being added, or was last: `{name, status, part, progress, seconds_left, error}`. */
  addition() {
    return this.#json("v1/emotions/addition");
  }

  /** Begins to add `{name, texts}` or `{name, describe}`; gives what `addition` does. */
  add(emotion) {
    return this.#json("v1/emotions", emotion);
  }

  cancelAddition(name) {
    return this.#json("v1/emotions/addition/cancel", { name });
  }

  async isReady() {
    try {
      const signal = AbortSignal.timeout(PATIENCE);
      return (await fetch(new URL("health", document.baseURI), { signal })).ok;
    } catch {
      return false;
    }
  }

  /** The chunks of a chat completion. Raises `Refused`, `Gone`, or what an aborted signal gives. */
  async *chat(request, signal) {
    const response = await this.#fetch("v1/chat/completions", { ...request, stream: true }, signal);
    for await (const data of sentEvents(response.body, signal)) {
      if (data === "[DONE]") return;
      const chunk = JSON.parse(data);
      if (chunk.error) throw new Refused(response.status, chunk.error);
      yield chunk;
    }
    throw new Gone();
  }

  async #json(path, body, signal) {
    return (await this.#fetch(path, body, signal)).json();
  }

  async #fetch(path, body, signal) {
    const headers = this.key ? { Authorization: `Bearer ${this.key}` } : {};
    const how = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) };
    if (body !== undefined) headers["Content-Type"] = "application/json";
    let response;
    try {
      response = await fetch(new URL(path, document.baseURI), { ...how, headers, signal });
    } catch (error) {
      throw signal?.aborted ? error : new Gone();
    }
    if (response.ok) return response;
    const told = await response.json().catch(() => ({}));
    throw new Refused(response.status, told.error);
  }
}

/** The data of each server-sent event of a body. */
async function* sentEvents(body, signal) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const events = (rest + value).split("\n\n");
      rest = events.pop();
      for (const event of events) {
        if (event.startsWith("data: ")) yield event.slice("data: ".length);
      }
    }
  } catch (error) {
    throw signal?.aborted ? error : new Gone();
  } finally {
    reader.cancel().catch(() => {});
  }
}
