/** How far something is: n of m, as a bar and in figures. */
import { count, singular } from '../format.ts';

export function Meter({ done, total, noun }: { done: number; total: number; noun: string }) {
  const share = total > 0 ? Math.min(1, done / total) : 0;
  return (
    <span className="meter">
      <progress value={share} max={1} aria-label={`${noun}: ${count(done)} of ${count(total)}`} />
      <span>
        {count(done)} of {count(total)} {total === 1 ? singular(noun) : noun}
      </span>
    </span>
  );
}
