import { reasonOf } from '../shared/errors.ts';

/** The benches by name. Each is loaded only when asked for: they need different things installed. */
const benches: Record<string, () => Promise<{ run(argv: string[]): Promise<void> }>> = {
  mel: () => import('./mel.ts'),
  storage: () => import('./storage.ts'),
  crawl: () => import('./crawl/main.ts'),
  learning: () => import('./learning/main.ts'),
  tagger: () => import('./tagger/main.ts'),
  training: () => import('./training/main.ts'),
  explain: () => import('./explain/main.ts'),
  dashboard: () => import('./dashboard/main.ts'),
};

const [name = '', ...rest] = process.argv.slice(2);
const load = benches[name];
if (load === undefined) {
  console.error(`usage: npm run bench -- NAME [options], NAME one of ${Object.keys(benches).join(', ')}`);
  process.exitCode = 2;
} else {
  try {
    await (await load()).run(rest);
  } catch (error) {
    console.error(`${name}: ${reasonOf(error)}`);
    process.exitCode = 1;
  }
}
