/** The ways that a conversation went on from one place, of which one is shown.
 *
 * A way is a list of turns. A turn has `ways`: all those that begin in its place, as they came
 * about, with null for the one that it begins itself. `[null]`, where there is no other.
 */

export const ONE_WAY = Object.freeze([null]);

/** The turns, with `turn` in place of the `i`th; the way that was there is kept as another. */
export function branched(turns, i, turn) {
  const way = turns.slice(i);
  turn.ways = [...way[0].ways.map((other) => other ?? way), null];
  way[0].ways = ONE_WAY;
  return [...turns.slice(0, i), turn];
}

/** The turns, as they go on from the `i`th in the way of number `to`. */
export function turnedTo(turns, i, to) {
  const way = turns.slice(i);
  const ways = way[0].ways.map((other) => other ?? way);
  way[0].ways = ONE_WAY;
  ways[to][0].ways = ways.with(to, null);
  return [...turns.slice(0, i), ...ways[to]];
}
