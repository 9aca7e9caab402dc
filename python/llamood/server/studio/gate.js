/** A gate: a schedule that goes by what is read, as the service writes it.
 *
 * `{when: {sadness: "> 1.5"}, of: "user", then: 0.8, else: 0, lasts: "while", hysteresis: 0.5}`
 */

import { shown } from "./dom.js";

const LIMIT = /^([<>])\s*(-?[\d.]+)$/;
const NAMED_LIMIT = /^(.+?)\s*([<>]\s*-?[\d.]+)$/;

export const isGate = (schedule) =>
  typeof schedule?.when === "string" || (typeof schedule?.when === "object" && schedule.when !== null);

/** `[{emotion, sign, at}]`, all of which are to be met. */
export function limitsOf({ when }) {
  const pairs = typeof when === "string"
    ? when.split(" and ").map((part) => part.trim().match(NAMED_LIMIT)?.slice(1) ?? [part, ""])
    : Object.entries(when);
  return pairs.map(([emotion, limit]) => {
    const [, sign, at] = String(limit).trim().match(LIMIT) ?? [null, ">", NaN];
    return { emotion, sign, at: Number(at) };
  });
}

/** Whether fields can show all of it: one limit, and numbers to feel. */
export function isSimple(schedule) {
  if (!isGate(schedule) || !Number.isFinite(schedule.then)) return false;
  const limits = limitsOf(schedule);
  return limits.length === 1 && Number.isFinite(limits[0].at) && Number.isFinite(schedule.else ?? 0);
}

/** The same that feels this while it is open. */
export const withThen = (gate, then) => Object.freeze({ ...gate, then });

/** Of these fields; what is at its default is left out. */
export function gateOf({ emotion, sign, at, of, then, otherwise, lasts, hysteresis }) {
  return Object.freeze({
    when: { [emotion]: `${sign} ${at}` },
    then,
    ...(otherwise !== 0 ? { else: otherwise } : {}),
    ...(of !== "answer" ? { of } : {}),
    ...(lasts !== "while" ? { lasts } : {}),
    ...(hysteresis !== 0.5 ? { hysteresis } : {}),
  });
}

/** The fields of a simple gate. */
export function fieldsOf(gate) {
  const { then, of = "answer", lasts = "while", hysteresis = 0.5 } = gate;
  return { ...limitsOf(gate)[0], of, then, otherwise: gate.else ?? 0, lasts, hysteresis };
}

/** Whether it was open for a token of which this was asked; null where that does not tell. */
export function isOpen(gate, asked) {
  const { then, otherwise } = fieldsOf(gate);
  return then === otherwise ? null : Math.abs(asked - then) < Math.abs(asked - otherwise);
}

/** In words, after the name of the emotion. */
export function describedGate(gate) {
  const felt = (value) => (Number.isFinite(value) ? shown(value) : "as written");
  const limits = limitsOf(gate).map(({ emotion, sign, at }) => {
    return `${emotion} ${sign === "<" ? "below" : "above"} ${shown(at)}`;
  });
  const whose = gate.of === "user" ? "what you said" : "the answer";
  const from = gate.lasts === "always" ? "once" : "while";
  const otherwise = gate.else ? `, else ${felt(gate.else)}` : "";
  return `${felt(gate.then)} ${from} ${whose} reads ${limits.join(" and ")}${otherwise}`;
}
