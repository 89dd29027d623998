/** What this browser keeps for these pages; null where it was told to keep nothing. */
export function storage(kind: 'localStorage' | 'sessionStorage'): Storage | null {
  try {
    return window[kind];
  } catch {
    return null;
  }
}
