import { send, useApi } from '../../api.ts';
import { Action } from '../../components/action.tsx';
import { count, counted } from '../../format.ts';

interface Running {
  total: number;
  counts: Record<'night' | 'crawl' | 'training' | 'batch', number>;
}

const words = {
  night: ['night', 'nights'],
  crawl: ['crawl', 'crawls'],
  training: ['training', 'trainings'],
  batch: ['batch of songs', 'batches of songs'],
} as const;

/** Stops all that runs, on all machines; how much that is, is said before. */
export function CancelAll() {
  const running = useApi<Running>('/running', {}, { refetchInterval: 5_000 });
  const { total = 0, counts } = running.data ?? {};
  if (!counts || total < 2) return null;
  const what = (Object.keys(words) as (keyof typeof words)[])
    .filter((kind) => counts[kind] > 0)
    .map((kind) => counted(counts[kind], words[kind][0], words[kind][1]))
    .join(', ');
  return (
    <Action
      label={`Cancel all ${count(total)}`}
      kind="danger"
      confirm={{
        title: `Cancel all that runs: ${count(total)}?`,
        text: `${what}. What waits is taken out, what runs is stopped, what is done stays.`,
        yes: `Cancel ${count(total)}`,
      }}
      run={() => send('POST', '/running/cancel', { expected: total })}
      refreshes={['/running', '/pipeline', '/crawls', '/models', '/batches', '/nights']}
    />
  );
}
