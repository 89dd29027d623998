import { describe, expect, it } from 'vitest';
import { drawCurves } from '../../producers/curves.ts';
import type { Model } from '../../shared/database/generated/client.ts';
import { evaluate } from '../../shared/learning/evaluation/index.ts';
import { normal, randomStream } from '../../shared/learning/random.ts';
import { sigmoid } from '../../shared/learning/sigmoid.ts';

function model(id: number, name: string, worth: number, side: 'crossValidation' | 'holdout'): Model {
  const random = randomStream('curves', id);
  const judged = Array.from({ length: 80 }, (_, i) => {
    const label = (i % 2) as 0 | 1;
    return { label, group: i >> 1, probability: sigmoid(worth * (label ? 1 : -1) + normal(random)) };
  });
  const metrics = { crossValidation: null, [side]: evaluate(judged, 1) };
  return { id, name, metrics } as unknown as Model;
}

describe('drawCurves', () => {
  const svg = drawCurves([
    model(3, 'logistic', 0.3, 'crossValidation'),
    model(5, 'stack', 1.5, 'crossValidation'),
  ]);

  it('is an SVG picture that names each model with its figure, the best first', () => {
    expect(svg).toMatch(/^<svg [^>]*viewBox="0 0 \d+ \d+"/);
    expect(svg.trimEnd()).toMatch(/<\/svg>$/);
    expect(svg).toContain('80 songs out of fold');
    expect(svg).toMatch(/<title>ROC and reliability curves: model-5 stack 0\.\d{3}, model-3 /);
    const drawn = svg.replace(/<title>.*<\/title>/, '');
    const names = [...drawn.matchAll(/model-\d \w+ 0\.\d{3}/g)].map(([name]) => name);
    expect(names.map((name) => name.slice(0, 7))).toEqual(['model-5', 'model-3']);
  });

  it('draws a ROC curve and a reliability curve for each, in its colour', () => {
    for (const colour of ['#0072B2', '#D55E00']) {
      expect(svg.match(new RegExp(`<path[^>]*stroke="${colour}"`, 'g'))!.length).toBeGreaterThanOrEqual(2);
    }
  });

  it('says so where the curves are of the holdout', () => {
    expect(drawCurves([model(1, 'crnn', 1, 'holdout')])).toContain('80 songs of the holdout');
  });
});
