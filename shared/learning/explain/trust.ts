/** Whether what an explanation names may be shown: only where it passed every check. */
import type { Decision } from './decision.ts';

export const trusts = ['trusted', 'unfaithful', 'like random', 'unchecked'] as const;
export type Trust = (typeof trusts)[number];

/** `unchecked`: it was made before explanations were compared with those of shuffled models. */
export function trustOf({ faithfulness, sanity }: Pick<Decision, 'faithfulness' | 'sanity'>): Trust {
  if (!faithfulness.trusted) return 'unfaithful';
  if (!sanity) return 'unchecked';
  return sanity.passed ? 'trusted' : 'like random';
}
