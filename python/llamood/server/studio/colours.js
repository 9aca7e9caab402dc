/** A colour for each emotion, in light and in dark. */

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

/** What the token at `index` of an answer expresses: `{name, strength}`, strength 0 to 1, or null.
 *
 * Where the answer is read, by the mean score of the tokens around it: single ones say little, and
 * in bursts. Else by the mix that it was said under. */
export function expressed(tokens, index) {
  const scores = tokens.slice(Math.max(index + 1 - REACH, 0), index + 2 + REACH).flatMap(({ score }) =>
    score && Object.keys(score).length > 0 ? [score] : [],
  );
  if (scores.length > 0) return strongest(meanOf(scores), FAINTEST, FULL);
  return tokens[index].reading ? null : strongest(tokens[index].mood, 0, 1);
}

function strongest(figures, faintest, full) {
  const [name, value] = Object.entries(figures).reduce(
    (most, one) => (one[1] > most[1] ? one : most),
    ["", faintest],
  );
  return name ? { name, strength: Math.min((value - faintest) / (full - faintest), 1) } : null;
}

function meanOf(scores) {
  const names = Object.keys(scores[0]);
  const mean = (name) => scores.reduce((sum, score) => sum + score[name], 0) / scores.length;
  return Object.fromEntries(names.map((name) => [name, mean(name)]));
}
