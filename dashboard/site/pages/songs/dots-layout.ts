/** Where the dots of a quantile dot plot lie, so that they can be counted wherever they crowd. */

export interface Layout {
  radius: number;
  /** Centres, x from the left and y up from the axis. */
  places: { x: number; y: number }[];
}

const largest = 4;
const step = 0.1;

/**
 * Stack dots in columns as wide as a dot (Wilkinson 1999), with the largest dots of which the tallest stack
 * fits: none covers another.
 * @param dots ascending, 0 to 1: from none at the left edge to all at the right one
 */
export function layOutDots(dots: readonly number[], width: number, height: number): Layout {
  const smallest = height / (2 * dots.length);
  for (let radius = largest; radius > smallest; radius -= step) {
    const places = stacked(dots, width, radius);
    if (places.every(({ y }) => y + radius <= height)) return { radius, places };
  }
  return { radius: smallest, places: stacked(dots, width, smallest) };
}

function stacked(dots: readonly number[], width: number, radius: number): Layout['places'] {
  const columns = Math.floor(width / (2 * radius));
  const levels = new Map<number, number>();
  return dots.map((dot) => {
    const column = Math.min(columns - 1, Math.floor(dot * columns));
    const level = levels.get(column) ?? 0;
    levels.set(column, level + 1);
    return { x: (column + 0.5) * (width / columns), y: (2 * level + 1) * radius };
  });
}
