/** A colour for each emotion, in light and in dark. */

const HUES = { joy: 80, anger: 28, disgust: 140, fear: 305, sadness: 255, surprise: 350 };
const GOLDEN = 137.5; // degrees; names that are not known lie far from each other so

/** As CSS has it. Lines and dots stand out 3 to 1 on the page's ground. */
export function colourOf(name, names) {
  const hue = HUES[name] ?? (names.indexOf(name) * GOLDEN + 190) % 360;
  return `light-dark(oklch(0.58 0.17 ${hue}), oklch(0.76 0.15 ${hue}))`;
}

const FAINTEST = 1; // standard deviations; neutral text has as much now and then
const FULL = 4;

/** What an answer expresses at a token: `{name, strength}`, strength 0 to 1, or null. By its
 * reading where it is read, else by the mix that it was said under. */
export function expressed({ reading, mood }) {
  const [figures, faintest, full] = reading ? [reading, FAINTEST, FULL] : [mood ?? {}, 0, 1];
  const [name, value] = Object.entries(figures).reduce(
    (most, one) => (one[1] > most[1] ? one : most),
    ["", faintest],
  );
  return name && { name, strength: Math.min((value - faintest) / (full - faintest), 1) };
}
