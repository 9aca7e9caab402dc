/** The mood that the page edits, and how it is written for the service.
 *
 * `intensities`: emotion -> a number; a drawn schedule `{keys: [[token, intensity], ...], ease,
 * gain}`, whose intensities are times `gain`; or `{schedule}`, any other one as it is written, of
 * which the page edits gates alone. `affect`: `{valence, arousal}`, each -1 to 1, or null.
 * `inertia`: half-life in tokens. `rest`: what else is written, and not edited here. Frozen; each
 * function gives a new one.
 */

import { rounded, shown } from "./dom.js";
import { describedGate, isGate, isSimple, withThen } from "./gate.js";

export const NEUTRAL = made({}, null, 0);

const AXES = ["valence", "arousal", "dominance"];

function made(intensities, affect, inertia, rest = {}) {
  const own = Object.freeze({ __proto__: null, ...intensities }); // a name may be "constructor"
  return Object.freeze({ intensities: own, affect, inertia, rest: Object.freeze(rest) });
}

/** The same with this intensity; a drawn schedule keeps its form and gets it as its peak, a gate as
 * what is felt while it is open. */
export function withIntensity(mood, name, intensity) {
  const now = mood.intensities[name];
  if (isSimple(scheduleOf(mood, name))) return withSchedule(mood, name, withThen(now.schedule, intensity));
  const value = isDrawn(now) ? { ...now, gain: intensity / (peak(now.keys) || 1) } : intensity;
  return withValue(mood, name, value);
}

/** The same with a schedule as it is written, null for none. */
export function withSchedule(mood, name, schedule) {
  return withValue(mood, name, schedule === null ? 0 : Object.freeze({ schedule }));
}

/** What is written of an emotion that is neither a number nor drawn; null where it is. */
export const scheduleOf = (mood, name) => mood.intensities[name]?.schedule ?? null;

/** The same with a schedule through these points, [] for none. */
export function withKeys(mood, name, keys, ease = "smooth") {
  if (keys.length === 0) return withValue(mood, name, 0);
  return withValue(mood, name, Object.freeze({ keys: Object.freeze(keys), ease, gain: 1 }));
}

function withValue(mood, name, value) {
  const { [name]: _, ...others } = mood.intensities;
  const intensities = value === 0 ? others : { ...others, [name]: value };
  return made(intensities, mood.affect, mood.inertia, mood.rest);
}

/** The same with nothing above the ceilings of these emotions, `[{id, ceiling}]`; gates and what is
 * as it is written stay. */
export function within(mood, emotions) {
  return emotions.reduce((held, { id, ceiling }) => {
    const most = intensityOf(held, id);
    const isHigh = ceiling !== null && Math.abs(most) > ceiling && scheduleOf(held, id) === null;
    return isHigh ? withIntensity(held, id, Math.sign(most) * ceiling) : held;
  }, mood);
}

export const withAffect = (mood, affect) => made(mood.intensities, affect, mood.inertia, mood.rest);

export const withInertia = (mood, inertia) =>
  made(mood.intensities, mood.affect, inertia, mood.rest);

export const isDrawn = (intensity) => Array.isArray(intensity?.keys);

/** The points of a drawn schedule as they are played. */
export function keysOf(mood, name) {
  const drawn = mood.intensities[name];
  if (!isDrawn(drawn)) return [];
  return drawn.keys.map(([token, value]) => [token, rounded(value * drawn.gain, 3)]);
}

/** The largest intensity, which is what its slider shows; 0 of what the page does not know. */
export function intensityOf(mood, name) {
  const value = mood.intensities[name] ?? 0;
  if (isDrawn(value)) return peak(value.keys) * value.gain;
  const schedule = scheduleOf(mood, name);
  if (schedule === null) return value;
  return isSimple(schedule) ? schedule.then : 0;
}

function peak(keys) {
  const values = keys.map(([, value]) => value);
  return values.reduce((most, value) => (Math.abs(value) > Math.abs(most) ? value : most), 0);
}

/** As the service, Python and the command line read it. */
export function written(mood) {
  const json = { ...mood.rest };
  for (const [name, value] of Object.entries(mood.intensities)) {
    if (value.schedule) json[name] = value.schedule;
    else if (!isDrawn(value)) json[name] = rounded(value);
    else if (value.gain !== 0) json[name] = { keys: keysOf(mood, name), ease: value.ease };
  }
  if (mood.affect) {
    json.valence = rounded(mood.affect.valence);
    json.arousal = rounded(mood.affect.arousal);
  }
  if (mood.inertia > 0) json["$inertia"] = mood.inertia;
  return json;
}

/** The same as it is written, from `n` tokens on, where `asked` was felt last: curves through points
 * go on; others begin anew. */
export function after(json, n, asked) {
  const rest = Object.entries(json).map(([name, value]) => {
    if (!areKeys(value?.keys)) return [name, value];
    const later = value.keys.filter(([token]) => token > n).map(([token, felt]) => [token - n, felt]);
    return [name, { ...value, keys: [[0, rounded(asked[name] ?? 0, 3)], ...later] }];
  });
  return Object.fromEntries(rest);
}

/** The mood that is so written; null where it names emotions that there are none of, or says
 * nothing of one. */
export function readFrom(json, names) {
  const { valence, arousal, $inertia = 0, ...others } = json;
  const isPoint = Number.isFinite(valence) && Number.isFinite(arousal);
  const rest = isPoint ? {} : Object.fromEntries(
    Object.entries({ valence, arousal }).filter(([, value]) => value !== undefined),
  );
  const intensities = {};
  for (const [name, value] of Object.entries(others)) {
    if (name.startsWith("$") || AXES.includes(name)) rest[name] = value;
    else if (names.includes(name) && value) intensities[name] = read(value);
    else if (value !== 0) return null;
  }
  const point = isPoint ? Object.freeze({ valence, arousal }) : null;
  if (Number.isFinite($inertia)) return made(intensities, point, $inertia, rest);
  return made(intensities, point, 0, { ...rest, $inertia });
}

function read(value) {
  if (Number.isFinite(value)) return value;
  const { keys, ease = "linear", ...others } = value;
  const areDrawn = areKeys(keys) && Object.keys(others).length === 0;
  return Object.freeze(areDrawn ? { keys: Object.freeze(keys), ease, gain: 1 } : { schedule: value });
}

const areKeys = (keys) =>
  Array.isArray(keys) &&
  keys.length > 0 &&
  keys.every((key) => Array.isArray(key) && key.length === 2 && key.every(Number.isFinite));

/** In a few words. */
export function described(mood) {
  const felt = Object.keys(mood.intensities).filter((name) => written(mood)[name] !== undefined);
  const parts = felt.map((name) => `${name} ${inWords(mood, name)}`);
  const { valence, arousal } = mood.affect ?? {};
  if (mood.affect) parts.push(`valence ${shown(valence)}`, `arousal ${shown(arousal)}`);
  return parts.join(", ") || (Object.keys(mood.rest).length > 0 ? "as written" : "neutral");
}

function inWords(mood, name) {
  const schedule = scheduleOf(mood, name);
  if (isGate(schedule)) return describedGate(schedule);
  if (schedule !== null) return "as written";
  return isDrawn(mood.intensities[name]) ? "as a curve" : shown(mood.intensities[name]);
}

/** A stored mood, or as much of it as there are such emotions; NEUTRAL where it is none. */
export function restored(stored, names) {
  if (!isObject(stored?.intensities)) return NEUTRAL;
  const known = Object.entries(stored.intensities).filter(
    ([name, value]) => names.includes(name) && isIntensity(value),
  );
  const point = stored.affect;
  const isPoint = Number.isFinite(point?.valence) && Number.isFinite(point?.arousal);
  const inertia = Number.isFinite(stored.inertia) ? stored.inertia : 0;
  const rest = isObject(stored.rest) ? stored.rest : {};
  return made(Object.fromEntries(known), isPoint ? point : null, inertia, rest);
}

const isObject = (value) => typeof value === "object" && value !== null;

function isIntensity(value) {
  if (!isObject(value)) return Number.isFinite(value);
  if (isObject(value.schedule)) return true;
  return areKeys(value.keys) && Number.isFinite(value.gain);
}
