import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { settings, writeCatalogue } from '../support/catalogue.ts';
import { hiphop, hiphopJson, killProcessesOf } from '../support/cli.ts';
import { openBench, type QueueBench } from '../support/queue-backends.ts';
import { taggerCache, taggerMissing } from '../support/tagger.ts';

// Several commands a test, each some seconds of a core that may be busy otherwise.
vi.setConfig({ testTimeout: 180_000 });

/** The tests follow one catalogue through its life, in this order. */
describe.skipIf(taggerMissing)(`hiphop embed ${taggerMissing ?? ''}`, () => {
  let folder: string;
  let bench: QueueBench;
  let environment: Record<string, string>;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'hiphop-embed-'));
    bench = await openBench('postgresql');
    const own = { DATA_DIR: join(folder, 'data'), CACHE_DIR: taggerCache };
    environment = { ...bench.environment, ...settings, ...own, TAGGER: 'auto', TENSORFLOW: 'wasm' };
    writeCatalogue(folder, 3);
  });
  afterAll(async () => {
    killProcessesOf(folder);
    await bench.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const embed = (more: readonly string[] = []) => hiphopJson(['embed', ...more], environment);

  test('embeds what was taken in without the tagger, and then finds nothing to do', async () => {
    const ingested = await hiphopJson(['ingest', join(folder, 'audio'), '--wait'], {
      ...environment,
      TAGGER: 'off',
    });
    expect(ingested).toMatchObject({ tracks: 3, spectrograms: 3, failed: 0 });
    expect(await bench.database.prisma.embedding.count()).toBe(0);

    expect(await embed()).toEqual({ enqueued: 3, embedded: 3, left: 0 });
    expect(await bench.database.prisma.embedding.count()).toBe(3);
    expect(await bench.database.prisma.preview.count()).toBe(0);
    expect(await bench.database.prisma.track.count({ where: { state: 'ready' } })).toBe(3);
    expect(await embed(['--wait'])).toEqual({ enqueued: 0, embedded: 0, left: 0 });
  });

  test('what is taken in with the tagger is embedded at once', async () => {
    const more = mkdtempSync(join(folder, 'more-'));
    writeCatalogue(more, 5);
    const ingested = await hiphopJson(['ingest', join(more, 'audio'), '--wait'], environment);
    expect(ingested).toMatchObject({ tracks: 5, spectrograms: 5, failed: 0 });
    expect(await bench.database.prisma.embedding.count()).toBe(5);
  });

  test('says what is missing where it cannot be done', async () => {
    const off = await hiphop(['embed'], { ...environment, TAGGER: 'off' });
    expect(off).toMatchObject({ status: 2, stdout: '' });
    expect(off.stderr).toMatch(/the tagger is off: set TAGGER=auto/);

    const none = await hiphop(['embed', '--data-set', 'none'], environment);
    expect(none).toMatchObject({ status: 2 });
    expect(none.stderr).toMatch(/there is no data set none/);
  });

  test('the doctor tells of the tagger', async () => {
    const found = await hiphopJson<{ tagger: object }>(['doctor'], environment);
    expect(found.tagger).toMatchObject({ setting: 'auto', ready: true });
    const off = await hiphop(['doctor'], { ...environment, TAGGER: 'off' });
    expect(off.stdout).toMatch(/music tagger: off \(TAGGER=off\)/);
  });
});
