/** A safe part of Markdown, read into a tree: paragraphs, headings, lists, quotes, rules, code, tables;
 * strong, emphasis, strike, code, and links to http and https. All else is text as it is written.
 *
 * A node is an element, `{tag, from, kind, attributes, children}`, or a piece of the text,
 * `{from, to}`. No character of the text becomes anything but text, but for the addresses of links.
 */

const DEEPEST = 8; // lists and quotes, and marks within marks
const LONGEST = 20_000; // characters of a paragraph whose marks are looked for

const FENCE = /^ {0,3}(`{3,}|~{3,})\s*([\w+#.-]*)[^`]*$/;
const HEADING = /^ {0,3}(#{1,6})[ \t]+(?=\S)/;
const RULE = /^ {0,3}([-*_])( *\1){2,} *$/;
const QUOTE = /^ {0,3}> ?/;
const EDGES = /^ {0,3}\|?( *:?-+:? *\|)+( *:?-+:? *)?$/; // the line under the head of a table
const ITEM = /^( {0,6})([-*+]|(\d{1,9})[.)])( {1,4}|$)/;

/** The blocks of a text from a character on, each `from` where it begins. */
export function parsed(text, from = 0) {
  const lines = [];
  for (let at = from; at <= text.length; ) {
    const end = text.indexOf("\n", at);
    const to = end < 0 ? text.length : end;
    lines.push({ from: at, to });
    at = to + 1;
  }
  return blocksOf(text, lines, 0);
}

/** `lines`: `[{from, to}]`, without what stands before them as marks of lists and quotes. */
function blocksOf(text, lines, depth) {
  const written = lines.map(({ from, to }) => text.slice(from, to));
  const blocks = [];
  for (let i = 0; i < lines.length; ) {
    if (written[i].trim() === "") {
      i += 1;
      continue;
    }
    const read = [codeOf, headingOf, ruleOf, quoteOf, listOf, tableOf, paragraphOf];
    for (const one of read) {
      const found = one({ text, lines, written, depth }, i);
      if (found === null) continue;
      blocks.push(found.block);
      i = found.next;
      break;
    }
  }
  return blocks;
}

function codeOf({ text, lines, written }, i) {
  const [, fence, language] = written[i].match(FENCE) ?? [];
  if (!fence) return null;
  const closes = (line) => line.trim().startsWith(fence) && line.trim().replaceAll(fence[0], "") === "";
  let end = i + 1;
  while (end < lines.length && !closes(written[end])) end += 1;
  const children = lines.slice(i + 1, end).map(({ from, to }) => ({ from, to: Math.min(to + 1, text.length) }));
  return { block: element("pre", lines[i].from, children, language), next: end + 1 };
}

function headingOf({ text, lines, written }, i) {
  const [marks, signs] = written[i].match(HEADING) ?? [];
  if (!marks) return null;
  const { from, to } = lines[i];
  const children = inlineOf(text, [{ from: from + marks.length, to }]);
  return { block: element(`h${Math.min(signs.length + 2, 6)}`, from, children), next: i + 1 };
}

function ruleOf({ lines, written }, i) {
  return RULE.test(written[i]) ? { block: element("hr", lines[i].from, []), next: i + 1 } : null;
}

function quoteOf({ text, lines, written, depth }, i) {
  if (depth >= DEEPEST || !QUOTE.test(written[i])) return null;
  let end = i;
  while (end < lines.length && QUOTE.test(written[end])) end += 1;
  const within = lines.slice(i, end).map(({ from, to }, n) => {
    return { from: from + written[i + n].match(QUOTE)[0].length, to };
  });
  const children = blocksOf(text, within, depth + 1);
  return { block: element("blockquote", lines[i].from, children), next: end };
}

function listOf({ text, lines, written, depth }, i) {
  const first = written[i].match(ITEM);
  if (depth >= DEEPEST || first === null) return null;
  const isNumbered = first[3] !== undefined;
  const items = [];
  let n = i;
  for (;;) {
    const mark = written[n]?.match(ITEM);
    if (!mark || (mark[3] !== undefined) !== isNumbered || RULE.test(written[n])) break;
    const end = itemEnd(written, n, mark[1].length);
    const within = lines.slice(n, end).map(({ from, to }, k) => {
      const indent = k === 0 ? mark[0].length : Math.min(mark[0].length, indentOf(written[n + k]));
      return { from: Math.min(from + indent, to), to };
    });
    items.push(element("li", lines[n].from, blocksOf(text, within, depth + 1)));
    n = end;
  }
  const [tag, start] = isNumbered ? ["ol", Number(first[3])] : ["ul", null];
  return { block: element(tag, lines[i].from, items, start), next: n };
}

/** An item has the lines that are further in than its mark, and those that go on with its paragraph. */
function itemEnd(written, begin, indent) {
  let end = begin + 1;
  for (let n = begin + 1; n < written.length; n++) {
    if (written[n].trim() === "") continue;
    const isWithin = indentOf(written[n]) >= indent + 2;
    const goesOn = n === end && !begins(written[n]);
    if (!isWithin && !goesOn) return ITEM.test(written[n]) ? n : end;
    end = n + 1;
  }
  return end;
}

const indentOf = (line) => line.match(/^ */)[0].length;

const begins = (line) => [FENCE, HEADING, RULE, QUOTE, ITEM].some((mark) => mark.test(line));

/** A line with bars over a line of edges, which has as many cells, and the lines with bars below. */
function tableOf({ text, lines, written }, i) {
  if (!isTable(written, i)) return null;
  const sides = cellsOf(written[i + 1]).map(({ from, to }) => sideOf(written[i + 1].slice(from, to).trim()));
  const rowOf = (n, tag) => {
    const at = lines[n].from;
    const cells = cellsOf(written[n]).slice(0, sides.length).map(({ from, to }, k) => {
      const side = sides[k] && { "data-side": sides[k] };
      return element(tag, at + from, inlineOf(text, [{ from: at + from, to: at + to }]), sides[k], side ?? {});
    });
    return element("tr", at, cells);
  };
  let end = i + 2;
  while (end < lines.length && written[end].includes("|") && !begins(written[end])) end += 1;
  const rows = Array.from({ length: end - i - 2 }, (_, n) => rowOf(i + 2 + n, "td"));
  const { from } = lines[i];
  return { block: element("table", from, [rowOf(i, "th"), ...rows], sides.join()), next: end };
}

const isTable = (written, i) =>
  written[i].includes("|") &&
  EDGES.test(written[i + 1] ?? "") &&
  cellsOf(written[i]).length === cellsOf(written[i + 1]).length;

/** Where the cells of a row begin and end, without the spaces around them. */
function cellsOf(line) {
  const bars = [...line.matchAll(/(?<!\\)\|/g)].map(({ index }) => index);
  const [begin, end] = [line.match(/^ *\|?/)[0].length, line.trimEnd().length];
  const inner = bars.filter((bar) => bar >= begin && bar < end - 1);
  const starts = [begin, ...inner.map((bar) => bar + 1)];
  return starts.map((start, n) => {
    const stop = inner[n] ?? (bars.includes(end - 1) ? end - 1 : end);
    const cell = line.slice(start, stop);
    const from = start + cell.length - cell.trimStart().length;
    return { from, to: Math.max(start + cell.trimEnd().length, from) };
  });
}

function sideOf(edge) {
  if (!edge.endsWith(":")) return null;
  return edge.startsWith(":") ? "center" : "right";
}

function paragraphOf({ text, lines, written }, i) {
  let end = i + 1;
  const goesOn = () => written[end].trim() !== "" && !begins(written[end]) && !isTable(written, end);
  while (end < lines.length && goesOn()) end += 1;
  const children = inlineOf(text, lines.slice(i, end));
  return { block: element("p", lines[i].from, children), next: end };
}

/** `kind`: what else tells it from others that begin there. */
function element(tag, from, children, kind = null, attributes = {}) {
  return { tag, from, kind, attributes, children };
}

// -- within a paragraph

const LINK = /\[([^[\]\n]{1,500})\]\((https?:\/\/[!-'*-;=?-~]{1,2000})\)/iy;
const ADDRESS = /https?:\/\/[!#-&*-;=?-Z\\^_a-~]{1,2000}/iy;
const TAGS = { "**": "strong", __: "strong", "*": "em", _: "em", "~~": "s" };

/** The marks of some lines, which are one paragraph. */
function inlineOf(text, lines) {
  const joined = lines.map(({ from, to }) => text.slice(from, to)).join("\n");
  let length = 0;
  const parts = lines.map(({ from, to }) => {
    const part = { at: length, from };
    length += to - from + 1;
    return part;
  });
  const nodes = joined.length > LONGEST ? [{ from: 0, to: joined.length }] : marked(joined, 0, joined.length, 0);
  return placed(nodes, parts, joined.length);
}

/** The same nodes, where they stand in the whole text. `parts`: where each line begins, in what is
 * joined and there. */
function placed(nodes, parts, length) {
  const partAt = (at) => {
    let [low, high] = [0, parts.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (parts[middle].at <= at) low = middle;
      else high = middle - 1;
    }
    return low;
  };
  const placeOf = (node) => {
    let n = partAt(node.from);
    if (node.children) {
      const from = parts[n].from + node.from - parts[n].at;
      return [{ ...node, from, children: node.children.flatMap(placeOf) }];
    }
    const pieces = [];
    for (let begin = node.from; begin < node.to; n++) {
      const end = Math.min(node.to, parts[n + 1]?.at ?? length);
      const shift = parts[n].from - parts[n].at;
      pieces.push({ from: begin + shift, to: end + shift });
      begin = end;
    }
    return pieces;
  };
  return nodes.flatMap(placeOf);
}

function marked(text, begin, end, depth) {
  const nodes = [];
  const unclosed = new Set(); // marks that no other closes from here on
  let plain = begin;
  let at = begin;
  const take = (node, next) => {
    if (plain < at) nodes.push({ from: plain, to: at });
    if (node) nodes.push(...node);
    plain = at = next;
  };
  while (at < end) {
    const found = depth < DEEPEST ? markAt(text, at, end, depth, unclosed) : null;
    if (found === null) at += 1;
    else take(found.nodes, found.next);
  }
  take(null, end);
  return nodes;
}

/** What begins at a character: `{nodes, next}`, null where that is plain. */
function markAt(text, at, end, depth, unclosed) {
  const sign = text[at];
  if (sign === "\\" && at + 1 < end && /[!-/:-@[-`{-~]/.test(text[at + 1])) {
    return { nodes: [{ from: at + 1, to: at + 2 }], next: at + 2 };
  }
  if (sign === "`") return codeAt(text, at, end, unclosed);
  if (sign === "[" || sign === "h" || sign === "H") return linkAt(text, at, end);
  if (sign !== "*" && sign !== "_" && sign !== "~") return null;
  const mark = text[at + 1] === sign ? sign + sign : sign;
  if (!(mark in TAGS) || unclosed.has(mark) || !opens(text, at, mark, end)) return null;
  const close = closeOf(text, at + mark.length, end, mark);
  if (close < 0) {
    unclosed.add(mark);
    return null;
  }
  const within = marked(text, at + mark.length, close, depth + 1);
  return { nodes: [element(TAGS[mark], at, within)], next: close + mark.length };
}

const isWord = (sign) => sign !== undefined && /[\p{L}\p{N}]/u.test(sign);

const isSpace = (sign) => sign === undefined || /\s/.test(sign);

function opens(text, at, mark, end) {
  const next = at + mark.length;
  if (next >= end || isSpace(text[next])) return false;
  return mark[0] !== "_" || !isWord(text[at - 1]);
}

function closeOf(text, begin, end, mark) {
  const sign = mark[0];
  for (let at = text.indexOf(mark, begin); at >= 0 && at + mark.length <= end; at = text.indexOf(mark, at + 1)) {
    let run = at;
    while (run < end && text[run] === sign) run += 1;
    const n = run - at;
    const after = isWord(text[run]);
    const isClose = at > begin && !isSpace(text[at - 1]) && text[at - 1] !== "\\" && !(sign === "_" && after);
    if (isClose && (n === mark.length || n === 3)) return run - mark.length;
    at = run - 1;
  }
  return -1;
}

function codeAt(text, at, end, unclosed) {
  let open = at;
  while (open < end && text[open] === "`") open += 1;
  const mark = "`".repeat(open - at);
  const plain = { nodes: [{ from: at, to: open }], next: open };
  if (unclosed.has(mark)) return plain;
  for (let close = text.indexOf(mark, open); close >= 0 && close < end; ) {
    let run = close;
    while (run < end && text[run] === "`") run += 1;
    if (run - close === mark.length) {
      return { nodes: [element("code", at, [{ from: open, to: close }])], next: run };
    }
    close = text.indexOf(mark, run);
  }
  unclosed.add(mark);
  return plain;
}

/** A link is followed by its address, so that nobody is led elsewhere than it says. */
function linkAt(text, at, end) {
  if (text[at] !== "[" && isWord(text[at - 1])) return null;
  LINK.lastIndex = ADDRESS.lastIndex = at;
  const link = LINK.exec(text);
  if (link && at + link[0].length <= end) {
    const [all, words, address] = link;
    const href = hrefOf(address);
    if (href === null) return null;
    const begin = at + all.length - 1 - address.length;
    const named = element("a", at, [{ from: at + 1, to: at + 1 + words.length }], href, { href });
    const shown = element("bdi", begin, [{ from: begin, to: begin + address.length }]);
    return { nodes: [named, shown], next: at + all.length };
  }
  const [bare] = ADDRESS.exec(text) ?? [];
  if (!bare) return null;
  const address = bare.slice(0, end - at).replace(/[.,;:!?*_~]+$/, "");
  const href = hrefOf(address);
  if (href === null) return null;
  const to = at + address.length;
  return { nodes: [element("a", at, [{ from: at, to }], href, { href })], next: to };
}

/** The address as a browser follows it; null where it is none of http or https. */
function hrefOf(address) {
  try {
    const url = new URL(address);
    return ["http:", "https:"].includes(url.protocol) && url.hostname !== "" ? url.href : null;
  } catch {
    return null;
  }
}
