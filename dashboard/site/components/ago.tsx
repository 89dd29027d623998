/** A moment that says how long ago it was, and when on hover. */
import { useEffect, useState } from 'react';
import { ago, moment } from '../format.ts';

/** The time now, told anew so often, in milliseconds. */
export function useNow(everyMs = 1_000): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}

export function Ago({ at }: { at: string | number }) {
  const now = useNow();
  return (
    <time dateTime={new Date(at).toISOString()} title={moment(new Date(at))}>
      {ago(at, Math.max(now, new Date(at).getTime()))}
    </time>
  );
}
