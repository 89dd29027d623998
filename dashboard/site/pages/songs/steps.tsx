/** How far a song and a batch are. */
import type { BatchItem, SongItem } from '../../../api/songs/schemas.ts';
import { Status } from '../../components/status.tsx';

const looks = {
  waiting: ['waiting', 'uploaded, waits'],
  decoding: ['fetched', 'decoding'],
  judging: ['active', 'judging'],
  scored: ['scored', 'judged'],
  failed: ['failed', 'failed'],
  cancelled: ['cancelled', 'not judged'],
} as const;

export function Step({ step }: Pick<SongItem, 'step'>) {
  const [state, word] = looks[step];
  return <Status {...{ state, word }} />;
}

export function BatchState({ state }: Pick<BatchItem, 'state'>) {
  return <Status state={state === 'empty' ? 'waiting' : state} word={state} />;
}
