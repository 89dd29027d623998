/**
 * How well `hiphop train` learns, by the command line alone, with its defaults: on real music with the
 * planted popularity of its manifest, on permuted labels, and on catalogues with other rules.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Table from 'cli-table3';
import { UserError } from '../../shared/errors.ts';
import { realAudio } from '../clips.ts';
import { describeClips, planted, writeManifest } from './catalogues.ts';
import { hiphop, type Trained } from './program.ts';

const nullSeeds = 20;

const parts: Record<string, (folder: string) => Promise<void>> = { realaudio, null: nullTest, rules };

/** @param argv names of parts; all by default. */
export async function run(argv: string[]): Promise<void> {
  const unknown = argv.filter((name) => !Object.hasOwn(parts, name));
  if (unknown.length > 0) {
    throw new UserError(
      `there is no part ${unknown.join(', ')}: choose from ${Object.keys(parts).join(', ')}`,
    );
  }
  const folder = mkdtempSync(join(tmpdir(), 'hiphop-bench-'));
  try {
    for (const name of argv.length > 0 ? argv : Object.keys(parts)) await parts[name]!(folder);
  } finally {
    // The database's server ends a moment after the last command.
    rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 500 });
  }
}

/** Take in the real clips once: the parts share the data folder. */
async function realCatalogue(folder: string): Promise<string> {
  const dataDir = join(folder, 'realaudio');
  mkdirSync(dataDir, { recursive: true });
  await hiphop(dataDir, ['ingest', join(realAudio(), 'manifest.csv'), '--wait']);
  return dataDir;
}

const interval = ([low, high]: readonly [number, number]) => `[${low.toFixed(3)} to ${high.toFixed(3)}]`;

async function realaudio(folder: string): Promise<void> {
  const trained = await hiphop<Trained>(await realCatalogue(folder), ['train', '--wait']);
  const head = ['model', 'ROC-AUC out of fold [95 %]', 'n', 'calibration error', 'top 10 %', 'top 20 %'];
  const table = new Table({ head });
  for (const { id, name, crossValidation: figures } of trained.models) {
    table.push([
      `${name}${id === trained.champion ? ' (champion)' : ''}`,
      `${figures.rocAuc.toFixed(3)} ${interval(figures.rocAucCi95)}`,
      ...[figures.n, figures.ece.toFixed(3)],
      ...[figures.top10.precision.toFixed(2), figures.top20.precision.toFixed(2)],
    ]);
  }
  console.log('real music, popularity as its manifest has it; hiphop train with no options');
  console.log(table.toString());
}

async function nullTest(folder: string): Promise<void> {
  const dataDir = await realCatalogue(folder);
  const areas: Record<string, number[]> = { logistic: [], musicnn: [], stack: [] };
  for (let seed = 1; seed <= nullSeeds; seed++) {
    const { models } = await hiphop<Trained>(dataDir, [
      ...['train', '--shuffle-labels', '--models', Object.keys(areas).join(',')],
      ...['--seed', String(seed), '--wait'],
    ]);
    for (const { name, crossValidation } of models) areas[name]!.push(crossValidation.rocAuc);
  }
  const table = new Table({ head: ['model', 'mean ROC-AUC out of fold', 'standard error', 'seeds'] });
  for (const [name, values] of Object.entries(areas)) {
    const mean = values.reduce((a, b) => a + b) / values.length;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
    table.push([name, mean.toFixed(3), Math.sqrt(variance / values.length).toFixed(3), values.length]);
  }
  console.log('real music, permuted labels: whatever is above one half is a leak');
  console.log(table.toString());
}

async function rules(folder: string): Promise<void> {
  const clips = await describeClips();
  const head = ['planted rule', 'clips', 'logistic', 'champion', 'its ROC-AUC out of fold', 'difference'];
  const table = new Table({ head });
  for (const [place, catalogue] of planted.entries()) {
    const dataDir = join(folder, `rule-${place}`);
    mkdirSync(dataDir);
    const manifest = join(folder, `rule-${place}.csv`);
    writeManifest(manifest, clips, catalogue);
    await hiphop(dataDir, ['ingest', manifest, '--wait']);
    const { models, champion } = await hiphop<Trained>(dataDir, ['train', '--wait']);
    const linear = models.find(({ name }) => name === 'logistic')!.crossValidation;
    const best = models.find(({ id }) => id === champion);
    const shown = best ? best.crossValidation : linear;
    table.push([
      ...[catalogue.rule, catalogue.clips, linear.rocAuc.toFixed(3), best?.name ?? 'none'],
      `${shown.rocAuc.toFixed(3)} ${interval(shown.rocAucCi95)}`,
      (shown.rocAuc - linear.rocAuc).toFixed(3),
    ]);
  }
  console.log('real music, rules of our own: the model that the program chose, beside logistic');
  console.log(table.toString());
}
