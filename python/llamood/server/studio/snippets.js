/** The mood as it is written elsewhere: as JSON, in Python, for curl. */

import { copied } from "./clipboard.js";
import { byId, onceQuiet } from "./dom.js";
import { tabs } from "./tabs.js";

/** `asked`: `{base, model, question, mood, system, seed, temperature, max_tokens, hasKey}`. */
export const SNIPPETS = {
  json: ({ mood }) => compact(mood),
  python: pythonOf,
  curl: curlOf,
};

function pythonOf({ base, model, question, mood, system, hasKey, ...drawn }) {
  const key = hasKey ? 'os.environ["LLAMOOD_API_KEY"]' : '"none"';
  const how = Object.entries(drawn).map(([name, value]) => `    ${name}=${value},`);
  return [
    ...(hasKey ? ["import os", ""] : []),
    "import openai",
    "",
    `client = openai.OpenAI(base_url=${JSON.stringify(base)}, api_key=${key})`,
    "answer = client.chat.completions.create(",
    `    model=${JSON.stringify(model)},`,
    `    messages=${spaced(messagesOf(system, question))},`,
    ...how,
    `    extra_body={"mood": ${indented(compact(mood))}},`,
    ")",
    "print(answer.choices[0].message.content)",
  ].join("\n");
}

function curlOf({ base, model, question, mood, system, hasKey, ...drawn }) {
  const body = { model, messages: messagesOf(system, question), ...drawn, mood };
  return [
    `curl ${quoted(`${base}/chat/completions`)} \\`,
    ...(hasKey ? ['  -H "Authorization: Bearer $LLAMOOD_API_KEY" \\'] : []),
    "  -H 'Content-Type: application/json' \\",
    `  -d ${quoted(compact(body))}`,
  ].join("\n");
}

function messagesOf(system, question) {
  const told = system ? [{ role: "system", content: system }] : [];
  return [...told, { role: "user", content: question }];
}

/** JSON with an entry a line at the outside only. What moods and questions have, numbers, texts,
 * lists and objects, is Python too. */
function compact(value) {
  const entries = Object.entries(value).map(([key, part]) => {
    return `  ${JSON.stringify(key)}: ${spaced(part)}`;
  });
  return entries.length === 0 ? "{}" : `{\n${entries.join(",\n")}\n}`;
}

function spaced(value) {
  if (Array.isArray(value)) return `[${value.map(spaced).join(", ")}]`;
  if (typeof value !== "object") return JSON.stringify(value);
  const entries = Object.entries(value).map(([key, part]) => `${JSON.stringify(key)}: ${spaced(part)}`);
  return `{${entries.join(", ")}}`;
}

const indented = (text) => text.replaceAll("\n", "\n    ");

/** As one word of a shell. */
const quoted = (text) => `'${text.replaceAll("'", `'\\''`)}'`;

export class SnippetPanel {
  #gather;
  #kind = "json";

  /** Write them anew, as something that they say may be another now. */
  write = onceQuiet(() => this.#show(), 50);

  /** `gather`: what a snippet says, as it is now. */
  constructor({ gather, mood }) {
    this.#gather = gather;
    tabs(byId("snippet-kinds"), (id) => {
      this.#kind = id.replace("snippet-", "");
      this.#show();
    });
    byId("copy").addEventListener("click", () => this.#copy());
    mood.watch(() => this.write());
    byId("composer").addEventListener("input", () => this.write());
  }

  #show() {
    byId(`snippet-${this.#kind}`).textContent = SNIPPETS[this.#kind](this.#gather());
  }

  async #copy() {
    this.#show();
    const shown = byId(`snippet-${this.#kind}`);
    const isCopied = await copied(shown.textContent);
    if (!isCopied) getSelection().selectAllChildren(shown);
    byId("copied").textContent = isCopied ? "Copied" : "Selected: copy it with Ctrl-C";
    setTimeout(() => (byId("copied").textContent = ""), 3000);
  }
}
