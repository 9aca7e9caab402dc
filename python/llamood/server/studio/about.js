/** What the service says of itself, and how that is said to people. */

import { colourOf } from "./colours.js";
import { inUnits } from "./dom.js";
import { keyGiven } from "./key_dialog.js";
import { Refused } from "./service.js";

/** `{about, emotions}`, once the service has the key that it asks for. Raises its refusal where none
 * is entered. */
export async function introduced(service) {
  for (;;) {
    try {
      const [about, listed] = await Promise.all([service.about(), service.emotions()]);
      const names = listed.map(({ id }) => id);
      const colour = (id) => colourOf(id, names);
      return { about, emotions: listed.map((one) => ({ ...one, colour: colour(one.id) })) };
    } catch (error) {
      if (!(error instanceof Refused) || error.status !== 401) throw error;
      const key = await keyGiven(service);
      if (key === null) throw error;
      service.key = key;
    }
  }
}

/** Which model it is. */
export function modelSaid({ file, quantisation, parameters, bytes, context }) {
  const size = `${inUnits(parameters)} parameters, ${inUnits(bytes)}B`;
  return `${file}, ${quantisation}, ${size}, context of ${context} tokens`;
}

/** What was not measured, or reads badly, a line each, with what to do. */
export function doubtsSaid({ unread, trusted }, emotions) {
  const lines = [];
  if (unread !== null) {
    lines.push(`Colours show what is added, as nothing is read: ${unread}. Measure one that reads: llamood read --measure`);
  }
  const named = (some) => some.map(({ id }) => id).join(", ");
  const uncalibrated = emotions.filter(({ ceiling }) => ceiling === null);
  if (uncalibrated.length > 0) {
    lines.push(`How much stays fluent was not measured (${named(uncalibrated)}). Measure it: llamood calibrate`);
  }
  const poor = emotions.filter(({ quality }) => quality !== null && quality < trusted);
  if (poor.length > 0) {
    lines.push(`Readings are poor (${named(poor)}): trust these colours little, or measure on more texts: llamood extract --texts`);
  }
  return lines;
}
