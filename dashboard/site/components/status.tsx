/** States by icon and word, never by colour alone. */
const looks = {
  running: ['●', 'busy'],
  training: ['●', 'busy'],
  active: ['●', 'busy'],
  queued: ['○', 'idle'],
  waiting: ['○', 'idle'],
  listed: ['○', 'idle'],
  delayed: ['◷', 'idle'],
  fetched: ['◐', 'busy'],
  done: ['✓', 'good'],
  ready: ['✓', 'good'],
  scored: ['✓', 'good'],
  resolved: ['✓', 'good'],
  retried: ['↻', 'busy'],
  champion: ['★', 'good'],
  alive: ['●', 'good'],
  failed: ['✕', 'bad'],
  open: ['✕', 'bad'],
  cancelled: ['■', 'idle'],
  dismissed: ['■', 'idle'],
  skipped: ['↷', 'idle'],
  paused: ['⏸', 'warn'],
  gone: ['✕', 'bad'],
} as const;

export function Status({ state, word }: { state: string; word?: string }) {
  const [icon, look] = looks[state as keyof typeof looks] ?? ['•', 'idle'];
  return (
    <span className={`status ${look}`}>
      <span aria-hidden="true">{icon}</span> {word ?? state}
    </span>
  );
}
