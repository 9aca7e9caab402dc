/** A conversation as it is kept, and written elsewhere: as JSON and as Markdown, and read back.
 *
 * `{id, title, when, model, system, turns: [{question, answer, mood, ways}]}`; `when`: milliseconds
 * since 1970, of its last change; `mood`: as the service takes it; `ways`: see `branches.js`.
 */

import { ONE_WAY } from "./branches.js";

const TITLE = 60; // characters
const MOST_DEEP = 200; // ways within ways
const MARK = "<!-- llamood ";
const MARKED = /^<!-- llamood (\{.*\}) -->$/;

export const newId = () => Array.from(crypto.getRandomValues(new Uint32Array(3)), String).join("");

/** The beginning of its first question. */
export function titleOf(turns) {
  const text = (turns[0]?.question ?? "").replace(/\s+/g, " ").trim();
  return text.length > TITLE ? `${text.slice(0, TITLE - 1)}…` : text;
}

/** Of something that was read; raises an error that says what it is not. */
export function conversationOf(read) {
  if (typeof read !== "object" || read === null) {
    throw new Error(`no conversation: found ${JSON.stringify(read)}`);
  }
  const { turns, system = "", model = "" } = read;
  if (!Array.isArray(turns) || turns.length === 0) {
    throw new Error("no conversation: expected a list `turns` of what was said");
  }
  const known = turns.map((turn, i) => turnOf(turn, i, 0));
  const texts = { system, model };
  for (const [name, text] of Object.entries(texts)) {
    if (typeof text !== "string") throw new Error(`no conversation: expected a text as \`${name}\``);
  }
  const { id, when, title } = read;
  return {
    id: typeof id === "string" && id !== "" ? id : newId(),
    title: typeof title === "string" && title !== "" ? title : titleOf(known),
    when: Number.isFinite(when) ? when : Date.now(),
    ...texts,
    turns: known,
  };
}

function turnOf(turn, i, depth) {
  const { question, answer, mood = {}, ways = ONE_WAY } = turn ?? {};
  const isMood = typeof mood === "object" && mood !== null && !Array.isArray(mood);
  if (typeof question !== "string" || typeof answer !== "string" || !isMood) {
    throw new Error(`no conversation: expected question, answer and mood in turn ${i + 1}`);
  }
  return { question, answer, mood, ways: waysOf(ways, i, depth + 1) };
}

function waysOf(ways, i, depth) {
  const others = Array.isArray(ways) ? ways.filter((way) => way !== null) : null;
  const areTurns = others?.every((way) => Array.isArray(way) && way.length > 0);
  if (!areTurns || others.length !== ways.length - 1 || depth > MOST_DEEP) {
    throw new Error(`no conversation: expected lists of turns and one null as \`ways\` of turn ${i + 1}`);
  }
  return ways.map((way) => way && way.map((turn, k) => turnOf(turn, i + k, depth)));
}

export const asJson = (conversation) => `${JSON.stringify(conversation, null, 2)}\n`;

/** To be read by people, and by `readText`: what is no text stands in comments. Of other ways than
 * the one that is shown there is nothing. */
export function asMarkdown({ turns, ...about }) {
  const parts = [markOf(about), `# ${about.title}\n`];
  for (const { question, answer, mood } of turns) {
    parts.push(markOf({ role: "user", mood }), "**Question**\n", escaped(question));
    parts.push(markOf({ role: "assistant" }), "**Answer**\n", escaped(answer));
  }
  return `${parts.join("\n")}\n`;
}

const markOf = (about) => `${MARK}${JSON.stringify(about).replaceAll(">", "\\u003e")} -->`;

/** No line of a text is a mark. */
const escaped = (text) => text.replace(/^(\\*)(?=<!-- llamood )/gm, "\\$1");

const unescaped = (text) => text.replace(/^\\(\\*)(?=<!-- llamood )/gm, "$1");

/** A conversation from what either wrote; raises an error that says what is wrong. */
export function readText(text) {
  if (text.startsWith(MARK)) return readMarkdown(text);
  let read;
  try {
    read = JSON.parse(text);
  } catch (error) {
    throw new Error(`neither JSON nor Markdown of the studio: ${error.message}`);
  }
  return conversationOf(read);
}

function readMarkdown(text) {
  const lines = text.replace(/\n$/, "").split("\n");
  const marks = lines.flatMap((line, at) => (MARKED.test(line) ? [{ at, ...read(line) }] : []));
  if (marks[0]?.at !== 0) throw new Error("the first line is not as the studio writes it");
  const [about, ...said] = marks;
  const turns = [];
  for (const [i, { role, mood, at }] of said.entries()) {
    const words = unescaped(lines.slice(at + 3, said[i + 1]?.at ?? lines.length).join("\n"));
    if (role === "user") turns.push({ question: words, answer: "", mood });
    else if (turns.length > 0) turns.at(-1).answer = words;
  }
  return conversationOf({ ...about, turns });
}

function read(line) {
  try {
    return JSON.parse(line.match(MARKED)[1]);
  } catch (error) {
    throw new Error(`a mark of the Markdown is no JSON: ${error.message}`);
  }
}
