import { expect, test } from 'vitest';
import { cancel } from '../../producers/cancel.ts';
import { retryFailures, retrySong } from '../../producers/failures.ts';
import { resumeBatch } from '../../producers/resume-batch.ts';
import type { Song } from '../../shared/database/generated/client.ts';
import { PermanentError } from '../../shared/errors.ts';
import { recordFailure } from '../../shared/failures.ts';
import type { Services } from '../../workers/handler.ts';
import { buildScore } from '../../workers/score.ts';
import { startWorkers } from '../../workers/workforce.ts';
import { hiphop, hiphopJson } from '../support/cli.ts';
import { eventually } from '../support/eventually.ts';
import { onBothBackends, silent } from '../support/queue-backends.ts';
import { useSongBench } from '../support/song-bench.ts';
import { givenSong, songParameters } from '../support/songs.ts';
import { standIns } from '../support/stand-ins.ts';
import { context } from './previews-support.ts';

onBothBackends('songs that are tried again', (kind) => {
  const on = useSongBench(kind);

  const newBatch = () => on.bench.database.prisma.scoreBatch.create({ data: { modelId: on.model.id } });
  const songsOf = (batchId: number) =>
    on.bench.database.prisma.song.findMany({ where: { batchId }, orderBy: { id: 'asc' } });
  const songOf = (id: number) => on.bench.database.prisma.song.findUniqueOrThrow({ where: { id } });
  const failures = () =>
    on.bench.database.prisma.failure.findMany({
      select: { subject: true, stage: true, state: true },
      orderBy: { id: 'asc' },
    });
  const waiting = async () => {
    const jobs = await on.bench.queues.of('preview').getJobs(['waiting', 'delayed']);
    return jobs.map(({ data }) => data.id);
  };
  /** A song whose audio is no good, as the stage leaves it. */
  const givenBadSong = async (batchId: number, file: string): Promise<Song> => {
    const id = await givenSong(on.bench.database.prisma, batchId, { file, state: 'failed' });
    await recordFailure(on.bench.database.prisma, {
      ...{ stage: 'spectrogram', kind: 'permanent', reason: 'no audio in it', subject: file, attempts: 1 },
      ...{ songId: id, payload: { kind: 'song', id, parametersHash: 'of then' } },
    });
    return songOf(id);
  };
  /** Judge with a model that says this of each song. */
  const judging = (services: Services, score: (songs: unknown[]) => (number | null)[]) =>
    buildScore({
      ...services,
      config: { ...on.bench.config, tagger: 'off' },
      judge: () => ({ score: async (_model: unknown, songs: unknown[]) => score(songs) }) as never,
    });
  const own = () => ({ database: on.bench.database, queues: on.bench.queues }) as unknown as Services;

  test('a scoring that failed is retried with the songs whose audio was good, and resolved', async () => {
    const { prisma } = on.bench.database;
    const batch = await newBatch();
    await givenSong(prisma, batch.id, { file: 'good', state: 'ready' });
    await givenBadSong(batch.id, 'bad');
    const broken = () => {
      throw new PermanentError('out of memory');
    };
    await on.bench.queues.enqueue('score', [{ batchId: batch.id }]);
    const workers = await startWorkers(on.bench.config, silent, ['score'], {
      ...standIns({}),
      score: (services) => judging(services, broken) as never,
    });
    const subject = `batch-${batch.id}`;
    await eventually(async () => (await failures()).some((each) => each.subject === subject), {
      what: 'the failure to be written down',
    }).finally(() => workers.close());
    expect(await songsOf(batch.id)).toMatchObject([
      { state: 'failed', failureReason: 'out of memory' },
      { state: 'failed' },
    ]);

    expect(await retryFailures(on.session, { stage: 'score' })).toMatchObject({ retried: 1, left: [] });
    const [good, bad] = await songsOf(batch.id);
    expect([good!.state, bad!.state]).toEqual(['queued', 'failed']);
    expect(await waiting()).toEqual([good!.id]);
    expect(await prisma.scoreBatch.findUnique({ where: { id: batch.id } })).toMatchObject({
      state: 'running',
      finishedAt: null,
    });

    await prisma.song.update({ where: { id: good!.id }, data: { state: 'ready' } });
    await judging(own(), (songs) => songs.map(() => 0.5)).run({ batchId: batch.id }, context());
    expect((await songOf(good!.id)).state).toBe('scored');
    expect(await failures()).toEqual([
      { subject: 'bad', stage: 'spectrogram', state: 'open' },
      { subject, stage: 'score', state: 'resolved' },
    ]);
  });

  test('a song of which the scoring failed can be tried again alone', async () => {
    const batch = await newBatch();
    const [first, second] = [
      await givenSong(on.bench.database.prisma, batch.id, { file: 'first', state: 'failed' }),
      await givenSong(on.bench.database.prisma, batch.id, { file: 'second', state: 'failed' }),
    ];
    expect(await retrySong(on.session, await songOf(first))).toBeNull();
    expect(await waiting()).toEqual([first]);
    expect((await songOf(second)).state).toBe('failed');
  });

  test('a song that the model cannot judge has a failure of its own, which puts it back', async () => {
    const batch = await newBatch();
    const id = await givenSong(on.bench.database.prisma, batch.id, { file: 'unheard', state: 'ready' });
    await judging(own(), (songs) => songs.map(() => null)).run({ batchId: batch.id }, context());
    expect(await songOf(id)).toMatchObject({
      state: 'failed',
      failureReason: expect.stringContaining('try it'),
    });
    expect(await failures()).toEqual([{ subject: 'unheard', stage: 'score', state: 'open' }]);
    expect(await retryFailures(on.session, {})).toMatchObject({ retried: 1, left: [] });
    expect(await songOf(id)).toMatchObject({ state: 'queued', failureReason: null });
    expect(await waiting()).toEqual([id]);
  });

  test('a batch that was cancelled stays cancelled, and says so', async () => {
    const { prisma } = on.bench.database;
    const batch = await newBatch();
    const song = await givenBadSong(batch.id, 'bad');
    await givenSong(prisma, batch.id, { file: 'queued', state: 'queued' });
    await cancel(on.session, `batch-${batch.id}`);
    const why = `batch-${batch.id} is cancelled: resume it first`;
    expect(await retrySong(on.session, song)).toBe(why);
    expect(await retryFailures(on.session, {})).toMatchObject({
      retried: 0,
      left: [{ subject: 'bad', why }],
    });
    expect(await waiting()).toEqual([]);
    expect((await songsOf(batch.id)).map(({ state }) => state)).toEqual(['failed', 'queued']);
    expect(await failures()).toEqual([{ subject: 'bad', stage: 'spectrogram', state: 'open' }]);
  });

  test('a batch that was cancelled goes on where it stood, once', async () => {
    const { prisma } = on.bench.database;
    const batch = await newBatch();
    const scored = await givenSong(prisma, batch.id, { file: 'scored', state: 'scored' });
    const ready = await givenSong(prisma, batch.id, { file: 'ready', state: 'ready' });
    const queued = await givenSong(prisma, batch.id, { file: 'queued', state: 'queued' });
    await on.bench.queues.enqueue('preview', [{ kind: 'song', id: queued, parametersHash: songParameters }]);
    await cancel(on.session, `batch-${batch.id}`);
    expect(await waiting()).toEqual([]);
    expect(await resumeBatch(on.session, batch.id)).toBe(`batch-${batch.id} goes on`);
    expect(await resumeBatch(on.session, batch.id)).toBe(`batch-${batch.id} is under way already`);
    expect(await waiting()).toEqual([queued]);
    await prisma.song.delete({ where: { id: queued } });
    await judging(own(), (songs) => songs.map(() => 0.5)).run({ batchId: batch.id }, context());
    expect((await songsOf(batch.id)).map(({ id, state }) => [id, state])).toEqual([
      [scored, 'scored'],
      [ready, 'scored'],
    ]);
    await expect(resumeBatch(on.session, batch.id)).rejects.toThrow('is done already');
    await expect(resumeBatch(on.session, 999_999)).rejects.toThrow('there is no batch-999999');
  });

  test('of a batch that was cancelled when its last song was ready, the scoring goes on', async () => {
    const batch = await newBatch();
    await givenSong(on.bench.database.prisma, batch.id, { file: 'ready', state: 'ready' });
    await cancel(on.session, `batch-${batch.id}`);
    const other = await hiphop(['resume', 'song-1'], on.bench.environment);
    expect(other).toMatchObject({ status: 2, stdout: '' });
    // Nobody runs the stages: the command does it itself, and this model's weights are no good.
    const { said, songs } = await hiphopJson<{ said: string; songs: { file: string; error: string }[] }>(
      ['resume', `batch-${batch.id}`],
      ...([on.bench.environment, { status: 1 }] as const),
    );
    expect(said).toBe(`batch-${batch.id} goes on`);
    expect(songs).toMatchObject([{ file: 'ready' }]);
    expect(songs[0]!.error).toMatch(/weights|model/);
  });

  test('what was dismissed can be tried again, what was refused when it came cannot', async () => {
    const { prisma } = on.bench.database;
    const batch = await newBatch();
    const song = await givenBadSong(batch.id, 'bad');
    await prisma.failure.updateMany({ data: { state: 'dismissed' } });
    expect(await retrySong(on.session, song)).toBeNull();
    expect(await waiting()).toEqual([song.id]);
    const refused = await givenSong(prisma, batch.id, { file: 'a page', state: 'failed' });
    await prisma.song.update({ where: { id: refused }, data: { contentHash: null } });
    expect(await retrySong(on.session, await songOf(refused))).toMatch('refused as it is');
  });
});
