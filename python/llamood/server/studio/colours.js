/** A colour for each emotion, in light and in dark, and what it means where a token has it. */

import { shown } from "./dom.js";

const HUES = { __proto__: null, joy: 80, anger: 28, disgust: 140, fear: 305, sadness: 255, surprise: 350 };
const GOLDEN = 137.5; // degrees; names that are not known lie far from each other so

/** As CSS has it. Lines and dots stand out 3 to 1 on the page's ground. */
export function colourOf(name, names) {
  const hue = HUES[name] ?? (names.indexOf(name) * GOLDEN + 190) % 360;
  return `light-dark(oklch(0.58 0.17 ${hue}), oklch(0.76 0.15 ${hue}))`;
}

// Chosen on answers of the tests' tiny_chat at intensity 1: 54 % of the tokens get the colour of their
// emotion and 5 % another's; of those of unsteered answers 8 % get any.
export const REACH = 4; // tokens to either side that a token is coloured by
const FAINTEST = 1.3; // standard deviations
const FULL = 3;

/** What the token at `index` of an answer expresses: `{name, value, isRead, strength}`, strength 0 to
 * 1, or null.
 *
 * Where the answer is read, by the mean score of the tokens around it: single ones say little, and
 * in bursts. Else by the mix that it was said under. */
export function expressed(tokens, index) {
  const scores = tokens.slice(Math.max(index + 1 - REACH, 0), index + 2 + REACH).flatMap(({ score }) =>
    score && Object.keys(score).length > 0 ? [score] : [],
  );
  if (scores.length > 0) return strongest(meanOf(scores), { faintest: FAINTEST, full: FULL, isRead: true });
  const { reading, mood } = tokens[index];
  return reading ? null : strongest(mood, { faintest: 0, full: 1, isRead: false });
}

function strongest(figures, { faintest, full, isRead }) {
  const [name, value] = Object.entries(figures).reduce(
    (most, one) => (one[1] > most[1] ? one : most),
    ["", faintest],
  );
  const strength = Math.min((value - faintest) / (full - faintest), 1);
  return name ? { name, value, isRead, strength } : null;
}

/** The same in words, with how far readings of that emotion are to be trusted. `emotions`: `[{id,
 * quality}]`. */
export function meaningOf(tokens, index, emotions) {
  const felt = expressed(tokens, index);
  const { reading, asked } = tokens[index];
  if (felt === null) {
    if (reading) return "No emotion stands out here.";
    return Object.keys(asked).length > 0 ? "Said in no mood." : "Nothing is known of how this was said.";
  }
  const { name, value, isRead } = felt;
  if (!isRead) return `Said in ${name} ${shown(value)}; nothing is read here.`;
  const { quality = null } = emotions.find(({ id }) => id === name) ?? {};
  return `Reads as ${name}, ${shown(value)} standard deviations above neutral text.${qualitySaid(name, quality)}`;
}

/** `quality`: the area under the ROC curve, or null. */
function qualitySaid(name, quality) {
  if (quality === null) return "";
  return ` Readings tell ${name} from others in ${Math.round(quality * 100)} of 100 pairs of texts.`;
}

function meanOf(scores) {
  const names = Object.keys(scores[0]);
  const mean = (name) => scores.reduce((sum, score) => sum + score[name], 0) / scores.length;
  return Object.fromEntries(names.map((name) => [name, mean(name)]));
}
