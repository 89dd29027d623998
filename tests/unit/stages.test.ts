import { expect, test } from 'vitest';
import { parseConfig } from '../../shared/config.ts';
import { UserError } from '../../shared/errors.ts';
import { audioStages, parseStageNames, stageNames, stages } from '../../shared/stages.ts';

const parametersHash = '0123456789abcdef';

test('a list of stages may have blanks and repeats', () => {
  expect(parseStageNames('preview, spectrogram,,preview')).toEqual(['preview', 'spectrogram']);
});

test.each([
  ['preview,mixing', 'unknown stage mixing'],
  ['Preview', 'unknown stage Preview'],
  ['constructor', 'unknown stage constructor'],
  [' , ', 'no stage is named'],
])('"%s" is refused, and what there is is listed', (list, reason) => {
  const parse = () => parseStageNames(list);
  expect(parse).toThrow(UserError);
  expect(parse).toThrow(`${reason}; the stages are ${stageNames.join(', ')}`);
});

test('each stage is complete, and what follows it exists', () => {
  const config = parseConfig({ AUDIO_PROCESSES: '3' });
  for (const name of stageNames) {
    const stage = stages[name];
    expect(stage.name).toBe(name);
    // A job that had just finished can be marked failed when the database goes away: two at least.
    expect(stage.attempts).toBeGreaterThanOrEqual(2);
    expect(stage.concurrency(config)).toBeGreaterThanOrEqual(1);
    expect(stage.because).not.toBe('');
    for (const next of stage.next) expect(stageNames).toContain(next);
  }
  expect(stages.spectrogram.concurrency(config)).toBe(4);
  expect(stages.train.concurrency(config)).toBe(1);
});

test('audio passes by the tagger where that is off', () => {
  expect(audioStages(parseConfig({}))).toEqual(['preview', 'embedding', 'spectrogram']);
  expect(audioStages(parseConfig({ TAGGER: 'off' }))).toEqual(['preview', 'spectrogram']);
});

test('different work has different job ids, and none has a colon, which BullMQ refuses', () => {
  const ids = [
    ...(['track', 'song'] as const).flatMap((kind) =>
      [1, 11].flatMap((id) => [
        stages.preview.jobId({ kind, id, parametersHash }),
        stages.embedding.jobId({ kind, id, parametersHash }),
        stages.spectrogram.jobId({ kind, id, parametersHash }),
        stages.spectrogram.jobId({ kind, id, parametersHash: 'fedcba9876543210' }),
      ]),
    ),
    ...[1, 11].flatMap((id) => [stages.train.jobId({ modelId: id }), stages.score.jobId({ batchId: id })]),
    ...[1, 11].flatMap((id) => [
      stages.search.jobId({ pageId: id }),
      stages.lookup.jobId({ trackId: id, crawlId: 2, parametersHash }),
      stages.lookup.jobId({ trackId: id, crawlId: 2, parametersHash: null }),
      stages.schedule.jobId({ scheduleId: id }),
      stages.schedule.jobId({ nightId: id }),
    ]),
  ];
  expect(new Set(ids).size).toBe(ids.length);
  for (const id of ids) expect(id).toMatch(/^[a-z][a-z0-9-]+$/);
});

test('two crawls that want the same of a track share the lookup', () => {
  const id = (crawlId: number) => stages.lookup.jobId({ trackId: 1, crawlId, parametersHash });
  expect(id(1)).toBe(id(2));
});

test('a lost page is lost tracks, and Deezer’s limits are kept', () => {
  const { search, lookup, preview } = stages;
  // Without jitter: bursts of errors of half a minute are outlived.
  const spanMs = ({ attempts, backoff }: typeof search) => backoff.delay * (2 ** (attempts - 1) - 1);
  expect(spanMs(search)).toBeGreaterThan(30_000);
  for (const stage of [search, lookup, preview]) expect(stage.backoff.jitter).toBeGreaterThan(0);
  expect(lookup.limit!.max).toBeLessThan(50);
  expect(lookup.limit!.duration).toBe(5_000);
  // Spotify's limit is told by itself, and kept in turns.
  expect(search.limit).toBeUndefined();
  expect(search.next).toContain('search');
});

test('a payload has to fit its stage exactly', () => {
  const good = { kind: 'track', id: 1, parametersHash };
  expect(stages.preview.payload.safeParse(good).success).toBe(true);
  const bad = [
    { ...good, id: 0 },
    { ...good, id: 1.5 },
    { ...good, id: '1' },
    { ...good, kind: 'film' },
    { ...good, parametersHash: 'short' },
    { ...good, path: '/etc/passwd' },
    null,
  ];
  for (const payload of bad) expect(stages.preview.payload.safeParse(payload).success).toBe(false);
  expect(stages.train.payload.safeParse({ batchId: 1 }).success).toBe(false);
  expect(stages.score.payload.safeParse({ batchId: 1 }).success).toBe(true);

  const lookup = { trackId: 1, crawlId: 2, parametersHash };
  for (const payload of [lookup, { ...lookup, parametersHash: null }]) {
    expect(stages.lookup.payload.safeParse(payload).success).toBe(true);
  }
  for (const payload of [{ ...lookup, parametersHash: undefined }, { trackId: 1, parametersHash }, good]) {
    expect(stages.lookup.payload.safeParse(payload).success).toBe(false);
  }
  // Neither what is asked nor by whom: a job names a row.
  expect(stages.search.payload.safeParse({ pageId: 1 }).success).toBe(true);
  for (const payload of [{}, { pageId: 0 }, { pageId: 1, token: 'x' }, { pageId: 1, query: 'x' }]) {
    expect(stages.search.payload.safeParse(payload).success).toBe(false);
  }
  for (const payload of [{ scheduleId: 1 }, { nightId: 1 }]) {
    expect(stages.schedule.payload.safeParse(payload).success).toBe(true);
  }
  expect(stages.schedule.payload.safeParse({ scheduleId: 1, nightId: 1 }).success).toBe(false);
});
