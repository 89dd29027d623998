/** How far a song is. */
import type { SongItem } from '../../../api/songs/schemas.ts';
import { Status } from '../../components/status.tsx';

const looks = {
  waiting: ['waiting', 'uploaded, waits'],
  decoding: ['fetched', 'decoding'],
  judging: ['active', 'judging'],
  scored: ['scored', 'judged'],
  failed: ['failed', 'failed'],
} as const;

export function Step({ step }: Pick<SongItem, 'step'>) {
  const [state, word] = looks[step];
  return <Status {...{ state, word }} />;
}
