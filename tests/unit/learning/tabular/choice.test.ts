import { describe, expect, it } from 'vitest';
import { normal, randomStream } from '../../../../shared/learning/random.ts';
import { chooseStrength } from '../../../../shared/learning/tabular/tabular-family.ts';

/** Songs of two a group, and what fits of different worth would say of them. */
function unseen(count: number, worths: readonly number[]) {
  const random = randomStream('choice', count);
  const examples = Array.from({ length: count }, (_, i) => ({ label: (i % 2) as 0 | 1, group: i >> 1 }));
  const noise = examples.map(() => normal(random));
  return {
    examples,
    logits: worths.map((worth) =>
      examples.map(({ label }, i) => (label ? 1 : -1) * worth + noise[i]! + 0.1 * normal(random)),
    ),
  };
}

describe('chooseStrength', () => {
  it('takes a clearly better one', async () => {
    const { logits, examples } = unseen(200, [0, 0.2, 1.5]);
    expect(await chooseStrength(logits, examples, 0)).toBe(2);
  });

  it('stays with the usual one where the best is no more than lucky', async () => {
    const { logits, examples } = unseen(40, [0.5, 0.5, 0.51]);
    expect(await chooseStrength(logits, examples, 1)).toBe(1);
  });

  it('does not care how sure a fit is of itself', async () => {
    const { logits, examples } = unseen(200, [1, 1]);
    const surer = [logits[0]!, logits[0]!.map((logit) => 10 * logit)];
    expect(await chooseStrength(surer, examples, 1)).toBe(1);
  });
});
