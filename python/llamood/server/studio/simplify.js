/** Fewer points for the same line: Ramer, Douglas and Peucker's method, by vertical distance.
 *
 * `points`: `[[x, y], ...]`, x rising. What is left out lies within `within` of what is left, or
 * else further, where more than `most` points would be left.
 */
export function simplified(points, { within, most }) {
  for (let bound = within; ; bound *= 1.5) {
    const kept = keptWithin(points, bound);
    if (kept.length <= Math.max(most, 2)) return kept;
  }
}

function keptWithin(points, bound) {
  if (points.length < 3) return points;
  const [[x0, y0], [x1, y1]] = [points[0], points.at(-1)];
  const off = points.map(([x, y]) => Math.abs(y - y0 - ((y1 - y0) * (x - x0)) / (x1 - x0)));
  const worst = off.indexOf(Math.max(...off));
  if (off[worst] <= bound) return [points[0], points.at(-1)];
  const before = keptWithin(points.slice(0, worst + 1), bound);
  return [...before.slice(0, -1), ...keptWithin(points.slice(worst), bound)];
}
