/** How fresh a page is to which news are pushed. */
import type { ReactNode } from 'react';
import type { Live } from '../events.ts';
import { Ago } from './ago.tsx';

/** @param props.before said until anything was pushed */
export function LiveSince({ at, live, before }: Pick<Live<unknown>, 'at' | 'live'> & { before: ReactNode }) {
  if (at === null) return before;
  return (
    <>
      {live ? 'Live; updated' : 'As it was'} <Ago at={at} />.
    </>
  );
}
