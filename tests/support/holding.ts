/** Work that says when it has begun, and is under way until it is let go. */
export function holding(): { inside: Promise<void>; hold: () => Promise<void>; letGo: () => void } {
  let enter = () => {};
  let letGo = () => {};
  const inside = new Promise<void>((resolve) => {
    enter = resolve;
  });
  const held = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const hold = () => {
    enter();
    return held;
  };
  return { inside, hold, letGo };
}
