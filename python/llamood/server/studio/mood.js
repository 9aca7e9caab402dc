/** The mood that the page edits, and how it is written for the service.
 *
 * `intensities`: emotion -> a number, or a drawn schedule `{keys: [[token, intensity], ...], ease,
 * gain}`, whose intensities are times `gain`. `affect`: `{valence, arousal}`, each -1 to 1, or null.
 * `inertia`: half-life in tokens. Frozen; each function gives a new one.
 */

import { rounded, shown } from "./dom.js";

export const NEUTRAL = made({}, null, 0);

function made(intensities, affect, inertia) {
  const own = Object.freeze({ __proto__: null, ...intensities }); // a name may be "constructor"
  return Object.freeze({ intensities: own, affect, inertia });
}

/** The same with this intensity; a drawn schedule keeps its form and gets it as its peak. */
export function withIntensity(mood, name, intensity) {
  const now = mood.intensities[name];
  const value = isDrawn(now) ? { ...now, gain: intensity / (peak(now.keys) || 1) } : intensity;
  return withValue(mood, name, value);
}

/** The same with a schedule through these points, [] for none. */
export function withKeys(mood, name, keys, ease = "smooth") {
  if (keys.length === 0) return withValue(mood, name, 0);
  return withValue(mood, name, Object.freeze({ keys: Object.freeze(keys), ease, gain: 1 }));
}

function withValue(mood, name, value) {
  const { [name]: _, ...others } = mood.intensities;
  const intensities = value === 0 ? others : { ...others, [name]: value };
  return made(intensities, mood.affect, mood.inertia);
}

export const withAffect = (mood, affect) => made(mood.intensities, affect, mood.inertia);

export const withInertia = (mood, inertia) => made(mood.intensities, mood.affect, inertia);

export const isDrawn = (intensity) => typeof intensity === "object" && intensity !== null;

/** The points of a drawn schedule as they are played. */
export function keysOf(mood, name) {
  const drawn = mood.intensities[name];
  if (!isDrawn(drawn)) return [];
  return drawn.keys.map(([token, value]) => [token, rounded(value * drawn.gain, 3)]);
}

/** The largest intensity, which is what its slider shows. */
export function intensityOf(mood, name) {
  const value = mood.intensities[name] ?? 0;
  return isDrawn(value) ? peak(value.keys) * value.gain : value;
}

function peak(keys) {
  const values = keys.map(([, value]) => value);
  return values.reduce((most, value) => (Math.abs(value) > Math.abs(most) ? value : most), 0);
}

/** As the service, Python and the command line read it. */
export function written(mood) {
  const json = {};
  for (const [name, value] of Object.entries(mood.intensities)) {
    if (!isDrawn(value)) json[name] = rounded(value);
    else if (value.gain !== 0) json[name] = { keys: keysOf(mood, name), ease: value.ease };
  }
  if (mood.affect) {
    json.valence = rounded(mood.affect.valence);
    json.arousal = rounded(mood.affect.arousal);
  }
  if (mood.inertia > 0) json["$inertia"] = mood.inertia;
  return json;
}

/** In a few words. */
export function described(mood) {
  const { $inertia, ...said } = written(mood);
  const parts = Object.entries(said).map(([name, value]) =>
    `${name} ${typeof value === "object" ? "drawn" : shown(value)}`,
  );
  return parts.join(", ") || "no feeling";
}

/** A stored mood, or as much of it as there are such emotions; NEUTRAL where it is none. */
export function restored(stored, names) {
  if (typeof stored?.intensities !== "object" || stored.intensities === null) return NEUTRAL;
  const known = Object.entries(stored.intensities).filter(
    ([name, value]) => names.includes(name) && isIntensity(value),
  );
  const point = stored.affect;
  const isPoint = Number.isFinite(point?.valence) && Number.isFinite(point?.arousal);
  const inertia = Number.isFinite(stored.inertia) ? stored.inertia : 0;
  return made(Object.fromEntries(known), isPoint ? point : null, inertia);
}

function isIntensity(value) {
  if (!isDrawn(value)) return Number.isFinite(value);
  return Array.isArray(value.keys) && value.keys.length > 0 && Number.isFinite(value.gain);
}
