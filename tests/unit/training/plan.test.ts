import { describe, expect, it } from 'vitest';
import { checkTagger, planTraining } from '../../../producers/training-plan.ts';
import { UserError } from '../../../shared/errors.ts';

const facts = { tracks: 180, groups: 70, described: 180, backend: 'tensorflow-cpu' } as const;
const free = { models: null, folds: undefined };

describe('planTraining', () => {
  it('trains all that suits a small catalogue on a fast machine, by cross-validation', () => {
    const plan = planTraining(facts, free);
    expect(plan.models).toEqual(['dummy', 'logistic', 'forest', 'musicnn', 'stack', 'crnn']);
    expect(plan.crossValidationFolds).toBe(5);
    expect(plan.notes).toHaveLength(1);
  });

  it.each([
    [{ ...facts, described: 90 }, ['musicnn', 'stack'], 'hiphop embed'],
    [{ ...facts, tracks: 60, groups: 30, described: 60 }, ['crnn'], 'too few'],
    [{ ...facts, backend: 'wasm' as const }, ['crnn'], 'no native TensorFlow'],
  ])('leaves out what does not, and says so', (given, missing, why) => {
    const plan = planTraining(given, free);
    for (const name of missing) expect(plan.models).not.toContain(name);
    expect(plan.notes.join('\n')).toContain(why);
  });

  it('does without cross-validation where there is much, or little', () => {
    expect(planTraining({ ...facts, tracks: 16_000 }, free).crossValidationFolds).toBeNull();
    expect(planTraining({ ...facts, groups: 8 }, free).crossValidationFolds).toBeNull();
  });

  it('does what it is told', () => {
    const plan = planTraining({ ...facts, tracks: 16_000 }, { models: ['crnn'], folds: 3 });
    expect(plan).toEqual({ models: ['crnn'], crossValidationFolds: 3, notes: [] });
    expect(planTraining(facts, { models: null, folds: null }).crossValidationFolds).toBeNull();
  });
});

describe('checkTagger', () => {
  it('refuses models that judge by what was never heard, saying what to do', () => {
    expect(() => checkTagger(['logistic', 'stack'], { ...facts, described: 10 })).toThrow(UserError);
    expect(() => checkTagger(['stack'], { ...facts, described: 10 })).toThrow('hiphop embed');
    expect(() => checkTagger(['logistic', 'crnn'], { ...facts, described: 0 })).not.toThrow();
  });
});
