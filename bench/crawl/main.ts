import { measureThroughput } from './audio.ts';
import { print, type Row } from './row.ts';
import { measureCoverage, measureFrugality, measureMillion } from './search.ts';
import { measureKills, measureStorm } from './trouble.ts';

const parts: Record<string, () => Promise<Row[]>> = {
  frugality: measureFrugality,
  coverage: measureCoverage,
  kills: measureKills,
  storm: measureStorm,
  audio: measureThroughput,
  million: measureMillion,
};

/** `npm run bench -- crawl [part ...]`: the crawl's targets, all of them without a part. */
export async function run(argv: readonly string[]): Promise<void> {
  const unknown = argv.filter((name) => !(name in parts));
  if (unknown.length > 0) {
    throw new Error(`no part ${unknown.join(', ')}: there are ${Object.keys(parts).join(', ')}`);
  }
  for (const [name, measure] of Object.entries(parts)) {
    if (argv.length > 0 && !argv.includes(name)) continue;
    print(await measure());
  }
}
